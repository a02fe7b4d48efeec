"""Fits before and after: what a program is given and what it hands back, plain NumPy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Job:
    """A fit to be made.

    Args:
        data: pytree of arrays without a lane axis; same structure, shapes and types in all jobs of a program.
        key: (2,) uint32 key of the fit's random stream.
        dim_mask: (n_dims,) bool, False for padded dimensions, or None for none. The log density and its gradient
            must be finite where padded dimensions are 0.
        start: (chain, n_dims) unconstrained starting points, or None for random ones.
    """

    data: Any
    key: np.ndarray
    dim_mask: np.ndarray | None = None
    start: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class FinishedFit:
    """The draws of a fit, on the unconstrained scale, and what the sampler says about each.

    Args:
        index: place of its job in the order in which jobs were given, from 0.
        draws: (chain, draw, n_dims).
        diverging: (chain, draw) bool.
        accept_prob: (chain, draw) mean Metropolis acceptance over the trajectory, in [0, 1].
        num_steps: (chain, draw) int32 leapfrog steps.
        energy: (chain, draw) Hamiltonian at the draw.
        step_size: (chain,) adapted step size.
        n_leapfrog_warmup: (chain,) int32 leapfrog steps of the warm-up.
        reason: why the draws cannot be used, or None.
    """

    index: int
    draws: np.ndarray
    diverging: np.ndarray
    accept_prob: np.ndarray
    num_steps: np.ndarray
    energy: np.ndarray
    step_size: np.ndarray
    n_leapfrog_warmup: np.ndarray
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a set of fits has cost.

    Args:
        compile_seconds: wall-clock spent compiling.
        advance_seconds: wall-clock in compiled code.
        host_seconds: wall-clock handing out lanes and collecting draws.
        n_leapfrog: leapfrog steps of all chains, warm-up included.
        n_slots: leapfrog steps that the lanes had room for.
    """

    compile_seconds: float = 0.0
    advance_seconds: float = 0.0
    host_seconds: float = 0.0
    n_leapfrog: int = 0
    n_slots: int = 0


@dataclass(frozen=True, kw_only=True)
class Fits:
    """The fits of one call, stacked: as in ``FinishedFit``, with the fit as the first axis.

    Args:
        draws: (fit, chain, draw, n_dims).
        diverging: (fit, chain, draw) bool.
        accept_prob: (fit, chain, draw).
        num_steps: (fit, chain, draw) int32.
        energy: (fit, chain, draw).
        step_size: (fit, chain).
        n_leapfrog_warmup: (fit, chain) int32.
        reasons: fit -> why its draws cannot be used; all others can.
        work: what they have cost.
    """

    draws: np.ndarray
    diverging: np.ndarray
    accept_prob: np.ndarray
    num_steps: np.ndarray
    energy: np.ndarray
    step_size: np.ndarray
    n_leapfrog_warmup: np.ndarray
    reasons: Mapping[int, str]
    work: Work
