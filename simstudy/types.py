"""Arrays in flight: what a mechanism makes, what a sampler returns. Plain NumPy on the host, no jax.

The first axis of every array is the fit: one fit is a block of one. Results at rest are tables (``schema.py``).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

Status = Literal["ok", "non_finite", "failed"]
PyTree = Any


@dataclass(frozen=True, kw_only=True)
class GroupedData:
    """Observations of one replicate in groups, reduced to what any likelihood of the package needs.

    Args:
        n_obs: (group,) int64, number of observations (trials of a binomial), at least 1.
        y_mean: (group,) float64, mean of the observations (share of successes of a binomial).
        y_ss: (group,) float64, sum of squared deviations from the group's mean; 0 for a single observation.
        known_se: (group,) float64 standard errors of ``y_mean`` taken as known, or None.
        y: (observation,) float64 raw observations in the order of their groups, or None where only the summary exists.
        exposure: (group,) float64, what the counts of a group are a rate of, over all of its observations; None for 1
            an observation, and where observations are no counts.
    """

    n_obs: np.ndarray
    y_mean: np.ndarray
    y_ss: np.ndarray
    known_se: np.ndarray | None = None
    y: np.ndarray | None = None
    exposure: np.ndarray | None = None

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.n_obs)

    @property
    def group_of(self) -> np.ndarray:
        """(observation,) index of each raw observation's group, from 0."""
        return np.repeat(np.arange(self.n_groups), self.n_obs)


@dataclass(frozen=True, kw_only=True)
class SamplerStats:
    """What a Markov chain sampler says about its own work; ``None`` is what it cannot say, and is stored as null.

    A random walk has an acceptance and a step size, but no trajectory that could diverge or be cut.

    Args:
        diverging: (fit, chain, draw) bool, the trajectory's energy error exceeded the threshold.
        accept_prob: (fit, chain, draw) mean Metropolis acceptance over the trajectory, in [0, 1].
        num_steps: (fit, chain, draw) int, leapfrog steps of the trajectory.
        energy: (fit, chain, draw) Hamiltonian at the draw.
        step_size: (fit, chain) adapted step size.
        n_leapfrog_warmup: (fit, chain) int, leapfrog steps of the warm-up.
        max_treedepth: maximum tree depth of the trajectories; 0 for samplers without trees.
        of: number of fits and of chains, for a sampler that says nothing else; ``Draws`` fills it in.
    """

    diverging: np.ndarray | None = None
    accept_prob: np.ndarray | None = None
    num_steps: np.ndarray | None = None
    energy: np.ndarray | None = None
    step_size: np.ndarray | None = None
    n_leapfrog_warmup: np.ndarray | None = None
    max_treedepth: int = 10
    of: tuple[int, int] = (0, 0)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of fits and of chains."""
        told = (self.step_size, self.accept_prob, self.diverging, self.num_steps, self.energy, self.n_leapfrog_warmup)
        return next(((len(value), value.shape[1]) for value in told if value is not None), self.of)

    @property
    def hit_max_treedepth(self) -> np.ndarray | None:
        """(fit, chain, draw) bool, the trajectory was cut at the maximum tree depth; None without trees."""
        if self.num_steps is None or not self.max_treedepth:
            return None
        return self.num_steps >= 2**self.max_treedepth - 1

    @property
    def n_leapfrog(self) -> int:
        """Leapfrog steps of all fits, those of the warm-up included; 0 for a sampler without trajectories."""
        return sum(int(steps.sum()) for steps in (self.num_steps, self.n_leapfrog_warmup) if steps is not None)


class KnownPosterior(Protocol):
    """What is known of the posteriors of a block without Monte Carlo error: all of it for every estimand named."""

    @property
    def mean(self) -> Mapping[str, np.ndarray]:
        """Estimand -> (fit, *group) posterior mean, NaN where it does not exist."""

    @property
    def sd(self) -> Mapping[str, np.ndarray]:
        """Estimand -> (fit, *group) posterior standard deviation, NaN where it does not exist."""

    def quantiles(self, probabilities: Sequence[float]) -> dict[str, np.ndarray]:
        """Return the quantiles of probabilities in (0, 1), estimand -> (fit, *group, probability)."""

    def hdi(self, level: float) -> dict[str, np.ndarray]:
        """Return the ends of the shortest interval with a probability, estimand -> (fit, *group, 2)."""

    def cdf(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the posterior probability of less than given values, estimand -> (fit, *group)."""

    def crps(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the continuous ranked probability score at given values, NaN without a mean; shapes as of ``cdf``."""


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Posterior draws of a block of fits.

    Args:
        sites: name of a latent site -> (fit, chain, draw, *shape) on the constrained scale.
        stats: the sampler's statistics, or None for a sampler that makes exact, independent draws.
        reasons: fit index -> why its draws cannot be used; every other fit is usable as far as the sampler knows.
        known: what the sampler knows beside its draws; it takes the place of what they would say.
        n_boundary: (fit,) number of parameters that an estimate puts at the edge of where they can lie, masked where
            there is no estimate; None for samplers of posteriors, which have no such edge.
    """

    sites: Mapping[str, np.ndarray]
    stats: SamplerStats | None = None
    reasons: Mapping[int, str] = field(default_factory=dict)
    known: KnownPosterior | None = None
    n_boundary: np.ma.MaskedArray | None = None

    def __post_init__(self) -> None:
        if self.stats is not None and (sites := list(self.sites.values())):
            n_fits, n_chains = sites[0].shape[:2]
            object.__setattr__(self, "stats", replace(self.stats, of=(n_fits, n_chains)))


@dataclass(frozen=True, kw_only=True)
class BlockTiming:
    """Wall-clock of one block, compilation and sampling apart, in seconds."""

    compile_seconds: float
    run_seconds: float
    warm: bool


class RunTables(Protocol):
    """A run as the table side sees it: the study and its tables, with the columns of ``schema.py``."""

    @property
    def study(self) -> Mapping[str, Any]:
        """Canonical study (``study.json``), every default spelled out."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, machine, commit, seed and sessions."""

    @property
    def scenarios(self) -> pd.DataFrame:
        """One row per scenario: ``scenario`` (id), ``label``, one column per factor."""

    @property
    def methods(self) -> pd.DataFrame:
        """One row per method: ``method``, ``identity``, then every option, priors as text."""

    @property
    def estimands(self) -> pd.DataFrame:
        """One row per method and estimand that it declares, as ``schema.ESTIMANDS``; none in a run made before."""

    @property
    def description(self) -> Mapping[str, Any]:
        """What the mechanism and the methods are, in words (``description.json``); empty in a run made before."""

    @property
    def groups(self) -> pd.DataFrame:
        """One row per scenario, replicate and group."""

    @property
    def fits(self) -> pd.DataFrame:
        """One row per scenario, replicate and method."""

    @property
    def chains(self) -> pd.DataFrame:
        """One row per fit and chain."""

    @property
    def estimates(self) -> pd.DataFrame:
        """One row per fit, estimand and group."""

    @property
    def timings(self) -> pd.DataFrame:
        """One row per batch."""

    def parts(
        self, table: str, columns: Sequence[str] | None = None, *, where: Mapping[str, Collection[Any]] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield a table in pieces, at least one, in any order; together they are the table.

        A fit's rows are never divided.

        Args:
            table: name of a table with a row per fit or more.
            columns: columns to read; all by default.
            where: label column, or ``replicate`` -> the values whose rows are wanted.
        """


@dataclass(frozen=True, kw_only=True)
class Replicate:
    """One simulated data set and what it was simulated from.

    Args:
        data: ``GroupedData``, or any pytree for a user's mechanism and model.
        truth: estimand -> true value, a scalar or (group,) array; an estimand without a truth is left out.
    """

    data: Any
    truth: Mapping[str, np.ndarray]
