"""The packaged table is the exact posterior, and draws of it look uniform."""

import numpy as np
import pytest
from scipy.special import ndtr

from simstudy.samplers.exact.posterior import exact_posterior
from simstudy.streams import random_key
from simstudy.testing.gating.make_table import quantities_by_quadrature
from simstudy.testing.gating.observed import ROUNDING
from simstudy.testing.gating.posteriors import POSTERIORS
from simstudy.testing.gating.problem import Space
from simstudy.testing.gating.table import COLUMNS, PLACES, quantities_of, rows_of

PROBABILITIES = np.array([0.0003, 0.004, 0.033, 0.21, 0.5, 0.83, 0.987, 0.9996])


@pytest.mark.parametrize("name", POSTERIORS)
def test_distribution_functions_are_exact_between_the_places(name):
    """At quantiles that are not in the table, by quadrature, the interpolated probability is theirs."""
    posterior = POSTERIORS[name]
    quantiles = exact_posterior(posterior.model, posterior.arrays).quantiles(PROBABILITIES)
    for quantity in posterior.quantities:
        if quantity.name == "log_density":
            continue
        base, _, group = quantity.name.partition("[")
        exact = quantiles[base][0]
        exact = exact[int(group[:-1])] if group else exact
        np.testing.assert_allclose(quantity.cdf(exact), PROBABILITIES, atol=ROUNDING / 2)


@pytest.mark.parametrize("name", ["lecture", "many"])
def test_log_density_of_exact_draws_is_uniform(name):
    """Fresh exact draws have the log density that the table says, within its error and five Monte Carlo errors."""
    n = 20_000
    space = Space(POSTERIORS[name])
    positions = space.positions_of(space.posterior.exact_sites(n, random_key("fresh", name)))
    u, _ = space.cdf(positions[None])
    known = {quantity.name: quantity for quantity in space.posterior.quantities}
    for i, quantity in enumerate(known):
        for p in (0.01, 0.25, 0.5, 0.9):
            error = 5 * np.sqrt(p * (1 - p) / n) + known[quantity].cdf_error
            assert (u[0, :, i] < p).mean() == pytest.approx(p, abs=error), (quantity, p)


def test_the_table_is_what_its_script_makes():
    """Moments and quantiles made anew are those of the file; the outermost move with 1e-7 of probability."""
    made = rows_of("lecture", quantities_by_quadrature(POSTERIORS["lecture"]))
    stored = rows_of("lecture", quantities_of("lecture")[:2])
    near = [column for column, place in zip(COLUMNS, PLACES, strict=True) if abs(place) <= 3]
    for columns, rtol in ((["mean", "sd"], 1e-7), (near, 1e-4)):
        np.testing.assert_allclose(stored[columns].to_numpy(float), made[columns].to_numpy(float), rtol=rtol)


def test_ends_of_the_table():
    """Beyond the last place a probability is that of the place; nothing is extrapolated."""
    mu = quantities_of("lecture")[0]
    np.testing.assert_allclose(mu.cdf(np.array([-1e9, mu.quantiles[0], 1e9])), ndtr(PLACES[[0, 0, -1]]))
    sigma = quantities_of("lecture")[1]
    assert sigma.cdf(np.array([0.0]))[0] == pytest.approx(ndtr(PLACES[0]))
