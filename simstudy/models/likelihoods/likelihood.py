"""What a likelihood is: it draws observations of groups, and says how probable given ones are.

A log likelihood comes in two forms that differ by a constant at most. On *sufficient statistics* its cost depends on
the number of groups; on *raw* observations on the number of observations. In both, groups (and observations) lie on
axis 0 and any axes behind it are lanes, so that one text serves a single fit, a batch of lanes and an array of draws.
A group with ``n = 0`` has no part in any sum: padding needs no mask here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Literal

import numpy as np

from simstudy.late import jax, jnp
from simstudy.models.estimands import Estimand, Parameter
from simstudy.models.noise import Noise
from simstudy.models.priors import Prior
from simstudy.models.shapes import Array, Effects, OfLane, Scales, Statistic
from simstudy.models.unit import Unit
from simstudy.types import GroupedData

Statistics = Mapping[str, Statistic]
Priors = Mapping[str, Prior]
ExactForm = Literal["normal", "normal_by_group", "binomial", "poisson", "negative_binomial"]


@dataclass(frozen=True, kw_only=True)
class SimulatedScale:
    """Scale parameters at known values, for simulation.

    Args:
        truth: parameter -> its true value, () or (group,).
        of_groups: parameter that ``draw`` reads -> (group,) value of each group.
        of_new: the same for a new group, ().
    """

    truth: Mapping[str, jax.Array]
    of_groups: Mapping[str, jax.Array]
    of_new: Mapping[str, jax.Array]


class Likelihood(ABC):
    """The distribution of observations given their group's effect theta and the scale sigma.

    Subclasses are frozen dataclasses: a likelihood is a choice, hashable, and holds no data. Their fields are options.
    What a likelihood says of itself in class attributes serves study files, measures and reports.
    """

    kind: ClassVar[str]
    scale: ClassVar[str]
    """Scale of theta: ``natural`` (that of the observations) or ``link``."""
    formula: ClassVar[str]
    """How observations arise, for a report: in words, then as a formula."""
    mean: ClassVar[Estimand | None] = None
    """The mean of an observation, by group, where that is not the effect itself: what ``inverse_link`` returns."""
    every_parameter: ClassVar[tuple[Parameter, ...]] = ()
    """Its scale parameters under any of its options."""
    fits_data_of: ClassVar[tuple[str, ...]] = ()
    """Kinds of other likelihoods to whose data it can be fitted."""
    needs_standard_errors: ClassVar[bool] = False
    """Whether data are one estimate per group with a known standard error."""
    has_normal_means: ClassVar[bool] = False
    """Whether a group's mean is normal around its effect with a known variance, given the scale parameters."""
    unit_words: ClassVar[str] = ""
    """What ``unit_of`` makes m and s of, for a report."""
    has_exposure: ClassVar[bool] = False
    """Whether observations are counts of an exposure, whose log is added to the effect."""
    has_lines: bool = False
    """Whether it depends on observations along a line through their squares alone: ``log_likelihood_around`` exists."""
    has_unit: ClassVar[bool] = False
    """Whether observations may be shifted, and scaled, if effects (and scale parameters) are so too."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What it is, for a report, its options among it."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its scale parameters, each of which needs a prior."""
        return self.every_parameter

    def impropriety(self, data: GroupedData, priors: Priors, *, effects_differ: bool) -> str:
        """Return why the posterior of its scale parameters is no distribution on some data, or an empty text.

        Args:
            data: one data set.
            priors: prior by parameter.
            effects_differ: whether groups can have different effects.
        """
        return ""

    def group_estimates(self, data: GroupedData) -> tuple[np.ndarray, np.ndarray] | None:
        """Return what each group by itself says of its effect: an estimate and its variance, (group,) each.

        None where the likelihood does not say; then given data have no unit, and priors are not held against them.
        """
        return None

    def unit_of(self, data: GroupedData) -> Unit | None:
        """Return center m and spread s of given data on the scale of the effects, of which default priors are made.

        None where the likelihood does not say: its parameters have the defaults that simulated data have.
        """
        return None

    def residual_sd(self, of_groups: Mapping[str, Array]) -> Array | None:
        """Return the sd of the observations of each group, given ``SimulatedScale.of_groups``; None where it has none.

        Its prior is held against the spread within the groups of given data.
        """
        return None

    @property
    def described(self) -> tuple[Estimand, ...]:
        """The estimands that ``restore`` and ``inverse_link`` return."""
        return self.parameters if self.mean is None else (*self.parameters, self.mean)

    @property
    def exact_form(self) -> ExactForm | None:
        """Which form of the exact sampler integrates it, or None."""
        return None

    @property
    def site_axes(self) -> Mapping[str, tuple[str, ...]]:
        """Latent site -> names of its axes; a parameter that is fixed has no site."""
        return {parameter.name: () for parameter in self.parameters}

    @property
    @abstractmethod
    def statistic_axes(self) -> Mapping[str, tuple[str, ...]]:
        """Statistic -> names of its axes."""

    def scale_parameters(self, priors: Priors, shape: tuple[int, ...]) -> dict[str, Scales]:
        """Sample the scale parameters inside a NumPyro program.

        Args:
            priors: prior by parameter.
            shape: (group, *lane), the shape of theta.

        Returns:
            The named parameters: (*lane) where all groups share one, (group, *lane) where each has its own.
        """
        return {p.name: priors[p.name].site(p.name, shape[1:]) for p in self.parameters}

    def restore(
        self, posterior: Mapping[str, np.ndarray], priors: Priors, shape: tuple[int, ...]
    ) -> dict[str, np.ndarray]:
        """Return the scale parameters from draws of the latent sites.

        Args:
            posterior: site -> (fit, chain, draw, *site), constrained.
            priors: prior by parameter; a constant stands in for its missing site.
            shape: (fit, chain, draw, group) of theta.

        Returns:
            The parameters that ``scale_parameters`` names: (fit, chain, draw), or with groups behind.
        """
        return {p.name: priors[p.name].draws(posterior.get(p.name), shape[:-1]) for p in self.parameters}

    @abstractmethod
    def statistics(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return the float64 arrays that ``log_likelihood`` needs, (group,) or scalar."""

    @abstractmethod
    def log_likelihood(
        self, theta: Effects, scale: Mapping[str, Scales], stats: Statistics, *, xp: ModuleType = jnp
    ) -> OfLane:
        """Return the log likelihood on sufficient statistics, summed over groups.

        Args:
            theta: (group, *lane) effects.
            scale: what ``scale_parameters`` returned.
            stats: what ``statistics`` returned, with lanes behind.
            xp: ``jax.numpy`` or ``numpy``.
        """

    def log_likelihood_around(self, squares: OfLane, scale: Mapping[str, Scales], stats: Statistics) -> OfLane:
        """Return the log likelihood given the sum of squares of the predictor around its least-squares fit.

        Args:
            squares: (*lane).
            scale: what ``scale_parameters`` returned.
            stats: the scalars of ``statistics``, of data whose within sum of squares is that around the fit.
        """
        raise NotImplementedError(f"{self.kind} has no such form")

    @abstractmethod
    def raw_log_likelihood(self, theta: Effects, scale: Mapping[str, Scales], raw: Statistics) -> OfLane:
        """Return the log likelihood on raw observations ``y`` and their ``group_of`` index, summed over both."""

    @abstractmethod
    def draw(self, key: jax.Array, theta: Array, scale: Mapping[str, Array], known_se: Any) -> jax.Array:
        """Draw one observation for each element of theta, with a JAX key."""

    @abstractmethod
    def new_observation(self, theta_new: np.ndarray, scale: Mapping[str, np.ndarray], noise: Noise) -> np.ndarray:
        """Draw an observation of a new group for each draw of its effect, (fit, chain, draw)."""

    @abstractmethod
    def shrinkage_weight(self, tau: OfLane, mu: OfLane, scale: Mapping[str, Scales], stats: Statistics) -> Effects:
        """Return B_j, the weight of the common mean in the group's effect, (group, *lane), in [0, 1]."""

    def n_values(self, parameter: str, n_groups: int) -> int:
        """Return how many values of a parameter a mechanism draws: one, or one for each group."""
        return 1

    def simulate_scale(self, key: jax.Array, values: Mapping[str, jax.Array], n_groups: int) -> SimulatedScale:
        """Return the scale parameters of a replicate, given the values of ``parameters``, (``n_values``,) each."""
        shared = {p.name: values[p.name][0] for p in self.parameters}
        of_groups = {name: jnp.full(n_groups, value) for name, value in shared.items()}
        return SimulatedScale(truth=shared, of_groups=of_groups, of_new=shared)

    def known_shape(self, sizes: Sequence[int] | np.ndarray) -> tuple[int, ...]:
        """Return what the lengths of its statistics depend on beside the number of groups, given their observations."""
        return ()

    def latent_variance(self, scale: Mapping[str, Scales]) -> Scales | None:
        """Return the variance of an observation around its mean on the scale of the effects, for intraclass shares.

        None where the likelihood has none on that scale.

        Args:
            scale: what ``scale_parameters`` returned, or draws of it.
        """
        return None

    def group_columns(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return what the table of groups holds of data, beside their number of observations and mean."""
        return {}

    def inverse_link(self, theta: Array) -> Array | None:
        """Return the mean of an observation given theta, or None where that is theta itself."""
        return None

    def raw(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return the arrays that ``raw_log_likelihood`` needs."""
        if data.y is None:
            raise ValueError("raw observations asked for, but the data hold summaries of the groups only")
        return {"y": data.y, "group_of": data.group_of}


def by_group(scale: Scales, theta: Effects) -> Scales:
    """Give a scale shared by all groups, (*lane), the group axis of theta (group, *lane); leave others alone."""
    return scale if scale.ndim == theta.ndim else scale[None]


def normal_log_density(y: Array, mean: Array, sd: Array) -> Array:
    """Return log Normal(y | mean, sd), elementwise, in JAX."""
    return jax.scipy.stats.norm.logpdf(y, mean, sd)


def variance_within(data: GroupedData) -> float:
    """Return the pooled variance within groups, 0 where none has two observations."""
    n_within = int(data.n_obs.sum()) - data.n_groups
    return float(data.y_ss.sum()) / n_within if n_within else 0.0
