"""Differences and their MCSE: against their spread over repeats, another implementation, and invariances."""

import dataclasses

import numpy as np
import pytest

import simstudy
from simstudy.comparison.differences import FEW
from simstudy.measures.registry import MEASURES
from simstudy.report.reading.pairs import paired_differences, squared_errors
from tests.comparison.runs import METHODS, ONE_SCENARIO, differences, moved, small_run, with_fits
from tests.fakes import fake_repeats

REPEATS, REPLICATES = 300, 40
MCSE_RATIO = (0.8, 1.25)
CELL = ["scenario", "method", "estimand", "bin", "measure"]


@pytest.fixture(scope="module")
def run():
    """Two scenarios under two methods."""
    return small_run()


@pytest.fixture(scope="module")
def repeats():
    """One scenario, 300 times."""
    options = ONE_SCENARIO | {"methods": METHODS[1:], "repeats": REPEATS, "replicates": REPLICATES}
    return fake_repeats(seed=1, **options), fake_repeats(seed=2, **options)


@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_mcse_is_the_spread_of_the_difference(repeats, pairing):
    """The root mean square MCSE is the sd of the difference over 300 repeats, within 0.8 to 1.25 times."""
    baseline, other = repeats
    candidate = moved(baseline, 0.1, noise=0.5) if pairing == "paired" else other
    table = differences(baseline, candidate)
    assert set(table["evidence"]) >= {pairing}
    rows = table[(table["evidence"] == pairing) & table["estimand"].isin(["mu", "theta", "mu, tau"])]
    checked = set()
    for keys, part in rows.fillna({"bin": ""}).groupby(["measure", "estimand", "bin"]):
        if part["difference"].std() > 0 and len(part) == REPEATS:
            ratio = np.sqrt((part["mcse"] ** 2).mean()) / part["difference"].std()
            assert MCSE_RATIO[0] < ratio < MCSE_RATIO[1], (keys, ratio)
            checked.add(keys[0])
    assert checked >= {"bias", "rmse", "coverage", "interval_score"}
    if pairing == "unpaired":
        assert "ess_per_leapfrog" in checked


def test_two_methods_differ_as_the_report_says(run):
    """Between two methods of a run, RMSE and MCSE are those of the report's paired differences, found another way."""
    table = simstudy.compare(run, run, baseline_method=METHODS[0], candidate_method=METHODS[1]).table
    ours = table.query("measure == 'rmse' and estimand == 'theta'").set_index("scenario")
    theirs = paired_differences(squared_errors(run.estimates, "theta"), METHODS[1], METHODS[0]).set_index("scenario")
    assert len(ours) == len(theirs) == 2
    for mine, other in (("difference", "difference"), ("mcse", "difference_mcse"), ("candidate", "value")):
        np.testing.assert_allclose(ours[mine], theirs[other].loc[ours.index], rtol=1e-9)


def test_values_are_those_of_the_performance_table(run):
    """Unpaired, each side's value and MCSE are those of its performance table."""
    table = simstudy.compare(run, small_run(seed=2)).table
    known = simstudy.performance(run).query("bin.isna() or bin == 'with warm-up'")
    known = known[known["level"].isna() | (known["level"] == 0.95)]
    both = table.merge(known[[*CELL, "value", "mcse", "n_used"]], on=CELL, suffixes=("", "_known"))
    assert len(both) == table["measure"].isin(MEASURES).sum() > 0
    np.testing.assert_allclose(both["baseline"], both["value"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(both["baseline_mcse"], both["mcse_known"], rtol=1e-9, atol=1e-12)
    assert (both["n_baseline"] == both["n_used"]).all()


def test_the_other_way_round_everything_is_negated(run):
    """Swapping the runs negates differences and turns worse into better."""
    other = with_fits(moved(run, 0.4, noise=0.1), n_leapfrog=1.5)
    there, back = (simstudy.compare(*pair).table.set_index(CELL) for pair in ((run, other), (other, run)))
    back = back.loc[there.index]
    np.testing.assert_allclose(there["difference"], -back["difference"], atol=1e-12)
    np.testing.assert_allclose(there["mcse"], back["mcse"], atol=1e-12)
    np.testing.assert_allclose(there["p_value"], back["p_value"], atol=1e-9)
    of_leapfrogs = there["direction"][there.index.get_level_values("measure") == "ess_per_leapfrog"]
    assert (of_leapfrogs == "worse").any()
    decided = there["direction"].isin(["worse", "better"]) & back["direction"].notna()
    turned = back.loc[decided, "direction"].map({"worse": "better", "better": "worse"})
    assert turned.tolist() == there.loc[decided, "direction"].tolist()


def test_the_order_of_rows_and_names_does_not_matter(run):
    """Shuffled tables of the candidate are still the same run, bit for bit."""
    rng = np.random.default_rng(0)
    tables = {
        name: getattr(run, name).iloc[rng.permutation(len(getattr(run, name)))].reset_index(drop=True)
        for name in ("fits", "estimates", "groups", "methods", "scenarios")
    }
    comparison = simstudy.compare(run, dataclasses.replace(run, **tables))
    assert set(comparison.table["evidence"]) == {"identical"}
    assert set(comparison.table["verdict"]) == {"same"}


def test_pairs_are_the_data_sets_that_both_saw(run):
    """A candidate with fewer replicates is paired on those; one whose data are mostly others is unpaired."""
    fewer = small_run(replicates=40)
    keep = {name: getattr(fewer, name).query("replicate < 25").reset_index(drop=True) for name in ("fits", "estimates")}
    table = simstudy.compare(run, dataclasses.replace(fewer, **keep)).table
    assert set(table["evidence"]) == {"identical"}
    assert table["n_replicates"].max() == 25
    for share, evidence, n in ((0.6, {"identical"}, 24), (0.4, {"unpaired"}, 40)):
        other = run.groups["replicate"] >= 40 * share
        groups = with_other_data(run.groups, other, by=0.01)
        table = simstudy.compare(run, dataclasses.replace(run, groups=groups)).table
        assert set(table["evidence"]) == evidence
        assert table["n_replicates"].max() == n


@pytest.mark.parametrize(("by", "evidence"), [(1e-13, {"identical"}), (1e-6, {"unpaired"})])
def test_data_that_differ_in_their_last_bits_are_the_same(run, by, evidence):
    """Another processor's data are a pair, though no digest agrees; data that differ by more are others."""
    groups = with_other_data(run.groups, run.groups["replicate"] >= 0, by=by)
    table = simstudy.compare(run, dataclasses.replace(run, groups=groups)).table
    assert set(table["evidence"]) == evidence
    one_group = with_other_data(run.groups, run.groups["replicate"] >= 0, by=by, group=0)
    table = simstudy.compare(run, dataclasses.replace(run, groups=one_group)).table
    assert set(table["evidence"]) == evidence


def with_other_data(groups, where, *, by, group=None):
    """Return groups with other digests in some data sets, and means moved by a share, in one group or in all."""
    moved_groups = where if group is None else where & (groups["group"] == group)
    return groups.assign(
        data_digest=groups["data_digest"].mask(where, "other"),
        y_mean=groups["y_mean"].where(~moved_groups, groups["y_mean"] * (1 + by)),
    )


def test_a_fit_that_only_one_run_has_is_no_pair(run):
    """Fits lost in the candidate leave the pairs of the others, and show as failed fits."""
    lost = (run.fits["replicate"] < 20) & (run.fits["method"] == "none")
    candidate = with_fits(run, status=lambda fits: fits["status"].astype(object).mask(lost, "failed"))
    table = simstudy.compare(run, candidate).table.query("method == 'none'")
    bias = table.query("measure == 'bias' and estimand == 'theta'")
    assert (bias["n_replicates"] <= 20).all()
    assert set(bias["evidence"]) == {"identical"}
    failed = table.query("measure == 'failure_rate'")
    assert (failed["difference"] > 0.4).all()
    assert set(failed["direction"]) == {"worse"}


def test_shares_without_a_discordant_pair_reach_3_over_n():
    """Equal coverage on pairs that are not identical has an interval of 3/n either way, whatever its MCSE of 0."""
    for replicates, verdict in ((100, "cannot tell"), (151, "same")):
        run = small_run(replicates=replicates, failure_rate=0.0, methods=("none",))
        table = simstudy.compare(run, moved(run, 1e-9)).table
        rows = table.query("measure == 'coverage' and estimand == 'mu' or estimand == 'theta_mean' and level == 0.95")
        rows = rows[rows["difference"] == 0]
        assert len(rows) == 2
        np.testing.assert_allclose(rows["upper"], 3 / replicates)
        np.testing.assert_allclose(rows["lower"], -3 / replicates)
        assert set(rows["verdict"]) == {verdict}
        assert set(rows["n_needed"].dropna()) <= {150}


def test_no_divergences_in_other_fits_prove_little():
    """Two samplers without a divergence in 100 fits each are not the same to .01; 300 fits each would be needed."""
    run = small_run(replicates=100, methods=("none",), failure_rate=0.0)
    for other in (moved(run, 1e-9), small_run(replicates=100, methods=("none",), failure_rate=0.0, seed=2)):
        rows = simstudy.compare(run, other).table.query("measure == 'divergence_rate'")
        assert set(rows["verdict"]) == {"cannot tell"}
        assert set(rows["n_needed"]) == {300}


@pytest.mark.parametrize("n_discordant", [1, 4, FEW - 1])
def test_a_share_is_no_more_significant_than_a_sign_test(n_discordant):
    """k pairs that differ, all to one side, have a p-value of 2^(1 - k) or more."""
    run = small_run(replicates=60, methods=("none",), failure_rate=0.0)
    lost = run.fits["replicate"] < n_discordant
    other = with_fits(run, status=lambda fits: fits["status"].astype(object).mask(lost, "failed"))
    rows = simstudy.compare(run, other).table.query("measure == 'failure_rate'")
    np.testing.assert_allclose(rows["difference"], n_discordant / 60)
    assert (rows["p_value"] >= 0.5 ** (n_discordant - 1)).all()
    assert (rows["upper"] - rows["difference"] >= 3 / 60 - 1e-12).all()


def test_estimands_without_truth_are_compared_by_their_mean():
    """On real data a moved posterior mean is a change that nobody can call better or worse."""
    options = {"replication": "sampler", "replicates": 30, "methods": ("none",)}
    run = small_run(**options)
    comparison = simstudy.compare(run, moved(run, 0.3, noise=0.02))
    rows = comparison.table.query("measure == 'mean_estimate'")
    assert set(rows["estimand"]) >= {"theta", "theta_mean", "sigma"}
    assert set(rows.loc[rows["estimand"] != "prob_best", "direction"]) == {"unclear"}
    assert comparison.exit_code == 1
    assert not comparison.table["measure"].isin(["bias", "rmse", "coverage"]).any()
