"""Figures obey the session's fonts, the caller's axes and names; reports obey none of them."""

import inspect

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from simstudy.errors import TableError
from simstudy.report import figures
from simstudy.report.figures.style import STYLE, points, settings
from simstudy.report.sections.section import picture

OWN_FIGURES = {"nested_loop", "speed"}
RATES = pd.DataFrame({"method": "centered", "rate": [12.0, 30.0, 18.0]})


def draws(n_scenarios):
    scenarios = [f"s{i}" for i in range(n_scenarios)] * 2
    n = len(scenarios)
    columns = {"effect": [0.1] * n, "tau": [0.2] * n, "diverging": [False] * n, "scenario": scenarios}
    return pd.DataFrame({"method": "a", **columns})


def test_the_style_is_used_where_the_session_has_set_nothing():
    """Matplotlib's own defaults are no wish."""
    assert {name: settings()[name] for name in STYLE} == STYLE


def test_the_session_wins():
    """A font family or a face of a generic family that was set is used; sizes follow the font's."""
    with mpl.rc_context({"font.family": "serif", "font.size": 18.0, "grid.color": "red"}):
        assert settings()["font.family"] == ["serif"]
        assert settings()["grid.color"] == "red"
        assert (settings()["legend.fontsize"], settings()["xtick.labelsize"]) == (18.0, 17.0)
        assert points(9) == 18.0
    with mpl.rc_context({"font.sans-serif": ["DejaVu Serif"]}):
        assert settings()["font.family"] == ["sans-serif"]
        assert settings()["font.sans-serif"] == ["DejaVu Serif"]


def test_reports_do_not_follow_the_session():
    """A picture of a report has the same bytes whatever the session has set."""

    def drawn():
        return picture("a", "a", "a", lambda width: figures.chain_divergences(RATES, width=width))

    plain = drawn()
    with mpl.rc_context({"font.family": "serif", "font.size": 18.0, "axes.grid": False, "lines.linewidth": 9.0}):
        assert drawn() == plain


@pytest.mark.parametrize("name", figures.__all__)
def test_every_figure_takes_labels_and_axes(name):
    """All take names; all take axes, but those that say that they make their own figure."""
    function = getattr(figures, name)
    taken = inspect.signature(function).parameters
    assert "labels" in taken
    assert ("ax" in taken) == (name not in OWN_FIGURES)
    assert ("its own figure" in " ".join(function.__doc__.split())) == (name in OWN_FIGURES)


def test_one_panel_is_drawn_on_the_callers_axes():
    """The figure is the caller's, and holds the panel beside its other axes."""
    mine = Figure()
    left, right = mine.subplots(1, 2)
    assert figures.chain_divergences(RATES, ax=right) is mine
    assert right.patches
    assert not left.patches
    assert right.get_xlabel() == "divergent draws per 1,000"


def test_a_legend_stands_in_the_callers_axes(run, table):
    """Names of the methods are in its own legend, none is of the figure."""
    ax = Figure().subplots()
    figures.recovery(table, run.scenarios, measures=("rmse",), ax=ax, labels={"none": "separate"})
    assert "separate" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert not ax.figure.legends


def test_several_panels_do_not_fit_one_axes(run, table):
    """The message says how many there are and what to do."""
    with pytest.raises(TableError, match="ax: the figure has 3 panels, and one axes holds one; leave ax out"):
        figures.recovery(table, run.scenarios, ax=Figure().subplots())


def test_no_figure_mixes_scenarios_in_silence(run):
    """Rows of several scenarios where a figure is of one are refused, and rows of one are drawn."""
    assert figures.funnel(draws(1)).axes
    with pytest.raises(
        TableError, match=r"scenario: the table has rows of 2 \(s0, s1, ...\), which the figure would mix"
    ):
        figures.funnel(draws(2))
    with pytest.raises(TableError, match="scenario: the table has rows of 2"):
        figures.chain_divergences(pd.concat([RATES.assign(scenario="a"), RATES.assign(scenario="b")]))
    mu = run.estimates[run.estimates["estimand"] == "mu"]
    with pytest.raises(TableError, match="scenario: the table has rows of"):
        figures.zip_plot(mu)
    one = run.estimates[run.estimates["scenario"] == run.scenarios["scenario"].iloc[0]]
    with pytest.raises(TableError, match="estimand: the table has rows of"):
        figures.zip_plot(one[one["estimand"].isin(["mu", "tau"])])
    with pytest.raises(TableError, match="group: the table has rows of"):
        figures.zip_plot(one[one["estimand"] == "theta"])
    with pytest.raises(TableError, match="scenario: the table has rows of"):
        figures.calibration(mu)
    rows = pd.DataFrame({"method": "a", "name": ["mu", "mu"], "mean": 0.0, "lower": -1.0, "upper": 1.0})
    with pytest.raises(TableError, match="one row per method and name"):
        figures.posterior(rows)
    times = pd.DataFrame({"method": ["a", "a"], "fits_per_second": 1.0, "compile_seconds": 1.0, "run_seconds": 1.0})
    with pytest.raises(TableError, match="one row per method, got several"):
        figures.speed(times)


def test_a_map_has_one_row_of_the_table_in_a_cell(run, table):
    """Scenarios that the table of scenarios does not tell apart are refused, not averaged."""
    same = run.scenarios.assign(tau=0.5, groups=8, group_size=2.0, sizes=None)
    with pytest.raises(TableError, match="fall into one cell"):
        figures.design_map(table, same)
