"""Indicators have the diagnostics that the general way gives their draws."""

import numpy as np
import pytest

from simstudy.summaries.diagnostics import DIAGNOSTICS, Chains
from simstudy.summaries.indicators import Indicators

SHARES = (0.0, 0.004, 0.03, 0.3, 0.5, 0.8, 0.96, 0.998, 1.0)


@pytest.fixture(params=[(4, 500), (2, 101), (1, 6), (3, 3)], ids=str)
def draws(request):
    """Autocorrelated zeros and ones of many shares, and one row with exactly half of each."""
    n_chains, n_draws = request.param
    rng = np.random.default_rng(n_draws)
    level = rng.random((len(SHARES), n_chains, n_draws))
    level[..., 1::2] = np.where(
        rng.random(level[..., 1::2].shape) < 0.4, level[..., : n_draws // 2 * 2 : 2], level[..., 1::2]
    )
    halves = (np.arange(n_chains * n_draws) % 2).reshape(1, n_chains, n_draws)
    return np.concatenate([level < np.array(SHARES)[:, None, None], halves]).astype(float)


def test_indicators_have_the_diagnostics_of_their_draws(draws):
    """Every diagnostic, NaN included, to float32 accuracy of the autocovariances; moments and order exactly.

    Left out is the error of the sd where half of the draws are ones: all squared deviations are equal, and it is 0.
    """
    ours, general = Indicators(draws), Chains(draws)
    np.testing.assert_array_equal(ours.ordered, general.ordered)
    np.testing.assert_array_equal(ours.mean, general.mean)
    np.testing.assert_array_equal(ours.sd, general.sd)
    expected, given = general.evaluate(*DIAGNOSTICS), ours.evaluate(*DIAGNOSTICS)
    is_half = ours.mean == 1 / 2
    np.testing.assert_allclose(given["mcse_sd"][is_half], 0, atol=1e-8)
    expected["mcse_sd"][is_half] = given["mcse_sd"][is_half]
    for name, value in given.items():
        np.testing.assert_allclose(value, expected[name], rtol=2e-5, err_msg=name)


def test_an_indicator_that_is_not_finite_has_no_diagnostics():
    """A NaN spoils its own row alone."""
    draws = (np.random.default_rng(1).random((2, 4, 50)) < 0.4).astype(float)
    draws[0, 1, 3] = np.nan
    of_both, of_second = Indicators(draws).evaluate("rhat"), Indicators(draws[1:]).evaluate("rhat")
    assert np.isnan(of_both["rhat"][0])
    assert of_both["rhat"][1] == of_second["rhat"][0]
