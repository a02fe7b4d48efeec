"""The packaged table of exact posteriors: mean, sd and quantiles of quantities, by posterior.

``posteriors.csv`` has a row for each quantity: ``posterior``, ``quantity``, ``support`` (``real`` or ``positive``),
``mean``, ``sd``, ``cdf_error`` (how far the distribution function may be off) and the quantiles at the probabilities
Phi(z), ``z-5.0`` to ``z5.0``. A posterior that others have an oracle of joins it by rows of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Literal

import numpy as np
import pandas as pd
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr

PLACES = np.round(np.linspace(-5, 5, 51), 1)
"""Normal scores of the probabilities whose quantiles are in the table."""
COLUMNS = [f"z{place}" for place in PLACES]

Support = Literal["real", "positive"]


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """The exact posterior of one number.

    Args:
        name: of a parameter, with the index of a group where it has one: ``theta[0]``; or ``log_density``.
        support: of the parameter; a positive one is interpolated on the log scale.
        mean: exact.
        sd: exact.
        cdf_error: largest error of the distribution function, 0 but for rounding where it comes from quadrature.
        quantiles: (place,) at the probabilities Phi(``PLACES``).
    """

    name: str
    support: Support
    mean: float
    sd: float
    cdf_error: float
    quantiles: np.ndarray

    def cdf(self, values: np.ndarray) -> np.ndarray:
        """Return the posterior probability of less than values, of any shape."""
        at = values
        if self.support == "positive":
            at = np.log(np.maximum(values, np.finfo(float).tiny))
        return ndtr(self._score(np.clip(at, *self._ends)))

    @property
    def _knots(self) -> np.ndarray:
        return np.log(self.quantiles) if self.support == "positive" else self.quantiles

    @cached_property
    def _ends(self) -> tuple[float, float]:
        return float(self._knots[0]), float(self._knots[-1])

    @cached_property
    def _score(self) -> PchipInterpolator:
        return PchipInterpolator(self._knots, PLACES)


@cache
def quantities_of(posterior: str) -> tuple[Quantity, ...]:
    """Return the quantities of a posterior that are in the table.

    >>> [quantity.name for quantity in quantities_of("lecture")]
    ['mu', 'sigma', 'log_density']
    """
    rows = _read()[lambda table: table["posterior"] == posterior]
    return tuple(
        Quantity(
            name=row["quantity"],
            support=row["support"],
            mean=row["mean"],
            sd=row["sd"],
            cdf_error=row["cdf_error"],
            quantiles=row[COLUMNS].to_numpy(float),
        )
        for _, row in rows.iterrows()
    )


def rows_of(posterior: str, quantities: Sequence[Quantity]) -> pd.DataFrame:
    """Return quantities as rows of the table."""
    facts = ("support", "mean", "sd", "cdf_error")
    return pd.DataFrame(
        [
            {"posterior": posterior, "quantity": one.name}
            | {name: getattr(one, name) for name in facts}
            | dict(zip(COLUMNS, one.quantiles, strict=True))
            for one in quantities
        ]
    )


@cache
def _read() -> pd.DataFrame:
    with resources.files(__package__).joinpath("posteriors.csv").open("rb") as file:
        return pd.read_csv(file)
