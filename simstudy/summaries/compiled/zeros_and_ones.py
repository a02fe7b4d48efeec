"""The statistics of a row of zeros and ones, compiled: all follow from their number and one autocovariance.

``indicators.py`` says why, and is the oracle.
"""

import numpy as np

from simstudy.summaries.compiled.asked import Asked
from simstudy.summaries.compiled.chains import total
from simstudy.summaries.compiled.indicator import indicator_mixing
from simstudy.summaries.compiled.native import native
from simstudy.summaries.compiled.places import (
    ESS_BULK,
    ESS_TAIL,
    HALF_SPREAD,
    LOWER,
    MCSE_MEAN,
    MCSE_SD,
    MEAN,
    N_FIXED,
    RHAT,
    SD,
    UPPER,
)
from simstudy.summaries.compiled.row import quantile_error, write_quantiles
from simstudy.summaries.compiled.scratch import Scratch
from simstudy.summaries.diagnostics import MIN_DRAWS


@native
def describe_zeros_and_ones(x: np.ndarray, asked: Asked, scratch: Scratch, out: np.ndarray) -> None:
    """Write what the draws say by themselves; arguments are those of ``describe_row``."""
    n = x.size
    n_ones = np.int64(total(x) + 0.5)
    n_zeros = n - n_ones
    share = n_ones / n
    sd = np.sqrt(n_ones * n_zeros / (np.float64(n) * (n - 1))) if n > 1 else np.nan
    out[MEAN], out[SD] = share, sd
    out[HALF_SPREAD] = n_ones * n_zeros / (np.float64(n) * (n - 1))
    has_zeros = n_zeros > asked.n_inside  # as many as the interval holds, and the first of the narrowest is theirs
    has_ones = n_zeros < n - asked.n_inside
    out[LOWER] = 0.0 if has_zeros or not has_ones else 1.0
    out[UPPER] = 0.0 if has_zeros else 1.0
    ordered = scratch.ordered
    for i in range(n):
        ordered[i] = i >= n_zeros
    write_quantiles(ordered, asked, scratch.ends, out)
    if n_ones == 0 or n_zeros == 0 or asked.n_draws < MIN_DRAWS:
        return
    _pack(x, asked, scratch.words)
    within, in_total, size = indicator_mixing(scratch.words, asked.n_draws // 2, scratch.means)
    out[RHAT] = np.sqrt(in_total / within)
    out[ESS_BULK] = size
    if scratch.ends[asked.tails[0]] < 1:
        out[ESS_TAIL] = size
    out[MCSE_MEAN] = sd / np.sqrt(size)
    variance = (n - 1) / n
    fourth = (n_ones * (1 - share) ** 4 + n_zeros * share**4) / (sd**4 * n)
    out[MCSE_SD] = sd * np.sqrt(max(fourth - variance**2, 0.0) / (4 * variance * size))
    for i in range(asked.n_kept):
        if scratch.ends[i] < 1:
            out[N_FIXED + asked.n_kept + i] = quantile_error(ordered, size, i, asked)


@native
def _pack(x: np.ndarray, asked: Asked, words: np.ndarray) -> None:
    """Make words of the halves of chains."""
    n, half = asked.n_draws, asked.n_draws // 2
    n_words = words.size // (2 * asked.n_chains)
    for c in range(2 * asked.n_chains):
        start = (c // 2) * n + (c % 2) * (n - half)
        for w in range(n_words):
            word = np.uint64(0)
            for b in range(min(64, half - 64 * w)):
                word |= np.uint64(x[start + 64 * w + b]) << np.uint64(b)
            words[c * n_words + w] = word
