"""The prior of a quantity in another unit: exactly, for families that shifts and scales lead into themselves.

Each family is listed with what its arguments are. With z = (x - m) / s, a *location* a becomes (a - m) / s, a *scale*
b / s, a *rate* r s and the *log* of a location l - log s; other arguments stay. A family that begins at 0 whatever its
arguments are is led into itself by scales alone.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Literal

from simstudy.models.priors import Prior, constant, families
from simstudy.models.unit import Moves, Unit

Kind = Literal["location", "scale", "rate", "log"]

_PLACED: Mapping[str, Kind] = {"loc": "location", "scale": "scale"}
_BETWEEN: Mapping[str, Kind] = {"low": "location", "high": "location"}
_TRUNCATED = {**_PLACED, **_BETWEEN}
ANYWHERE: Mapping[str, Mapping[str, Kind]] = {
    **dict.fromkeys(("Normal", "Cauchy", "StudentT", "Laplace", "SoftLaplace", "Logistic", "Gumbel", "Levy"), _PLACED),
    **dict.fromkeys(("AsymmetricLaplace", "AsymmetricLaplaceQuantile"), _PLACED),
    **dict.fromkeys(("TruncatedNormal", "TruncatedCauchy"), _TRUNCATED),
    "Uniform": _BETWEEN,
}
FROM_ZERO: Mapping[str, Mapping[str, Kind]] = {
    "HalfNormal": {"scale": "scale"},
    "HalfCauchy": {"scale": "scale"},
    "HalfStudentT": {"scale": "scale"},
    "Exponential": {"rate": "rate"},
    "Gamma": {"rate": "rate"},
    "InverseGamma": {"rate": "scale"},
    "LogNormal": {"loc": "log"},
    "LogUniform": {"low": "scale", "high": "scale"},
    "Weibull": {"scale": "scale"},
    "Pareto": {"scale": "scale"},
}
"""What NumPyro calls the rate of an inverse gamma distribution is its scale."""


def in_unit(prior: Prior, moves: Moves | None, unit: Unit) -> Prior | None:
    """Return the prior of z, given that of x, where x moves to z; None where the family has no such prior.

    Args:
        prior: of x, in the data's own unit.
        moves: how x moves: a ``value`` or a ``difference``; a quantity that does not move keeps its prior.
        unit: the unit that z is in.

    >>> from simstudy.models.estimands import MU
    >>> from simstudy.models.priors import parse_prior
    >>> in_unit(parse_prior("Normal(520, 50)", MU), "value", Unit(center=500.0, spread=100.0)).text
    'Normal(0.2, 0.5)'
    """
    if moves == "none":
        return prior
    if moves not in ("value", "difference"):
        return None
    center = unit.center if moves == "value" else 0.0
    if prior.is_constant:
        return constant((prior.value - center) / unit.spread)
    kinds = ANYWHERE.get(prior.name) or (FROM_ZERO.get(prior.name) if center == 0 else None)
    if kinds is None:
        return None
    signature = inspect.signature(families()[prior.name])
    bound = signature.bind(*prior.args, **dict(prior.kwargs))
    bound.apply_defaults()
    given = {name: value for name, value in bound.arguments.items() if name != "validate_args" and value is not None}
    moved = {name: _moved(float(value), kinds.get(name), center, unit.spread) for name, value in given.items()}
    positional = [name for name in moved if signature.parameters[name].kind is not inspect.Parameter.KEYWORD_ONLY]
    return Prior(
        name=prior.name,
        args=tuple(moved[name] for name in positional),
        kwargs=tuple(sorted((name, value) for name, value in moved.items() if name not in positional)),
    )


def _moved(argument: float, kind: Kind | None, center: float, spread: float) -> float:
    if kind == "location":
        return (argument - center) / spread
    if kind == "log":
        return argument - math.log(spread)
    if kind is None:
        return argument
    return argument / spread if kind == "scale" else argument * spread
