"""One row of draws put in order, by distance from its median too, with the normal scores of both orders, compiled.

What ties get and where scores come from is decided in ``ranks.py``, whose functions are the oracle of these.
"""

import numpy as np

from simstudy.summaries.compiled.native import native

DIGIT_BITS = 11
N_DIGITS = 1 << DIGIT_BITS
DROPPED_BITS = 10  # of a key's 32: two digits of 11 bits are sorted, and what they cannot tell apart is near its place
MOST_MOVES = 16  # a value, on average, until a row whose values the keys do not tell apart is sorted by comparisons


@native
def sort_row(
    x: np.ndarray,
    keys: np.ndarray,
    counts: np.ndarray,
    pairs: np.ndarray,
    moved: np.ndarray,
    ordered: np.ndarray,
    place: np.ndarray,
) -> None:
    """Write the sorted values of a row into ``ordered``, and where each stood into ``place``.

    A radix sort by the leading bits of the keys, then insertions. Keys that order as the values do need not tell them
    apart: insertions compare the values themselves.

    Args:
        x: (value,) finite values.
        keys: (value,) float32, as much as the values less one number for all: it brings them near 0, where keys are
            fine.
        counts: (2, N_DIGITS) int32 scratch.
        pairs: (value,) uint64 scratch.
        moved: (value,) uint64 scratch.
        ordered: (value,) float64.
        place: (value,) int32.
    """
    n = x.size
    for which in range(2):
        for k in range(N_DIGITS):
            counts[which, k] = 0
    bits = keys.view(np.uint32)
    for i in range(n):
        key = bits[i]
        key ^= np.uint32(np.int32(key) >> 31) | np.uint32(0x80000000)
        key >>= np.uint32(DROPPED_BITS)
        pairs[i] = (np.uint64(key) << np.uint64(32)) | np.uint64(i)
        counts[0, key & np.uint32(N_DIGITS - 1)] += 1
        counts[1, key >> np.uint32(DIGIT_BITS)] += 1
    for which in range(2):
        start = 0
        for k in range(N_DIGITS):
            count = counts[which, k]
            counts[which, k] = start
            start += count
    for i in range(n):
        pair = pairs[i]
        digit = np.int64((pair >> np.uint64(32)) & np.uint64(N_DIGITS - 1))
        to = counts[0, digit]
        counts[0, digit] = to + 1
        moved[to] = pair
    for i in range(n):
        pair = moved[i]
        digit = np.int64(pair >> np.uint64(32 + DIGIT_BITS))
        to = counts[1, digit]
        counts[1, digit] = to + 1
        at = np.int64(pair & np.uint64(0xFFFFFFFF))
        place[to] = at
        ordered[to] = x[at]
    if not _insert(ordered, place):
        _heap_sort(ordered, place)


@native
def _insert(ordered: np.ndarray, place: np.ndarray) -> bool:
    """Sort values that are near their places by insertions; False where they are not, with values left anywhere."""
    n = ordered.size
    n_moves = 0
    for i in range(1, n):
        value = ordered[i]
        if ordered[i - 1] > value:
            at = place[i]
            to = i
            while to > 0 and ordered[to - 1] > value:
                ordered[to] = ordered[to - 1]
                place[to] = place[to - 1]
                to -= 1
            ordered[to] = value
            place[to] = at
            n_moves += i - to
            if n_moves > MOST_MOVES * n:
                return False
    return True


@native
def _heap_sort(ordered: np.ndarray, place: np.ndarray) -> None:
    """Sort values in any order, with what goes with them."""
    n = ordered.size
    for end in range(n + n // 2 - 1, -1, -1):
        n_heap, root = (n, end - n) if end >= n else (end, 0)
        if end < n:
            ordered[0], ordered[end] = ordered[end], ordered[0]
            place[0], place[end] = place[end], place[0]
        value, at = (ordered[root], place[root]) if n_heap else (0.0, 0)
        while 2 * root + 1 < n_heap:
            child = 2 * root + 1
            if child + 1 < n_heap and ordered[child + 1] > ordered[child]:
                child += 1
            if not ordered[child] > value:
                break
            ordered[root], place[root] = ordered[child], place[child]
            root = child
        if n_heap:
            ordered[root], place[root] = value, at


@native
def count_up_to(ordered: np.ndarray, most: float) -> int:
    """Return how many sorted values are at most a number."""
    low, high = 0, ordered.size
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] <= most:
            low = middle + 1
        else:
            high = middle
    return low


@native
def fold(
    ordered: np.ndarray, place: np.ndarray, distances: np.ndarray, folded: np.ndarray, folded_place: np.ndarray
) -> None:
    """Write the sorted distances from the median, and where each value stood: the halves of a sorted row are merged.

    From both ends at once, neither waiting for the other, and without a branch on which of two is nearer, which nobody
    can foresee. Neither end can run out of a half before all is written.

    Args:
        ordered: (value,) sorted values, an even number.
        place: (value,) where each stood.
        distances: (value,) scratch.
        folded: (value,) the sorted distances.
        folded_place: (value,) int32 where each stood.
    """
    half = ordered.size // 2
    median = (ordered[half - 1] + ordered[half]) / 2
    for i in range(half):
        distances[i] = median - ordered[half - 1 - i]
        distances[half + i] = ordered[half + i] - median
    bits = distances.view(np.int64)  # order as the distances do, for none is negative
    first, last_low, last_high = 0, half - 1, 2 * half - 1
    for to in range(half):
        high = half + to - first
        is_low = int(bits[first] <= bits[high])
        at = first if is_low else high
        folded[to] = distances[at]
        folded_place[to] = place[half - 1 - first if is_low else high]
        first += is_low
        is_low = int(bits[last_low] > bits[last_high])
        at = last_low if is_low else last_high
        folded[2 * half - 1 - to] = distances[at]
        folded_place[2 * half - 1 - to] = place[half - 1 - last_low if is_low else last_high]
        last_low -= is_low
        last_high -= 1 - is_low


@native
def write_scores(ordered: np.ndarray, place: np.ndarray, table: np.ndarray, scores: np.ndarray) -> None:
    """Write the normal score of each value at its place; ties share the score of their mean rank.

    Args:
        ordered: (value,) sorted values.
        place: (value,) where each stood.
        table: (2 value + 1,) normal scores of the ranks 0, 1/2, 1, ...
        scores: (value,) the result.
    """
    n = ordered.size
    for i in range(n):
        scores[place[i]] = table[2 * i + 2]
    i = 0
    while i < n - 1:
        last = i
        while last < n - 1 and ordered[last + 1] == ordered[i]:
            last += 1
        if last > i:
            score = table[i + last + 2]
            for k in range(i, last + 1):
                scores[place[k]] = score
        i = last + 1
