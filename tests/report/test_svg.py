"""SVG that follows the page: text as text, colors as variables, numbers as the reader should see them."""

import re
from xml.etree import ElementTree

from simstudy.report.figures import chain_divergences
from simstudy.report.figures.canvas import drawing, sheet
from simstudy.report.reading.palette import COMPLETE, css_variables, variable_of
from simstudy.report.svg import to_svg


def small_figure(text="0.00012"):
    """Return a figure with a text, a line in a method's color and a line in a color of its own."""
    with drawing():
        figure = sheet(3, 2)
        ax = figure.subplots()
        ax.plot([0, 1], [0, 1], color=COMPLETE.light)
        ax.plot([0, 1], [1, 0], color="#123456")
        ax.set_title(text)
    return figure


def test_svg_is_well_formed_and_described():
    """The element parses as XML, has a role and a label for those who do not see it, and escapes the label."""
    svg = to_svg(small_figure(), name="x", description='a "quoted" <b> & more')
    root = ElementTree.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == 'a "quoted" <b> & more'
    assert "viewBox" in root.attrib


def test_text_is_text_and_numbers_in_it_are_not_rounded():
    """What a reader sees stands as text, letter by letter; only coordinates are rounded."""
    svg = to_svg(small_figure("p = 0.000123456"), name="x", description="x")
    assert ">p = 0.000123456</text>" in svg
    assert not re.search(r'd="[^"]*\d\.\d{3,}', svg)


def test_colors_of_the_palette_become_variables():
    """Colors of methods and inks follow the page; every other color stays as it was drawn."""
    svg = to_svg(small_figure(), name="x", description="x")
    assert f"var(--{variable_of(COMPLETE.light)},{COMPLETE.light})" in svg
    assert "stroke: #123456" in svg
    for light, _ in css_variables().values():
        assert not re.search(rf"(?<!,){light}", svg), "a color of the palette outside of a variable"


def test_svg_is_reproducible_and_ids_differ_by_name():
    """The same figure gives the same SVG; two pictures on one page share no id."""
    first, again = (to_svg(small_figure(), name="x", description="x") for _ in range(2))
    other = to_svg(small_figure(), name="y", description="x")
    assert first == again
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (first, other)]
    assert ids[0]
    assert ids[0].isdisjoint(ids[1])
    assert set(re.findall(r"url\(#([^)]+)\)", first)) <= ids[0]


def test_a_figure_of_any_user_can_be_put_on_a_page():
    """A figure from the public functions is turned into SVG without a warning."""
    import pandas as pd

    figure = chain_divergences(pd.DataFrame({"method": ["a", "a", "b", "b"], "rate": [0.0, 1.0, 2.0, 9.0]}))
    assert to_svg(figure, name="chains", description="chains").startswith("<svg")
