"""What a reader does with the page: sort tables, take their CSV, save figures."""

import csv
import io
import re
import struct
from xml.etree import ElementTree

import pytest

from tests.browser.conftest import unfold
from tests.report.test_tables import embedded

pytestmark = pytest.mark.browser
SVG = "{http://www.w3.org/2000/svg}svg"
PNG = b"\x89PNG\r\n\x1a\n"
SCALE = 3
# Chromium drops the eleventh download that a page starts within a second.
PAUSE_MS = 120


def saved(page, button, path):
    """Return the name and the content of the file that a click gives."""
    page.wait_for_timeout(PAUSE_MS)
    with page.expect_download() as download:
        button.click()
    download.value.save_as(path)
    return download.value.suggested_filename, path.read_bytes()


def column(table, index):
    """Return what a column's cells sort by, in the order shown."""
    return table.evaluate(
        "(t, i) => [...t.tBodies[0].rows].map((r) => r.cells[i].dataset.key ?? r.cells[i].textContent)", index
    )


@pytest.mark.parametrize("index", [0, 2])
def test_a_click_sorts_and_a_second_one_turns(show, index):
    """A heading sorts by number or by text, up, then down; cells without a value stay last; the heading says so."""
    page = unfold(show("simulated"))
    details = page.locator("#table-recovery-of-tau")
    details.evaluate("(d) => { d.open = true; }")
    table, head = details.locator("table"), details.locator("th").nth(index)
    before = column(table, index)
    for direction in ("ascending", "descending"):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == direction
        shown = [float(v) if index else v for v in column(table, index) if v]
        key = (
            None if index else lambda text: [float(p) if p[0].isdigit() else p for p in re.findall(r"[\d.]+|\D+", text)]
        )
        assert shown == sorted(shown, key=key, reverse=direction == "descending")
        assert column(table, index)[len(shown) :] == [""] * before.count("")
    assert sorted(column(table, index)) == sorted(before)


def test_csv_is_the_whole_table(show, pages, tmp_path):
    """The downloaded file is the CSV that the page holds, with a mark that spreadsheets need, and it parses."""
    page = unfold(show("simulated"))
    csvs = embedded(pages["simulated"].read_text("utf-8"))
    for details in page.locator("details.table").all():
        details.evaluate("(d) => { d.open = true; }")
        name, content = saved(page, details.locator("[data-csv]"), tmp_path / "table.csv")
        assert name.endswith(".csv")
        text = content.decode("utf-8-sig")
        assert text == csvs[name.removesuffix(".csv")]
        rows = list(csv.reader(io.StringIO(text)))
        assert len({len(row) for row in rows}) == 1


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_figures_are_saved_as_svg(show, tmp_path, width, scheme):
    """The SVG is well formed, has a size, and its colors are written out, light ones even on a dark screen."""
    page = unfold(show("simulated", width=width, color_scheme=scheme))
    for figure in page.locator("figure").all():
        name, content = saved(page, figure.locator("[data-save=svg]"), tmp_path / "figure.svg")
        assert name == f"{figure.get_attribute('data-name')}.svg"
        root = ElementTree.fromstring(content)
        assert root.tag == SVG
        assert float(root.attrib["width"]) > 300
        assert b"var(" not in content
        assert b"#1d2330" in content


def test_figures_are_saved_as_png(show, tmp_path):
    """The PNG has three times the pixels of the drawing, and more than one color."""
    page = unfold(show("simulated"))
    figure = page.locator("figure").first
    name, content = saved(page, figure.locator("[data-save=png]"), tmp_path / "figure.png")
    assert name == f"{figure.get_attribute('data-name')}.png"
    assert content.startswith(PNG)
    size = figure.locator(".wide svg").evaluate("(s) => [Number(s.dataset.width), Number(s.dataset.height)]")
    assert list(struct.unpack(">II", content[16:24])) == [SCALE * side for side in size]
    assert len(content) > 10_000
