"""Verdicts over repeated comparisons: false alarms, planted changes, and the replicates that are needed."""

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.comparison.rules import Margin, Rules
from simstudy.comparison.verdicts import CANNOT_TELL, CHANGED, SAME, judge
from tests.comparison.runs import METHODS, ONE_SCENARIO, differences, judge_repeats, moved, small_run, with_fits
from tests.fakes import fake_repeats

ALPHA = 0.05


def limit(n_pairs, k):
    """Return the share of false alarms that alpha allows, plus k standard errors."""
    return ALPHA + k * np.sqrt(ALPHA * (1 - ALPHA) / n_pairs)


def any_changed(table):
    """Return the share of repeats with a row that changed."""
    return (table["verdict"] == CHANGED).groupby(table["scenario"]).any().mean()


def equal_studies(n_pairs, replicates):
    """Return the differences of pairs of studies that differ in their seeds alone."""
    options = ONE_SCENARIO | {"repeats": n_pairs, "replicates": replicates, "methods": METHODS, "failure_rate": 0.02}
    return differences(fake_repeats(seed=11, **options), fake_repeats(seed=12, **options))


def check_false_alarms(n_pairs, replicates, k):
    """At most alpha plus k standard errors of pairs have any change, even without margins; by p alone most would."""
    table = equal_studies(n_pairs, replicates)
    assert set(table["evidence"]) == {"unpaired"}
    assert any_changed(judge_repeats(table)) <= limit(n_pairs, k)
    bare = table.assign(margin=0.0)
    assert any_changed(judge_repeats(bare)) <= limit(n_pairs, k)
    unadjusted = (bare["p_value"] <= ALPHA).groupby(bare["scenario"]).any().mean()
    assert unadjusted > 0.5


@pytest.mark.parametrize("replicates", [12, 40])
def test_equal_studies_rarely_change(replicates):
    """Of 100 pairs of equal studies at most 11 have any change (alpha plus 3 standard errors)."""
    check_false_alarms(100, replicates, k=3)


@pytest.mark.statistical
@pytest.mark.parametrize("replicates", [12, 40])
def test_a_thousand_equal_studies_rarely_change(replicates):
    """Of 1,000 pairs of equal studies at most 6.4 % have any change (alpha plus 2 standard errors)."""
    check_false_alarms(1000, replicates, k=2)


def test_draws_moved_by_a_fifth_of_an_sd_are_found():
    """Means moved by .2 posterior sd, 100 pairs, with the sampler's noise: named as a change in 99 % of 100 repeats."""
    options = {"repeats": 100, "replicates": 100, "methods": METHODS[1:], "failure_rate": 0.01}
    baseline = fake_repeats(seed=3, **ONE_SCENARIO | options)
    candidate = moved(baseline, 0.2, noise=1 / np.sqrt(500))
    table = judge_repeats(differences(baseline, candidate))
    rows = table[(table["measure"] == "bias") & table["estimand"].isin(["theta", "mu", "tau"])]
    found = (rows["verdict"] == CHANGED).groupby(rows["estimand"]).mean()
    assert len(found) == 3
    assert (found >= 0.99).all()
    assert (rows["direction"] != "better")[rows["estimand"] == "theta"].mean() > 0.99


@pytest.mark.parametrize(("shift", "margin", "verdict"), [(0.0, 0.5, SAME), (0.5, 0.25, CHANGED)])
def test_the_replicates_that_are_needed_decide(shift, margin, verdict):
    """With the number needed 8 of 10 comparisons are decided (3 SE and .02 for the rounding); with a quarter, few.

    The number is taken from 100 pilots, with the true difference in place of theirs. Differences and margins are in
    posterior sds; one row is a family here, and a change beyond 0 is one beyond half its size as well.
    """
    rules = Rules(
        measures=("bias",), estimands=("theta_mean",), margins={"bias": Margin(size=margin, unit="posterior_sd")}
    )
    options = ONE_SCENARIO | {"methods": METHODS[:1], "failure_rate": 0.0, "repeats": 100}

    def table(replicates):
        runs = [fake_repeats(seed=seed, replicates=replicates, **options) for seed in (21, 22)]
        return differences(runs[0], moved(runs[1], shift), rules)

    pilots = table(30)
    true = shift * pilots["margin"] / margin
    half = pilots["upper"] - pilots["difference"]
    planned = judge_repeats(pilots.assign(difference=true, lower=true - half, upper=true + half))
    needed = int(planned["n_needed"].dropna().median())
    decided = {n: (judge_repeats(table(n))["verdict"] == verdict).mean() for n in (needed // 4, needed)}
    assert decided[needed] == pytest.approx(0.8, abs=3 * np.sqrt(0.8 * 0.2 / 100) + 0.02)
    assert decided[needed // 4] < 0.4


def test_a_run_is_the_same_as_itself():
    """Every verdict is the same, for any number of replicates, with failed fits and constant estimands.

    What is red then is a method that converged in none of its fits, as may be where there are few.
    """
    for replicates in (1, 2, 25):
        run = small_run(replicates=replicates, methods=("complete", "partial, exact", *METHODS), failure_rate=0.1)
        comparison = simstudy.compare(run, run)
        assert set(comparison.table["verdict"]) == {SAME}
        assert set(comparison.table["evidence"]) == {"identical"}
        assert (comparison.table["difference"] == 0).all()
        assert (comparison.exit_code == 0) == (not comparison.unconverged)
    assert not comparison.unconverged


def test_one_bit_is_enough_not_to_be_identical():
    """A posterior mean that is off in its last digit, in one fit, takes its estimand and its fit from the identical."""
    run = small_run()
    table = run.estimates.copy()
    row = table.index[(table["estimand"] == "mu") & (table["replicate"] == 7)][0]
    table.loc[row, "mean"] = np.nextafter(table.loc[row, "mean"], np.inf)
    other = simstudy.compare(run, type(run)(**{**vars(run), "estimates": table})).table
    here = (other["scenario"] == table.loc[row, "scenario"]) & (other["method"] == table.loc[row, "method"])
    of_fits = ["divergence_rate", "ess_per_leapfrog", "failure_rate", "flagged_rate", "rhat", "ess"]
    touched = here & ((other["estimand"] == "mu") | other["measure"].isin(of_fits))
    assert set(other.loc[touched, "evidence"]) == {"paired"}
    assert set(other.loc[~touched, "evidence"]) == {"identical"}


def test_directions_follow_the_loss():
    """More leapfrogs are worse, fewer better; a larger bias is worse; failures are worse."""
    run = small_run(replicates=100, failure_rate=0.0)
    for factor, direction in ((1.5, "worse"), (0.6, "better")):
        table = simstudy.compare(run, with_fits(run, n_leapfrog=factor, n_leapfrog_warmup=factor)).table
        rows = table.query("measure == 'ess_per_leapfrog'")
        assert set(rows["direction"]) == {direction}
        assert simstudy.compare(run, run).exit_code == 0
    far, nearer = moved(run, 2.0), moved(run, 1.0)
    for pair, direction in (((nearer, far), "worse"), ((far, nearer), "better")):
        table = simstudy.compare(*pair).table
        rows = table[(table["measure"].isin(["bias", "rmse", "coverage"])) & (table["estimand"] == "theta")]
        assert len(rows) == 12
        assert set(rows["direction"].dropna()) == {direction}


def test_a_bias_that_only_changes_sign_is_unclear():
    """A bias turned into its negative changed, and is neither worse nor better; a gate does not pass it."""
    run = moved(small_run(replicates=200, failure_rate=0.0, methods=("none",), tau=(0.5,)), 0.0)
    theta = run.estimates["estimand"] == "theta_mean"
    centered = run.estimates["truth"].where(theta, run.estimates["mean"])
    balanced = type(run)(**{**vars(run), "estimates": run.estimates.assign(mean=centered)})
    left, right = moved(balanced, -0.5, noise=0.01), moved(balanced, 0.5, noise=0.01, seed=1)
    comparison = simstudy.compare(left, right, margins={"measures": ["bias"], "estimands": ["theta_mean"]})
    assert comparison.table["direction"].tolist() == ["unclear"]
    assert comparison.exit_code == 1


def rows_of(**columns):
    """Return rows to be judged."""
    n = len(next(iter(columns.values())))
    table = pd.DataFrame(
        {"evidence": "paired", "n_replicates": 100, "reach": 0.0, "loss": 0.0, "loss_reach": 0.0}, range(n)
    )
    table = table.assign(**columns)
    half = 2 * table["mcse"]
    return table.assign(lower=table["difference"] - half, upper=table["difference"] + half)


def test_significant_and_large_are_both_needed():
    """Significant within the margin is the same; large but not significant cannot be told; both are a change."""
    table = rows_of(
        difference=[0.5, 3.0, 3.0, 0.5],
        mcse=[0.1, 2.0, 0.1, 2.0],
        margin=[1.0, 1.0, 1.0, 1.0],
        p_value=[1e-6, 0.13, 1e-9, 0.8],
    )
    assert judge(table, alpha=ALPHA)["verdict"].tolist() == [SAME, CANNOT_TELL, CHANGED, CANNOT_TELL]


def test_identical_rows_cost_no_significance():
    """Rows that are known to be equal are no hypotheses: p-values are adjusted for the others alone."""
    open_rows = rows_of(difference=[3.0, 0.0], mcse=[1.0, 1.0], margin=[1.0, 1.0], p_value=[0.02, 1.0])
    known = rows_of(difference=np.zeros(50), mcse=np.zeros(50), margin=np.ones(50), p_value=np.ones(50))
    table = judge(pd.concat([open_rows, known.assign(evidence="identical")], ignore_index=True), alpha=ALPHA)
    assert table["verdict"].tolist() == [CHANGED, CANNOT_TELL] + [SAME] * 50
    assert table["p_holm"].iloc[0] == pytest.approx(0.04)
