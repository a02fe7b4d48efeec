"""Partial pooling: exchangeable groups, theta_j ~ Normal(mu, tau), centered or non-centered.

Both parameterizations are one program; the non-centered one runs it under NumPyro's ``LocScaleReparam``, which samples
``theta_decentered`` ~ Normal(0, 1) and sets theta = mu + tau * theta_decentered (Papaspiliopoulos, Roberts & Skoeld
2007; Betancourt & Girolami 2015).
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.infer.reparam import LocScaleReparam

from simstudy.models.noise import Noise
from simstudy.models.structures.structure import Array, Priors, Sites, Structure

Parameterization = Literal["centered", "noncentered"]


@dataclass(frozen=True, kw_only=True)
class Partial(Structure):
    """Partial pooling.

    Args:
        parameterization: ``centered`` samples theta, ``noncentered`` its standardized form.
    """

    kind: ClassVar[str] = "partial"
    parameterization: Parameterization = "noncentered"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Mean and standard deviation of the effects."""
        return ("mu", "tau")

    def effects(self, priors: Priors, shape: tuple[int, ...], mask: Array | None) -> Array:
        """Sample mu, tau and theta; a padded group's theta has no density."""
        mu, tau = priors["mu"].site("mu", shape[1:]), priors["tau"].site("tau", shape[1:])
        # The mask is outermost: the reparameterizer does not see through a masked distribution.
        masked = numpyro.handlers.mask(mask=mask) if mask is not None else nullcontext()
        with masked, numpyro.handlers.reparam(config=self._reparam()):
            return numpyro.sample("theta", dist.Normal(mu, tau).expand(shape))

    def restore(self, posterior: Sites, priors: Priors, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return mu, tau and theta, whichever way theta was sampled."""
        mu, tau = (
            priors["mu"].draws(posterior.get("mu"), shape[:-1]),
            priors["tau"].draws(posterior.get("tau"), shape[:-1]),
        )
        if self.parameterization == "centered":
            return {"mu": mu, "tau": tau, "theta": posterior["theta"]}
        return {"mu": mu, "tau": tau, "theta": mu[..., None] + tau[..., None] * posterior["theta_decentered"]}

    def new_effect(self, restored: Sites, priors: Priors, noise: Noise) -> np.ndarray:
        """Draw theta_new ~ Normal(mu, tau)."""
        return restored["mu"] + restored["tau"] * noise.normal()

    def _reparam(self) -> dict[str, LocScaleReparam]:
        return {"theta": LocScaleReparam(0)} if self.parameterization == "noncentered" else {}
