"""One transition of the No-U-Turn sampler in plain Python, with the checks that NumPyro's check-point rule names."""

from dataclasses import dataclass

import numpy as np
from numpyro.infer.hmc_util import _leaf_idx_to_ckpt_idxs


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a transition came to."""

    draw: np.ndarray
    num_steps: int
    accept_prob: float
    energy: float
    diverging: bool


@dataclass(frozen=True, kw_only=True)
class Randomness:
    """Momentum, first direction, and per step the log uniforms and signs of leaf, doubling and next direction."""

    momentum: np.ndarray
    first_sign: float
    log_u_leaf: np.ndarray
    log_u_doubling: np.ndarray
    next_sign: np.ndarray


def checks_at(leaf: int) -> list[int]:
    """Return the first leaves of the runs that NumPyro checks when it makes a leaf of a doubling."""
    first_leaf = {}
    for n in range(leaf + 1):
        low, high = (int(i) for i in _leaf_idx_to_ckpt_idxs(np.int32(n)))
        if n % 2 == 0:
            first_leaf[high] = n
    return [first_leaf[i] for i in range(high, low - 1, -1)] if leaf % 2 else []


def turns(momenta: list[np.ndarray]) -> bool:
    """Return whether a stretch turns back, unit mass: either end's momentum against the trapezoid displacement."""
    displacement = np.sum(momenta, 0) - (momenta[0] + momenta[-1]) / 2
    return bool(momenta[0] @ displacement <= 0 or momenta[-1] @ displacement <= 0)


def transition(log_density, gradient, start, randomness: Randomness, *, step, max_depth, max_delta=1000.0) -> Outcome:
    """Return the outcome of a transition from ``start`` with all its randomness given."""
    energy0 = 0.5 * randomness.momentum @ randomness.momentum - log_density(start)
    ends = {+1: (start, randomness.momentum), -1: (start, randomness.momentum)}
    tree, log_weight, draw, draw_energy = [randomness.momentum], 0.0, start, energy0
    sign, n, accept = randomness.first_sign, 0, 0.0
    for depth in range(max_depth):
        q, r = ends[int(sign)]
        momenta, log_w, candidate = [], -np.inf, None
        for leaf in range(2**depth):
            r = r + 0.5 * sign * step * gradient(q)
            q = q + sign * step * r
            r = r + 0.5 * sign * step * gradient(q)
            energy = 0.5 * r @ r - log_density(q)
            error = energy - energy0
            accept += min(1.0, np.exp(-error))
            log_total = np.logaddexp(log_w, -error)
            if randomness.log_u_leaf[n] < -error - log_total or leaf == 0:
                candidate = q, energy
            log_w, n = log_total, n + 1
            momenta.append(r)
            stop = error > max_delta or any(turns(momenta[first:]) for first in checks_at(leaf))
            if stop:
                return Outcome(
                    draw=draw, num_steps=n, accept_prob=accept / n, energy=draw_energy, diverging=error > max_delta
                )
        if randomness.log_u_doubling[n - 1] < log_w - log_weight:
            draw, draw_energy = candidate
        log_weight = np.logaddexp(log_weight, log_w)
        ends[int(sign)] = q, r
        tree = tree + momenta if sign > 0 else momenta[::-1] + tree
        if turns(tree):
            break
        sign = randomness.next_sign[n - 1]
    return Outcome(draw=draw, num_steps=n, accept_prob=accept / n, energy=draw_energy, diverging=False)
