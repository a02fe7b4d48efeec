"""What is known of many posteriors, made of the distribution of every number in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simstudy.samplers.exact.marginal import Marginal

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class KnownMarginals:
    """Posteriors of a block of data sets, a ``KnownPosterior``.

    Args:
        mean: estimand -> (fit, *group), NaN where it does not exist.
        sd: estimand -> (fit, *group), NaN where it does not exist.
        marginals: estimand -> (fit, *group) of ``Marginal``, dtype object; the same estimands.
    """

    mean: Values
    sd: Values
    marginals: Values

    def quantiles(self, probabilities: Sequence[float]) -> dict[str, np.ndarray]:
        """Return the quantiles, estimand -> (fit, *group, probability)."""
        p = np.asarray(probabilities, float)
        return {name: _each(of, lambda marginal, _: marginal.quantiles(p)) for name, of in self.marginals.items()}

    def hdi(self, level: float) -> dict[str, np.ndarray]:
        """Return the ends of the shortest interval with a probability, estimand -> (fit, *group, 2)."""
        return {name: _each(of, lambda marginal, _: marginal.hdi(level)) for name, of in self.marginals.items()}

    def cdf(self, values: Values) -> dict[str, np.ndarray]:
        """Return the posterior probability of less than given values, estimand -> (fit, *group)."""
        return {
            name: _each(self.marginals[name], lambda marginal, x: marginal.cdf(x)[0], value)
            for name, value in values.items()
        }

    def crps(self, values: Values) -> dict[str, np.ndarray]:
        """Return the continuous ranked probability score at given values, NaN without a mean."""
        scores = {
            name: _each(self.marginals[name], lambda marginal, x: marginal.crps(x)[0], value)
            for name, value in values.items()
        }
        return {name: np.where(np.isnan(self.mean[name]), np.nan, score) for name, score in scores.items()}


def _each(
    marginals: np.ndarray, function: Callable[[Marginal, np.ndarray], np.ndarray], values: np.ndarray | float = np.nan
) -> np.ndarray:
    """Return a function of every marginal and its value, behind the axes of the marginals."""
    at = np.broadcast_to(np.asarray(values, float), marginals.shape)
    each = [function(marginal, x[None]) for marginal, x in zip(marginals.ravel(), at.ravel(), strict=True)]
    return np.reshape(each, (*marginals.shape, *np.shape(each[0])))
