"""Partial pooling: exchangeable groups, theta_j ~ Normal(mu, tau), centered or non-centered.

Both parameterizations are one program; the non-centered one runs it under NumPyro's ``LocScaleReparam``, which samples
``theta_decentered`` ~ Normal(0, 1) and sets theta = mu + tau * theta_decentered (Papaspiliopoulos, Roberts & Skoeld
2007; Betancourt & Girolami 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from simstudy.errors import StudyError
from simstudy.late import dist, numpyro, reparam
from simstudy.models.estimands import MU, SHRINKAGE_WEIGHT, TAU, THETA, Estimand, Parameter
from simstudy.models.model import GROUP
from simstudy.models.noise import Noise
from simstudy.models.priors import Prior
from simstudy.models.shapes import ArrayT, Effects, Mask
from simstudy.models.structures.structure import Pooling, Priors, Sites, Structure

Parameterization = Literal["centered", "noncentered"]
WORDS = {"centered": "centered", "noncentered": "non-centered"}


@dataclass(frozen=True, kw_only=True)
class Partial(Structure):
    """Partial pooling.

    Args:
        parameterization: ``centered`` samples theta, ``noncentered`` its standardized form.
    """

    kind: ClassVar[str] = "partial"
    pooling: ClassVar[Pooling] = "partial"
    identified_by: ClassVar[tuple[str, ...]] = ("parameterization",)
    parameterization: Parameterization = "noncentered"

    @property
    def words(self) -> str:
        """A population, and how it is sampled."""
        return f"partial pooling: group effects share Normal(μ, τ), {WORDS[self.parameterization]}"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Mean and standard deviation of the effects."""
        return MU, TAU

    @property
    def described(self) -> tuple[Estimand, ...]:
        """The population and the effects, which it shrinks."""
        return MU, TAU, THETA, SHRINKAGE_WEIGHT

    @property
    def site_axes(self) -> Mapping[str, tuple[str, ...]]:
        """The population is shared; of the effects, or their standardized form, each group has its own."""
        return {"mu": (), "tau": (), self._effects_site: (GROUP,)}

    def effects(self, priors: Priors, shape: tuple[int, ...], mask: Mask | None) -> Effects:
        """Sample mu, tau and theta; a padded group's theta has no density."""
        mu, tau = priors["mu"].site("mu", shape[1:]), priors["tau"].site("tau", shape[1:])
        # The mask is outermost: the reparameterizer does not see through a masked distribution.
        masked = numpyro.handlers.mask(mask=mask) if mask is not None else nullcontext()
        with masked, numpyro.handlers.reparam(config=self._reparam()):
            return numpyro.sample("theta", dist.Normal(mu, tau).expand(shape))

    def restore(self, posterior: Sites, priors: Priors, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return mu, tau and theta, whichever way theta was sampled."""
        mu, tau = (priors[name].draws(posterior.get(name), shape[:-1]) for name in ("mu", "tau"))
        effects = posterior[self._effects_site]
        theta = effects if self.parameterization == "centered" else effect(mu[..., None], tau[..., None], effects)
        return {"mu": mu, "tau": tau, "theta": theta}

    def new_effect(self, restored: Sites, priors: Priors, noise: Noise) -> np.ndarray:
        """Draw theta_new ~ Normal(mu, tau)."""
        return effect(restored["mu"], restored["tau"], noise.normal())

    def normal_effects(self, priors: Priors) -> tuple[Prior, Prior]:
        """Return the priors of mu and tau."""
        return priors["mu"], priors["tau"]

    def priors_of(self, mu: Prior, tau: Prior) -> dict[str, str]:
        """Return those of mu and tau."""
        if tau.is_zero:
            raise StudyError("with tau = 0 only complete pooling is calibrated")
        return {"mu": mu.text, "tau": tau.text}

    @property
    def _effects_site(self) -> str:
        return "theta" if self.parameterization == "centered" else "theta_decentered"

    def _reparam(self) -> dict[str, reparam.LocScaleReparam]:
        return {"theta": reparam.LocScaleReparam(0)} if self.parameterization == "noncentered" else {}


def effect(mu: ArrayT, tau: ArrayT, standard: ArrayT) -> ArrayT:
    """Return the effect of a standardized one, of mean 0 and standard deviation 1, in a population."""
    return mu + tau * standard
