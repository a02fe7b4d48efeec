"""What is known of the posteriors of a block, made of the distribution of every number in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class KnownCounts:
    """Posteriors of a block of data sets.

    Args:
        mean: estimand -> (fit, *group), NaN where it does not exist.
        sd: estimand -> (fit, *group), NaN where it does not exist.
        error: (fit,) the largest error of a mean or sd, in sds: by how much it moves where a spacing is doubled.
        marginals: estimand -> (fit, *group) of ``Marginal``, dtype object; None where a fit has a reason.
    """

    mean: Values
    sd: Values
    error: np.ndarray
    marginals: Values

    def quantiles(self, probabilities: Sequence[float]) -> dict[str, np.ndarray]:
        """Return the quantiles, estimand -> (fit, *group, probability)."""
        p = np.asarray(probabilities, float)
        return {name: _each(of, len(p), lambda one, _: one.quantiles(p)) for name, of in self.marginals.items()}

    def hdi(self, level: float) -> dict[str, np.ndarray]:
        """Return the ends of the shortest interval with a probability, estimand -> (fit, *group, 2)."""
        return {name: _each(of, 2, lambda one, _: one.hdi(level)) for name, of in self.marginals.items()}

    def cdf(self, values: Values) -> dict[str, np.ndarray]:
        """Return the posterior probability of less than given values, estimand -> (fit, *group)."""
        return {
            name: _each(self.marginals[name], 1, lambda one, x: one.cdf(x), value)[..., 0]
            for name, value in values.items()
        }

    def crps(self, values: Values) -> dict[str, np.ndarray]:
        """Return the continuous ranked probability score at given values, NaN without a mean."""
        scores = {
            name: _each(self.marginals[name], 1, lambda one, x: one.crps(x), value)[..., 0]
            for name, value in values.items()
        }
        return {name: np.where(np.isnan(self.mean[name]), np.nan, score) for name, score in scores.items()}


def _each(
    marginals: np.ndarray,
    length: int,
    function: Callable[[Any, np.ndarray], np.ndarray],
    values: np.ndarray | float = np.nan,
) -> np.ndarray:
    """Return a function of every marginal and its value, behind the axes of the marginals; NaN without a marginal."""
    at = np.broadcast_to(np.asarray(values, float), marginals.shape).ravel()
    out = np.full((marginals.size, length), np.nan)
    for i, marginal in enumerate(marginals.ravel()):
        if marginal is not None:
            out[i] = function(marginal, at[i : i + 1])
    return out.reshape(*marginals.shape, length)
