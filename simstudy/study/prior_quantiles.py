"""Quantiles of the priors that most studies have, without JAX: what ``simstudy show`` says must not wait for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
from scipy.special import gammaincinv, ndtri, stdtrit

from simstudy.models.priors import Prior

Quantiles = np.ndarray


def _normal(u: np.ndarray, loc: float = 0.0, scale: float = 1.0) -> Quantiles:
    return loc + scale * ndtri(u)


def _half_normal(u: np.ndarray, scale: float = 1.0) -> Quantiles:
    return scale * ndtri((1 + u) / 2)


def _log_normal(u: np.ndarray, loc: float = 0.0, scale: float = 1.0) -> Quantiles:
    return np.exp(_normal(u, loc, scale))


def _cauchy(u: np.ndarray, loc: float = 0.0, scale: float = 1.0) -> Quantiles:
    return loc + scale * np.tan(np.pi * (u - 0.5))


def _half_cauchy(u: np.ndarray, scale: float = 1.0) -> Quantiles:
    return scale * np.tan(np.pi * u / 2)


def _student_t(u: np.ndarray, df: float, loc: float = 0.0, scale: float = 1.0) -> Quantiles:
    return loc + scale * stdtrit(df, u)


def _exponential(u: np.ndarray, rate: float = 1.0) -> Quantiles:
    return -np.log1p(-u) / rate


def _gamma(u: np.ndarray, concentration: float, rate: float = 1.0) -> Quantiles:
    return gammaincinv(concentration, u) / rate


def _inverse_gamma(u: np.ndarray, concentration: float, rate: float = 1.0) -> Quantiles:
    return rate / gammaincinv(concentration, 1 - u)


def _uniform(u: np.ndarray, low: float = 0.0, high: float = 1.0) -> Quantiles:
    return low + (high - low) * u


KNOWN: dict[str, Callable[..., Quantiles]] = {
    "Cauchy": _cauchy,
    "Exponential": _exponential,
    "Gamma": _gamma,
    "HalfCauchy": _half_cauchy,
    "HalfNormal": _half_normal,
    "InverseGamma": _inverse_gamma,
    "LogNormal": _log_normal,
    "Normal": _normal,
    "StudentT": _student_t,
    "Uniform": _uniform,
}


def quantiles_of(prior: Prior, n: int) -> Quantiles | None:
    """Return the quantiles of a prior at n even probabilities; None for one that is not among the usual ones.

    >>> from simstudy.models.estimands import TAU
    >>> from simstudy.models.priors import parse_prior
    >>> quantiles_of(parse_prior("Exponential(2)", TAU), 1).round(4)
    array([0.3466])
    """
    made = KNOWN.get(prior.name)
    probabilities = (np.arange(n) + 0.5) / n
    if made is None:
        return None
    try:
        given = inspect.signature(made).bind(probabilities, *prior.args, **dict(prior.kwargs))
    except TypeError:  # an argument, such as validate_args, that says nothing of the distribution
        return None
    return made(*given.args, **given.kwargs)
