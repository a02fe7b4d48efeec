"""The packaged posteriors: a few models and data whose exact posterior is known, each hard in a way of its own."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods import Binomial, Normal, NormalKnownSE
from simstudy.models.priors import Prior
from simstudy.models.structures import Complete, Partial
from simstudy.samplers.exact.sampler import Exact
from simstudy.testing.gating.table import Quantity, quantities_of
from simstudy.types import GroupedData


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """A model and data with an exact posterior.

    Args:
        name: of the posterior.
        words: what it is and what is hard about it.
        model: a model that has an exact posterior here.
        data: of one fit.
    """

    name: str
    words: str
    model: HierarchicalModel
    data: GroupedData

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What is known exactly."""
        return quantities_of(self.name)

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """The data as the program has them, leaves (1, ...)."""
        return self.model.arrays([self.data])

    def exact_sites(self, n: int, key: np.ndarray) -> dict[str, np.ndarray]:
        """Return independent exact draws of every latent site, (n, *site), float64."""
        sampler = Exact(chains=1, draws=max(n, 4), precision="float64")
        example = {name: value[0] for name, value in self.arrays.items()}
        drawn = sampler.compile(self.model, example).sample(self.arrays, key[None])
        return {name: site[0, 0, :n] for name, site in drawn.sites.items()}

    def parameters(self, sites: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return every parameter of draws of sites (*draws, *site), effects as ``theta``."""
        name, site = next(iter(sites.items()))
        shape = (*site.shape[: site.ndim - len(self.model.axes.sites[name])], self.data.n_groups)
        priors = dict(self.model.priors)
        return {
            **self.model.structure.restore(sites, priors, shape),
            **self.model.likelihood.restore(sites, priors, shape),
        }


def _priors(**priors: Prior) -> tuple[tuple[str, Prior], ...]:
    return tuple(priors.items())


def _prior(name: str, *args: float) -> Prior:
    return Prior(name=name, args=tuple(map(float, args)))


def _data(n_obs: list[int], y_mean: list[float], y_ss: list[float], known_se: list[float] | None = None) -> GroupedData:
    return GroupedData(
        n_obs=np.array(n_obs),
        y_mean=np.array(y_mean, float),
        y_ss=np.array(y_ss, float),
        known_se=None if known_se is None else np.array(known_se, float),
    )


POSTERIORS = {
    one.name: one
    for one in (
        Posterior(
            name="lecture",
            words="mean and sd of five numbers, far from 0; a few heavy tails",
            model=HierarchicalModel(
                structure=Complete(),
                likelihood=Normal(),
                priors=_priors(mu=_prior("Normal", 0, 10), sigma=_prior("Exponential", 1)),
            ),
            data=_data([5], [10.0], [10.0]),
        ),
        Posterior(
            name="eight_schools",
            words="known standard errors, non-centered: a scale near 0 and a long tail",
            model=HierarchicalModel(
                structure=Partial(parameterization="noncentered"),
                likelihood=NormalKnownSE(),
                priors=_priors(mu=_prior("Normal", 0, 10), tau=_prior("HalfNormal", 10)),
            ),
            data=_data([1] * 8, [28, 8, -3, 7, -1, 1, 18, 12], [0] * 8, [15, 10, 16, 11, 9, 11, 10, 18]),
        ),
        Posterior(
            name="seeds",
            words="successes of eight plates (Crowder 1978), centered: a log density that is no quadratic",
            model=HierarchicalModel(
                structure=Partial(parameterization="centered"),
                likelihood=Binomial(),
                priors=_priors(mu=_prior("Normal", 0, 1.5), tau=_prior("HalfNormal", 1)),
            ),
            data=_data(
                [39, 62, 81, 51, 39, 6, 74, 72],
                [10 / 39, 23 / 62, 23 / 81, 26 / 51, 17 / 39, 5 / 6, 53 / 74, 55 / 72],
                [0] * 8,
            ),
        ),
        Posterior(
            name="many",
            words="five groups of 100, centered: scales that differ by 20, a log density below -700",
            model=HierarchicalModel(
                structure=Partial(parameterization="centered"),
                likelihood=Normal(),
                priors=_priors(mu=_prior("Normal", 0, 5), tau=_prior("HalfNormal", 2), sigma=_prior("Exponential", 1)),
            ),
            data=_data([100] * 5, [2.1, 0.4, 1.2, 3.0, 1.6], [99.0, 121.0, 88.0, 104.0, 110.0]),
        ),
    )
}
"""Name -> posterior."""
