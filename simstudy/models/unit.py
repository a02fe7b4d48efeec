"""Where data lie and how far they spread, and how a quantity moves when that is taken for its origin and unit.

Default priors for given data are made of it, and a sampler that is at home near 0 and 1 works in it. A quantity says
how it moves (``Estimand.moves``); with m the center and s the spread of the unit, and N observations,

    value        x = m + s z      a mean, an effect, an observation
    difference   x = s z          a standard deviation, a distance
    variance     x = s^2 z
    log_density  x = z - N log s  of all observations together
    none         x = z            a share, a weight, an indicator, a ratio
"""

import math
import re
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Moves = Literal["value", "difference", "variance", "log_density", "none"]
DIGITS = 4
"""Significant digits of a scale in the text of a prior that is made of data."""
ROUNDING = 1e-14
"""Share of a mean by which means of equal numbers differ: a spread below it is none."""
_ARGUMENT = re.compile(
    r"(?P<center>m)|(?P<factor>[\d.]*) ?(?P<spread>s(_\w+)?)(/(?P<by>s_\w+))?|(?P<numerator>[\d.]+)/s"
)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """An origin and a unit, on the scale of the effects.

    Args:
        center: m, where the data lie.
        spread: s, above 0: how far they spread.
        spreads: (name, value) pairs of other spreads that priors are made of, such as the sd ``s_days`` of a covariate.
    """

    center: float
    spread: float
    spreads: tuple[tuple[str, float], ...] = field(default=(), repr=False)

    def moved(self, values: np.ndarray, moves: Moves, *, n_observations: np.ndarray) -> np.ndarray:
        """Return values in the data's own unit from values z in this one, in double precision.

        Args:
            values: (fit, ...) values z.
            moves: how the quantity moves.
            n_observations: (fit,) observations of each fit.

        >>> Unit(center=500.0, spread=100.0).moved(np.array([1.5]), "value", n_observations=np.array([3]))
        array([650.])
        """
        if moves == "none":
            return values
        z = values.astype(np.float64)
        if moves == "log_density":
            return z - math.log(self.spread) * n_observations.reshape(-1, *[1] * (z.ndim - 1))
        scaled = z * self.spread ** (2 if moves == "variance" else 1)
        return scaled + self.center if moves == "value" else scaled

    def standardized(self, values: np.ndarray, moves: Moves) -> np.ndarray:
        """Return values x in the data's own unit as z in this one; the inverse of ``moved``, but for log densities."""
        if moves == "none":
            return values
        if moves == "log_density":
            raise ValueError("a log density has no place in a unit without its observations")
        at = values - self.center if moves == "value" else values
        return at / self.spread ** (2 if moves == "variance" else 1)

    @property
    def texts(self) -> tuple[str, str]:
        """The center m and the spread s as they stand in priors.

        >>> Unit(center=1000000.0123456, spread=0.00123456).texts
        ('1000000.012346', '0.001235')
        """
        return _text(self._argument("m")), _text(_rounded(self.spread))

    def prior(self, formula: str) -> str:
        """Return the text of a prior whose arguments are made of m and s.

        Scales have four significant digits; m is rounded to the decimals that these leave, at most s / 400.

        Args:
            formula: such as ``Normal(m, 2.5 s)`` or ``Exponential(1/s)``; ``HalfNormal(s/s_days)`` with a spread of
                ``spreads``, which is 1 where it is not among them; or ``2.5 s``, a number.

        >>> Unit(center=298.50789, spread=56.36).prior("Normal(m, 2.5 s)")
        'Normal(298.5, 140.9)'
        >>> Unit(center=298.50789, spread=56.36).prior("Exponential(1/s)")
        'Exponential(0.01774)'
        >>> Unit(center=298.50789, spread=56.36, spreads=(("s_days", 2.5),)).prior("Normal(0, 2.5 s/s_days)")
        'Normal(0, 56.36)'
        """
        name, _, arguments = formula.removesuffix(")").partition("(")
        if not arguments:
            return _text(self._argument(formula))
        return f"{name}({', '.join(_text(self._argument(argument)) for argument in arguments.split(', '))})"

    def _argument(self, text: str) -> float:
        found = _ARGUMENT.fullmatch(text)
        if found is None:
            return float(text)
        if found["center"]:
            return round(self.center, DIGITS - 1 - math.floor(math.log10(2.5 * self.spread)))
        if found["numerator"]:
            return _rounded(float(found["numerator"]) / self.spread)
        spreads = {"s": self.spread, **dict(self.spreads)}
        by = spreads.get(found["by"], 1.0)
        return _rounded(float(found["factor"] or 1) * spreads.get(found["spread"], self.spread) / by)


def unit_of_estimates(estimates: np.ndarray, variance: float) -> Unit:
    """Return the unit of estimates of effects: m is their mean, and s^2 their variance and that within added up.

    Estimates that do not vary at all, nor do the observations behind them, say nothing of a unit: s is |m| then, or 1
    where that is 0 too.

    Args:
        estimates: (group,) estimate of each group's effect; the variance of a single one is 0.
        variance: what is added for the spread that is not between groups, at least 0.

    >>> unit_of_estimates(np.array([1.0, 3.0]), 2.0)
    Unit(center=2.0, spread=2.0)
    """
    center = float(np.mean(estimates))
    between = float(np.var(estimates, ddof=1)) if len(estimates) > 1 else 0.0
    spread = math.sqrt(between + variance)
    varies = spread > ROUNDING * abs(center)
    return Unit(center=center, spread=spread if varies else abs(center) or 1.0)


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def _text(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
