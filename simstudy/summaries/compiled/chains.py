"""How well the chains of one row mix, compiled: what ``mixing.py`` has for many rows, whose sums are the oracle.

Autocovariances are summed lag by lag until Geyer's sequence ends, which is after a few lags for most rows.
"""

import numpy as np

from simstudy.summaries.compiled.native import native, reordered


@reordered
def total(x: np.ndarray) -> float:
    """Return the sum of (value,) float64."""
    s = 0.0
    for i in range(x.size):
        s += x[i]
    return s


@reordered
def center(x: np.ndarray, means: np.ndarray, centered: np.ndarray) -> float:
    """Write the chains' means and (chain draw,) float32 draws less these; return the sum of squares within chains."""
    n_chains = means.size
    n = x.size // n_chains
    squares = 0.0
    for k in range(n_chains):
        chain, out = x[k * n : (k + 1) * n], centered[k * n : (k + 1) * n]
        s = 0.0
        for t in range(n):
            s += chain[t]
        mean = s / n
        means[k] = mean
        q = 0.0
        for t in range(n):
            d = chain[t] - mean
            q += d * d
            out[t] = d
        squares += q
    return squares


@native
def variances(squares: float, means: np.ndarray, n: int) -> tuple[float, float]:
    """Return the variance within chains of n draws, and in total."""
    n_chains = means.size
    within = squares / (n_chains * (n - 1))
    middle = 0.0
    for k in range(n_chains):
        middle += means[k]
    middle /= n_chains
    between = 0.0
    for k in range(n_chains):
        between += (means[k] - middle) ** 2
    return within, within * (n - 1) / n + between / (n_chains - 1)


@reordered
def _products(chain: np.ndarray, lag: int) -> np.float32:
    early, late = chain[: chain.size - lag], chain[lag:]
    s = np.float32(0)
    for t in range(early.size):
        s += early[t] * late[t]
    return s


@native
def lag_sum(centered: np.ndarray, n_chains: int, lag: int) -> float:
    """Return the sum over chains of products of centered draws a lag apart."""
    n = centered.size // n_chains
    s = 0.0
    for k in range(n_chains):
        s += float(_products(centered[k * n : (k + 1) * n], lag))
    return s


@native
def ess(centered: np.ndarray, n_chains: int, within: float, in_total: float) -> float:
    """Return the effective sample size of one row, by Geyer's initial monotone sequence (see ``mixing.py``)."""
    n = centered.size // n_chains
    size = centered.size
    last = min(max(0, (n - 3) // 2), n // 2 - 1)
    kept = 0.0
    smallest = np.inf
    k = 0
    while True:
        even = 1.0 if k == 0 else 1 - (within - lag_sum(centered, n_chains, 2 * k) / size) / in_total
        odd = 1 - (within - lag_sum(centered, n_chains, 2 * k + 1) / size) / in_total
        pair = even + odd
        if not pair > 0 or k >= last:
            break
        smallest = min(smallest, pair)
        kept += smallest
        k += 1
    return size_of_time(kept, even, pair, size)


@native
def size_of_time(kept: float, even: float, pair: float, size: int) -> float:
    """Return the effective sample size, of the pairs kept and the one after them: at most n log10(n)."""
    after = even if pair >= 0 else max(even, 0.0)
    return size / max(2 * kept + after - 1, 1 / np.log10(size))
