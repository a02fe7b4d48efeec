"""The log density of the observations for a user's model in a calibration study, without the user's doing.

Ranks of parameters cannot tell a posterior given all data from one given some of them; those of a function of
parameters and data can (Modrak et al. 2023, sections 3.1 and 4.2). Where the mechanism has a likelihood, it is that of
all its data; else what the model's program observes, at draws and at the truth alike.
"""

from collections.abc import Hashable, Mapping, Sequence

import jax
import numpy as np

from simstudy.mechanisms import Mechanism
from simstudy.models.derived import of_observations
from simstudy.models.estimands import LOG_DENSITY, LOG_LIK, THETA
from simstudy.models.model import stacked
from simstudy.models.observed import ObservedDensity, observed_density
from simstudy.samplers.precision import as_leaves, use_precision
from simstudy.study.methods import Method
from simstudy.types import GroupedData, Replicate

NAME = LOG_DENSITY.name
Arrays = Mapping[str, np.ndarray]


def log_density(
    mechanism: Mechanism, method: Method, replicates: Sequence[Replicate], sites: Arrays, estimands: Arrays
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the log density of the observations at the draws and at the truth, or None where it is not known.

    Args:
        mechanism: where the data come from.
        method: with a user's model.
        replicates: of a block of fits, of one shape.
        sites: site -> (fit, chain, draw, *site), constrained.
        estimands: estimand -> (fit, chain, draw, *group).

    Returns:
        (fit, chain, draw) and (fit,).
    """
    is_given = LOG_LIK.name in estimands and LOG_LIK.name in replicates[0].truth and mechanism.likelihood is None
    if is_given or NAME in estimands:
        return None
    if (of_all := _of_mechanism(mechanism, replicates, estimands)) is not None:
        return of_all
    return _of_program(method, replicates, sites, estimands)


def _of_mechanism(
    mechanism: Mechanism, replicates: Sequence[Replicate], estimands: Arrays
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the log likelihood of all data of a built-in mechanism, at effects and scales of a user's model."""
    likelihood = mechanism.likelihood
    if likelihood is None or mechanism.design is not None or not isinstance(replicates[0].data, GroupedData):
        return None
    truth = {name: np.stack([np.asarray(r.truth[name], float) for r in replicates]) for name in replicates[0].truth}
    names = [THETA.name, *(parameter.name for parameter in likelihood.parameters)]
    at_truth = {name: truth[name][:, None, None] for name in names if name in truth}
    # A scale that the model does not estimate is one that it knows.
    at_draws = {name: estimands.get(name, at_truth[name]) for name in names if name in at_truth}
    if THETA.name not in estimands or len(at_draws) < len(names):
        return None
    if any(np.shape(at_draws[name])[3:] != at_truth[name].shape[3:] for name in names):
        return None
    stats = stacked([likelihood.statistics(r.data) for r in replicates])

    def of(values: Arrays) -> np.ndarray:
        scale = {name: value for name, value in values.items() if name != THETA.name}
        return np.asarray(of_observations({THETA.name: values[THETA.name]}, scale, stats, likelihood)[LOG_LIK.name])

    return of(at_draws), of(at_truth)[:, 0, 0]


def _of_program(
    method: Method, replicates: Sequence[Replicate], sites: Arrays, estimands: Arrays
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the log density of what a program observes, where the truth says all that it depends on."""
    known = sorted(name for name in sites if _is_known(name, replicates, sites, estimands))
    arrays, precision = method.model.arrays([r.data for r in replicates]), method.sampler.precision
    with use_precision(precision):
        data = [as_leaves(jax.tree.map(lambda leaf, i=i: leaf[i], arrays), precision) for i in range(len(replicates))]
        key = (method.model, precision, method.model.shape(replicates[0].data), *known)
        if key not in _DENSITIES:
            start = {name: sites[name][0, 0, 0] for name in known}
            _DENSITIES[key] = observed_density(method.model, data[0], start) if known else None
        if (function := _DENSITIES[key]) is None:
            return None
        draws = [{name: sites[name][i].reshape(-1, *sites[name].shape[3:]) for name in known} for i in range(len(data))]
        truth = [{name: np.asarray(r.truth[name], draws[0][name].dtype)[None] for name in known} for r in replicates]
        at_draws, at_truth = (
            [np.asarray(function(*one), float) for one in zip(values, data, strict=True)] for values in (draws, truth)
        )
    return np.stack(at_draws).reshape(sites[known[0]].shape[:3]), np.concatenate(at_truth)


_DENSITIES: dict[Hashable, ObservedDensity | None] = {}


def _is_known(name: str, replicates: Sequence[Replicate], sites: Arrays, estimands: Arrays) -> bool:
    """Whether the truth of that name is the value of the site: it has its shape, and the estimand is the site."""
    if any(name not in r.truth or np.shape(r.truth[name]) != sites[name].shape[3:] for r in replicates):
        return False
    return name not in estimands or np.array_equal(estimands[name], sites[name], equal_nan=True)
