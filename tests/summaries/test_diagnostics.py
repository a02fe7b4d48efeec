"""Diagnostics against ArviZ, against their definitions, and against what they estimate."""

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy.stats import norm, rankdata

from simstudy.summaries import diagnostics
from simstudy.summaries.diagnostics import (
    diagnose,
    ebfmi,
    ess_bulk,
    ess_mean,
    ess_sd,
    ess_tail,
    mcse_mean,
    mcse_sd,
    rhat,
)

# Autocovariances are summed in float32 (relative error about 1e-6 in ArviZ's units); R-hat is float64 throughout.
ESS_TOLERANCE = 2e-5
RHAT_TOLERANCE = 1e-12


def ar1(rng, shape, *, rho):
    """Stationary AR(1) chains with mean 0 and variance 1; integrated autocorrelation time (1 + rho) / (1 - rho)."""
    noise = rng.normal(size=shape)
    x = np.empty(shape)
    x[..., 0] = noise[..., 0]
    for t in range(1, shape[-1]):
        x[..., t] = rho * x[..., t - 1] + np.sqrt(1 - rho**2) * noise[..., t]
    return x


TRANSFORMS = {
    "normal": lambda x: x,
    "heavy tails": lambda x: np.sinh(3 * x),
    "ties": lambda x: np.round(x, 1),
    "repeats": lambda x: np.repeat(x[..., ::2], 2, axis=-1)[..., : x.shape[-1]],
    "float32": lambda x: x.astype(np.float32),
    "integers": lambda x: np.round(10 * x).astype(int),
    "chains apart": lambda x: x + 3 * np.arange(x.shape[-2])[:, None],
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("n_draws", [40, 101, 500])
@pytest.mark.parametrize("rho", [-0.7, 0.0, 0.6, 0.97])
def test_diagnostics_equal_those_of_arviz(rho, n_draws, transform):
    """Independent implementation: mixing, antithetic, slow, tied, heavy-tailed and separated chains, odd lengths."""
    x = TRANSFORMS[transform](ar1(np.random.default_rng(7), (3, 4, n_draws), rho=rho))
    ours = diagnose(x)
    double = np.asarray(x, dtype=np.float64)
    for i, row in enumerate(double):
        np.testing.assert_allclose(ours.rhat[i], array_stats.rhat(row), rtol=RHAT_TOLERANCE)
        np.testing.assert_allclose(ours.ess_bulk[i], array_stats.ess(row, method="bulk"), rtol=ESS_TOLERANCE)
        tail = array_stats.ess(row, method="tail", prob=(0.05, 0.95))
        np.testing.assert_allclose(ours.ess_tail[i], tail, rtol=ESS_TOLERANCE)
        np.testing.assert_allclose(ours.mcse_mean[i], array_stats.mcse(row, method="mean"), rtol=ESS_TOLERANCE)
    np.testing.assert_allclose(ess_mean(x), array_stats.ess(double, method="mean"), rtol=ESS_TOLERANCE)
    np.testing.assert_allclose(ess_sd(x), array_stats.ess(double, method="sd"), rtol=ESS_TOLERANCE)


@pytest.mark.parametrize("n_draws", range(4, 16))
def test_short_chains_equal_those_of_arviz(n_draws):
    """The rules at the end of the lags hold where there are hardly any lags."""
    x = ar1(np.random.default_rng(n_draws), (20, 4, n_draws), rho=0.5)
    np.testing.assert_allclose(rhat(x), array_stats.rhat(x), rtol=RHAT_TOLERANCE)
    np.testing.assert_allclose(ess_bulk(x), array_stats.ess(x, method="bulk"), rtol=ESS_TOLERANCE)
    np.testing.assert_allclose(ess_mean(x), array_stats.ess(x, method="mean"), rtol=ESS_TOLERANCE)


def test_one_chain_has_an_rhat_between_its_halves():
    """The paper splits chains, so one chain can be seen to drift; ArviZ asks for two and returns NaN."""
    x = ar1(np.random.default_rng(1), (1, 1, 400), rho=0.3)
    drifting = x + np.linspace(0, 3, 400)
    assert np.isnan(array_stats.rhat(drifting)).all()
    assert rhat(x)[0] < 1.02
    assert rhat(drifting)[0] > 1.3
    np.testing.assert_allclose(ess_bulk(x), array_stats.ess(x, method="bulk"), rtol=ESS_TOLERANCE)


def test_rhat_is_that_of_normal_scores_with_blom_offset():
    """By the definition: ranks by scipy, Blom's (r - 3/8) / (n + 1/4), the analysis of variance of the half-chains."""
    x = ar1(np.random.default_rng(2), (4, 60), rho=0.5) + np.array([[0.0], [0.5], [0.0], [-0.5]])

    def reduction(values):
        n = values.shape[1]
        between = n * values.mean(axis=1).var(ddof=1)
        within = values.var(axis=1, ddof=1).mean()
        return np.sqrt(((n - 1) / n * within + between / n) / within)

    def scores(values):
        return norm.ppf((rankdata(values) - 3 / 8) / (values.size + 1 / 4)).reshape(values.shape)

    halves = x.reshape(8, 30)
    expected = max(reduction(scores(halves)), reduction(scores(np.abs(halves - np.median(halves)))))
    np.testing.assert_allclose(rhat(x), expected, rtol=RHAT_TOLERANCE)


def test_chains_that_differ_in_scale_alone_are_found():
    """The folded part of R-hat sees what the bulk part cannot: equal centers, unequal spread."""
    x = np.random.default_rng(3).normal(size=(4, 500)) * np.array([[1.0], [1.0], [1.0], [4.0]])
    assert rhat(x) > 1.1


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.5, 0.9])
def test_ess_is_that_of_the_theory_of_an_ar1(rho):
    """Closed form n (1 - rho) / (1 + rho), and for squares n (1 - rho^2) / (1 + rho^2)."""
    n_rows, n = 300, 4 * 1000
    x = ar1(np.random.default_rng(4), (n_rows, 4, 1000), rho=rho)
    for sizes, expected in (
        (ess_mean(x), n * (1 - rho) / (1 + rho)),
        (ess_bulk(x), n * (1 - rho) / (1 + rho)),
        (ess_sd(x), n * (1 - rho**2) / (1 + rho**2)),
    ):
        # 4 Monte Carlo errors, and 3 % for the known bias of Geyer's sequence at finite length.
        assert abs(sizes.mean() - expected) < 4 * sizes.std() / np.sqrt(n_rows) + 0.03 * expected


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.8])
def test_mcse_is_the_error_that_means_and_sds_show(rho):
    """Over many sets of chains, the spread of the estimates is what one set says it is."""
    n_rows = 1500
    x = ar1(np.random.default_rng(5), (n_rows, 4, 250), rho=rho)
    pooled = x.reshape(n_rows, -1)
    for estimates, errors in ((pooled.mean(axis=1), mcse_mean(x)), (pooled.std(axis=1, ddof=1), mcse_sd(x))):
        shown = estimates.std(ddof=1)
        # The spread of 1500 estimates is known to 1 / sqrt(2 * 1499) = 1.8 %: 4 errors, and 3 % bias of Geyer's rule.
        assert abs(np.sqrt(np.mean(errors**2)) / shown - 1) < 4 * 0.018 + 0.03


def test_mcse_sd_takes_the_ess_of_squared_deviations():
    """ArviZ takes that of the draws; in antithetic chains it then calls the error of the sd half of what it is."""
    x = ar1(np.random.default_rng(6), (400, 4, 250), rho=-0.6)
    shown = x.reshape(400, -1).std(axis=1, ddof=1).std(ddof=1)
    assert np.median(array_stats.mcse(x, method="sd")) < 0.6 * shown
    # The spread of 400 estimates is known to 1 / sqrt(2 * 399) = 3.5 %: 4 errors.
    assert abs(np.median(mcse_sd(x)) / shown - 1) < 4 * 0.035
    squares = np.square(x - x.mean(axis=(1, 2), keepdims=True)).reshape(400, -1)
    variance = squares.mean(axis=1)
    of_variance = (np.square(squares).mean(axis=1) - variance**2) / array_stats.ess(x, method="sd")
    np.testing.assert_allclose(mcse_sd(x), np.sqrt(of_variance / variance) / 2, rtol=ESS_TOLERANCE)


def test_antithetic_chains_have_more_than_n_and_at_most_n_log_n():
    """The bound on the effective sample size of n draws is n log10(n), reached by a perfectly alternating chain."""
    alternating = np.tile([1.0, -1.0], 100) * np.ones((2, 1)) + 1e-3 * np.random.default_rng(8).normal(size=(2, 200))
    np.testing.assert_allclose(ess_mean(alternating), 400 * np.log10(400))
    assert ess_mean(ar1(np.random.default_rng(8), (2, 200), rho=-0.3)) > 400


@pytest.mark.parametrize("value", [0.0, 0.1, -1e300])
def test_constant_draws_have_no_diagnostics(value):
    """A constant has nothing to autocorrelate: NaN, exactly, whatever the rounding of its mean."""
    found = diagnose(np.full((2, 4, 50), value))
    assert all(np.isnan(getattr(found, name)).all() for name in diagnostics.DIAGNOSTICS)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_draw_that_is_not_finite_spoils_its_own_row_alone(bad):
    """The other rows keep their numbers to the last bit."""
    x = ar1(np.random.default_rng(9), (5, 4, 100), rho=0.5)
    clean = diagnose(x)
    x[2, 1, 50] = bad
    spoiled = diagnose(x)
    others = [0, 1, 3, 4]
    for name in diagnostics.DIAGNOSTICS:
        assert np.isnan(getattr(spoiled, name)[2])
        np.testing.assert_array_equal(getattr(spoiled, name)[others], getattr(clean, name)[others])


def test_too_few_draws_have_no_diagnostics():
    """Three draws leave halves of one, which have no variance."""
    found = diagnose(np.random.default_rng(0).normal(size=(2, 4, 3)))
    assert all(np.isnan(getattr(found, name)).all() for name in diagnostics.DIAGNOSTICS)


def test_a_tail_quantile_at_the_end_of_the_range_is_left_out():
    """The 95 % quantile of a coin is its maximum, whose indicator is constant: the 5 % quantile decides alone."""
    coin = (ar1(np.random.default_rng(10), (4, 300), rho=0.5) > 0).astype(float)
    expected = array_stats.ess(coin, method="quantile", prob=0.05)
    np.testing.assert_allclose(ess_tail(coin), expected, rtol=ESS_TOLERANCE)


def test_stuck_chains_have_an_infinite_rhat_and_hardly_any_draws():
    """Every chain at its own value: no variance within, all of it between."""
    x = np.arange(4.0)[:, None] * np.ones(100)
    assert rhat(x) > 1e6
    assert ess_bulk(x) < 6


def test_diagnose_gives_what_each_function_gives():
    """The shared work changes nothing, and leading axes of any number are kept."""
    x = ar1(np.random.default_rng(11), (2, 3, 4, 80), rho=0.4)
    found = diagnose(x)
    for name in diagnostics.DIAGNOSTICS:
        assert getattr(found, name).shape == (2, 3)
        np.testing.assert_array_equal(getattr(found, name), getattr(diagnostics, name)(x))


def test_rows_do_not_depend_on_the_slab_they_are_in(monkeypatch):
    """Every row has the same bits alone, in a slab of many, and in slabs that are cut elsewhere."""
    x = np.round(ar1(np.random.default_rng(12), (23, 3, 121), rho=0.9), 2)
    together = diagnose(x)
    monkeypatch.setattr(diagnostics, "SLAB_DRAWS", 5 * 3 * 121)
    in_slabs = diagnose(x)
    for name in diagnostics.DIAGNOSTICS:
        alone = [getattr(diagnose(row), name) for row in x]
        np.testing.assert_array_equal(getattr(together, name), alone)
        np.testing.assert_array_equal(getattr(together, name), getattr(in_slabs, name))


def test_no_rows_give_no_diagnostics():
    """An empty block is a block."""
    assert diagnose(np.empty((0, 4, 100))).rhat.shape == (0,)


def test_draws_without_a_chain_axis_are_refused_with_advice():
    """The message says what was expected, what came, and what to do."""
    with pytest.raises(ValueError, match=r"\(\.\.\., chain, draw\), got shape \(5,\); add a chain axis"):
        rhat(np.arange(5.0))


def test_ebfmi_equals_that_of_arviz():
    """Independent implementation, chain by chain."""
    energy = ar1(np.random.default_rng(13), (3, 4, 200), rho=0.8)
    np.testing.assert_allclose(ebfmi(energy), array_stats.bfmi(energy), rtol=1e-12)


def test_ebfmi_of_an_ar1_is_twice_one_minus_rho():
    """E (e_n - e_{n-1})^2 = 2 (1 - rho) Var e: small where the energy moves slowly."""
    found = ebfmi(ar1(np.random.default_rng(14), (200, 1, 2000), rho=0.9))
    assert abs(found.mean() - 0.2) < 4 * found.std() / np.sqrt(200) + 0.01 * 0.2  # 4 errors, and O(1/n) of a ratio


def test_ebfmi_is_nan_for_constant_and_non_finite_energies():
    """Of that chain alone."""
    energy = np.random.default_rng(15).normal(size=(3, 100))
    energy[0] = 0.1
    energy[1, 5] = np.inf
    assert np.isnan(ebfmi(energy)).tolist() == [True, True, False]
