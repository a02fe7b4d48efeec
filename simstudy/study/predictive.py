"""What priors expect of a statistic: draws of them, and how unlikely an observed value is among its draws."""

from __future__ import annotations

import numpy as np

from simstudy.late import jax
from simstudy.models.priors import Prior
from simstudy.samplers.precision import use_precision

LEVEL = 0.001
EXPECTED = (0.025, 0.975)
SEED = 20060901


def reaches_zero(prior: Prior) -> bool:
    """Whether a prior of positive numbers has density at 0; a constant has none."""
    return prior.order_at_zero <= 0


def prior_draws(prior: Prior, shape: tuple[int, ...], number: int) -> np.ndarray:
    """Return draws of a prior, or its constant."""
    if prior.is_constant:
        return np.full(shape, prior.value)
    with use_precision("float64"):
        return np.asarray(prior.distribution().sample(jax.random.key(SEED + number), shape))


def against(what: str, observed: float, predicted: np.ndarray, *, above_only: bool = False) -> str:
    """Return a statistic, where it was expected and its p-value, where this is small; else an empty text."""
    above = (1 + np.count_nonzero(predicted >= observed)) / (1 + len(predicted))
    below = (1 + np.count_nonzero(predicted <= observed)) / (1 + len(predicted))
    if (above if above_only else 2 * min(above, below)) >= LEVEL:
        return ""
    low, high = (in_digits(end, 3) for end in np.quantile(predicted, EXPECTED))
    return f"{what} {in_digits(observed, 4)}, where {low} to {high} was expected (95 %; p < {LEVEL:g})"


def in_digits(number: float, digits: int) -> str:
    """Return a number with some significant digits."""
    return f"{number:.{digits}g}".replace("-", "\u2212")
