"""Every registered structure keeps its promises, and structures that do not are caught."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
import pytest

from simstudy.models.estimands import MU, TAU
from simstudy.models.structures import STRUCTURES, Complete, Partial
from simstudy.testing import ConformanceError, check_structure
from tests.conformance.registered import variants
from tests.user_models import name_of


@pytest.mark.parametrize("structure", [v for f in STRUCTURES.values() for v in variants(f)], ids=name_of)
def test_registered_structures_conform(structure):
    """Every kind, and of partial pooling both parameterizations."""
    check_structure(structure)


@dataclass(frozen=True, kw_only=True)
class Unscaled(Partial):
    """The effects that are restored lack tau."""

    def restore(self, posterior, priors, shape):
        restored = super().restore(posterior, priors, shape)
        return restored | {"theta": restored["mu"][..., None] + posterior["theta_decentered"]}


@dataclass(frozen=True, kw_only=True)
class Unmasked(Partial):
    """Padded groups have a density."""

    parameterization: str = "centered"

    def effects(self, priors, shape, mask):
        return super().effects(priors, shape, None)


@dataclass(frozen=True, kw_only=True)
class Trend(Partial):
    """Effects rise from group to group: the groups are not exchangeable."""

    parameterization: str = "centered"

    def effects(self, priors, shape, mask):
        mu, tau = priors["mu"].site("mu", shape[1:]), priors["tau"].site("tau", shape[1:])
        place = jnp.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1))
        return numpyro.sample("theta", dist.Normal(mu + 0.1 * place, tau))


@dataclass(frozen=True, kw_only=True)
class NewIsMean(Partial):
    """A new group is the mean of the population."""

    def new_effect(self, restored, priors, noise):
        return restored["mu"]


@dataclass(frozen=True, kw_only=True)
class SharedNoise(Partial):
    """New effects take their noise from the first fit."""

    def new_effect(self, restored, priors, noise):
        return restored["mu"] + restored["tau"] * noise.normal()[:1]


@dataclass(frozen=True, kw_only=True)
class SaidToDiffer(Complete):
    """One effect for all groups, said to differ."""

    effects_differ = True


@dataclass(frozen=True, kw_only=True)
class ForgetsConstants(Partial):
    """A fixed tau is looked up in the posterior."""

    def restore(self, posterior, priors, shape):
        return super().restore(posterior, priors, shape) | {"tau": posterior["tau"]}


@dataclass(frozen=True, kw_only=True)
class LanesPulled(Partial):
    """Lanes depend on one another."""

    parameterization: str = "centered"

    def effects(self, priors, shape, mask):
        mu, tau = priors["mu"].site("mu", shape[1:]), priors["tau"].site("tau", shape[1:])
        return numpyro.sample("theta", dist.Normal(jnp.mean(mu), tau).expand(shape))


@dataclass(frozen=True, kw_only=True)
class Speechless(Partial):
    """It does not say what it is."""

    words = ""


@dataclass(frozen=True, kw_only=True)
class Nameless(Partial):
    """Its effects are declared to be one number."""

    site_axes = {"mu": (), "tau": (), "theta_decentered": ()}  # noqa: RUF012


@dataclass(frozen=True, kw_only=True)
class Undeclared(Partial):
    """It restores more than it declares."""

    described = (MU, TAU)


BROKEN = {
    Speechless: "words that say what it is",
    Nameless: r"site_axes to name the axes of theta_decentered, of shape \(3,\)",
    Undeclared: "all that restore returns among described; got theta beside them",
    Unscaled: "restore to give the theta that the program used",
    Unmasked: "padded groups to add the same to the log density",
    Trend: "the same density whatever the groups are called",
    NewIsMean: "a new group's effect to have, before any data, the distribution of the others",
    SharedNoise: "new effects that do not depend on the fits beside them",
    SaidToDiffer: "effects that differ between groups",
    ForgetsConstants: "restore and new_effect to work where tau is a constant; got KeyError: 'tau'",
    LanesPulled: "lanes on the last axis to have the density that they have alone",
}


@pytest.mark.parametrize("family", BROKEN, ids=lambda family: family.__name__)
def test_broken_structures_are_caught(family):
    """Each broken promise is named."""
    with pytest.raises(ConformanceError, match=BROKEN[family]):
        check_structure(family())
