"""The curve of a measure against the size of a design: straight, near its target, on scales of its own.

Widths go as powers of the size, so their logarithms are straight against its logarithm; probabilities are made so by
the normal quantile function. The line is fitted to the designs around the crossing, weighted by nearness and by their
Monte Carlo errors. It proposes where to look next; what is claimed rests on the replicates at a design alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from simstudy.planning.goal import Goal
from simstudy.planning.points import Point

WINDOW = np.log(2.0)
"""How near the crossing a design is, in logarithms of the size, that has its full say; farther ones have less."""
FARTHEST = np.log(6.0)
SMALLEST_VALUE = 1e-300


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Where the line meets the target.

    Args:
        log_size: logarithm of the size.
        mcse: its Monte Carlo standard error.
        slope: of the line, on the scale of the measure.
    """

    log_size: float
    mcse: float
    slope: float

    @property
    def size(self) -> float:
        """The size."""
        return float(np.exp(self.log_size))


def on_scale(goal: Goal, value: float, mcse: float, n: int) -> tuple[float, float]:
    """Return a value of the measure and its MCSE on the scale where the curve is straight."""
    if goal.is_probability:
        share = (value * n + 0.5) / (n + 1)  # finite at 0 and 1
        z = float(ndtri(share))
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        return z, float(np.sqrt(share * (1 - share) / n) / density)
    if goal.kind == "width":
        return float(np.log(max(value, SMALLEST_VALUE))), mcse / max(value, SMALLEST_VALUE)
    return value, mcse


def target_on_scale(goal: Goal) -> float:
    """Return the target on the same scale."""
    if goal.is_probability:
        return float(ndtri(goal.target))
    return float(np.log(goal.target)) if goal.kind == "width" else goal.target


def crossing(points: Mapping[int, Point], goal: Goal, *, near: float) -> Crossing | None:
    """Return where the curve meets the target.

    Args:
        points: size -> the measure there.
        goal: the goal.
        near: size near which it is looked for.

    Returns:
        The crossing of a weighted straight line, or None where the designs do not rise (or fall, for a measure that is
        to be small) toward the goal, or only far from where it was looked for.
    """
    known = {s: p for s, p in points.items() if np.isfinite(p.value) and np.isfinite(p.mcse)}
    if len(known) < 2:
        return None
    x = np.log(list(known)) - np.log(near)
    values = np.array([on_scale(goal, p.value, p.mcse, p.n) for p in known.values()])
    y, error = values[:, 0], np.maximum(values[:, 1], 1e-6 * (1 + np.abs(values[:, 0])))
    weight = np.exp(-((x / WINDOW) ** 2) / 2) / error**2
    design = np.stack([np.ones(len(x)), x], axis=1)
    inverse = np.linalg.pinv(design.T @ (design * weight[:, None]))
    level, slope = inverse @ design.T @ (weight * y)
    if not np.isfinite(slope) or slope == 0 or (slope < 0) != goal.wants_less:
        return None
    covariance = inverse @ (design.T @ (design * (weight * error)[:, None] ** 2)) @ inverse
    weight = weight * error**2
    misses = (y - design @ [level, slope]) / error
    lack = float(np.sum(weight * misses**2) / max(np.sum(weight) - 2, 1))
    at = (target_on_scale(goal) - level) / slope
    if abs(at) > FARTHEST:
        return None
    # Variance of a ratio: the line's error at the crossing, over its slope.
    row = np.array([1.0, at])
    mcse = np.sqrt(row @ covariance @ row * max(lack, 1.0)) / abs(slope)
    return Crossing(log_size=float(np.log(near) + at), mcse=float(mcse), slope=float(slope))
