"""Models, data and studies that several test modules need."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods import Binomial, Likelihood, Normal, NormalKnownSE
from simstudy.models.priors import parse_prior
from simstudy.models.structures import Complete, Independent, Partial, Structure
from simstudy.types import GroupedData

LIKELIHOODS: tuple[Likelihood, ...] = (
    Normal(),
    Normal(sigma_by="group"),
    Normal(sigma_by="hierarchical"),
    NormalKnownSE(),
    Binomial(),
)
STRUCTURES: tuple[Structure, ...] = (
    Independent(),
    Complete(),
    Partial(parameterization="centered"),
    Partial(parameterization="noncentered"),
)


def name_of(part: Any) -> str:
    """Return a test id for a likelihood or a structure."""
    return "-".join([part.kind, *(str(v) for v in vars(part).values())])


def combinations() -> Iterator[tuple[Structure, Likelihood]]:
    """Yield every structure with every likelihood."""
    yield from itertools.product(STRUCTURES, LIKELIHOODS)


def model_of(structure: Structure, likelihood: Likelihood, **options: Any) -> HierarchicalModel:
    """Return a model with the default priors."""
    parameters = (*structure.parameters, *likelihood.parameters)
    priors = tuple((p.name, parse_prior(p.default_prior(likelihood.scale), p)) for p in parameters)
    return HierarchicalModel(structure=structure, likelihood=likelihood, priors=priors, **options)


def random_data(rng: np.random.Generator, likelihood: Likelihood, sizes: tuple[int, ...] = (3, 1, 5)) -> GroupedData:
    """Return observations that the likelihood can have made, singletons among the groups."""
    n = np.array([1] * len(sizes) if likelihood.kind == "normal_known_se" else sizes)
    y = rng.normal(1.0, 2.0, n.sum())
    if likelihood.kind == "binomial":
        y = (y > 1).astype(float)
    return grouped(y, n, known_se=rng.uniform(0.5, 2, len(n)) if likelihood.kind == "normal_known_se" else None)


def grouped(y: np.ndarray, n: np.ndarray, *, known_se: np.ndarray | None = None) -> GroupedData:
    """Return raw observations as grouped data, group by group."""
    each = np.split(y, np.cumsum(n)[:-1])
    return GroupedData(
        n_obs=n,
        y_mean=np.array([e.mean() for e in each]),
        y_ss=np.array([((e - e.mean()) ** 2).sum() for e in each]),
        known_se=known_se,
        y=y,
    )
