"""The priors that most studies have, told without NumPyro: their arguments and where they reach.

What is not told here, an argument out of range among it, NumPyro judges, which takes as long as importing it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SMALLEST = float(np.finfo(np.float32).tiny)
REAL, POSITIVE, UNIT = (-math.inf, math.inf), (0.0, math.inf), (0.0, 1.0)
Ends = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Common:
    """A distribution of one number.

    Args:
        arguments: names, in the order of ``numpyro.distributions``.
        positive: those that have to be above 0.
        ends: least and largest number that it can give; None where its first and last argument are these.
    """

    arguments: tuple[str, ...]
    positive: tuple[str, ...]
    ends: Ends | None

    @property
    def numbers(self) -> str:
        """The numbers that it can give, in words."""
        return {REAL: "all numbers", POSITIVE: "above 0", UNIT: "0 to 1", None: "low to high"}[self.ends]


COMMON: Mapping[str, Common] = {
    "Normal": Common(arguments=("loc", "scale"), positive=("scale",), ends=REAL),
    "Cauchy": Common(arguments=("loc", "scale"), positive=("scale",), ends=REAL),
    "StudentT": Common(arguments=("df", "loc", "scale"), positive=("df", "scale"), ends=REAL),
    "HalfNormal": Common(arguments=("scale",), positive=("scale",), ends=POSITIVE),
    "HalfCauchy": Common(arguments=("scale",), positive=("scale",), ends=POSITIVE),
    "HalfStudentT": Common(arguments=("df", "scale"), positive=("df", "scale"), ends=POSITIVE),
    "LogNormal": Common(arguments=("loc", "scale"), positive=("scale",), ends=POSITIVE),
    "Exponential": Common(arguments=("rate",), positive=("rate",), ends=POSITIVE),
    "Gamma": Common(arguments=("concentration", "rate"), positive=("concentration", "rate"), ends=POSITIVE),
    "InverseGamma": Common(arguments=("concentration", "rate"), positive=("concentration", "rate"), ends=POSITIVE),
    "Beta": Common(
        arguments=("concentration1", "concentration0"), positive=("concentration1", "concentration0"), ends=UNIT
    ),
    "Uniform": Common(arguments=("low", "high"), positive=(), ends=None),
}


def ends_of_common(name: str, args: Sequence[float], kwargs: Mapping[str, float]) -> Ends | None:
    """Return the least and the largest number of a common prior; None where NumPyro has to judge it.

    Args:
        name: of the distribution.
        args: positional arguments.
        kwargs: arguments by name.

    >>> ends_of_common("HalfNormal", [5.0], {}), ends_of_common("Uniform", [0.0], {"high": 2.0})
    ((0.0, inf), (0.0, 2.0))
    >>> ends_of_common("HalfNormal", [-5.0], {}), ends_of_common("Weibull", [1.0, 1.0], {})
    (None, None)
    """
    common = COMMON.get(name)
    if common is None or len(args) > len(common.arguments):
        return None
    given = dict(zip(common.arguments, args, strict=False))
    if given.keys() & kwargs.keys() or {*given, *kwargs} != set(common.arguments):
        return None
    values = {**given, **kwargs}
    with np.errstate(over="ignore"):
        if not np.isfinite(np.array(list(values.values()), np.float32)).all():
            return None
    if any(values[name] < SMALLEST for name in common.positive):
        return None
    if common.ends is not None:
        return common.ends
    low, high = (values[name] for name in common.arguments)
    return (low, high) if np.float32(low) < np.float32(high) else None
