"""How many replicates: targets as text, the worst scenario, and what a pilot says."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, norm

from simstudy.errors import StudyError, TableError
from simstudy.measures import performance
from simstudy.measures.precision import Target, current_precision, parse_targets, reached, replicates_needed
from tests.fakes import fake_run

ONE_SE = 2 * norm.cdf(1) - 1
SMALL = {"groups": (4,), "group_size": (2,), "levels": (0.5, 0.95)}


@pytest.fixture(scope="module")
def run():
    """A pilot of 200 replicates in two scenarios."""
    return fake_run(replicates=200, tau=(0.5, 2.0), methods=("none", "partial, noncentered"), **SMALL)


@pytest.fixture(scope="module")
def table(run):
    """Its performance."""
    return performance(run)


def rows(*, hits=None, n=400, value=0.0, mcse=1.0, measure="coverage"):
    """Return a performance table of one cell: a share of hits in n replicates, or a mean with its MCSE."""
    is_share = hits is not None
    share = hits / n if is_share else np.nan
    return pd.DataFrame(
        {
            "scenario": ["a"],
            "method": "m",
            "estimand": "mu",
            "group": None,
            "bin": None,
            "level": 0.95 if is_share else np.nan,
            "measure": measure,
            "value": share if is_share else value,
            "mcse": np.sqrt(share * (1 - share) / n) if is_share else mcse,
            "lower": 0.0 if is_share else np.nan,
            "n_replicates": n,
            "n_used": n,
            "policy": "available",
        }
    )


def half_width(hits, n):
    """Return half the Wilson width at one standard error, by scipy."""
    ends = binomtest(hits, n).proportion_ci(confidence_level=ONE_SE, method="wilson")
    return (ends.high - ends.low) / 2


def test_targets_are_read_from_text():
    """One target, a list in one text, several texts, and one estimand alone."""
    assert parse_targets("coverage:0.005") == (Target(measure="coverage", mcse=0.005),)
    several = (Target(measure="coverage", mcse=0.01), Target(measure="bias", mcse=0.02, estimand="theta"))
    assert parse_targets("coverage:0.01, bias:theta:0.02") == several
    assert parse_targets(["coverage:0.01", "bias:theta:0.02"]) == several


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("coverage", "expected a measure and its MCSE, such as coverage:0.005"),
        ("covrage:0.005", "no such measure; did you mean 'coverage'"),
        ("ess_per_second:1", "no MCSE over replicates"),
        ("coverage:0", "expected a positive number as MCSE, got '0'"),
        ("coverage:often", "expected a positive number as MCSE, got 'often'"),
        ("coverage:0.005,", "expected a measure and its MCSE"),
        ("coverage::0.005", "expected a measure and its MCSE"),
        ([], "got nothing"),
    ],
)
def test_what_is_no_target_is_refused(text, message):
    """Every message says what is wrong with the text."""
    with pytest.raises(StudyError, match=message):
        parse_targets(text)


@pytest.mark.parametrize("hits", [0, 1, 200, 390, 399, 400])
def test_proportions_are_judged_by_half_the_wilson_width(hits):
    """The precision of a share is half scipy's Wilson interval at one standard error, at 0 and 1 too."""
    now = current_precision(rows(hits=hits), Target(measure="coverage", mcse=0.005))
    assert now.mcse == pytest.approx(half_width(hits, 400))
    assert now.mcse > 0


@pytest.mark.parametrize("share", [0.0, 0.25, 0.95, 1.0])
def test_the_planned_number_has_the_wanted_width(share):
    """With the planned number of replicates and the same share the width is reached, and with 2 % fewer it is not."""
    goal = 0.002
    needed = replicates_needed(rows(hits=round(400 * share)), Target(measure="coverage", mcse=goal))
    fewer = int(0.98 * needed)
    assert half_width(round(share * needed), needed) <= goal * 1.001
    assert half_width(round(share * fewer), fewer) > goal


def test_a_mean_needs_the_square_of_the_ratio():
    """An MCSE three times too large needs nine times the replicates; one that is small enough no more than a pilot."""
    pilot = rows(measure="bias", mcse=0.03, n=400)
    assert replicates_needed(pilot, Target(measure="bias", mcse=0.01)) == 3600
    assert replicates_needed(pilot, Target(measure="bias", mcse=0.3)) == 200


def test_reached_and_planned_agree():
    """A target is reached exactly when no more replicates are needed than there are."""
    pilot = rows(measure="bias", mcse=0.03, n=400)
    for goal in (0.029, 0.03, 0.031):
        target = Target(measure="bias", mcse=goal)
        assert reached(pilot, target) == (replicates_needed(pilot, target) <= 400)
    for hits in (0, 100, 380, 400):
        share = rows(hits=hits)
        for goal in (half_width(hits, 400) * factor for factor in (0.99, 1.0, 1.01)):
            target = Target(measure="coverage", mcse=goal)
            assert reached(share, target) == (replicates_needed(share, target) <= 400)


def test_a_perfect_start_stops_nothing():
    """Fewer than 200 replicates reach no target, however small the MCSE, and ask for 200."""
    early = rows(hits=20, n=20)
    target = Target(measure="coverage", mcse=0.1)
    assert not reached(early, target)
    assert replicates_needed(early, target) == 200
    assert reached(rows(hits=200, n=200), target)


def test_the_worst_scenario_decides(run, table):
    """The cell named is the one with the largest MCSE over scenarios, methods and estimands, at the level of .95."""
    coverage = table[(table["measure"] == "coverage") & table["bin"].isna() & (table["level"] == 0.95)]
    now = current_precision(table, Target(measure="coverage", mcse=0.005))
    assert now.n_replicates == 200
    assert now.mcse >= coverage["mcse"].max() * 200 / 201
    bias = table[(table["measure"] == "bias") & table["bin"].isna()].set_index(["scenario", "method", "estimand"])
    worst = current_precision(table, Target(measure="bias", mcse=0.01))
    assert (worst.scenario, worst.method, worst.estimand) == bias["mcse"].idxmax()


def test_one_estimand_can_be_singled_out(table):
    """A target on theta looks at theta alone, and all targets must be reached."""
    of_theta = current_precision(table, Target(measure="bias", mcse=0.01, estimand="theta"))
    assert of_theta.estimand == "theta"
    loose, tight = Target(measure="bias", mcse=10.0), Target(measure="bias", mcse=1e-6)
    assert reached(table, loose)
    assert not reached(table, [loose, tight])
    assert replicates_needed(table, [loose, tight]) == replicates_needed(table, tight)


def test_failed_fits_are_paid_for():
    """Where a quarter of the fits is left out, a quarter more replicates than used ones are planned."""
    pilot = rows(measure="bias", mcse=0.02, n=300).assign(n_replicates=400)
    assert replicates_needed(pilot, Target(measure="bias", mcse=0.01)) == 1600


def test_the_plan_of_a_pilot_holds(table):
    """A run of the planned size reaches about the target: its MCSE within 15 % of it, planned from 200 replicates."""
    target = Target(measure="empirical_se", mcse=0.007, estimand="theta")
    needed = replicates_needed(table, target)
    assert 400 < needed < 3000
    longer = fake_run(replicates=needed, tau=(0.5, 2.0), methods=("none", "partial, noncentered"), seed=5, **SMALL)
    assert current_precision(performance(longer), target).mcse == pytest.approx(0.007, rel=0.15)


def test_a_measure_that_is_not_there_is_an_error(run):
    """Nothing measured is neither reached nor planned: the message names the measure and those that are there."""
    empty = dataclasses.replace(run, estimates=run.estimates.head(0))
    with pytest.raises(TableError, match=r"no scenario and method has coverage with an MCSE; there are .*divergence"):
        reached(performance(empty), Target(measure="coverage", mcse=0.005))
    with pytest.raises(TableError, match="has bias of nothing with an MCSE"):
        replicates_needed(performance(run), Target(measure="bias", mcse=0.01, estimand="nothing"))
