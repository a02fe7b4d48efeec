"""Calibration: exact bands and p-values, false alarms, planted faults, and fits that failed."""

import dataclasses
import functools
import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr
from scipy.stats import binom, multinomial

from simstudy.errors import TableError
from simstudy.measures.calibration import calibration, worst_groups
from simstudy.measures.ecdf import ecdf_difference, judge_ranks, pointwise_error
from simstudy.measures.holm import holm
from tests.fakes import fake_run

N_RANK = 99


@functools.cache
def one_replicate():
    """Return a run whose other tables serve every made-up one."""
    return fake_run(replicates=1, groups=(4,), group_size=(2,), tau=(1.0,), methods=("none",))


def run_of(ranks, *, n_rank=N_RANK, failed=(), kind="calibration"):
    """Return a run of one scenario and method "m" with given ranks, estimand -> (replicate,) or (replicate, group)."""
    template = one_replicate()
    scenario = template.scenarios["scenario"].iloc[0]
    n = len(next(iter(ranks.values())))
    fits = pd.DataFrame({"scenario": scenario, "replicate": np.arange(n), "method": "m", "status": "ok"})
    fits.loc[list(failed), "status"] = "failed"
    fits["n_divergent"] = 100
    parts = []
    for estimand, values in ranks.items():
        n_groups = values[0].size
        group = np.tile(np.arange(n_groups), n) if values.ndim > 1 else pd.array([None] * n, dtype="Int64")
        rows = {"estimand": estimand, "group": pd.array(group, dtype="Int64"), "rank": np.ravel(values)}
        parts.append(pd.DataFrame({"replicate": np.repeat(np.arange(n), n_groups), **rows}))
    estimates = pd.concat(parts, ignore_index=True).assign(
        scenario=scenario, method="m", truth=0.0, mean=0.5, sd=1.0, n_rank=n_rank
    )
    return dataclasses.replace(
        template,
        study={**template.study, "study": {**template.study["study"], "kind": kind}},
        methods=pd.DataFrame({"method": ["m"]}),
        fits=fits,
        estimates=estimates[~estimates["replicate"].isin(list(failed))],
    )


def verdicts(run, **options):
    """Return the verdict on each estimand of a run with one scenario and method."""
    return worst_groups(calibration(run, **options)).set_index("estimand")["verdict"].to_dict()


def passes(ranks):
    """Return estimand -> whether it passes, Holm over all, without the tables around."""
    p_values = holm(np.array([judge_ranks(values, N_RANK).p_value for values in ranks.values()]))
    return dict(zip(ranks, p_values > 0.05, strict=True))


def uniform(rng, *shape, n_rank=N_RANK):
    """Return uniform ranks."""
    return rng.integers(0, n_rank + 1, shape)


def rank(rng, pit):
    """Return the rank of a truth among 99 independent draws of a posterior whose distribution function there is pit."""
    return rng.binomial(N_RANK, np.clip(pit, 0, 1))


def conjugate_ranks(rng, n, *, prior_sd, fitted_sd, y_sd=1.0, uses_data=True):
    """Return ranks of theta and log_lik where theta ~ Normal(0, prior_sd), y ~ Normal(theta, y_sd), in closed form.

    The method has the prior sd ``fitted_sd``, and returns that prior where it does not use the data. The log
    likelihood falls with |y - theta|, so its distribution function is a probability of an interval.
    """
    theta = prior_sd * rng.standard_normal(n)
    y = theta + y_sd * rng.standard_normal(n)
    weight = fitted_sd**2 / (fitted_sd**2 + y_sd**2) if uses_data else 0.0
    mean, sd = weight * y, fitted_sd * np.sqrt(1 - weight)
    reach = np.abs(y - theta)
    nearer = ndtr((y + reach - mean) / sd) - ndtr((y - reach - mean) / sd)
    return {"theta": rank(rng, ndtr((theta - mean) / sd)), "log_lik": rank(rng, 1 - nearer)}


@pytest.mark.parametrize(
    ("n", "n_points", "expected"),
    [(50, 50, 0.00642), (100, 20, 0.00855), (100, 100, 0.00411), (250, 50, 0.00430), (500, 20, 0.00587)],
)
def test_pointwise_error_of_a_simultaneous_band(n, n_points, expected):
    """The pointwise error for 95 % simultaneous is the exact one, to five decimals."""
    assert pointwise_error(n, n_points) == pytest.approx(expected, abs=5e-6)


def test_p_value_is_the_sum_over_all_outcomes():
    """For 7 ranks of 4 kinds the p-value is the probability of all outcomes as extreme, by enumeration."""
    n, n_cells = 7, 4
    outcomes = [c for c in itertools.product(range(n + 1), repeat=n_cells) if sum(c) == n]
    chance = np.array([multinomial.pmf(c, n, [1 / n_cells] * n_cells) for c in outcomes])
    z = np.arange(1, n_cells) / n_cells
    below = np.cumsum(outcomes, axis=1)[:, :-1]
    statistic = 2 * np.minimum(binom.cdf(below, n, z), binom.sf(below - 1, n, z)).min(axis=1)
    for counts, own in zip(outcomes, statistic, strict=True):
        judged = judge_ranks(np.repeat(np.arange(n_cells), counts), n_cells - 1)
        assert judged.statistic == pytest.approx(min(own, 1.0))
        assert judged.p_value == pytest.approx(chance[statistic <= own * (1 + 1e-9)].sum())


def test_tiny_p_values_keep_their_precision():
    """All 20 ranks in the lowest of 10 places: p is 2 / 10^20, for that and its mirror image, to 1e-9 relative."""
    assert judge_ranks(np.zeros(20, int), 9).p_value == pytest.approx(2e-20, rel=1e-9)
    assert judge_ranks(np.full(20, 9), 9).p_value == pytest.approx(2e-20, rel=1e-9)


def test_mirrored_ranks_have_the_same_p_value():
    """Turning ranks upside down, rank to n_rank - rank, changes nothing; 150 kinds of ranks on 100 points included."""
    rng = np.random.default_rng(1)
    for n_rank in (19, 99, 149):
        ranks = rng.binomial(n_rank, rng.beta(1.2, 0.9, 80))
        assert judge_ranks(ranks, n_rank).p_value == pytest.approx(judge_ranks(n_rank - ranks, n_rank).p_value)


def test_the_band_is_left_exactly_when_the_p_value_is_small():
    """Ranks leave the 95 % band at some point if and only if p is at most .05, over 300 sets from even to skewed."""
    rng = np.random.default_rng(2)
    answers = []
    for skew in np.linspace(1, 2.5, 300):
        ranks = rng.binomial(N_RANK, rng.beta(skew, 1, 60))
        band = ecdf_difference(ranks, N_RANK)
        leaves = ((band["difference"] < band["lower"] - 1e-9) | (band["difference"] > band["upper"] + 1e-9)).any()
        assert leaves == (judge_ranks(ranks, N_RANK).p_value <= 0.05)
        answers.append(leaves)
    assert 0.2 < np.mean(answers) < 0.9


def test_ranks_out_of_range_are_refused():
    """A rank above the number of draws is an error with both numbers in it; so is a figure of nothing."""
    with pytest.raises(ValueError, match="expected ranks from 0 to 9, got 0 to 10"):
        judge_ranks(np.array([0, 10]), 9)
    with pytest.raises(ValueError, match="expected at least one rank"):
        ecdf_difference(np.zeros(0, int), 9)


def test_holm_is_the_closure_of_bonferroni():
    """An adjusted p-value is the largest Bonferroni p-value, by weight, of all sets of hypotheses with it in them."""
    rng = np.random.default_rng(3)
    p, weights = rng.uniform(0, 0.3, 6), rng.choice([0.25, 0.5, 1.0], 6)
    adjusted = holm(p, weights=weights)
    for i in range(6):
        sets = [np.flatnonzero(s) for s in itertools.product([0, 1], repeat=6) if s[i]]
        worst = max(min((p[s] * weights[s].sum() / weights[s]).min(), 1) for s in sets)
        assert adjusted[i] == pytest.approx(worst)


def test_false_alarms_over_uniform_ranks():
    """Of 1,000 runs with 4 calibrated estimands each at most 5 % + 2 binomial SE raise an alarm, and some do."""
    rng = np.random.default_rng(4)
    alarms = [
        min(holm(np.array([judge_ranks(r, 19).p_value for r in uniform(rng, 4, 100, n_rank=19)]))) for _ in range(1000)
    ]
    share = np.mean(np.array(alarms) <= 0.05)
    assert 0.02 < share <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.statistical
def test_false_alarms_of_whole_runs_with_dependent_groups():
    """Of 1,000 runs of 200 replicates, with 8 groups whose ranks nearly agree, at most 5 % + 2 SE raise an alarm."""
    rng = np.random.default_rng(5)
    n_alarms = 0
    for _ in range(1000):
        shared, own = rng.standard_normal((200, 1)), rng.standard_normal((200, 8))
        groups = np.minimum(ndtr(0.95 * shared + np.sqrt(1 - 0.95**2) * own) * (N_RANK + 1), N_RANK).astype(int)
        ranks = {"theta": groups, "mu": groups[:, 0], "tau": uniform(rng, 200), "log_lik": uniform(rng, 200)}
        n_alarms += (calibration(run_of(ranks))["p_holm"] <= 0.05).any()
    assert n_alarms <= 1000 * (0.05 + 2 * np.sqrt(0.05 * 0.95 / 1000))


def test_a_doubled_prior_sd_is_caught_at_1000():
    """A prior sd of 2 for 1, with one observation of sd 2 to correct it, is caught at 1,000 in 90 of 100 repeats."""
    rng = np.random.default_rng(6)
    planted = [conjugate_ranks(rng, 1000, prior_sd=1.0, fitted_sd=2.0, y_sd=2.0) for _ in range(100)]
    assert sum(not passes(ranks)["theta"] for ranks in planted) >= 90
    assert verdicts(run_of(planted[0]))["theta"] == "not calibrated"


def test_a_posterior_that_ignores_the_data_is_caught_by_the_log_likelihood():
    """At 200, a posterior equal to the prior fails by log_lik in 90 of 100 repeats, and its parameter passes in 90."""
    rng = np.random.default_rng(7)
    planted = [conjugate_ranks(rng, 200, prior_sd=1.0, fitted_sd=1.0, uses_data=False) for _ in range(100)]
    found = [passes(ranks) for ranks in planted]
    assert sum(not f["log_lik"] for f in found) >= 90
    assert sum(f["theta"] for f in found) >= 90
    assert verdicts(run_of(planted[0]))["log_lik"] == "not calibrated"


def test_a_precision_for_an_sd_is_caught_at_50():
    """A prior sd of 5 read as a precision of 5 is caught at 50 in 90 of 100 repeats."""
    rng = np.random.default_rng(8)
    planted = [conjugate_ranks(rng, 50, prior_sd=5.0, fitted_sd=5.0**-0.5) for _ in range(100)]
    assert sum(not passes(ranks)["theta"] for ranks in planted) >= 90
    assert verdicts(run_of(planted[0]))["theta"] == "not calibrated"


def test_a_right_posterior_passes():
    """The conjugate posterior itself is calibrated at 1,000, log likelihood included, in at least 90 of 100 repeats."""
    rng = np.random.default_rng(9)
    right = [conjugate_ranks(rng, 1000, prior_sd=1.0, fitted_sd=1.0) for _ in range(100)]
    assert sum(all(passes(ranks).values()) for ranks in right) >= 90


@pytest.mark.statistical
def test_planted_faults_are_caught_in_many_repeats():
    """Of 1,000 repeats of each planted fault at least 90 % are caught by the estimand that should catch it."""
    rng = np.random.default_rng(15)
    faults = {
        "theta": {"n": 1000, "prior_sd": 1.0, "fitted_sd": 2.0, "y_sd": 2.0},
        "log_lik": {"n": 200, "prior_sd": 1.0, "fitted_sd": 1.0, "uses_data": False},
    }
    for estimand, fault in faults.items():
        assert sum(not passes(conjugate_ranks(rng, **fault))[estimand] for _ in range(1000)) >= 900


def test_no_placement_of_missing_ranks_is_worse():
    """The p-value with 6 missing ranks is at most that of any way to fill them in, over 200 ways, and is reached."""
    rng = np.random.default_rng(10)
    ranks = uniform(rng, 60)
    worst = judge_ranks(ranks, N_RANK, n_missing=6).p_value
    ways = [uniform(rng, 6) for _ in range(198)] + [np.zeros(6, int), np.full(6, N_RANK)]
    filled = [judge_ranks(np.concatenate([ranks, way]), N_RANK).p_value for way in ways]
    assert worst == pytest.approx(min(filled))
    assert worst < np.median(filled)


def test_failed_fits_are_counted_and_named():
    """Few failed fits leave uniform ranks calibrated and are named; many decide the verdict and are named for it."""
    ranks = {"theta": np.repeat(np.arange(N_RANK + 1), 10)}
    few, many = (calibration(run_of(ranks, failed=range(0, 1000, step))).iloc[0] for step in (500, 10))
    assert (few["n_replicates"], few["n_used"]) == (1000, 998)
    assert few["verdict"] == "calibrated despite failed fits"
    assert (many["n_used"], many["verdict"]) == (900, "not calibrated for failed fits")
    assert many["p_holm"] <= 0.05 < judge_ranks(np.repeat(np.arange(N_RANK + 1), 9), N_RANK).p_value


def test_ranks_that_fail_by_themselves_are_not_excused_by_failed_fits():
    """Where the ranks that there are are not uniform, the verdict says that and not that fits failed."""
    ranks = {"theta": np.repeat(np.arange(50), 20)}
    assert verdicts(run_of(ranks, failed=[0, 1])) == {"theta": "not calibrated"}


def test_divergent_fits_count():
    """Every fit of these runs has divergent draws, and every one of them is used."""
    ranks = {"theta": uniform(np.random.default_rng(11), 100)}
    run = run_of(ranks)
    assert (run.fits["n_divergent"] > 0).all()
    assert calibration(run)["n_used"].tolist() == [100]


def test_a_method_that_always_fails_is_not_calibrated():
    """Without any usable fit there is one row, without an estimand, and its verdict names the failures."""
    run = run_of({"theta": uniform(np.random.default_rng(12), 40)}, failed=range(40))
    table = calibration(run)
    assert table["estimand"].tolist() == [None]
    assert table[["n_replicates", "n_used"]].to_numpy().tolist() == [[40, 0]]
    assert table["verdict"].tolist() == ["not calibrated for failed fits"]


def test_groups_share_the_weight_of_one_estimand():
    """Eight groups that pass cost the other estimand no more than one does: Holm doubles its p-value and no more."""
    rng = np.random.default_rng(13)
    tau = rng.binomial(N_RANK, rng.beta(1.6, 1, 100))
    even = np.repeat(np.arange(N_RANK + 1), 1)
    table = calibration(run_of({"tau": tau, "theta": np.tile(even[:, None], 8)})).set_index("estimand")
    assert table.loc["tau", "p_holm"] == pytest.approx(2 * table.loc["tau", "p_value"])
    assert table.loc["theta", "group"].tolist() == list(range(8))


def test_what_has_no_rank_by_nature_has_no_row():
    """Estimands without a truth, and known constants, are no test; a constant beside the truth fails."""
    rng = np.random.default_rng(14)
    run = run_of({name: uniform(rng, 50) for name in ("theta", "untrue", "known", "stuck")})
    estimates = run.estimates.astype({"rank": "Float64"}).copy()
    estimates.loc[estimates["estimand"] == "untrue", ["truth", "rank"]] = [np.nan, None]
    estimates.loc[estimates["estimand"] == "known", ["mean", "sd", "rank"]] = [1e-9, 0.0, 99]
    estimates.loc[estimates["estimand"] == "stuck", ["mean", "sd", "rank"]] = [0.5, 0.0, 0]
    found = verdicts(dataclasses.replace(run, estimates=estimates))
    assert found == {"theta": "calibrated", "stuck": "not calibrated"}


def test_a_replicate_without_a_truth_asks_for_no_rank():
    """Where the truth of a replicate does not exist it is no failure of the fit: the row counts one replicate less."""
    run = run_of({"theta": np.repeat(np.arange(N_RANK + 1), 2)})
    estimates = run.estimates.astype({"rank": "Float64"}).copy()
    estimates.loc[estimates["replicate"] == 7, ["truth", "rank"]] = [np.nan, None]
    row = calibration(dataclasses.replace(run, estimates=estimates)).iloc[0]
    assert (row["n_replicates"], row["n_used"], row["verdict"]) == (199, 199, "calibrated")


def test_known_posteriors_of_a_whole_run():
    """With effects drawn anew the conjugate posteriors of theta pass; complete pooling fails and is named."""
    run = fake_run(replicates=400, groups=(4,), group_size=(2,), tau=(1.0,), sampler_noise=0, failure_rate=0)
    study = {**run.study, "study": {**run.study["study"], "kind": "calibration"}}
    located = run.estimates[run.estimates["estimand"].isin(["theta", "theta_mean"])]
    table = calibration(dataclasses.replace(run, study=study, estimates=located))
    worst = worst_groups(table).set_index(["method", "estimand"])["verdict"]
    assert set(worst.drop("complete")) == {"calibrated"}
    assert worst["complete", "theta"] == "not calibrated"
    assert worst["complete", "theta_mean"] == "calibrated"


def test_only_calibration_studies_are_judged():
    """A run whose truth is not drawn from the priors is refused, with what to set."""
    with pytest.raises(TableError, match=r'kind = "calibration" in \[study\], got \'simulation\''):
        calibration(run_of({"theta": np.zeros(5, int)}, kind="simulation"))


def test_ranks_among_different_numbers_of_draws_are_refused():
    """One estimand with ranks among 99 and among 49 draws is refused rather than mixed."""
    run = run_of({"theta": np.zeros(20, int)})
    mixed = run.estimates.assign(n_rank=np.where(run.estimates["replicate"] < 10, 99, 49))
    with pytest.raises(TableError, match="expected one n_rank"):
        calibration(dataclasses.replace(run, estimates=mixed))
