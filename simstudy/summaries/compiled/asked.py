"""What is the same for all rows of a block: their shape, what is asked of them, and the tables to find it with."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from simstudy.summaries.compiled.indicator import bits_of
from simstudy.summaries.diagnostics import TAIL_PROBABILITIES
from simstudy.summaries.quantile_errors import bands
from simstudy.summaries.ranks import score_table
from simstudy.summaries.rows import HDI_LEVEL, MEDIAN, thinned_places


class Asked(NamedTuple):
    """Shape of a row of draws, and what is asked of it.

    Attributes:
        n_chains, n_draws: shape of a row.
        n_inside: draws beyond the first in the highest-density interval.
        scores: (2 value + 1,) normal scores of the ranks 0, 1/2, 1, ... of the values of the halves of chains.
        bit: (value,) number of the bit of each of these values.
        probabilities: (probability,) those of the kept quantiles first, then those of the tails.
        n_kept: how many of them are kept.
        tails: (2,) places of the two tails among the probabilities.
        below, above, share: (probability,) places of quantiles among sorted draws, and how far between the two.
        bands: (probability, 2, step) ends of an interval of one standard error (``quantile_errors.py``).
        thinned: (draw,) places of the draws that a truth is ranked among.
    """

    n_chains: int
    n_draws: int
    n_inside: int
    scores: np.ndarray
    bit: np.ndarray
    probabilities: np.ndarray
    n_kept: int
    tails: np.ndarray
    below: np.ndarray
    above: np.ndarray
    share: np.ndarray
    bands: np.ndarray
    thinned: np.ndarray


@lru_cache(maxsize=16)
def asked_of(n_chains: int, n_draws: int, probabilities: tuple[float, ...]) -> Asked:
    """Return what is asked of rows of a shape, for the quantiles that are kept beside the median."""
    kept = (MEDIAN, *probabilities)
    every = (*kept, *(p for p in TAIL_PROBABILITIES if p not in kept))
    half = n_draws // 2
    at = np.asarray(every) * (n_chains * n_draws - 1)
    return Asked(
        n_chains=n_chains,
        n_draws=n_draws,
        n_inside=int(HDI_LEVEL * n_chains * n_draws),
        scores=score_table(2 * n_chains * half),
        bit=bits_of(2 * n_chains, half),
        probabilities=np.asarray(every),
        n_kept=len(kept),
        tails=np.array([every.index(p) for p in TAIL_PROBABILITIES]),
        below=np.floor(at).astype(np.intp),
        above=np.ceil(at).astype(np.intp),
        share=at - np.floor(at),
        bands=bands(every),
        thinned=thinned_places(n_chains * n_draws),
    )
