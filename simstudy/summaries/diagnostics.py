"""MCMC diagnostics of many scalar quantities at once: R-hat, effective sample sizes, their Monte Carlo errors, E-BFMI.

This module decides how the numbers are computed from draws; thresholds and flags are made where runs are scored. The
definitions are those of Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021), "Rank-normalization, folding, and
localization: an improved R-hat", Bayesian Analysis 16:667, with the normal scores of Blom (1958).

Every function takes draws of shape (..., chain, draw) and returns (...): one number per scalar quantity. A quantity
has no diagnostics (NaN) where a draw is not finite, where all draws are equal (a constant has no autocorrelation to
estimate), and with fewer than 4 draws a chain. Quantities do not influence each other, not even in the last bit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from simstudy.summaries.mixing import Mixing
from simstudy.summaries.ranks import Order, normal_scores, quantiles, sort_rows

TAIL_PROBABILITIES = (0.05, 0.95)  # Vehtari et al. (2021), section 4.3
MIN_DRAWS = 4  # two draws in each half of a chain: the fewest with a variance
SLAB_DRAWS = 2**17  # 1 MiB of float64: large enough to hide NumPy's call overhead, small enough for a core's cache
HEAP_BYTES = 16 * 8 * SLAB_DRAWS  # the arrays that are alive with one slab


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """Diagnostics of scalar quantities, each field of the shape that is left of (..., chain, draw).

    Attributes:
        rhat: the larger of the rank-normalized split R-hat of the draws and of the folded draws; 1 when chains agree.
        ess_bulk: effective sample size of the rank-normalized draws, in draws.
        ess_tail: the smaller of the effective sample sizes of the 5 % and 95 % quantiles, in draws.
        mcse_mean: Monte Carlo standard error of the mean, in units of the draws.
        mcse_sd: Monte Carlo standard error of the standard deviation, in units of the draws.
    """

    rhat: np.ndarray
    ess_bulk: np.ndarray
    ess_tail: np.ndarray
    mcse_mean: np.ndarray
    mcse_sd: np.ndarray


DIAGNOSTICS = tuple(Diagnostics.__dataclass_fields__)


def diagnose(x: np.ndarray) -> Diagnostics:
    """Return all diagnostics of the draws; the work that they share is done once.

    Args:
        x: (..., chain, draw) draws.

    Raises:
        ValueError: x has no chain and draw axis.

    >>> x = np.random.default_rng(1).normal(size=(3, 4, 500))
    >>> diagnose(x).rhat.round(2).tolist()
    [1.01, 1.0, 1.0]
    """
    return Diagnostics(**_evaluate(x, *DIAGNOSTICS))


def rhat(x: np.ndarray) -> np.ndarray:
    """Return the rank-normalized split R-hat of (..., chain, draw): the larger of bulk and folded (section 4.1).

    One chain is enough, for its halves are compared.
    """
    return _evaluate(x, "rhat")["rhat"]


def ess_bulk(x: np.ndarray) -> np.ndarray:
    """Return the effective sample size of the rank-normalized draws of (..., chain, draw) (section 4.2)."""
    return _evaluate(x, "ess_bulk")["ess_bulk"]


def ess_tail(x: np.ndarray) -> np.ndarray:
    """Return the smaller effective sample size of the 5 % and the 95 % quantile of (..., chain, draw) (section 4.3).

    A quantile at an end of the draws' range has a constant indicator and is left out.
    """
    return _evaluate(x, "ess_tail")["ess_tail"]


def ess_mean(x: np.ndarray) -> np.ndarray:
    """Return the effective sample size for the mean of (..., chain, draw): of the draws themselves (equation 11)."""
    return _evaluate(x, "ess_mean")["ess_mean"]


def ess_sd(x: np.ndarray) -> np.ndarray:
    """Return the effective sample size for the standard deviation of (..., chain, draw): of squared deviations."""
    return _evaluate(x, "ess_sd")["ess_sd"]


def mcse_mean(x: np.ndarray) -> np.ndarray:
    """Return the Monte Carlo standard error of the mean of (..., chain, draw): sd / sqrt(ess_mean)."""
    return _evaluate(x, "mcse_mean")["mcse_mean"]


def mcse_sd(x: np.ndarray) -> np.ndarray:
    """Return the Monte Carlo standard error of the standard deviation of (..., chain, draw).

    Delta method on the mean d of squared deviations: Var(sqrt(d)) = Var(d) / (4 d), and by the Markov chain central
    limit theorem Var(d) takes the effective sample size of the *squared deviations*. That of the draws would be far
    too large for antithetic chains, whose squares are positively correlated.
    """
    return _evaluate(x, "mcse_sd")["mcse_sd"]


def ebfmi(energy: np.ndarray) -> np.ndarray:
    """Return the energy Bayesian fraction of missing information of each chain (Betancourt 2016, equation 4).

    Args:
        energy: (..., chain, draw) Hamiltonian at the draws.

    Returns:
        (..., chain) mean squared change over the variance; below about 0.3 the momenta cannot follow the energy. NaN
        for constant or non-finite energies.

    >>> ebfmi(np.array([[0.0, 1.0, 0.0, 1.0]])).tolist()
    [3.0]
    """
    energy = np.asarray(energy, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        change = np.square(np.diff(energy, axis=-1)).sum(axis=-1)
        spread = np.square(energy - energy.mean(axis=-1, keepdims=True)).sum(axis=-1)
        return np.where(np.ptp(energy, axis=-1) > 0, change / spread, np.nan)


def slabs(n_rows: int, row_draws: int) -> Iterator[slice]:
    """Yield slices of rows that hold about ``SLAB_DRAWS`` draws together, at least one row each.

    >>> [(s.start, s.stop) for s in slabs(5, SLAB_DRAWS // 2)]
    [(0, 2), (2, 4), (4, 5)]
    """
    _keep_heap()
    step = max(1, SLAB_DRAWS // max(1, row_draws))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


@cache
def _keep_heap() -> None:
    """Make the C library keep the memory of one slab for the next.

    glibc gives memory back to the system beyond a threshold, which it raises to twice the largest array yet freed.
    Before that, each slab's arrays are paged in anew, and a summary takes twice as long.
    """
    np.empty(HEAP_BYTES, dtype=np.uint8)


class Chains:
    """Rows of chains and all that the diagnostics share: each property is computed once, when it is asked for.

    Args:
        draws: (row, chain, draw) draws; a row is one scalar quantity. Every property has the row as its first axis.

    Attributes:
        is_finite: (row,) all draws are finite, and so is their mean; where not, zeros stand in for the draws.
    """

    def __init__(self, draws: np.ndarray):
        draws = np.ascontiguousarray(draws, dtype=np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            mean = draws.reshape(len(draws), -1).mean(axis=-1)
        self.is_finite = np.isfinite(mean)
        self.draws = draws if self.is_finite.all() else np.where(self.is_finite[:, None, None], draws, 0.0)
        self.pooled = self.draws.reshape(len(draws), -1)
        self._mean = np.where(self.is_finite, mean, 0.0)

    def evaluate(self, *names: str) -> dict[str, np.ndarray]:
        """Return diagnostics by name, each (row,); NaN where there is none."""
        if self.draws.shape[-1] < MIN_DRAWS:
            return {name: np.full(len(self.draws), np.nan) for name in names}
        is_defined = self.is_finite & ~self.is_constant
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return {name: np.where(is_defined, getattr(self, name), np.nan) for name in names}

    @cached_property
    def halves(self) -> np.ndarray:
        """(row, 2 chain, draw // 2) first and second half of every chain; an odd chain loses its middle draw."""
        return _split(self.draws)

    @cached_property
    def ordered(self) -> np.ndarray:
        """(row, chain draw) all draws, sorted."""
        is_whole = self.halves.size == self.draws.size
        return self._order.values if is_whole else np.sort(self.pooled, axis=-1)

    @cached_property
    def is_constant(self) -> np.ndarray:
        """(row,) all draws are equal."""
        return self.ordered[:, 0] == self.ordered[:, -1]

    @cached_property
    def mean(self) -> np.ndarray:
        """(row,) mean over all draws."""
        return np.where(self.is_constant, self.ordered[:, 0], self._mean)

    @cached_property
    def sd(self) -> np.ndarray:
        """(row,) standard deviation over all draws, with n - 1."""
        return self._deviations_and_sd[1]

    @cached_property
    def standardized(self) -> np.ndarray:
        """(row, chain, draw) draws less their mean, over their standard deviation."""
        deviations, sd = self._deviations_and_sd
        return (deviations * (1 / sd)[:, None]).reshape(self.draws.shape)

    @cached_property
    def rhat(self) -> np.ndarray:
        """(row,) larger of the R-hat of the rank-normalized draws and of the rank-normalized folded draws.

        Draws that are folded to a constant, as those of an indicator with mean 1/2, say nothing and are left out.
        """
        ordered = self._order.values
        middle = ordered.shape[-1] // 2
        median = (ordered[:, middle - 1] + ordered[:, middle]) / 2
        folded = np.abs(self.halves.reshape(ordered.shape) - median[:, None])
        folded_scores = normal_scores(sort_rows(folded)).reshape(self.halves.shape)
        return np.fmax(Mixing(self._scores).rhat, Mixing(folded_scores).rhat)

    @cached_property
    def ess_bulk(self) -> np.ndarray:
        """(row,) effective sample size of the rank-normalized draws."""
        return self._ess[0]

    @cached_property
    def ess_tail(self) -> np.ndarray:
        """(row,) smaller effective sample size of the two tail quantiles, of their indicators draw <= quantile.

        That of a quantile at the end of the draws' range is constant, of which rounding would make a number.
        """
        is_inside = self._tails < self.ordered[:, -1:]
        return np.fmin.reduce(np.where(is_inside.T, self._ess[3:], np.nan))

    def ess_quantiles(self, probabilities: tuple[float, ...]) -> np.ndarray:
        """(row, probability) effective sample sizes of quantiles, of their indicators draw <= quantile.

        NaN at the end of the draws' range, where the indicator is constant, and where a row has no diagnostics.
        """
        ends = quantiles(self.ordered, probabilities)
        halves = self.halves
        if halves.shape[-1] * 2 < MIN_DRAWS:
            return np.full(ends.shape, np.nan)
        series = np.empty((len(probabilities), *halves.shape), np.float32)
        for place, end in enumerate(ends.T):
            np.less_equal(halves, end[:, None, None], out=series[place])
        with np.errstate(divide="ignore", invalid="ignore"):
            ess = Mixing(series.reshape(-1, *halves.shape[1:])).ess.reshape(series.shape[:2]).T
        is_defined = (self.is_finite & ~self.is_constant)[:, None] & (ends < self.ordered[:, -1:])
        return np.where(is_defined, ess, np.nan)

    @cached_property
    def ess_mean(self) -> np.ndarray:
        """(row,) effective sample size of the draws."""
        return self._ess[1]

    @cached_property
    def ess_sd(self) -> np.ndarray:
        """(row,) effective sample size of the squared deviations."""
        return self._ess[2]

    @cached_property
    def mcse_mean(self) -> np.ndarray:
        """(row,) Monte Carlo standard error of the mean."""
        return self.sd / np.sqrt(self.ess_mean)

    @cached_property
    def mcse_sd(self) -> np.ndarray:
        """(row,) Monte Carlo standard error of the standard deviation."""
        squares = self._squares.reshape(self.pooled.shape)
        n = squares.shape[-1]
        variance = (n - 1) / n
        variance_of_squares = np.maximum(np.vecdot(squares, squares) / n - variance**2, 0.0)
        return self.sd * np.sqrt(variance_of_squares / (4 * variance * self.ess_sd))

    @cached_property
    def _deviations_and_sd(self) -> tuple[np.ndarray, np.ndarray]:
        deviations = self.pooled - self.mean[:, None]
        return deviations, np.sqrt(np.vecdot(deviations, deviations) / (deviations.shape[-1] - 1))

    @cached_property
    def _squares(self) -> np.ndarray:
        return self.standardized * self.standardized

    @cached_property
    def _order(self) -> Order:
        return sort_rows(self.halves.reshape(len(self.halves), -1))

    @cached_property
    def _scores(self) -> np.ndarray:
        return normal_scores(self._order).reshape(self.halves.shape)

    @cached_property
    def _tails(self) -> np.ndarray:
        return quantiles(self.ordered, TAIL_PROBABILITIES)

    @cached_property
    def _ess(self) -> np.ndarray:
        """(series, row) effective sample sizes of scores, draws, squared deviations and the tails' indicators.

        All series go through the autocovariances at once: their work on a row is a few microseconds, and the calls
        would take as long.
        """
        halves = self.halves
        series = np.empty((3 + len(TAIL_PROBABILITIES), *halves.shape), np.float32)
        series[0], series[1], series[2] = self._scores, _split(self.standardized), _split(self._squares)
        for place, end in enumerate(self._tails.T, start=3):
            np.less_equal(halves, end[:, None, None], out=series[place])
        return Mixing(series.reshape(-1, *halves.shape[1:])).ess.reshape(series.shape[:2])


def _split(x: np.ndarray) -> np.ndarray:
    n_rows, n_chains, n_draws = x.shape
    if n_draws % 2:
        x = np.delete(x, n_draws // 2, axis=-1)
    return x.reshape(n_rows, 2 * n_chains, n_draws // 2)


def _evaluate(x: np.ndarray, *names: str) -> dict[str, np.ndarray]:
    x = np.asarray(x)
    if x.ndim < 2:
        raise ValueError(f"expected draws of shape (..., chain, draw), got shape {x.shape}; add a chain axis of 1")
    rows = x.reshape(-1, *x.shape[-2:])
    values = {name: np.empty(len(rows)) for name in names}
    for slab in slabs(len(rows), rows[:1].size):
        for name, value in Chains(rows[slab]).evaluate(*names).items():
            values[name][slab] = value
    return {name: value.reshape(x.shape[:-2]) for name, value in values.items()}
