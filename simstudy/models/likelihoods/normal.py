"""Normal observations: y_i ~ Normal(theta_j, sigma_j), with sigma shared, one per group, or hierarchical.

Sufficient statistics of a group: its size n_j, mean ybar_j and within sum of squares ss_j. With N the sum of n_j,

    log L = -N/2 log(2 pi) - sum_j n_j log sigma_j - sum_j [ss_j + n_j (ybar_j - theta_j)^2] / (2 sigma_j^2).

The within part is the difference of two large numbers when n is large. Written around the scale s that the within sum
of squares gives, with d = log(sigma / s) and a = ss / s^2, it is -(n d + a expm1(-2 d) / 2) up to the constant kept
in ``constant``: exact to float32 rounding of d even at a million observations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Literal

import numpy as np

from simstudy.late import dist, handlers, jax, jnp, numpyro, reparam
from simstudy.models import flat_data
from simstudy.models.estimands import OMEGA, SIGMA, SIGMA_MEDIAN, Estimand, Parameter
from simstudy.models.likelihoods.likelihood import (
    ExactForm,
    Likelihood,
    Priors,
    SimulatedScale,
    Statistics,
    by_group,
    normal_log_density,
    variance_within,
)
from simstudy.models.model import GROUP
from simstudy.models.noise import Noise
from simstudy.models.shapes import Array, Effects, OfLane, Scales
from simstudy.models.unit import Unit, unit_of_estimates
from simstudy.types import GroupedData

LOG_2PI = float(np.log(2 * np.pi))
SigmaBy = Literal["shared", "group", "hierarchical"]
WORDS = {
    "shared": "",
    "group": "a residual sd for each group, independent",
    "hierarchical": "residual sds of the groups share a distribution",
}


@dataclass(frozen=True, kw_only=True)
class Normal(Likelihood):
    """Normal observations with unknown standard deviation.

    Args:
        sigma_by: ``shared``: one sigma; ``group``: independent sigma_j with the same prior; ``hierarchical``:
            log sigma_j ~ Normal(log sigma_median, omega), non-centered.
    """

    kind: ClassVar[str] = "normal"
    scale: ClassVar[str] = "natural"
    formula: ClassVar[str] = "normal observations, y_ij ~ Normal(θ_j, σ)"
    fits_data_of: ClassVar[tuple[str, ...]] = ("normal_known_se", "student_t")
    every_parameter: ClassVar[tuple[Parameter, ...]] = (SIGMA, OMEGA)
    has_normal_means: ClassVar[bool] = True
    has_unit: ClassVar[bool] = True
    unit_words: ClassVar[str] = (
        "m is the mean of the groups’ means, s² their variance plus the pooled variance within groups"
    )
    sigma_by: SigmaBy = "shared"

    @property
    def words(self) -> str:
        """Normal observations, and whose sigma is whose."""
        return ", ".join(filter(None, ["normal observations", WORDS[self.sigma_by]]))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """``sigma``, and ``omega`` (sd of the log standard deviations) when they share a distribution."""
        return self.every_parameter if self.sigma_by == "hierarchical" else (SIGMA,)

    @property
    def described(self) -> tuple[Estimand, ...]:
        """Sigma, and the distribution that the groups' share."""
        return (SIGMA, OMEGA, SIGMA_MEDIAN) if self.sigma_by == "hierarchical" else (SIGMA,)

    @property
    def exact_form(self) -> ExactForm | None:
        """Effects are integrated in closed form; sigmas that share a distribution would be too many axes."""
        forms: dict[str, ExactForm] = {"shared": "normal", "group": "normal_by_group"}
        return forms.get(self.sigma_by)

    def impropriety(self, data: GroupedData, priors: Priors, *, effects_differ: bool) -> str:
        """Where observations do not vary, their density goes to infinity with sigma to 0 (``models.flat_data``)."""
        if self.sigma_by == "hierarchical":
            return flat_data.of_omega(data, priors, effects_differ=effects_differ)
        return flat_data.of_sigma(data, priors, effects_differ=effects_differ, by_group=self.sigma_by == "group")

    def group_estimates(self, data: GroupedData) -> tuple[np.ndarray, np.ndarray]:
        """Return the groups' means, and the pooled variance within groups over their sizes."""
        return data.y_mean, variance_within(data) / data.n_obs

    def unit_of(self, data: GroupedData) -> Unit:
        """Return m, the mean of the groups' means, and s.

        s^2 is the variance of the groups' means (divisor J - 1; 0 for one group) plus the pooled variance within groups
        (divisor N - J; 0 where every group has one observation).
        """
        return unit_of_estimates(data.y_mean, variance_within(data))

    def residual_sd(self, of_groups: Mapping[str, Array]) -> Array:
        """Return sigma."""
        return of_groups["sigma"]

    def latent_variance(self, scale: Mapping[str, Scales]) -> Scales:
        """Return sigma^2."""
        return scale["sigma"] ** 2

    @property
    def site_axes(self) -> Mapping[str, tuple[str, ...]]:
        """Sigma is shared or has the groups' axis."""
        if self.sigma_by == "hierarchical":
            return {"sigma_median": (), "omega": (), "log_sigma_decentered": (GROUP,)}
        return {"sigma": () if self.sigma_by == "shared" else (GROUP,)}

    @property
    def statistic_axes(self) -> Mapping[str, tuple[str, ...]]:
        """Size and mean of each group; the within part is pooled where sigma is shared."""
        within = () if self.sigma_by == "shared" else (GROUP,)
        return {"n": (GROUP,), "y_mean": (GROUP,), "n_within": within, "a": within, "log_s": within, "constant": ()}

    def scale_parameters(self, priors: Priors, shape: tuple[int, ...]) -> dict[str, Scales]:
        """Sample sigma: (*lane) when shared, (group, *lane) otherwise."""
        if self.sigma_by == "shared":
            return {"sigma": priors["sigma"].site("sigma", shape[1:])}
        if self.sigma_by == "group":
            return {"sigma": priors["sigma"].site("sigma", shape)}
        sigma_median = priors["sigma"].site("sigma_median", shape[1:])
        omega = priors["omega"].site("omega", shape[1:])
        with handlers.reparam(config={"log_sigma": reparam.LocScaleReparam(0)}):
            log_sigma = numpyro.sample("log_sigma", dist.Normal(jnp.log(sigma_median), omega).expand(shape))
        return {"sigma": jnp.exp(log_sigma), "sigma_median": sigma_median, "omega": omega}

    def restore(
        self, posterior: Mapping[str, np.ndarray], priors: Priors, shape: tuple[int, ...]
    ) -> dict[str, np.ndarray]:
        """Return sigma, one or by group; under ``hierarchical`` also its median and omega."""
        if self.sigma_by != "hierarchical":
            shape = shape[:-1] if self.sigma_by == "shared" else shape
            return {"sigma": priors["sigma"].draws(posterior.get("sigma"), shape)}
        sigma_median = priors["sigma"].draws(posterior.get("sigma_median"), shape[:-1])
        omega = priors["omega"].draws(posterior.get("omega"), shape[:-1])
        sigma = sigma_median[..., None] * np.exp(omega[..., None] * posterior["log_sigma_decentered"])
        return {"sigma": sigma, "sigma_median": sigma_median, "omega": omega}

    def statistics(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return n and ybar by group, and the within part: by group, or pooled where sigma is shared."""
        n = data.n_obs.astype(np.float64)
        n_within, ss = (n.sum(), data.y_ss.sum()) if self.sigma_by == "shared" else (n, data.y_ss)
        has_scale = ss > 0
        s2 = np.where(has_scale, ss / np.maximum(n_within, 1), 1.0)
        log_s = 0.5 * np.log(s2)
        constant = -0.5 * np.sum(n) * LOG_2PI - np.sum(n_within * log_s + 0.5 * ss / s2)
        return {"n": n, "y_mean": data.y_mean, "n_within": n_within, "a": ss / s2, "log_s": log_s, "constant": constant}

    def log_likelihood(
        self, theta: Effects, scale: Mapping[str, Scales], stats: Statistics, *, xp: ModuleType = jnp
    ) -> OfLane:
        """Return the log likelihood of the module's formula."""
        sigma = scale["sigma"]
        d = xp.log(sigma) - stats["log_s"]
        within = stats["n_within"] * d + 0.5 * stats["a"] * xp.expm1(-2 * d)
        if self.sigma_by != "shared":
            within = within.sum(0)
        standardized = (stats["y_mean"] - theta) / by_group(sigma, theta)
        return stats["constant"] - within - 0.5 * (stats["n"] * standardized**2).sum(0)

    @property
    def has_lines(self) -> bool:  # type: ignore[override]
        """Under a shared sigma."""
        return self.sigma_by == "shared"

    def log_likelihood_around(self, squares: OfLane, scale: Mapping[str, Scales], stats: Statistics) -> OfLane:
        """Return the log likelihood, with the squares around the fit in the place of those of the groups' means."""
        d = jnp.log(scale["sigma"]) - stats["log_s"]
        within = stats["n_within"] * d + 0.5 * stats["a"] * jnp.expm1(-2 * d)
        return stats["constant"] - within - 0.5 * squares / scale["sigma"] ** 2

    def raw_log_likelihood(self, theta: Effects, scale: Mapping[str, Scales], raw: Statistics) -> OfLane:
        """Return the sum of the normal log densities of single observations."""
        sigma = jnp.broadcast_to(by_group(scale["sigma"], theta), theta.shape)
        group_of = raw["group_of"]
        return normal_log_density(raw["y"], _of_group(theta, group_of), _of_group(sigma, group_of)).sum(0)

    def n_values(self, parameter: str, n_groups: int) -> int:
        """Return the number of groups for a sigma of each group's own."""
        return n_groups if self.sigma_by == "group" and parameter == "sigma" else 1

    def simulate_scale(self, key: jax.Array, values: Mapping[str, jax.Array], n_groups: int) -> SimulatedScale:
        """Return sigma; a new group's is one of the groups' at random, or from their distribution."""
        sigma = values["sigma"]
        if self.sigma_by == "hierarchical":
            omega = values["omega"][0]
            each = sigma[0] * jnp.exp(omega * jax.random.normal(key, (n_groups + 1,)))
            truth = {"sigma": each[:-1], "sigma_median": sigma[0], "omega": omega}
            return SimulatedScale(truth=truth, of_groups={"sigma": each[:-1]}, of_new={"sigma": each[-1]})
        if self.sigma_by == "group":
            chosen = jax.random.randint(key, (), 0, n_groups)
            return SimulatedScale(truth={"sigma": sigma}, of_groups={"sigma": sigma}, of_new={"sigma": sigma[chosen]})
        return super().simulate_scale(key, values, n_groups)

    def draw(self, key: jax.Array, theta: Array, scale: Mapping[str, Array], known_se: Any) -> jax.Array:
        """Draw y ~ Normal(theta, sigma)."""
        return jnp.asarray(theta) + scale["sigma"] * jax.random.normal(key, theta.shape, theta.dtype)

    def new_observation(self, theta_new: np.ndarray, scale: Mapping[str, np.ndarray], noise: Noise) -> np.ndarray:
        """Draw y ~ Normal(theta_new, sigma).

        Under ``group`` the new group's sigma is one of the observed groups' at random, under ``hierarchical`` it is
        drawn from their distribution.
        """
        sigma = scale["sigma"]
        if self.sigma_by == "hierarchical":
            sigma = scale["sigma_median"] * np.exp(scale["omega"] * noise.normal())
        elif self.sigma_by == "group":
            chosen = (noise.uniform() * len(sigma)).astype(np.int64)
            sigma = np.take_along_axis(sigma, chosen[None], 0)[0]
        return theta_new + sigma * noise.normal()

    def shrinkage_weight(self, tau: OfLane, mu: OfLane, scale: Mapping[str, Scales], stats: Statistics) -> Effects:
        """Return B_j = sigma_j^2 / (sigma_j^2 + n_j tau^2)."""
        n = stats["n"]
        sigma2 = by_group(scale["sigma"], n * tau) ** 2
        return sigma2 / (sigma2 + n * tau**2)


def _of_group(values: Array, group_of: Array) -> Array:
    """Give every observation its group's value: (group, *lane), (observation, *lane) -> (observation, *lane)."""
    return jnp.take_along_axis(values, group_of, axis=0)
