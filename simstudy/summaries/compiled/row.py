"""The statistics of one row of draws of a quantity, compiled: what ``diagnostics.py`` and ``rows.py`` say of it."""

import numpy as np

from simstudy.summaries.compiled.asked import Asked
from simstudy.summaries.compiled.chains import center, ess, variances
from simstudy.summaries.compiled.indicator import indicator_mixing, set_bits
from simstudy.summaries.compiled.native import native, reordered
from simstudy.summaries.compiled.order import count_up_to, fold, sort_row, write_scores
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
from simstudy.summaries.compiled.scratch import Scratch
from simstudy.summaries.diagnostics import MIN_DRAWS
from simstudy.summaries.quantile_errors import GRID


@native
def describe_row(x: np.ndarray, mean: float, asked: Asked, scratch: Scratch, out: np.ndarray) -> None:
    """Write what the draws say by themselves.

    Args:
        x: (chain draw,) finite draws.
        mean: of them.
        asked: shape and quantiles.
        scratch: memory.
        out: (statistic,) NaN where nothing is written.
    """
    n = x.size
    halves = _halves(x, asked, scratch)
    ordered, place = scratch.ordered, scratch.place
    _sort(x, mean, scratch, ordered, place)
    half_ordered, half_place = ordered, place
    if halves.size < n:
        half_ordered, half_place = scratch.half_ordered, scratch.half_place
        _sort(halves, mean, scratch, half_ordered, half_place)
    is_constant = ordered[0] == ordered[n - 1]
    mean = ordered[0] if is_constant else mean
    sd = np.sqrt(_squares(x, mean) / (n - 1)) if n > 1 else np.nan
    out[MEAN], out[SD] = mean, sd
    out[HALF_SPREAD] = _half_spread(ordered, mean)
    out[LOWER], out[UPPER] = _narrowest(ordered, asked.n_inside)
    write_quantiles(ordered, asked, scratch.ends, out)
    if is_constant or asked.n_draws < MIN_DRAWS:
        return
    _moments(halves, x, mean, sd, scratch, out)
    _ranked(half_ordered, half_place, asked, scratch, out)
    _quantiles(ordered, half_ordered, half_place, asked, scratch, out)


@native
def write_quantiles(ordered: np.ndarray, asked: Asked, ends: np.ndarray, out: np.ndarray) -> None:
    """Write the quantiles of sorted draws, all into ``ends`` and those that are kept into ``out``."""
    for i in range(asked.probabilities.size):
        low = ordered[asked.below[i]]
        ends[i] = low + (ordered[asked.above[i]] - low) * asked.share[i]
        if i < asked.n_kept:
            out[N_FIXED + i] = ends[i]


@native
def _halves(x: np.ndarray, asked: Asked, scratch: Scratch) -> np.ndarray:
    """Return the draws of the halves of chains: all, unless chains are odd and lose their middle draw."""
    n = asked.n_draws
    if n % 2 == 0:
        return x
    half = n // 2
    for c in range(asked.n_chains):
        to = 2 * half * c
        for t in range(half):
            scratch.halves[to + t] = x[c * n + t]
            scratch.halves[to + half + t] = x[c * n + half + 1 + t]
    return scratch.halves


@native
def _sort(x: np.ndarray, mean: float, scratch: Scratch, ordered: np.ndarray, place: np.ndarray) -> None:
    keys = scratch.keys[: x.size]
    for i in range(x.size):
        keys[i] = x[i] - mean
    sort_row(x, keys, scratch.counts, scratch.pairs, scratch.moved, ordered, place)


@reordered
def _squares(x: np.ndarray, mean: float) -> float:
    s = 0.0
    for i in range(x.size):
        s += (x[i] - mean) ** 2
    return s


@reordered
def _half_spread(ordered: np.ndarray, mean: float) -> float:
    """Return half the mean absolute difference of two different draws."""
    n = ordered.size
    s = 0.0
    for i in range(n):
        s += (2 * i + 1 - n) * (ordered[i] - mean)
    return s / (np.float64(n) * (n - 1))


@native
def _narrowest(ordered: np.ndarray, n_inside: int) -> tuple[float, float]:
    """Return the ends of the first of the narrowest intervals with a number of draws beyond its first."""
    start = 0
    width = ordered[n_inside] - ordered[0]
    for i in range(1, ordered.size - n_inside):
        other = ordered[i + n_inside] - ordered[i]
        if other < width:
            width = other
            start = i
    return ordered[start], ordered[start + n_inside]


@native
def _size(series: np.ndarray, scratch: Scratch) -> float:
    """Return the effective sample size of a series of the halves' draws."""
    n_chains = scratch.means.size
    squares = center(series, scratch.means, scratch.centered)
    within, in_total = variances(squares, scratch.means, series.size // n_chains)
    return ess(scratch.centered, n_chains, within, in_total)


@reordered
def _standardize(x: np.ndarray, mean: float, sd: float, out: np.ndarray) -> None:
    for i in range(x.size):
        out[i] = (x[i] - mean) / sd


@reordered
def _square(x: np.ndarray) -> None:
    for i in range(x.size):
        x[i] *= x[i]


@reordered
def _fourth_powers(x: np.ndarray, mean: float, sd: float) -> float:
    s = 0.0
    for i in range(x.size):
        z = (x[i] - mean) / sd
        s += z * z * z * z
    return s


@native
def _moments(halves: np.ndarray, x: np.ndarray, mean: float, sd: float, scratch: Scratch, out: np.ndarray) -> None:
    series = scratch.series
    _standardize(halves, mean, sd, series)
    out[MCSE_MEAN] = sd / np.sqrt(_size(series, scratch))
    _square(series)
    n = x.size
    variance = (n - 1) / n
    of_squares = max(_fourth_powers(x, mean, sd) / n - variance**2, 0.0)
    out[MCSE_SD] = sd * np.sqrt(of_squares / (4 * variance * _size(series, scratch)))


@native
def _ranked(ordered: np.ndarray, place: np.ndarray, asked: Asked, scratch: Scratch, out: np.ndarray) -> None:
    """Write the bulk effective sample size and R-hat, of normal scores of the draws and of the folded draws."""
    n_chains = scratch.means.size
    n = ordered.size // n_chains
    write_scores(ordered, place, asked.scores, scratch.series)
    squares = center(scratch.series, scratch.means, scratch.centered)
    within, in_total = variances(squares, scratch.means, n)
    out[ESS_BULK] = ess(scratch.centered, n_chains, within, in_total)
    bulk = np.sqrt(in_total / within)
    fold(ordered, place, scratch.series, scratch.folded, scratch.folded_place)
    if scratch.folded[0] == scratch.folded[ordered.size - 1]:
        out[RHAT] = bulk  # folded to a constant, as an indicator of mean 1/2 is
        return
    write_scores(scratch.folded, scratch.folded_place, asked.scores, scratch.series)
    squares = center(scratch.series, scratch.means, scratch.centered)
    within, in_total = variances(squares, scratch.means, n)
    out[RHAT] = max(bulk, np.sqrt(in_total / within))


@native
def _quantiles(
    ordered: np.ndarray,
    half_ordered: np.ndarray,
    half_place: np.ndarray,
    asked: Asked,
    scratch: Scratch,
    out: np.ndarray,
) -> None:
    """Write the effective sample size of the tails, and the errors of quantiles."""
    n = half_ordered.size
    n_draws = n // scratch.means.size
    top = ordered[ordered.size - 1]
    for i in range(asked.probabilities.size):
        scratch.sizes[i] = np.nan
        if scratch.ends[i] < top:
            n_below = count_up_to(half_ordered, scratch.ends[i])
            if 2 * n_below <= n:
                set_bits(scratch.words, asked.bit, half_place[:n_below])
            else:
                set_bits(scratch.words, asked.bit, half_place[n_below:n])
            scratch.sizes[i] = indicator_mixing(scratch.words, n_draws, scratch.means)[2]
    low, high = scratch.sizes[asked.tails[0]], scratch.sizes[asked.tails[1]]
    out[ESS_TAIL] = low if np.isnan(high) else high if np.isnan(low) else min(low, high)
    for i in range(asked.n_kept):
        out[N_FIXED + asked.n_kept + i] = quantile_error(ordered, scratch.sizes[i], i, asked)


@native
def quantile_error(ordered: np.ndarray, size: float, i: int, asked: Asked) -> float:
    """Return the Monte Carlo standard error of a quantile (``quantile_errors.py``)."""
    if np.isnan(size):
        return np.nan
    n = ordered.size
    root = min(1 / np.sqrt(size), 1.0)
    left = min(int(root * GRID), GRID - 1)
    share = root * GRID - left
    p = asked.probabilities[i]
    lower = p + root * (asked.bands[i, 0, left] + (asked.bands[i, 0, left + 1] - asked.bands[i, 0, left]) * share)
    upper = p + root * (asked.bands[i, 1, left] + (asked.bands[i, 1, left + 1] - asked.bands[i, 1, left]) * share)
    first = max(int(np.floor(lower * n)) - 1, 0)
    last = min(int(np.ceil(upper * n)), n) - 1
    return (ordered[last] - ordered[first]) / 2
