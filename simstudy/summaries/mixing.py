"""How well the chains of many rows mix: potential scale reduction, and effective sample size from autocovariances.

This module decides the sums over lags of Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021), Bayesian Analysis
16:667. Which transforms of the draws go in, and where the numbers are undefined, is decided in ``diagnostics.py``.
"""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft


class Mixing:
    """Variances within and between chains, and what follows from them.

    The variance within has n - 1 and autocovariances have n in the denominator, as in Stan, posterior and ArviZ.

    Args:
        chains: (row, chain, draw) halves of chains, at least two; float32 or float64. The variances
            keep the precision of the chains, autocovariances are float32: their error of about 1e-6 moves an
            effective sample size by less than 1e-5 of itself.
    """

    def __init__(self, chains: np.ndarray):
        self.n_chains, self.n_draws = chains.shape[1:]
        means = _means(chains)
        self.centered = chains - means[..., None]
        squares = np.vecdot(self.centered, self.centered).sum(axis=-1)
        self.within = squares / (self.n_chains * (self.n_draws - 1))
        apart = means - _means(means)[..., None]
        between = np.vecdot(apart, apart) / (self.n_chains - 1)
        self.total = self.within * (self.n_draws - 1) / self.n_draws + between

    @property
    def rhat(self) -> np.ndarray:
        """(row,) potential scale reduction (Vehtari et al. 2021, equation 4)."""
        return np.sqrt(self.total / self.within)

    @property
    def ess(self) -> np.ndarray:
        """(row,) effective sample size, at most n log10(n) for n draws (after equation 13)."""
        centered = self.centered.astype(np.float32, copy=False)
        within, total = self.within[:, None], self.total[:, None]
        time = np.empty(len(centered))
        rows = np.arange(len(centered))
        for n_lags in (max(2, self.n_draws // 4), self.n_draws):
            rho = 1 - (within[rows] - _autocovariances(centered, n_lags)) / total[rows]
            rho[:, 0] = 1.0
            time[rows], is_open = _integrated_time(rho, self.n_draws)
            if not is_open.any():
                break
            rows, centered = rows[is_open], centered[is_open]
        n = self.n_chains * self.n_draws
        return n / np.maximum(time, 1 / np.log10(n))


def _means(x: np.ndarray) -> np.ndarray:
    """Return the means over the last axis, by a product with weights: faster than a sum where that axis is short."""
    return np.vecdot(x, np.full(x.shape[-1], 1 / x.shape[-1], x.dtype))


def _integrated_time(rho: np.ndarray, n_draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum autocorrelations (row, lag) by Geyer's initial monotone sequence.

    Sums of neighbors (even, odd lag) are positive in theory: the sequence ends before the first that is not, and
    each is held to at most the one before. The even lag after the end is added once, which lowers the variance for
    antithetic chains (Geyer 1992, section 3.3; Vehtari et al. 2021, after equation 13).

    Args:
        rho: autocorrelations at lags 0, 1, ...
        n_draws: draws of a half-chain; the last two lags, of one or two products each, are not used.

    Returns:
        (row,) integrated autocorrelation time, and (row,) whether it needs lags beyond those given.
    """
    even, odd = rho[:, ::2], rho[:, 1::2]
    even = even[:, : odd.shape[1]]
    pairs = even + odd
    last_allowed = max(0, (n_draws - 3) // 2)
    n_kept = np.logical_and.accumulate(pairs > 0, axis=-1).sum(axis=-1)
    is_open = (n_kept == pairs.shape[1]) & (pairs.shape[1] <= last_allowed)
    end = np.minimum(n_kept, min(last_allowed, pairs.shape[1] - 1))
    monotone = np.minimum.accumulate(pairs, axis=-1)
    kept = np.where(np.arange(pairs.shape[1]) < end[:, None], monotone, 0.0).sum(axis=-1)
    rows = np.arange(len(rho))
    after = np.where(pairs[rows, end] >= 0, even[rows, end], np.maximum(even[rows, end], 0.0))
    return 2 * kept + after - 1, is_open


def _autocovariances(centered: np.ndarray, n_lags: int) -> np.ndarray:
    """(row, lag) autocovariances of (row, chain, draw) at the first lags, averaged over chains."""
    n_draws = centered.shape[-1]
    size = next_fast_len(n_draws + n_lags, real=True)
    parts = rfft(centered, n=size, axis=-1).view(centered.dtype)
    squares = np.einsum("rck,rck->rk", parts, parts)
    power = squares[:, ::2] + squares[:, 1::2]
    return irfft(power, n=size, axis=-1)[:, :n_lags] / (centered.shape[1] * n_draws)
