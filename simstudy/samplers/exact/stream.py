"""The random numbers of exact draws: one counter-based stream per posterior."""

import numpy as np


def stream_of(key: np.ndarray, part: int) -> np.random.Generator:
    """Return the stream of one part of a fit.

    Args:
        key: (2,) uint32, the fit's.
        part: 0, or the group where groups have posteriors of their own.

    The top word of the counter keeps the numbers apart from those of predictions, which start at 0 with the same key.
    """
    return np.random.Generator(np.random.Philox(key=key.astype(np.uint64), counter=[0, 0, part, 1]))
