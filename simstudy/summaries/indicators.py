"""Diagnostics of indicators: rows of zeros and ones, for which one autocovariance is all.

Normal scores, folded draws, tail indicators and squared deviations of two values are two values again, lines of the
indicator itself. R-hat and effective sample sizes do not change along a line, so that all are those of the indicator.
"""

from functools import cached_property

import numpy as np

from simstudy.summaries.diagnostics import TAIL_PROBABILITIES, Chains
from simstudy.summaries.mixing import Mixing
from simstudy.summaries.ranks import quantiles


class Indicators(Chains):
    """Rows of chains of zeros and ones, with the diagnostics that ``Chains`` would give, at a quarter of the cost.

    >>> draws = np.random.default_rng(1).integers(0, 2, (1, 4, 100)).astype(float)
    >>> one, general = (kind(draws).evaluate("rhat", "ess_bulk") for kind in (Indicators, Chains))
    >>> bool(np.isclose(one["rhat"], general["rhat"]) and np.isclose(one["ess_bulk"], general["ess_bulk"], rtol=1e-5))
    True
    """

    @cached_property
    def ordered(self) -> np.ndarray:
        """(row, chain draw) all draws, sorted: zeros, then as many ones as there are."""
        n = self.pooled.shape[-1]
        n_ones = np.rint(self.pooled.sum(axis=-1))
        return (np.arange(n) >= n - n_ones[:, None]).astype(np.float64)

    @cached_property
    def rhat(self) -> np.ndarray:
        """(row,) R-hat, the same for draws and folded draws."""
        return self._mixing.rhat

    @cached_property
    def ess_mean(self) -> np.ndarray:
        """(row,) effective sample size of the draws."""
        return self._mixing.ess

    @cached_property
    def ess_bulk(self) -> np.ndarray:
        """(row,) effective sample size of the rank-normalized draws: that of the draws."""
        return self.ess_mean

    @cached_property
    def ess_tail(self) -> np.ndarray:
        """(row,) that of the draws; NaN where the 5 % quantile is 1, so that no draw is above either quantile."""
        ends = quantiles(self.ordered, TAIL_PROBABILITIES)
        return np.where(ends[:, 0] < 1, self.ess_mean, np.nan)

    def ess_quantiles(self, probabilities: tuple[float, ...]) -> np.ndarray:
        """(row, probability) that of the draws; NaN where the quantile is 1, or a row has no diagnostics."""
        sizes = self.evaluate("ess_mean")["ess_mean"]
        return np.where(quantiles(self.ordered, probabilities) < 1, sizes[:, None], np.nan)

    @cached_property
    def ess_sd(self) -> np.ndarray:
        """(row,) that of the draws."""
        return self.ess_mean

    @cached_property
    def _mixing(self) -> Mixing:
        return Mixing(self.halves)
