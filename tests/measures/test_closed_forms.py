"""Measures against closed forms: balanced normal groups, tau and sigma known, flat mu (Gelman et al. 2013, 5.4).

With s2 = sigma^2 / n and B = s2 / (s2 + tau^2), the squared error per group is s2 without pooling,
tau^2 (1 - 1/J) + s2 / J under complete pooling and tau^2 B + B^2 (tau^2 + s2) / J under partial pooling; the slope of
the error on theta - mu is 0, -(1 - 1/J) and -B (1 - 1/J).
"""

import numpy as np
import pytest

from simstudy.measures import performance
from tests.fakes import fake_run

J, N_OBS, TAU, SIGMA = 8, 2, 0.5, 1.0
S2 = SIGMA**2 / N_OBS
B = S2 / (S2 + TAU**2)
K = 4
MSE = {
    "none": S2,
    "complete": TAU**2 * (1 - 1 / J) + S2 / J,
    "partial, noncentered": TAU**2 * B + B**2 * (TAU**2 + S2) / J,
}
SLOPE = {"none": 0.0, "complete": -(1 - 1 / J), "partial, noncentered": -B * (1 - 1 / J)}
# Nominal 95 % by bins of half a tau, J = 8, n = 2, tau = .5, as printed in the project's statistics page: two digits.
COVERAGE_BY_DISTANCE = (0.99, 0.97, 0.94, 0.87, 0.76, 0.58)


@pytest.fixture(scope="module")
def table():
    """Performance over 4,000 replicates of exact posteriors."""
    run = fake_run(
        replicates=4000, groups=(J,), group_size=(N_OBS,), tau=(TAU,), methods=MSE, sampler_noise=0, failure_rate=0
    )
    return performance(run)


def read(table, measure, method, *, bin_=None, estimand="theta", level=None):
    """Return the single row of a measure."""
    rows = table[(table["measure"] == measure) & (table["method"] == method) & (table["estimand"] == estimand)]
    rows = rows[rows["bin"].isna() if bin_ is None else rows["bin"] == bin_]
    rows = rows if level is None else rows[rows["level"] == level]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize("method", MSE)
def test_squared_error_per_group_is_the_closed_form(table, method):
    """MSE and RMSE of theta lie within 4 MCSE of the closed form of every structure."""
    mse, rmse = read(table, "mse", method), read(table, "rmse", method)
    assert abs(mse["value"] - MSE[method]) < K * mse["mcse"]
    assert abs(rmse["value"] - np.sqrt(MSE[method])) < K * rmse["mcse"]


@pytest.mark.parametrize("method", MSE)
def test_conditional_bias_is_the_price_of_shrinkage(table, method):
    """The slope of the error on theta - mu is 0, -(1 - 1/J) and -B(1 - 1/J), while the bias is 0: within 4 MCSE."""
    slope, bias = read(table, "conditional_bias", method), read(table, "bias", method)
    assert abs(slope["value"] - SLOPE[method]) < K * slope["mcse"] + 1e-12
    assert abs(bias["value"]) < K * bias["mcse"]


@pytest.mark.parametrize("method", ["none", "partial, noncentered"])
def test_exact_posteriors_are_calibrated(table, method):
    """A posterior that knows tau covers at its nominal levels and its model SE is its RMSE: within 4 MCSE."""
    for level in (0.5, 0.8, 0.9, 0.95):
        coverage = read(table, "coverage", method, level=level)
        assert abs(coverage["value"] - level) < K * coverage["mcse"]
    error = read(table, "relative_error", method)
    assert abs(error["value"]) < K * error["mcse"]
    assert read(table, "model_se", method)["value"] == pytest.approx(np.sqrt(MSE[method]))


def test_empirical_se_is_not_shrunk_by_averaging_groups(table):
    """The empirical SE of theta is the sd of single errors, sqrt(s2), not that of their average over groups."""
    row = read(table, "empirical_se", "none")
    assert abs(row["value"] - np.sqrt(S2)) < K * row["mcse"]


def test_coverage_falls_with_the_distance_from_the_mean(table):
    """Coverage by |theta - mu| / tau falls from .99 to .58 as published: within 4 MCSE and half a printed digit."""
    for i, expected in enumerate(COVERAGE_BY_DISTANCE):
        bin_ = f"distance={i / 2:g}-{(i + 1) / 2:g}"
        row = read(table, "coverage", "partial, noncentered", bin_=bin_, level=0.95)
        assert abs(row["value"] - expected) < K * row["mcse"] + 0.005


def test_weights_agree_with_the_slope(table):
    """1 - slope of the estimates on the group means equals the oracle weight B: to rounding, as tau is known."""
    for method, weight in (("none", 0.0), ("complete", 1.0), ("partial, noncentered", B)):
        assert read(table, "shrinkage_slope", method)["value"] == pytest.approx(weight, abs=1e-9)


def test_partial_pooling_with_known_tau_has_no_regret(table):
    """The oracle's regret is 0; that of the others is the difference of the closed forms: within 4 MCSE."""
    for method in MSE:
        row = read(table, "regret", method)
        assert row["reference"] == "oracle"
        assert abs(row["value"] - (MSE[method] - MSE["partial, noncentered"])) < K * row["mcse"] + 1e-12


def test_relative_measures_refer_to_no_pooling_on_the_same_data(table):
    """mse_ratio and relative_precision are those of the closed forms: within 4 MCSE, with a paired, small MCSE."""
    ratio, gain = (read(table, name, "partial, noncentered") for name in ("mse_ratio", "relative_precision"))
    expected = MSE["partial, noncentered"] / MSE["none"]
    assert ratio["reference"] == gain["reference"] == "none"
    assert abs(ratio["value"] - expected) < K * ratio["mcse"]
    assert abs(gain["value"] - 100 * (1 / expected - 1)) < K * gain["mcse"]
    unpaired = np.hypot(*(read(table, "mse", m)["mcse"] / MSE[m] for m in ("none", "partial, noncentered")))
    assert ratio["mcse"] < 0.8 * unpaired * expected


def test_pooling_factor_of_no_pooling_is_its_limit():
    """Without pooling and with equal groups lambda goes to s2 / (s2 + s2) as tau goes to 0: within 4 MCSE.

    Var_j(E theta_j) is then about s2, and E(Var_j theta_j) about s2 from the means and s2 from the posteriors.
    """
    run = fake_run(
        replicates=500, groups=(20,), group_size=(2,), tau=(0.0,), methods=("none",), sampler_noise=0, failure_rate=0
    )
    estimates = run.estimates
    is_spread = estimates["estimand"] == "theta_sd"
    y_sd = run.groups.groupby("replicate")["y_mean"].std()
    root = np.sqrt(y_sd.to_numpy() ** 2 + S2)
    estimates.loc[is_spread, "mean"], estimates.loc[is_spread, "sd"] = root, 0.0
    row = read(performance(run), "pooling_factor", "none")
    assert abs(row["value"] - 0.5) < K * row["mcse"] + 0.02


def test_the_true_best_is_named_as_often_as_by_chance_when_nothing_is_known():
    """Estimates that are noise name the best of J groups with probability 1/J and rank with correlation 0: 4 MCSE."""
    run = fake_run(replicates=2000, groups=(J,), group_size=(2,), tau=(1.0,), methods=("none",), failure_rate=0)
    is_theta = (run.estimates["estimand"] == "theta").to_numpy()
    noise = np.random.default_rng(9).standard_normal(is_theta.sum())
    run.estimates.loc[is_theta, "mean"] = noise
    table = performance(run)
    best, rank = (read(table, name, "none") for name in ("prob_best", "rank_correlation"))
    assert abs(best["value"] - 1 / J) < K * best["mcse"]
    assert abs(rank["value"]) < K * rank["mcse"]
