"""Posteriors of data that do not vary, held to their integrals over ever smaller corners of the parameters."""

import numpy as np
import pytest
from scipy import integrate, stats

from simstudy.models.estimands import MU, OMEGA, SIGMA, TAU
from simstudy.models.flat_data import of_omega, of_sigma
from simstudy.models.priors import parse_prior
from simstudy.types import GroupedData


def equal_data(*sizes, spread=0.0):
    n = np.array(sizes)
    return GroupedData(n_obs=n, y_mean=2.0 + spread * np.arange(len(n)), y_ss=np.zeros(len(n)))


def priors(**texts):
    parameters = {"mu": MU, "tau": TAU, "sigma": SIGMA, "omega": OMEGA}
    given = {"mu": "Normal(0, 10)", "tau": "HalfNormal(1)", "sigma": "HalfNormal(1)", "omega": "HalfNormal(1)"} | texts
    return {name: parse_prior(text, parameters[name]) for name, text in given.items()}


def mass_of_decade(n_groups, orders, *, decade):
    """Return the integral of the density of equal single observations over a decade of the distance from 0.

    Over sigma and tau in polar coordinates and mu in units of their distance; priors are sigma^a tau^b.
    """
    low = -decade * np.log(10)
    log_r, angle = np.linspace(low - np.log(10), low, 101), np.linspace(0, np.pi / 2, 201)
    r, angle, z = np.exp(log_r)[:, None, None], angle[None, :, None], np.linspace(-9, 9, 301)[None, None, :]
    observed = np.prod([stats.norm.pdf(2.0, 2.0 + r * z, r) for _ in range(n_groups)], axis=0)
    prior = (r * np.cos(angle)) ** orders[0] * (r * np.sin(angle)) ** orders[1]
    density = observed * prior * r * r * r  # of mu = r z, and of polar coordinates in log r
    for values in (z.ravel(), angle.ravel(), log_r):
        density = integrate.trapezoid(density, values, axis=-1)
    return density


@pytest.mark.parametrize("n_groups", [2, 3, 4, 6])
@pytest.mark.parametrize(("sigma", "order"), [("HalfNormal(1)", 0), ("Gamma(2, 1)", 1)])
def test_single_equal_observations(n_groups, sigma, order):
    """They have a posterior where decades nearer to 0 hold ever less of it, and none where they hold as much."""
    masses = [mass_of_decade(n_groups, (order, 0), decade=decade) for decade in (2, 3)]
    is_improper = masses[1] >= 0.99 * masses[0]
    found = of_sigma(equal_data(*[1] * n_groups), priors(sigma=sigma), effects_differ=True, by_group=False)
    assert bool(found) == is_improper
    if is_improper:
        assert "do not vary at all, so that sigma and tau go to 0 under their priors" in found


def mass_of_doubling(sizes, prior, *, low):
    """Return the log of the integral over omega in (low, 2 low) of the density of groups of equal observations."""

    def log_density(omega):
        logs = []
        for n in sizes:  # of z = log sigma, with the group's effect integrated out: exp(-(n - 1) z)
            around = -(n - 1) * omega**2
            z = np.linspace(around - 12 * omega, around + 12 * omega, 4001)
            values = -(n - 1) * z + stats.norm.logpdf(z, 0, omega)
            logs.append(values.max() + np.log(integrate.trapezoid(np.exp(values - values.max()), z)))
        return sum(logs) + prior(omega)

    grid = np.linspace(low, 2 * low, 401)
    values = np.array([log_density(omega) for omega in grid])
    return values.max() + np.log(integrate.trapezoid(np.exp(values - values.max()), grid))


OMEGAS = {
    "HalfNormal(1)": lambda x: stats.halfnorm.logpdf(x),
    "HalfNormal(0.3)": lambda x: stats.halfnorm.logpdf(x, scale=0.3),
    "Exponential(5)": lambda x: stats.expon.logpdf(x, scale=1 / 5),
    "HalfCauchy(1)": lambda x: stats.halfcauchy.logpdf(x),
    "Weibull(1, 3)": lambda x: stats.weibull_min.logpdf(x, 3),
}


@pytest.mark.parametrize("omega", OMEGAS)
@pytest.mark.parametrize("sizes", [(3,), (4,), (2, 3, 3)])
def test_standard_deviations_that_share_a_distribution(omega, sizes):
    """They have a posterior where each doubling of omega holds ever less of it."""
    masses = [mass_of_doubling(sizes, OMEGAS[omega], low=low) for low in (20, 40)]
    keeps_from_zero = priors(sigma="LogNormal(0, 1)", omega=omega)
    found = of_omega(equal_data(*sizes, spread=1.0), keeps_from_zero, effects_differ=True)
    assert bool(found) == (masses[1] > masses[0])
    assert ("as omega grows under its prior" in found) == bool(found)


def test_a_prior_that_ends_or_is_fixed_keeps_a_posterior():
    """No standard deviation goes to 0 where omega is bounded and the median is kept from 0; nor for a fixed tau."""
    for omega in ("Uniform(0, 2)", 0.5):
        bounded = priors(sigma="LogNormal(0, 1)", omega=omega)
        assert of_omega(equal_data(5, 5), bounded, effects_differ=True) == ""
    assert of_sigma(equal_data(1, 1, 1, 1), priors(tau=0.5), effects_differ=True, by_group=False) == ""
    assert "goes to 0 under its prior HalfNormal(1)" in of_omega(
        equal_data(5, 5), priors(omega=0.5), effects_differ=True
    )
