"""The posterior under other priors: conjugate closed forms, and what cannot be said."""

import numpy as np
import pytest

from simstudy.choosing.sensitivity import SENSITIVE, sensitivity

N = 4_000


def half_normal_posterior(prior_precision, data_precision, seed=1):
    """tau ~ HalfNormal with a likelihood exp(-tau^2 d / 2): again half normal, the precisions added."""
    tau = np.abs(np.random.default_rng(seed).normal(0, 1 / np.sqrt(prior_precision + data_precision), N))
    return {"tau": tau, "log_lik": -data_precision * tau**2 / 2}


@pytest.mark.parametrize("data_precision", [1.0, 4.0, 30.0])
def test_means_under_half_and_twice_the_scale_are_the_closed_form(data_precision):
    """Half the scale is four times the precision; the mean of |N(0, 1/p)| is sqrt(2 / (pi p))."""
    draws = half_normal_posterior(1.0, data_precision)
    found = sensitivity(draws, "HalfNormal(1)", {"tau": draws["tau"]}).table.iloc[0]
    for column, precision in (("mean", 1.0), ("halved", 4.0), ("doubled", 0.25)):
        expected = np.sqrt(2 / (np.pi * (precision + data_precision)))
        sd = np.sqrt((1 - 2 / np.pi) / (precision + data_precision))
        # The variance of the weights enlarges the error by a factor of two at most here.
        assert abs(found[column] - expected) < 8 * sd / np.sqrt(N), column


def test_a_prior_that_decides_is_sensitive_and_one_that_does_not_is_not():
    """With little data the prior's weight moves tau, with much the likelihood's does."""
    little, much = (half_normal_posterior(1.0, precision) for precision in (0.5, 200.0))
    weak = sensitivity(little, "HalfNormal(1)", {"tau": little["tau"]}).table.iloc[0]
    strong = sensitivity(much, "HalfNormal(1)", {"tau": much["tau"]}).table.iloc[0]
    assert weak["of_prior"] > SENSITIVE > strong["of_prior"]
    assert strong["of_likelihood"] > SENSITIVE
    assert weak["shift"] > 5 * strong["shift"]


def test_a_quantity_that_tau_says_nothing_of_does_not_move():
    """Independent draws keep their mean under every prior, up to the error of the weights."""
    draws = half_normal_posterior(1.0, 1.0)
    other = np.random.default_rng(2).normal(5.0, 1.0, N)
    found = sensitivity(draws, "HalfNormal(1)", {"x": other}).table.iloc[0]
    assert found["shift"] < 6 / np.sqrt(N)
    assert found["of_prior"] < SENSITIVE


def test_where_the_weights_have_no_mean_nothing_is_said():
    """A posterior far from the prior's mass has ratios that a few draws rule: k is above .7."""
    tau = np.abs(np.random.default_rng(1).normal(0, 3, N))
    found = sensitivity({"tau": tau, "log_lik": 4 * tau**2}, "HalfNormal(1)", {"tau": tau})
    assert not found.is_known
    assert np.isnan(found.table.iloc[0]["doubled"])


@pytest.mark.parametrize(("end", "is_known"), [(3.0, False), (100.0, True)])
def test_a_flat_prior_is_known_where_its_end_is_beyond_the_posterior(end, is_known, recwarn):
    """Halved and doubled it changes nothing then; else draws cannot show what lies behind its end."""
    tau = np.abs(np.random.default_rng(1).normal(0, 1, N))
    tau = tau[tau < end]
    found = sensitivity({"tau": tau, "log_lik": -(tau**2)}, f"Uniform(0, {end:g})", {"tau": tau})
    row = found.table.iloc[0]
    assert found.is_known == is_known
    assert row["of_prior"] == 0
    assert np.isnan(row["doubled"]) != is_known
    assert np.isnan(row["shift"]) != is_known  # of two changes one is not known
    below = tau[tau < end / 2]
    assert row["halved"] == pytest.approx(below.mean())
    assert not len(recwarn)


def test_no_draw_under_half_the_scale_is_said_and_not_stumbled_over():
    """All draws lie in the upper half of a flat prior."""
    tau = np.random.default_rng(1).uniform(6, 9, N)
    found = sensitivity({"tau": tau, "log_lik": -(tau**2)}, "Uniform(0, 10)", {"tau": tau})
    assert not found.is_known
    assert np.isnan(found.table.iloc[0]["halved"])


def test_a_group_may_be_called_as_a_parameter_is():
    """Rows of groups are told apart by what they are."""
    draws = half_normal_posterior(1.0, 1.0)
    effect = np.random.default_rng(2).normal(5.0, 1.0, N)
    table = sensitivity(draws, "HalfNormal(1)", {"tau": draws["tau"]}, {"tau": effect}).table
    assert table["name"].tolist() == ["tau", "tau"]
    assert table["is_group"].tolist() == [False, True]
    assert table["mean"].tolist() == pytest.approx([draws["tau"].mean(), effect.mean()])


def test_means_that_are_known_better_are_those_of_the_table():
    """The exact mean stands where the draws' own lies beside it, and those under other priors are moved with it."""
    draws = half_normal_posterior(1.0, 4.0)
    names = {"tau": draws["tau"]}, {"tau": 5 + draws["tau"]}
    own = sensitivity(draws, "HalfNormal(1)", *names).table
    means = {("tau", False): 0.36, ("tau", True): 5.4}
    found = sensitivity(draws, "HalfNormal(1)", *names, means=means).table
    assert found["mean"].tolist() == pytest.approx([0.36, 5.4])
    for column in ("halved", "doubled"):
        assert (found[column] - found["mean"]).tolist() == pytest.approx((own[column] - own["mean"]).tolist())
    assert found["shift"].tolist() == pytest.approx(own["shift"].tolist())
