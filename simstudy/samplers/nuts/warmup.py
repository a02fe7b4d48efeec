"""Warm-up of each lane at its own pace: dual averaging of the step size, windowed variances for the mass matrix.

The constants and their order of use are those of NumPyro, which follows Stan (reference manual, "HMC algorithm
parameters"; Hoffman & Gelman 2014, section 3.2).
"""

from dataclasses import replace
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from simstudy.samplers.nuts.fusion import once_per_lane
from simstudy.samplers.nuts.options import NUTSOptions
from simstudy.samplers.nuts.state import Adaptation, choose

STABILIZATION = 10  # t0 of Hoffman & Gelman 2014: damps the first updates
SHRINKAGE = 0.05  # their gamma: strength of the pull towards the center
CENTER_FACTOR = 10.0  # their mu = log(10 eps): tries long steps first

FAST_START, FIRST_WINDOW, FAST_END = 75, 25, 50  # transitions, Stan
FEWEST_WINDOWED = 20  # shorter warm-ups adapt the step size only
SHORT_START_SHARE, SHORT_END_SHARE = 0.15, 0.1  # of a warm-up with no room for the three above

PRIOR_WEIGHT = 5  # observations that the regularizing variance counts for
PRIOR_VARIANCE = 1e-3


class Windows(NamedTuple):
    """Transitions, counted from 0, over which variances are estimated.

    Args:
        start: first transition of the first window.
        ends: last transition of each window; the next begins right after. Empty if there is none.
    """

    start: int
    ends: tuple[int, ...]


def variance_windows(warmup: int) -> Windows:
    """Return the windows of a warm-up: each twice the last, the final one stretched to where the end phase begins.

    >>> variance_windows(500)
    Windows(start=75, ends=(99, 149, 249, 449))
    >>> variance_windows(10)
    Windows(start=0, ends=())
    """
    if warmup < FEWEST_WINDOWED:
        return Windows(0, ())
    start, size, stop = FAST_START, FIRST_WINDOW, warmup - FAST_END
    if warmup < FAST_START + FIRST_WINDOW + FAST_END:
        start, stop = int(SHORT_START_SHARE * warmup), warmup - int(SHORT_END_SHARE * warmup)
        size = stop - start
    ends, begin = [], start
    while begin < stop:
        stretched = 3 * size > stop - begin  # the next window, twice as long, would not fit
        begin = stop if stretched else begin + size
        ends.append(begin - 1)
        size *= 2
    return Windows(start, tuple(ends))


def initial_adaptation(inverse_mass, *, step_size: float = 1.0, with_gradients: bool = False) -> Adaptation:
    """Return the state before the first transition, for an inverse mass matrix (D, L): 1, or 0 where padded."""
    zero, none = jnp.zeros_like(inverse_mass), jnp.zeros_like(inverse_mass[0])
    count = none.astype(jnp.int32)
    return Adaptation(
        step_size=none + step_size,
        inverse_mass=inverse_mass,
        n_steps=count,
        error_mean=none,
        log_step_mean=none,
        log_step_center=none + np.log(CENTER_FACTOR * step_size),
        n_positions=count,
        position_mean=zero,
        position_ss=zero,
        gradient_mean=zero if with_gradients else None,
        gradient_ss=zero if with_gradients else None,
    )


def average_step_size(state: Adaptation, error) -> tuple[Adaptation, jnp.ndarray]:
    """Update the dual averaging with target minus observed acceptance (L,); return it and the next log step size.

    Hoffman & Gelman 2014, equation 6, with t0 = 10, gamma = 0.05, kappa = 0.75.
    """
    n_steps = state.n_steps + 1
    n = n_steps.astype(error.dtype)
    error_mean = state.error_mean + (error - state.error_mean) / (n + STABILIZATION)
    root = jnp.sqrt(n)
    log_step = state.log_step_center - root / SHRINKAGE * error_mean
    weight = 1 / (root * jnp.sqrt(root))  # n**-kappa
    log_step_mean = (1 - weight) * state.log_step_mean + weight * log_step
    return replace(state, n_steps=n_steps, error_mean=error_mean, log_step_mean=log_step_mean), log_step


def add_position(state: Adaptation, position, gradient=None) -> Adaptation:
    """Add a position (D, L), and the gradient there where it is used, to the running variances (Welford 1962)."""
    n_positions = state.n_positions + 1
    n = n_positions.astype(position.dtype)
    mean, ss = _added(position, state.position_mean, state.position_ss, n)
    state = replace(state, n_positions=n_positions, position_mean=mean, position_ss=ss)
    if gradient is None:
        return state
    mean, ss = _added(gradient, state.gradient_mean, state.gradient_ss, n)
    return replace(state, gradient_mean=mean, gradient_ss=ss)


def _added(x, mean, ss, n):
    """Return mean and sum of squared deviations with an n-th value."""
    deviation = x - mean
    new_mean = mean + deviation / n
    return new_mean, ss + deviation * (x - new_mean)


def estimate_inverse_mass(state: Adaptation):
    """Return the inverse mass matrix (D, L) of a window.

    Regularized variances n/(n+5) s^2 + 5/(n+5) 1e-3 (Stan); where gradients are used, the ratio of the standard
    deviations of positions and gradients (Seyboldt, Carlson & Carpenter 2026), or as before where either is 0. A padded
    dimension, with inverse mass 0, keeps it.
    """
    if state.gradient_ss is not None:
        ratio = jnp.sqrt(state.position_ss / state.gradient_ss)
        usable = jnp.isfinite(ratio) & (ratio > 0) & (state.inverse_mass > 0)
        return jnp.where(usable, ratio, state.inverse_mass)
    n = state.n_positions.astype(state.position_ss.dtype)
    variance = state.position_ss / jnp.maximum(n - 1, 1)
    estimate = (n * variance + PRIOR_WEIGHT * PRIOR_VARIANCE) / (n + PRIOR_WEIGHT)
    return jnp.where(state.inverse_mass > 0, estimate, 0)


def adapt_step_size(state: Adaptation, *, transition, ended, accept_prob, options: NUTSOptions) -> Adaptation:
    """Return the state after the transitions that ended in this macro-step, its step size adapted.

    Each transition of the warm-up updates the dual averaging, the last leaves its average as the step size.

    Args:
        state: before.
        transition: (L,) int32 number of the transition that ended, from 0.
        ended: (L,) bool, it did end; other lanes keep their state.
        accept_prob: (L,) its acceptance probability.
        options: warm-up and target acceptance.
    """
    if options.warmup == 0 or not options.adapt_step_size:
        return state
    averaged, log_step = average_step_size(state, options.target_accept - accept_prob)
    log_step = jnp.where(transition == options.warmup - 1, averaged.log_step_mean, log_step)
    limits = jnp.finfo(log_step.dtype)
    averaged = replace(averaged, step_size=jnp.clip(jnp.exp(log_step), limits.tiny, limits.max))
    return choose(ended & (transition < options.warmup), averaged, state)


def adapt_mass(state: Adaptation, *, transition, ended, position, options: NUTSOptions, gradient=None) -> Adaptation:
    """Return the state after the transitions that ended, its mass matrix adapted.

    Those in a window add to the variances; the last of a window turns them into the inverse mass matrix, and both
    estimates start afresh around ten times the step size.

    Args:
        state: before.
        transition: (L,) int32 number of the transition that ended, from 0; -1 before the first.
        ended: (L,) bool, it did end; other lanes keep their state.
        position: (D, L) its draw.
        options: warm-up, and how the mass matrix is made.
        gradient: (D, L) of the log density there, where it is used.
    """
    windows = variance_windows(options.warmup)
    if not windows.ends:
        return state
    adapting = ended & (transition < options.warmup)
    in_window = once_per_lane(adapting & (transition >= windows.start) & (transition <= windows.ends[-1]))
    state = choose(in_window, add_position(state, position, gradient), state)
    at_end = once_per_lane(adapting & _is_one_of(transition, windows.ends))
    return choose(at_end, _restart(state, is_fixed=options.mass_matrix == "identity"), state)


def _is_one_of(number, choices):
    """Return whether each number is one of a few."""
    return (number[..., None] == np.asarray(choices, np.int32)).any(-1)


def _restart(state: Adaptation, *, is_fixed: bool) -> Adaptation:
    """Return the state that opens a window: new mass matrix unless it is fixed, old step size, empty averages."""
    inverse_mass = state.inverse_mass if is_fixed else estimate_inverse_mass(state)
    fresh = initial_adaptation(inverse_mass, with_gradients=state.gradient_ss is not None)
    center = np.log(CENTER_FACTOR) + jnp.log(state.step_size)
    return replace(fresh, step_size=state.step_size, log_step_center=center)
