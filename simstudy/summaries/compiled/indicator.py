"""Zeros and ones of one row as bits of words, and how well they mix: a lag is a shift, a product is an "and".

Counts are whole, so that the autocovariances are right to the last bit of a float64.
"""

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from simstudy.summaries.compiled.chains import size_of_time, variances
from simstudy.summaries.compiled.native import native

WORD = 64


@intrinsic  # type: ignore[untyped-decorator]  # Numba has no types
def _ones(typing_context: Any, word: Any) -> Any:
    """Count the ones of a word."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), build


@native
def words_of(n_draws: int) -> int:
    """Return the words that the draws of a chain take."""
    return (n_draws + WORD - 1) // WORD


def bits_of(n_chains: int, n_draws: int) -> np.ndarray:
    """Return (chain draw,) int32 numbers of the bits that the draws have: each chain begins a word of its own."""
    return np.add.outer(np.arange(n_chains) * words_of(n_draws) * WORD, np.arange(n_draws)).ravel().astype(np.int32)


@native
def set_bits(words: np.ndarray, bit: np.ndarray, places: np.ndarray) -> None:
    """Make (chain word,) uint64 words that are one at some places and zero elsewhere."""
    for w in range(words.size):
        words[w] = np.uint64(0)
    for i in range(places.size):
        b = bit[places[i]]
        words[b >> 6] |= np.uint64(1) << np.uint64(b & 63)


@native
def indicator_mixing(words: np.ndarray, n: int, means: np.ndarray) -> tuple[float, float, float]:
    """Return the variance within chains, in total, and the effective sample size of indicators.

    Args:
        words: (chain word,) uint64, n draws of each chain.
        n: draws of a chain.
        means: (chain,) scratch.
    """
    n_chains = means.size
    head, tail = np.zeros(n_chains, np.int64), np.zeros(n_chains, np.int64)  # ones among the first and last draws
    n_words = words.size // n_chains
    squares = 0.0
    for c in range(n_chains):
        ones = 0
        for w in range(c * n_words, (c + 1) * n_words):
            ones += int(_ones(words[w]))
        means[c] = ones / n
        squares += ones * (n - ones) / n
    within, total = variances(squares, means, n)
    size = n_chains * n
    last = min(max(0, (n - 3) // 2), n // 2 - 1)
    kept = 0.0
    smallest = np.inf
    k = 0
    while True:
        even = 1.0
        if k > 0:
            even = 1 - (within - _lag_sum(words, n, means, head, tail, 2 * k) / size) / total
        odd = 1 - (within - _lag_sum(words, n, means, head, tail, 2 * k + 1) / size) / total
        pair = even + odd
        if not pair > 0 or k >= last:
            break
        smallest = min(smallest, pair)
        kept += smallest
        k += 1
    return within, total, size_of_time(kept, even, pair, size)


@native
def _lag_sum(words: np.ndarray, n: int, means: np.ndarray, head: np.ndarray, tail: np.ndarray, lag: int) -> float:
    """Return the sum over chains of products of centered indicators a lag apart; lags are asked for one after another.

    ``head`` and ``tail`` go on from one lag to the next.
    """
    first, shift = lag >> 6, np.uint64(lag & 63)
    n_words = words.size // means.size
    s = 0.0
    for c in range(means.size):
        chain = words[c * n_words : (c + 1) * n_words]
        head[c] += np.int64((chain[(lag - 1) >> 6] >> np.uint64((lag - 1) & 63)) & np.uint64(1))
        tail[c] += np.int64((chain[(n - lag) >> 6] >> np.uint64((n - lag) & 63)) & np.uint64(1))
        both = np.uint64(0)
        if shift == 0:
            for w in range(n_words - first):
                both += _ones(chain[w] & chain[w + first])
        else:
            for w in range(n_words - first - 1):
                late = (chain[w + first] >> shift) | (chain[w + first + 1] << (np.uint64(64) - shift))
                both += _ones(chain[w] & late)
            both += _ones(chain[n_words - first - 1] & (chain[n_words - 1] >> shift))
        mean = means[c]
        ends = 2 * mean * n - np.float64(head[c]) - np.float64(tail[c])
        s += np.float64(both) - mean * ends + (n - lag) * mean * mean
    return s
