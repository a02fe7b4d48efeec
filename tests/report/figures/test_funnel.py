"""The funnel shows kept draws, divergent ones apart, in the scenario where most fits diverge."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from simstudy.errors import TableError
from simstudy.fitting.kept import write_kept
from simstudy.fitting.rows import KeptDraws
from simstudy.measures import performance
from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.funnel import read_funnel
from simstudy.report.reading.palette import INK
from simstudy.report.sections.divergences import divergence_section
from tests.fakes import FakeRun, fake_run

NAMES = ("partial, centered", "partial, noncentered")
SHAPE = (4, 300)


@dataclass(frozen=True, kw_only=True)
class FolderRun(FakeRun):
    """A made-up run that lies in a folder."""

    folder: Path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose first replicate has draws of a true funnel, log tau ~ Normal(0, 1), theta ~ Normal(0, tau)."""
    fake = fake_run(groups=(4,), group_size=(2,), tau=(0.2, 2.0), replicates=30, methods=("none", *NAMES))
    run = FolderRun(**{f.name: getattr(fake, f.name) for f in fields(fake)}, folder=tmp_path_factory.mktemp("run"))
    rng = np.random.default_rng(3)
    for scenario in run.scenarios["scenario"]:
        for name in NAMES:
            tau = np.exp(rng.normal(size=SHAPE))
            draws = {"tau": tau, "theta": tau[..., None] * rng.normal(size=(*SHAPE, 4))}
            stats = {"diverging": tau < 0.15}
            kept = KeptDraws(scenario=scenario, method=name, replicate=0, estimands=draws, stats=stats)
            write_kept(run.folder, kept)
    return run


@pytest.fixture(scope="module")
def evidence(run):
    """The run with its performance."""
    return Evidence(run=run, performance=performance(run))


def test_draws_are_those_that_were_kept(run, evidence):
    """One row per draw of each method with tau and statistics; the effect is that of the first group."""
    scenario = run.scenarios["scenario"].iloc[0]
    draws = read_funnel(evidence, scenario).draws
    assert draws.groupby("method").size().to_dict() == dict.fromkeys(NAMES, SHAPE[0] * SHAPE[1])
    (fit,) = evidence.kept(scenario, NAMES[0])
    mine = draws[draws["method"] == NAMES[0]]
    np.testing.assert_array_equal(mine["effect"], fit.posterior["theta"][..., 0].ravel())
    np.testing.assert_array_equal(mine["diverging"], (fit.posterior["tau"] < 0.15).ravel())


def test_every_divergent_draw_is_marked(run, evidence):
    """Crosses are all divergent draws, at their place; dots are draws that did not diverge."""
    draws = read_funnel(evidence, run.scenarios["scenario"].iloc[0]).draws
    figure = figures.funnel(draws)
    for ax, name in zip(figure.axes, NAMES, strict=True):
        dots, crosses = ax.lines
        wanted = draws[(draws["method"] == name) & draws["diverging"]]
        np.testing.assert_array_equal(crosses.get_ydata(), wanted["tau"])
        assert to_hex(crosses.get_color()) == INK
        assert np.min(dots.get_ydata()) >= 0.15
        assert f"{100 * len(wanted) / 1200:.2g} % divergent" in ax.get_title("left")


def test_the_section_has_a_funnel_where_draws_were_kept(run, evidence):
    """With kept draws the funnel of the scenario with the most divergences stands in the section; without, none."""
    names = [picture.name for picture in divergence_section(evidence).pictures]
    assert names[-1] == "funnel"
    bare = fake_run(groups=(4,), group_size=(2,), tau=(0.2,), replicates=30, methods=NAMES)
    bare = Evidence(run=bare, performance=performance(bare))
    assert "funnel" not in [picture.name for picture in divergence_section(bare).pictures]


def test_draws_at_zero_have_no_logarithm():
    """A draw of tau that underflowed to 0 is left out of the picture, not drawn at minus infinity."""
    draws = pd.DataFrame({"method": "m", "effect": [1.0, 2.0], "tau": [0.0, 0.5], "diverging": False})
    (ax,) = figures.funnel(draws).axes
    assert ax.lines[0].get_ydata().tolist() == [0.5]


def kept(tmp_path, draws, diverging):
    """Return the evidence on a run whose first scenario keeps such draws, (chain, draw) or (chain, draw, group)."""
    fake = fake_run(groups=(4,), group_size=(2,), tau=(0.2,), replicates=12, methods=NAMES[:1])
    run = FolderRun(**{f.name: getattr(fake, f.name) for f in fields(fake)}, folder=tmp_path)
    scenario = run.scenarios["scenario"].iloc[0]
    stats = {"diverging": diverging}
    fit = KeptDraws(scenario=scenario, method=NAMES[0], replicate=0, estimands=draws, stats=stats)
    write_kept(run.folder, fit)
    return Evidence(run=run, performance=performance(run)), scenario


def test_the_scale_is_that_in_which_divergent_draws_differ_most(tmp_path):
    """Where draws diverge when some group's sigma is small, that is drawn with its medians; tau does not differ."""
    rng = np.random.default_rng(5)
    sigma = np.exp(rng.normal(size=(*SHAPE, 4)))
    least = sigma.min(-1)
    draws = {"tau": np.exp(rng.normal(size=SHAPE)), "sigma": sigma, "theta": rng.normal(size=(*SHAPE, 4))}
    evidence, scenario = kept(tmp_path, draws, least < 0.2)
    drawn = read_funnel(evidence, scenario)
    np.testing.assert_array_equal(drawn.draws["tau"], least.ravel())
    inside, outside = (f"{np.median(least[which]):.2g}" for which in (least < 0.2, least >= 0.2))
    assert f"its median is {inside}0 in them" in drawn.told or f"its median is {inside} in them" in drawn.told
    assert f"and {outside}" in drawn.told
    assert drawn.told.endswith("in τ they do not differ.")
    assert drawn.spread == "smallest σ of a group"


def test_nothing_is_said_where_divergent_draws_do_not_differ(tmp_path):
    """Divergences that come anywhere make no sentence on a neck."""
    rng = np.random.default_rng(6)
    draws = {"tau": np.exp(rng.normal(size=SHAPE)), "theta": rng.normal(size=(*SHAPE, 4))}
    evidence, scenario = kept(tmp_path, draws, rng.uniform(size=SHAPE) < 0.05)
    assert read_funnel(evidence, scenario).told == "Divergent draws differ from the others in no such parameter."


def test_without_divergences_tau_is_drawn(tmp_path):
    """Draws that never diverge show the spread of the effects, and the caption claims nothing."""
    rng = np.random.default_rng(7)
    draws = {"tau": np.exp(rng.normal(size=SHAPE)), "sigma": np.exp(rng.normal(size=SHAPE))}
    evidence, scenario = kept(tmp_path, draws | {"theta": rng.normal(size=(*SHAPE, 4))}, np.zeros(SHAPE, bool))
    drawn = read_funnel(evidence, scenario)
    assert (drawn.spread, drawn.told) == ("τ", "")


def test_the_scale_to_draw_can_be_named(tmp_path):
    """Either neck can be shown; what is no scale is refused with those that there are."""
    rng = np.random.default_rng(8)
    draws = {"tau": np.exp(rng.normal(size=SHAPE)), "sigma": np.exp(rng.normal(size=SHAPE))}
    evidence, scenario = kept(tmp_path, draws | {"theta": rng.normal(size=(*SHAPE, 4))}, draws["tau"] < 0.2)
    for name, letter in (("tau", "τ"), ("sigma", "σ")):
        drawn = read_funnel(evidence, scenario, name)
        assert drawn.spread == letter
        np.testing.assert_array_equal(drawn.draws["tau"], draws[name].ravel())
    with pytest.raises(TableError, match="drawn of a scale, and mu is none here; it can draw tau, sigma"):
        read_funnel(evidence, scenario, "mu")


@pytest.mark.parametrize(("n", "words"), [(700, "other draw"), (900, "800 of the others")])
def test_draws_that_are_left_out_are_told(n, words):
    """All divergent draws beside a part of the others look like more than there are, so that the key says it."""
    draws = pd.DataFrame({"method": "m", "effect": 1.0, "tau": 0.5, "diverging": [True] * 50 + [False] * n})
    figure = figures.funnel(draws)
    assert words in {text.get_text() for text in figure.legends[0].get_texts()}
