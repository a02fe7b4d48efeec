"""Which models have an exact posterior here, and how each is put as a quadrature over two parameters."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simstudy.errors import StudyError
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods import Binomial, Normal, NormalKnownSE
from simstudy.models.likelihoods.normal import LOG_2PI
from simstudy.models.model import Model
from simstudy.models.priors import Prior
from simstudy.samplers.exact.axis import Axis
from simstudy.samplers.exact.binomial import binomial_problem
from simstudy.samplers.exact.gaussian import gaussian_problem
from simstudy.samplers.exact.problem import Problem
from simstudy.samplers.sampler import precision
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
    """Return the model, as one that has an exact posterior.

    Raises:
        StudyError: it has none here; the message names what is supported.
    """
    if not isinstance(model, HierarchicalModel):
        raise StudyError(f"sampler 'exact': a user's model has no exact posterior; {SUPPORTED}")
    sigma_by = getattr(model.likelihood, "sigma_by", "shared")
    is_apart = sigma_by == "group" and model.structure.kind == "none"
    if not isinstance(model.likelihood, Normal | NormalKnownSE | Binomial) or not (sigma_by == "shared" or is_apart):
        likelihood = f"{model.likelihood.kind!r}" + (f" with sigma_by = {sigma_by!r}" if sigma_by != "shared" else "")
        raise StudyError(
            f"sampler 'exact': no exact posterior for the structure {model.structure.kind!r} with the likelihood "
            f"{likelihood}; {SUPPORTED}"
        )
    priors = dict(model.priors)
    for name in ("mu", "theta"):
        if name in priors and not (priors[name].is_constant or priors[name].name == "Normal"):
            raise StudyError(f"sampler 'exact': the prior {priors[name].text} of {name} is out of scope; {SUPPORTED}")
    if all(prior.is_constant for prior in priors.values()) and model.structure.kind != "partial":
        raise StudyError("the model has no latent parameter to estimate: every prior is a constant")
    return model


def posteriors(model: HierarchicalModel, arrays: Arrays) -> Posteriors:
    """Return the posteriors of data sets.

    Args:
        model: a supported one.
        arrays: what ``model.arrays`` made.
    """
    stats = arrays if model.observations == "sufficient" else _from_raw(model, arrays)
    if isinstance(model.likelihood, Binomial):
        return _binomial(model, stats)
    return _gaussian(model, stats)


def _gaussian(model: HierarchicalModel, stats: Arrays) -> Posteriors:
    priors = dict(model.priors)
    mean, sd = _location_and_scale(_location(priors))
    tau = priors.get("tau", _constant(0.0))
    if model.structure.kind == "none":
        # Independent effects with a fixed prior are a population whose mean and spread are known.
        tau, sd = _constant(sd), 0.0
    axes = Axis(name="tau", prior=tau), Axis(name="sigma", prior=priors.get("sigma", _constant(1.0)))
    n_parts = 1
    if getattr(model.likelihood, "sigma_by", "shared") == "group":
        n_parts = stats["n"].shape[1]
        stats = _group_by_group(stats)
    return Posteriors(problem=gaussian_problem(stats, axes, prior_mean=mean, prior_sd=sd), n_parts=n_parts)


def _binomial(model: HierarchicalModel, stats: Arrays) -> Posteriors:
    priors = dict(model.priors)
    n_parts = 1
    if model.structure.kind == "none":
        n_parts = stats["n"].shape[1]
        shares = {"constant": np.repeat(stats["constant"] / n_parts, n_parts)}
        stats = {name: stats[name].reshape(-1, 1) for name in ("n", "k")} | shares
    axes = (
        Axis(name="mu", prior=_location(priors)),
        Axis(name="tau", prior=priors.get("tau", _constant(0.0))),
    )
    return Posteriors(problem=binomial_problem(stats, axes), n_parts=n_parts)


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
    return stats | {"constant": np.zeros(n_fits)} if isinstance(model.likelihood, Binomial) else stats


def _grouped(raw: Arrays) -> GroupedData:
    n_obs, y = raw["n"].astype(np.int64), raw["y"]
    if "known_se" in raw:
        return GroupedData(n_obs=n_obs, y_mean=y, y_ss=np.zeros(len(y)), known_se=raw["known_se"])
    group_of = raw["group_of"]
    y_mean = np.bincount(group_of, y, minlength=len(n_obs)) / n_obs
    return GroupedData(n_obs=n_obs, y_mean=y_mean, y_ss=np.bincount(group_of, (y - y_mean[group_of]) ** 2))


def _location(priors: Mapping[str, Prior]) -> Prior:
    """Return the prior of mu, or of theta under no pooling."""
    return priors["mu"] if "mu" in priors else priors["theta"]


def _location_and_scale(prior: Prior) -> tuple[float, float]:
    """Return mean and sd of a Normal prior; a constant has sd 0."""
    if prior.is_constant:
        return prior.value, 0.0
    with precision("float64"):
        distribution = prior.distribution()
        return float(distribution.loc), float(distribution.scale)


def _constant(value: float) -> Prior:
    return Prior(name="Constant", args=(value,))
