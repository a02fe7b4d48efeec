"""The location of a predictor: an intercept mu, and coefficients beta of covariates, mu + X beta.

Priors and estimands are those of mu and beta in the user's units. A sampler moves the predictor at the covariates'
means and the coefficients of standardized covariates, which data hold nearly apart (Gelman et al. 2013, Bayesian Data
Analysis, section 14.6); both are shifts and scalings, so that the posterior is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simstudy.late import constraints, dist, jnp, numpyro
from simstudy.models.estimands import MU, Parameter
from simstudy.models.priors import Prior
from simstudy.models.shapes import Array
from simstudy.models.unit import Unit

BETA = Parameter(
    name="beta",
    role="location",
    symbol="β",
    words="the coefficient",
    on_effect_scale=True,
    default="Normal(0, 10)",
    default_on_link="Normal(0, 2.5)",
    value=0.0,
    moves="difference",
)
INTERCEPT = replace(MU, words="the intercept μ")
AT_ZERO = "s_0"
"""Name of the spread of the intercept where covariates are 0, which may lie far from the data."""
OF_POINTS = "s_of_points"
"""Name of the half-width of the points that levels lie at."""
DEPENDENT = 1e-8
"""Least singular value, as a share of the largest, of columns of length 1 that are taken to be apart."""
PART_OF_IT = 1e-3
"""Least share of a unit vector by which a column has a part in a dependence."""
AT_MEANS = "mu_at_means"
"""Latent site of the predictor at the covariates' means."""


def coefficient(covariate: str) -> Parameter:
    """Return the declaration of a covariate's coefficient."""
    return replace(
        BETA,
        name=f"beta[{covariate}]",
        symbol=f"β_{covariate}",
        words=f"the coefficient of {covariate}",
        default_of_data=f"Normal(0, 2.5 s/s_{covariate})",
    )


def unit_with(unit: Unit, covariates: Mapping[str, np.ndarray], points: Sequence[np.ndarray] = ()) -> Unit:
    """Return the unit of data with the spreads of their covariates: s_x, and s_0 of the intercept; and of points.

    With rstanarm's rule (Goodrich et al. 2024), the predictor at the covariates' means has a spread s and each
    coefficient s/s_x, so that at 0 it has s_0 = s sqrt(1 + sum_x (mean_x / s_x)^2).

    Args:
        unit: m and s of the data.
        covariates: name -> (cell,) values.
        points: (level, dimension) of each factor whose levels lie somewhere; ``s_of_points`` is the largest half-width.

    >>> unit_with(Unit(center=5.0, spread=2.0), {"x": np.array([1.0, 3.0])}).spreads
    (('s_0', 4.47213595499958), ('s_x', 1.0))
    """
    spreads = {f"s_{name}": float(x.std()) for name, x in covariates.items()}
    if covariates:
        away = sum((x.mean() / x.std()) ** 2 for x in covariates.values())
        spreads = {AT_ZERO: unit.spread * float(np.sqrt(1 + away)), **spreads}
    if points:
        spreads[OF_POINTS] = max(float(np.ptp(at, axis=0).max()) / 2 for at in points)
    return replace(unit, spreads=tuple(spreads.items()))


def spread_words(unit: Unit) -> list[str]:
    """Return what each of the spreads is that ``unit_with`` added, and how large.

    >>> spread_words(Unit(center=5.0, spread=2.0, spreads=(("s_0", 4.5), ("s_x", 1.0))))
    ['s_0 = 4.5 is the spread where covariates are 0, s √(1 + Σ (mean x / s_x)²)', 's_x = 1 is the sd of x over cells']
    """
    words = {AT_ZERO: "the spread where covariates are 0, s √(1 + Σ (mean x / s_x)²)"}
    words[OF_POINTS] = "half of the extent of the points"
    each = [
        (name, value, words.get(name, f"the sd of {name.removeprefix('s_')} over cells"))
        for name, value in unit.spreads
    ]
    return [f"{name} = {value:.4g} is {what}" for name, value, what in each]


def coefficients_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return covariate -> its coefficient, out of values by parameter.

    >>> coefficients_in({"mu": 1.0, "beta[day]": 2.0})
    {'day': 2.0}
    """
    return {
        name.removeprefix("beta[").removesuffix("]"): value
        for name, value in values.items()
        if name.startswith("beta[")
    }


def dependent(x: Mapping[str, np.ndarray]) -> list[str]:
    """Return covariates each of which is a linear combination of the others and the intercept; none if all are apart.

    Args:
        x: name -> (cell,) values.

    >>> dependent({"age": np.array([1.0, 2.0, 4.0]), "born": np.array([9.0, 8.0, 6.0])})
    ['age', 'born']
    """
    if not x:
        return []
    centered = [values - values.mean() for values in x.values()]
    lengths = [float(np.linalg.norm(one)) for one in centered]
    if 0 in lengths:
        return [list(x)[lengths.index(0)]]
    columns = np.stack([one / length for one, length in zip(centered, lengths, strict=True)], 1)
    _, sizes, directions = np.linalg.svd(columns, full_matrices=True)
    least = sizes[-1] if len(sizes) == len(x) else 0.0
    if least > DEPENDENT * sizes[0]:
        return []
    return [name for name, part in zip(x, directions[-1], strict=True) if abs(part) > PART_OF_IT]


@dataclass(frozen=True, kw_only=True)
class Location:
    """An intercept and the coefficients of some covariates.

    Args:
        covariates: names of the covariates.
    """

    covariates: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The intercept, and a coefficient for each covariate."""
        if not self.covariates:
            return (INTERCEPT,)
        intercept = replace(INTERCEPT, default_of_data=f"Normal(m, 2.5 {AT_ZERO})")
        return (intercept, *map(coefficient, self.covariates))

    def sample(self, priors: Mapping[str, Prior], data: Mapping[str, Any], shape: tuple[int, ...]) -> Array:
        """Sample the location inside a NumPyro program, (cell, *lane).

        Args:
            priors: prior by parameter.
            data: what ``covariate_leaves`` returned, with lanes behind.
            shape: (cell, *lane).
        """
        at_means, slopes = self.sample_coefficients(priors, data, shape[1:])
        along = sum(beta * data[f"deviation.{name}"] for name, beta in slopes.items())
        return jnp.broadcast_to(at_means + along, shape)

    def sample_coefficients(
        self, priors: Mapping[str, Prior], data: Mapping[str, Any], lane: tuple[int, ...]
    ) -> tuple[Array, dict[str, Any]]:
        """Sample the location at the covariates' means, and the coefficient of each in the user's units, (*lane)."""
        if not self.covariates:
            return priors[MU.name].site(MU.name, lane), {}
        slopes = {x: _scaled(f"beta[{x}]", priors, 1 / data[f"sd.{x}"], lane) for x in self.covariates}
        shift = sum(beta * data[f"mean.{name}"] for name, beta in slopes.items())
        return _shifted(priors[MU.name], shift, lane), slopes

    def restore(
        self,
        posterior: Mapping[str, np.ndarray],
        priors: Mapping[str, Prior],
        data: Mapping[str, np.ndarray],
        shape: tuple[int, ...],
    ) -> dict[str, np.ndarray]:
        """Return mu and every beta from draws of the latent sites.

        Args:
            posterior: site -> (fit, chain, draw).
            priors: prior by parameter; a constant stands in for its missing site.
            data: what ``covariate_leaves`` returned, (fit,) each.
            shape: (fit, chain, draw).
        """
        out: dict[str, np.ndarray] = {}
        shift: Any = 0.0
        for name in self.covariates:
            parameter = f"beta[{name}]"
            prior, site = priors[parameter], f"{parameter}_standardized"
            is_scaled = site in posterior
            draws = posterior[site] if is_scaled else prior.draws(posterior.get(parameter), shape)
            out[parameter] = draws / _of_fits(data[f"sd.{name}"]) if is_scaled else draws
            shift = shift + out[parameter] * _of_fits(data[f"mean.{name}"])
        if AT_MEANS in posterior:
            return {MU.name: posterior[AT_MEANS] - shift, **out}
        return {MU.name: priors[MU.name].draws(posterior.get(MU.name), shape), **out}

    def sites_of(
        self, values: Mapping[str, np.ndarray], priors: Mapping[str, Prior], data: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return the latent sites of mu and every beta, (fit, chain, draw): what ``restore`` undoes."""
        out: dict[str, np.ndarray] = {}
        shift: Any = 0.0
        for name in self.covariates:
            parameter = f"beta[{name}]"
            prior, beta = priors[parameter], values[parameter]
            shift = shift + beta * _of_fits(data[f"mean.{name}"])
            if not prior.is_constant:
                is_scaled = _is_on_reals(prior)
                out[f"{parameter}_standardized" if is_scaled else parameter] = (
                    beta * _of_fits(data[f"sd.{name}"]) if is_scaled else beta
                )
        prior = priors[MU.name]
        if not prior.is_constant:
            is_moved = self.covariates and _is_on_reals(prior)
            out[AT_MEANS if is_moved else MU.name] = values[MU.name] + shift if is_moved else values[MU.name]
        return out


def covariate_leaves(covariates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the leaves that programs need of covariates: mean and sd of each over cells, and deviations from it.

    These are taken in double precision, so that a covariate may lie far from 0.

    Args:
        covariates: name -> (cell,) values.
    """
    out: dict[str, np.ndarray] = {}
    for name, x in covariates.items():
        out[f"mean.{name}"], out[f"sd.{name}"] = np.asarray(x.mean()), np.asarray(x.std())
        out[f"deviation.{name}"] = x - x.mean()
    return out


def _scaled(name: str, priors: Mapping[str, Prior], unit: Array, lane: tuple[int, ...]) -> Array:
    """Sample a coefficient in units of a standardized covariate, where its prior is on all numbers."""
    prior = priors[name]
    if prior.is_constant or not _is_on_reals(prior):
        return prior.site(name, lane)
    value = numpyro.sample(f"{name}_standardized", _flat(lane)) * unit
    numpyro.factor(f"prior.{name}", prior.distribution().log_prob(value))
    return value


def _shifted(prior: Prior, shift: Any, lane: tuple[int, ...]) -> Array:
    """Return the predictor at the means: mu + shift, sampled as such where the prior of mu is on all numbers."""
    if prior.is_constant or not _is_on_reals(prior):
        return prior.site(MU.name, lane) + shift
    at_means = numpyro.sample(AT_MEANS, _flat(lane))
    numpyro.factor(f"prior.{MU.name}", prior.distribution().log_prob(at_means - shift))
    return at_means


def _flat(lane: tuple[int, ...]) -> dist.Distribution:
    return dist.ImproperUniform(constraints.real, lane, ())


def _is_on_reals(prior: Prior) -> bool:
    return prior.distribution().support is constraints.real


def _of_fits(values: np.ndarray) -> np.ndarray:
    """Return (fit,) against (fit, chain, draw)."""
    return values[:, None, None]
