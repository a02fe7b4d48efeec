"""Lollipops, ridges and heat maps hold the numbers of their tables."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.stats import norm

from simstudy.errors import TableError
from simstudy.report.figures.canvas import NARROW, WIDE
from simstudy.report.figures.heat import heat
from simstudy.report.figures.lollipop import apart, lollipop
from simstudy.report.figures.ridge import RISE, density, ridge

WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])


def performance(rows):
    """Return a performance table of (scenario, method, measure, value, mcse)."""
    frame = pd.DataFrame(rows, columns=["scenario", "method", "measure", "value", "mcse"])
    level = np.where(frame["measure"] == "coverage", 0.9, np.nan)
    return frame.assign(estimand="x", group=None, bin=None, level=level, lower=np.nan, upper=np.nan, policy="available")


SCENARIOS = pd.DataFrame({"scenario": ["s1", "s2"], "label": ["s1", "s2"], "site": ["01", "02"]})
TABLE = performance(
    [
        ("s1", "a", "bias", 0.5, 0.1),
        ("s2", "a", "bias", -0.2, 0.1),
        ("s1", "b", "bias", 0.1, 0.05),
        ("s2", "b", "bias", np.nan, np.nan),
        ("s1", "a", "coverage", 0.8, 0.02),
        ("s2", "a", "coverage", 0.95, 0.01),
        ("s1", "b", "coverage", 0.91, 0.01),
        ("s2", "b", "coverage", np.nan, np.nan),
    ]
)


@WIDTHS
def test_lollipops_are_stems_from_where_a_measure_should_be(width):
    """Stems run from 0, or from the level, to the value; parentheses stand 2 MCSE either side."""
    figure = lollipop(TABLE, SCENARIOS, estimand="x", measures=("bias", "coverage"), width=width)
    for ax, begin, values, reach in zip(
        figure.axes,
        (0.0, 0.9),
        ([0.5, -0.2, 0.1], [0.8, 0.95, 0.91]),
        ([0.2, 0.2, 0.1], [0.04, 0.02, 0.02]),
        strict=True,
    ):
        stems = np.concatenate([c.get_segments() for c in ax.collections])
        np.testing.assert_allclose(stems[:, 0, 0], begin)
        np.testing.assert_allclose(stems[:, 1, 0], values)
        heads = np.concatenate([line.get_xdata() for line in ax.lines if line.get_label() in ("a", "b")])
        np.testing.assert_allclose(heads, values)
        arcs = [line.get_xdata() for line in ax.lines if not isinstance(line.get_marker(), str)]
        low, high = np.concatenate(arcs[0::2]), np.concatenate(arcs[1::2])
        np.testing.assert_allclose(high - low, 2 * np.array(reach))
        np.testing.assert_allclose((high + low) / 2, values)
        assert [text.get_text() for text in ax.texts] == ["no value"]


def test_lollipops_name_rows_as_asked():
    """Labels of the caller stand on the axis; a measure that the table lacks is left out, none is refused."""
    figure = lollipop(TABLE, SCENARIOS, estimand="x", measures=("bias", "rmse"), labels={"s1": "first", "s2": "second"})
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["first", "second"]
    assert len(figure.axes) == 1
    with pytest.raises(TableError, match="the table has no rmse of x to draw"):
        lollipop(TABLE, SCENARIOS, estimand="x", measures=("rmse",))


@WIDTHS
def test_heat_maps_hold_the_values(width):
    """A row per scenario, a column per method; a cell without a value has no color and no number."""
    figure = heat(TABLE, SCENARIOS, estimand="x", measures=("bias", "coverage"), width=width)
    bias, coverage = figure.axes
    mesh = bias.collections[0].get_array().reshape(2, 2)
    np.testing.assert_allclose(mesh.filled(np.nan), [[0.5, 0.1], [-0.2, np.nan]])
    assert {text.get_text() for text in bias.texts} == {"0.500", "0.100", "\u22120.200"}
    assert coverage.collections[0].norm.vcenter == 0.9
    assert bias.collections[0].norm.vcenter == 0.0


@WIDTHS
def test_ridges_are_densities_of_the_errors(width):
    """Heights are in proportion to the densities, on one scale for all; strokes stand at the mean errors."""
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame({"scenario": s, "method": m, "error": center + sd * rng.standard_normal(4000)})
        for s, center, sd in (("s1", 0.0, 1.0), ("s2", 1.0, 0.5))
        for m in ("a", "b")
    ]
    figure = ridge(pd.concat(parts), width=width)
    assert [ax.get_title("left") for ax in figure.axes] == ["a", "b"]
    tops = []
    for ax in figure.axes:
        lines = [line for line in ax.lines if len(line.get_xdata()) > 2]
        tops.append([row - line.get_ydata().min() for row, line in enumerate(lines)])
        strokes = [
            line.get_xdata()[0] for line in ax.lines if np.ptp(line.get_xdata()) == 0 and line.get_linewidth() > 2
        ]
        np.testing.assert_allclose(strokes, [0, 1], atol=4 / np.sqrt(4000))
    tops = np.array(tops)
    assert tops.max() == pytest.approx(RISE)
    np.testing.assert_allclose(tops[:, 1] / tops[:, 0], 2, rtol=0.15)


def test_densities_integrate_to_one():
    """Of normal values it is near the normal density; of values all alike it is a peak of area 1."""
    x = np.linspace(-6, 6, 400)
    step = x[1] - x[0]
    values = norm.ppf((np.arange(2000) + 0.5) / 2000)
    np.testing.assert_allclose(density(values, x), norm.pdf(x), atol=0.03)
    for some in (values, np.full(50, 1.0), np.array([2.0])):
        assert density(some, x).sum() * step == pytest.approx(1, abs=0.01)


def test_ridges_need_errors():
    """A table without one is refused; own axes hold one method."""
    empty = pd.DataFrame({"scenario": ["s"], "method": ["a"], "error": [np.nan]})
    with pytest.raises(TableError, match="the table has no error to draw"):
        ridge(empty)
    ax = Figure().subplots()
    assert ridge(empty.assign(error=0.5), ax=ax) is ax.figure


@pytest.mark.parametrize("length", [6, 10, 40])
def test_names_that_are_cut_stay_apart(length):
    """Whether they differ at the beginning, at the end or in the middle; short ones are left alone."""
    for names in (
        ["n = 10, corr = low", "n = 10, corr = high"],
        ["1 of many names", "2 of many names"],
        ["xxx a xxxxx", "xxx b xxxxx"],
    ):
        cut = apart(names, length)
        assert len(set(cut)) == 2
        assert max(map(len, cut)) <= max(length, 1)
    assert apart(["a", "b"], 6) == ["a", "b"]
