"""Figures of a run by their names: which there are, what each is of, and what stands on them."""

import re
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from simstudy.errors import TableError
from simstudy.measures import performance
from simstudy.report import figures
from simstudy.report.publishing.draw import KINDS, available, content, figure, in_font
from simstudy.report.publishing.drawings import DRAWINGS
from simstudy.report.reading.palette import assign_marks
from tests.fakes import fake_run


@pytest.fixture(scope="module")
def exact():
    """A run with the exact posterior beside the sampler's, and its performance."""
    methods = ("none", "partial, centered", "partial, exact")
    run = fake_run(groups=(4,), group_size=(2,), tau=(0.5, 2.0), replicates=30, methods=methods)
    return run, performance(run)


def words_of(drawn):
    return {text.get_text() for text in drawn.findobj(Text)}


def test_every_figure_of_a_run_is_drawn(paper_run, paper_scores):
    """What is said to be there can be drawn, of one scenario where it is of one; what is not says what it needs."""
    label = str(paper_run.scenarios["label"].iloc[0])
    told = available(paper_run, performance=paper_scores)
    assert {name for name, (_, missing) in told.items() if missing} == {
        "calibration",
        "error-split",
        "funnel",
        "level-lines",
        "level-map",
        "level-series",
        "level-tree",
        "priors",
    }
    for name, (line, missing) in told.items():
        assert line.endswith(".")
        scenario = label if DRAWINGS[name].is_of_one else None
        if missing:
            with pytest.raises(TableError, match=re.escape(f"figure {name}: needs")):
                figure(paper_run, name, scenario=scenario, performance=paper_scores)
        else:
            assert isinstance(figure(paper_run, name, scenario=scenario, performance=paper_scores), Figure)


def test_methods_of_partial_pooling_alone_have_gains_and_priors():
    """Priors compared with each other have differences in error to draw; reasons are true of the run."""
    priors = {"partial, centered": "HalfNormal(0.5)", "partial, noncentered": "HalfNormal(5)"}
    run = fake_run(groups=(4,), group_size=(2,), tau=(0.5, 2.0), replicates=30, methods=tuple(priors))
    methods = run.methods.assign(parameterization="noncentered", prior_tau=run.methods["method"].map(priors))
    run = replace(run, methods=methods)
    scores = performance(run)
    told = available(run, performance=scores)
    assert told["gains"][1] == told["priors"][1] == ""
    assert isinstance(figure(run, "gains", performance=scores), Figure)
    with pytest.raises(TableError, match="priors: estimand: methods differ in the prior of tau, not in that of mu"):
        figure(run, "priors", estimand="mu", performance=scores)
    alone = fake_run(groups=(4,), group_size=(2,), tau=(0.5, 2.0), replicates=3, methods=("partial, centered",))
    with pytest.raises(TableError, match="needs two methods, and the run has one"):
        figure(alone, "gains", performance=performance(alone))


@pytest.mark.parametrize(
    "made",
    [
        {"replication": "sampler", "replicates": 12},
        {"groups": (4,), "group_size": (2,), "tau": (0.5,), "replicates": 12, "methods": ("complete",)},
    ],
    ids=["data", "one method"],
)
def test_the_list_of_figures_is_that_of_any_run(made):
    """Whatever a run lacks, the list says it, and what it does not miss can be drawn."""
    run = fake_run(**made)
    scores = performance(run)
    label = str(run.scenarios["label"].iloc[0])
    for name, (_, missing) in available(run, performance=scores).items():
        if not missing:
            scenario = label if DRAWINGS[name].is_of_one else None
            assert isinstance(figure(run, name, scenario=scenario, performance=scores), Figure)


def test_posteriors_of_one_estimand_are_drawn():
    """Of a data set the estimand that is named is drawn alone; one that there is not is refused."""
    run = fake_run(replication="sampler", replicates=12)
    scores = performance(run)
    assert len(figure(run, "posterior", performance=scores).axes) == 2
    assert len(figure(run, "posterior", estimand="theta", performance=scores).axes) == 1
    with pytest.raises(TableError, match="the figure has no 'thta'; it can draw theta"):
        figure(run, "posterior", estimand="thta", performance=scores)


def test_strokes_of_given_data_are_means_over_seeds():
    """What the tables have, not what one seed of the sampler gave."""
    run = fake_run(replication="sampler", replicates=12)
    (ax,) = figure(run, "arrows", performance=performance(run)).axes
    rows = run.estimates[(run.estimates["estimand"] == "theta") & (run.estimates["method"] == "none")]
    means = rows.groupby("group")["mean"].mean().to_numpy()
    assert any(np.allclose(line.get_xdata(), means) for line in ax.lines if len(line.get_xdata()) == len(means))


def test_the_split_of_errors_is_drawn(exact):
    """A run with an exact method has it."""
    run, scores = exact
    assert available(run, performance=scores)["error-split"][1] == ""
    assert len(figure(run, "error-split", estimand="theta", performance=scores).axes) == 1


def test_every_figure_of_tables_has_a_name():
    """All figures of the package but that of a comparison are drawings of a run."""
    functions = {DRAWINGS[name].read.__name__ for name in DRAWINGS}
    assert functions == set(figures.__all__) - {"changes"}


def test_scenarios_are_not_mixed(paper_run, paper_scores):
    """A figure of one scenario asks for one, by its label or parts of it that mean one alone."""
    for called in (None, "tau=0.5", "τ = 0.5"):
        with pytest.raises(
            TableError, match=r"figure zip: scenario: the figure shows one scenario, and [24] are meant"
        ):
            figure(paper_run, "zip", scenario=called, performance=paper_scores)
    with pytest.raises(TableError, match="none is called 'tau=9'"):
        figure(paper_run, "zip", scenario="tau=9", performance=paper_scores)
    one = figure(paper_run, "zip", scenario="tau=0.5, groups=4", estimand="mu", performance=paper_scores)
    rows = paper_run.estimates[paper_run.estimates["scenario"] == paper_run.scenarios["scenario"].iloc[0]]
    rows = rows[(rows["estimand"] == "mu") & (rows["method"] == one.axes[0].get_title("left"))]
    drawn = np.concatenate([line.get_xdata()[::3] for line in one.axes[0].lines[:2]])
    assert len(drawn) == len(rows["mean"].dropna()) // 2
    assert set(drawn) <= set(rows["q2_5"] - rows["truth"])


@pytest.mark.parametrize("name", ["nested-loop", "speed"])
def test_figures_of_their_own_take_no_axes(paper_run, paper_scores, name):
    """The message says why and what to do."""
    with pytest.raises(TableError, match=f"figure {name}: has panels that belong together.*leave ax out"):
        figure(paper_run, name, performance=paper_scores, ax=Figure().subplots())


def test_a_figure_over_the_design_is_of_the_scenarios_that_fit(paper_run, paper_scores):
    """Part of a label leaves the scenarios that have it: one panel where there were two."""
    assert len(figure(paper_run, "profile", performance=paper_scores).axes) == 2
    assert len(figure(paper_run, "profile", scenario="J = 8", performance=paper_scores).axes) == 1


def test_methods_keep_their_colors(paper_run, paper_scores):
    """A method has the color of the run's report, whatever else is drawn."""
    marks = assign_marks(paper_run.methods)
    drawn = figure(paper_run, "profile", scenario="J = 8", performance=paper_scores)
    colors = {c.get_label(): to_hex(c.lines[0].get_color()) for c in drawn.axes[0].containers}
    assert colors == {name: mark.light for name, mark in marks.items()}


def test_labels_take_the_place_of_names(paper_run, paper_scores):
    """Methods, measures, estimands, scenarios and factors are called as the caller calls them."""
    labels = {"none": "separate means", "rmse": "Error", "theta": "effects", "τ": "spread", "J = 4": "four groups"}
    drawn = figure(paper_run, "profile", labels=labels, performance=paper_scores)
    assert {"separate means", "Error of effects", "spread", "four groups"} <= words_of(drawn)
    assert "none" not in words_of(drawn)
    first = figure(paper_run, "recovery", labels={"J = 4, τ = 0.5": "easy"}, performance=paper_scores)
    assert "easy" in words_of(first)


def test_the_unknown_is_refused(paper_run, paper_scores):
    """A figure, an estimand or a font that there is not, with the name that was meant."""
    with pytest.raises(TableError, match="there is no 'zipp'; did you mean 'zip'"):
        figure(paper_run, "zipp", performance=paper_scores)
    with pytest.raises(TableError, match="figure profile: estimand: rmse has no 'thetaa'; did you mean 'theta'"):
        figure(paper_run, "profile", estimand="thetaa", performance=paper_scores)
    with pytest.raises(TableError, match="this machine has no 'DejaVu Serf'; did you mean 'DejaVu Serif'"):
        in_font("DejaVu Serf", None)


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_what_their_names_say(paper_run, paper_scores, kind):
    """Of the right kind and width, and the same each time."""
    begins = {"pdf": b"%PDF", "svg": b"<?xml", "png": b"\x89PNG"}
    files = []
    for _ in range(2):
        drawn = figure(paper_run, "recovery", width=8.5, performance=paper_scores)
        assert drawn.get_size_inches()[0] == pytest.approx(8.5 / 2.54)
        files.append(content(drawn, kind, dpi=60))
    assert files[0].startswith(begins[kind])
    assert files[0] == files[1]
    if kind == "pdf":
        assert b"/Type3" not in files[0]


def test_the_font_is_the_callers(paper_run, paper_scores):
    """Inside the block all text has it; matplotlib's settings are as before."""
    before = dict(mpl.rcParams)
    with in_font("DejaVu Serif", 6):
        drawn = figure(paper_run, "regret", performance=paper_scores)
        content(drawn, "png", dpi=50)
    assert dict(mpl.rcParams) == before
    titles = [ax.title if ax.get_title() else ax._left_title for ax in drawn.axes[:-1]]
    assert {title.get_fontfamily()[0] for title in titles} == {"DejaVu Serif"}
    assert {title.get_fontsize() for title in titles} == {6.0}
