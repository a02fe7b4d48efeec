"""Many searches in one sorted array, compiled: a table says where each share of its range begins."""

import numpy as np

from simstudy.samplers.compiled.native import compiled


@compiled
def places_above(cumulative: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the first place whose value is above each target, as ``searchsorted`` does on the right.

    Args:
        cumulative: (place,) increasing, above 0 at last.
        targets: from 0 to the last value.
    """
    n = cumulative.size
    scale = n / cumulative[n - 1]
    first = np.empty(n + 1, np.int64)
    place = 0
    for share in range(n + 1):
        while place < n and cumulative[place] * scale < share:
            place += 1
        first[share] = place
    out = np.empty(targets.size, np.int64)
    for i in range(targets.size):
        place = first[min(n, int(targets[i] * scale))]
        # The table is right to rounding: a step back where it is a place too far.
        while place > 0 and cumulative[place - 1] > targets[i]:
            place -= 1
        while place < n and cumulative[place] <= targets[i]:
            place += 1
        out[i] = place
    return out
