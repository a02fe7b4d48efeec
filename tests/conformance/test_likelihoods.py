"""Every registered likelihood keeps its promises, and likelihoods that do not are caught."""

from dataclasses import dataclass, replace

import jax.numpy as jnp
import pytest

from simstudy.models.estimands import SIGMA, Estimand
from simstudy.models.likelihoods import LIKELIHOODS, Normal
from simstudy.testing import ConformanceError, check_likelihood
from tests.conformance.registered import variants
from tests.user_models import name_of


@pytest.mark.parametrize("likelihood", [v for f in LIKELIHOODS.values() for v in variants(f)], ids=name_of)
def test_registered_likelihoods_conform(likelihood):
    """Every kind, and of the normal one every way in which groups share sigma."""
    check_likelihood(likelihood)


@dataclass(frozen=True, kw_only=True)
class Tempered(Normal):
    """Both forms count every observation twice."""

    def log_likelihood(self, theta, scale, stats, *, xp=jnp):
        return 2 * super().log_likelihood(theta, scale, stats, xp=xp)

    def raw_log_likelihood(self, theta, scale, raw):
        return 2 * super().raw_log_likelihood(theta, scale, raw)


@dataclass(frozen=True, kw_only=True)
class Tilted(Normal):
    """Both forms have a factor exp(theta / 10) for every observation: their constant depends on theta."""

    def log_likelihood(self, theta, scale, stats, *, xp=jnp):
        return super().log_likelihood(theta, scale, stats, xp=xp) + 0.1 * (stats["n"] * theta).sum(0)

    def raw_log_likelihood(self, theta, scale, raw):
        tilt = jnp.take_along_axis(theta, raw["group_of"], axis=0).sum(0)
        return super().raw_log_likelihood(theta, scale, raw) + 0.1 * tilt


@dataclass(frozen=True, kw_only=True)
class OneFormTilted(Tilted):
    """Only the form on sufficient statistics has the factor."""

    def raw_log_likelihood(self, theta, scale, raw):
        return Normal.raw_log_likelihood(self, theta, scale, raw)


@dataclass(frozen=True, kw_only=True)
class FirstGroupTwice(Normal):
    """The effect of the group that happens to be first is pulled to 0."""

    def log_likelihood(self, theta, scale, stats, *, xp=jnp):
        return super().log_likelihood(theta, scale, stats, xp=xp) - theta[0] ** 2

    def raw_log_likelihood(self, theta, scale, raw):
        return super().raw_log_likelihood(theta, scale, raw) - theta[0] ** 2


@dataclass(frozen=True, kw_only=True)
class PaddingCounts(Normal):
    """Groups without observations have a density."""

    def log_likelihood(self, theta, scale, stats, *, xp=jnp):
        return super().log_likelihood(theta, scale, stats, xp=xp) - (theta**2).sum(0)

    def raw_log_likelihood(self, theta, scale, raw):
        return super().raw_log_likelihood(theta, scale, raw) - (theta**2).sum(0)


@dataclass(frozen=True, kw_only=True)
class LanesMixed(Normal):
    """Lanes are averaged."""

    def log_likelihood(self, theta, scale, stats, *, xp=jnp):
        value = super().log_likelihood(theta, scale, stats, xp=xp)
        return value + 0 * value if not value.ndim else 0 * value + value.mean()


@dataclass(frozen=True, kw_only=True)
class WideDraws(Normal):
    """Observations scatter by a fifth more than the density says."""

    def draw(self, key, theta, scale, known_se):
        return super().draw(key, theta, {"sigma": 1.2 * scale["sigma"]}, known_se)


@dataclass(frozen=True, kw_only=True)
class OtherLink(Normal):
    """The mean of an observation is said to be another than the one that is drawn."""

    def inverse_link(self, theta):
        return 0.9 * theta


@dataclass(frozen=True, kw_only=True)
class WeightOfData(Normal):
    """The weight of the group's own mean instead of the common one."""

    def shrinkage_weight(self, tau, mu, scale, stats):
        return 1 - super().shrinkage_weight(tau, mu, scale, stats)


@dataclass(frozen=True, kw_only=True)
class RestoresPrecision(Normal):
    """The parameter that is restored is not the one that was sampled."""

    def restore(self, posterior, priors, shape):
        return {"sigma": super().restore(posterior, priors, shape)["sigma"] ** -2}


@dataclass(frozen=True, kw_only=True)
class SharedNoise(Normal):
    """New observations take their noise from the first fit."""

    def new_observation(self, theta_new, scale, noise):
        return theta_new + (scale["sigma"] * noise.normal())[:1]


@dataclass(frozen=True, kw_only=True)
class StaysAtZero(Normal):
    """The center of its data is 0 whatever they are."""

    def unit_of(self, data):
        return replace(super().unit_of(data), center=0.0)


@dataclass(frozen=True, kw_only=True)
class LogNormalEffects(Normal):
    """Its effects are logs of means, so that a shift of the data is none of the effects; it says that it has a unit."""

    def log_likelihood(self, theta, scale, stats, *, xp=jnp):
        return super().log_likelihood(xp.exp(theta), scale, stats, xp=xp)

    def raw_log_likelihood(self, theta, scale, raw):
        return super().raw_log_likelihood(jnp.exp(theta), scale, raw)

    def draw(self, key, theta, scale, known_se):
        return super().draw(key, jnp.exp(theta), scale, known_se)

    def inverse_link(self, theta):
        return jnp.exp(theta)

    mean = Estimand(name="level", role="mean")

    @property
    def described(self):
        return SIGMA, self.mean


BROKEN = {
    StaysAtZero: "a center and a spread that move with the data",
    LogNormalEffects: "the log likelihood of sufficient data in another unit",
    Tempered: r"squared score in theta\[0\]",
    Tilted: r"a score in theta\[0\] with mean 0",
    OneFormTilted: "raw and sufficient log likelihoods that differ by a constant",
    FirstGroupTwice: "the same log likelihood of sufficient data whatever the groups are called",
    PaddingCounts: "no change in value from groups without observations",
    LanesMixed: "lanes on the last axis to have in JAX",
    WideDraws: r"squared score in theta\[0\]",
    OtherLink: "observations with the mean inverse_link",
    WeightOfData: "shrinkage weights that fall as tau rises",
    RestoresPrecision: "restore to give the sigma that the program used",
    SharedNoise: "new observations that do not depend on the fits beside them",
}


@pytest.mark.parametrize("family", BROKEN, ids=lambda family: family.__name__)
def test_broken_likelihoods_are_caught(family):
    """Each broken promise is named."""
    with pytest.raises(ConformanceError, match=BROKEN[family]):
        check_likelihood(family())
