"""Confidence intervals of proportions."""

import numpy as np
from scipy.special import ndtri

CONFIDENCE = 0.95


def wilson(share: np.ndarray, n: np.ndarray, *, confidence: float = CONFIDENCE) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the Wilson score interval.

    Args:
        share: observed share, in [0, 1].
        n: number of independent trials behind it, positive; need not be whole (an effective number).
        confidence: confidence of the interval, in (0, 1).

    Source: Wilson 1927, JASA 22:209.

    >>> lower, upper = wilson(np.array([1.0]), np.array([50.0]))
    >>> float(lower[0]).__round__(4), float(upper[0])
    (0.9287, 1.0)
    """
    z2 = ndtri((1 + confidence) / 2) ** 2
    center = share + z2 / (2 * n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2)))
    scale = 1 + z2 / n
    lower = np.where(share == 0, 0.0, (center - half) / scale)
    upper = np.where(share == 1, 1.0, (center + half) / scale)
    return lower, upper
