"""Which models have an exact posterior here, and how each is put as a quadrature over two parameters."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simstudy.errors import StudyError
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods.normal import LOG_2PI
from simstudy.models.model import Model
from simstudy.models.options import changed_options
from simstudy.models.priors import Prior, constant
from simstudy.samplers.exact.axis import Axis, location_and_scale
from simstudy.samplers.exact.binomial import binomial_problem
from simstudy.samplers.exact.gaussian import gaussian_problem
from simstudy.samplers.exact.problem import Problem
from simstudy.types import GroupedData

SUPPORTED = (
    "expected a built-in model with the likelihood normal (one sigma, or under no pooling one per group), "
    "normal_known_se or binomial, and Normal priors or constants for mu and theta"
)
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Posteriors:
    """The posteriors of a block of data sets.

    Args:
        problem: of all parts of all fits, in the order fit, part.
        n_parts: 1, or the number of groups where each group has a posterior of its own.
    """

    problem: Problem
    n_parts: int

    @property
    def n_fits(self) -> int:
        """Number of data sets."""
        return self.problem.n_fits // self.n_parts


def supported(model: Model) -> HierarchicalModel:
    """Return what the model's draws are made of, as a hierarchy that has an exact posterior.

    Raises:
        StudyError: it has none here; the message names what is supported.
    """
    hierarchy = model.sampled
    if hierarchy is None:
        raise StudyError(f"sampler 'exact': a user's model has no exact posterior; {SUPPORTED}")
    structure, likelihood, priors = hierarchy.structure, hierarchy.likelihood, dict(hierarchy.priors)
    is_known = likelihood.exact_form in ("normal", "normal_by_group", "binomial")
    is_apart = likelihood.exact_form != "normal_by_group" or structure.groups_are_apart
    if not is_known or not is_apart or structure.normal_effects(priors) is None:
        options = ", ".join(f"{name} = {value!r}" for name, value in changed_options(likelihood).items())
        words = f"{likelihood.kind!r}" + (f" with {options}" if options else "")
        raise StudyError(
            f"sampler 'exact': no exact posterior for the structure {structure.kind!r} with the likelihood {words}; "
            f"{SUPPORTED}"
        )
    for name in ("mu", "theta"):
        if name in priors and not (priors[name].is_constant or priors[name].name == "Normal"):
            raise StudyError(f"sampler 'exact': the prior {priors[name].text} of {name} is out of scope; {SUPPORTED}")
    if not hierarchy.axes.sites:
        raise StudyError("the model has no latent parameter to estimate: every prior is a constant")
    return hierarchy


def posteriors(model: HierarchicalModel, arrays: Arrays) -> Posteriors:
    """Return the posteriors of data sets.

    Args:
        model: a supported one.
        arrays: what ``model.arrays`` made.
    """
    stats = arrays if model.observations == "sufficient" else _from_raw(model, arrays)
    return _binomial(model, stats) if model.likelihood.exact_form == "binomial" else _gaussian(model, stats)


def _gaussian(model: HierarchicalModel, stats: Arrays) -> Posteriors:
    priors = dict(model.priors)
    mean, tau = _effects(model)
    prior_mean, prior_sd = location_and_scale(mean)
    if model.structure.groups_are_apart:
        # Independent effects with a fixed prior are a population whose mean and spread are known.
        tau, prior_sd = constant(prior_sd), 0.0
    axes = Axis(name="tau", prior=tau), Axis(name="sigma", prior=priors.get("sigma", constant(1.0)))
    n_parts = 1
    if model.likelihood.exact_form == "normal_by_group":
        n_parts = stats["n"].shape[1]
        stats = _group_by_group(stats)
    return Posteriors(problem=gaussian_problem(stats, axes, prior_mean=prior_mean, prior_sd=prior_sd), n_parts=n_parts)


def _binomial(model: HierarchicalModel, stats: Arrays) -> Posteriors:
    mean, tau = _effects(model)
    n_parts = 1
    if model.structure.groups_are_apart:
        n_parts = stats["n"].shape[1]
        shares = {"constant": np.repeat(stats["constant"] / n_parts, n_parts)}
        stats = {name: stats[name].reshape(-1, 1) for name in ("n", "k")} | shares
    axes = Axis(name="mu", prior=mean), Axis(name="tau", prior=tau)
    return Posteriors(problem=binomial_problem(stats, axes), n_parts=n_parts)


def _effects(model: HierarchicalModel) -> tuple[Prior, Prior]:
    """Return the priors of mean and standard deviation of the effects, normal given both."""
    found = model.structure.normal_effects(dict(model.priors))
    assert found is not None  # ``supported`` has asked; for the type checker
    return found


def _group_by_group(stats: Arrays) -> dict[str, np.ndarray]:
    """Return the statistics of a normal likelihood with a sigma for each group as data sets of one group each."""
    apart = {name: stats[name].reshape(-1, 1) for name in ("n", "y_mean")}
    within = {name: stats[name].ravel() for name in ("n_within", "a", "log_s")}
    constant = -within["n_within"] * (0.5 * LOG_2PI + within["log_s"]) - 0.5 * within["a"]
    return {**apart, **within, "constant": constant}


def _from_raw(model: HierarchicalModel, arrays: Arrays) -> dict[str, np.ndarray]:
    """Return sufficient statistics of raw observations."""
    n_fits = len(arrays["n"])
    each = [
        model.likelihood.statistics(_grouped({name: value[i] for name, value in arrays.items()})) for i in range(n_fits)
    ]
    stats = {name: np.stack([one[name] for one in each]) for name in each[0]}
    # The raw likelihood of single trials has no binomial coefficient.
    return stats | {"constant": np.zeros(n_fits)} if model.likelihood.exact_form == "binomial" else stats


def _grouped(raw: Arrays) -> GroupedData:
    n_obs, y = raw["n"].astype(np.int64), raw["y"]
    if "known_se" in raw:
        return GroupedData(n_obs=n_obs, y_mean=y, y_ss=np.zeros(len(y)), known_se=raw["known_se"])
    group_of = raw["group_of"]
    y_mean = np.bincount(group_of, y, minlength=len(n_obs)) / n_obs
    return GroupedData(n_obs=n_obs, y_mean=y_mean, y_ss=np.bincount(group_of, (y - y_mean[group_of]) ** 2))
