"""The latent sites of a program, read without drawing from its priors, and what no sampler can fit.

Sites are set to a point that is uniform on the unconstrained scale, as NumPyro begins its chains, so that a prior needs
a density and a support and nothing more. Where each lies among the dimensions of a sampler is left to ``density.py``.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np
from jax.interpreters.partial_eval import dce_jaxpr
from numpyro import distributions as dist
from numpyro import handlers
from numpyro.infer import init_to_uniform
from numpyro.primitives import Messenger

from simstudy.errors import StudyError
from simstudy.models.model import Model
from simstudy.types import PyTree

LatentSites = dict[str, dict[str, Any]]
"""Latent site -> what NumPyro's trace says of it."""


def latent_sites(model: Model, example: PyTree) -> LatentSites:
    """Return the latent sites of a model on one data set, their values a starting point.

    Args:
        model: any model.
        example: the arrays of one data set.

    Raises:
        StudyError: there is none, one is discrete or a point mass, or something else is random.

    >>> import numpyro
    >>> from simstudy.models.user import UserModel
    >>> def flat(data):
    ...     mean = numpyro.sample("mean", dist.ImproperUniform(dist.constraints.real, (), ()))
    ...     numpyro.sample("y", dist.Normal(mean, 1), obs=data["y"])
    >>> list(latent_sites(UserModel(name="flat", program=flat, posterior_estimands=dict), {"y": np.zeros(3)}))
    ['mean']
    """
    keys = _KeysAskedFor(model)
    started = handlers.substitute(handlers.seed(keys, jax.random.key(0)), substitute_fn=_start)
    trace = handlers.trace(started).get_trace(example)
    latent = {name: s for name, s in trace.items() if s["type"] == "sample" and not s["is_observed"]}
    if keys.of_subsamples:
        raise StudyError(
            f"the plate {keys.of_subsamples[0]!r} takes a random subsample, which a sampler would hold fixed: leave "
            "out subsample_size, or make the subsample part of the data"
        )
    if keys.of_others and (random := next(_moved_by_a_key(model, latent, example), None)):
        raise StudyError(
            f"the site {random!r} depends on a random key (numpyro.prng_key, or a site that a handler hides), which a "
            "sampler would hold fixed: give what is random a site of its own with numpyro.sample, or make it part of "
            "the data"
        )
    if not latent:
        raise StudyError("the model has no latent parameter to estimate: every prior is a constant")
    return latent


def traced(model: Model, values: Mapping[str, Any], data: PyTree) -> dict[str, dict[str, Any]]:
    """Return NumPyro's trace of a program with its sites at values.

    A program may ask for a random key, but ``latent_sites`` refuses one whose density depends on it.

    Args:
        model: any model.
        values: latent site -> its value.
        data: the arrays of one data set.
    """
    seeded = handlers.seed(model, jax.random.key(0))
    return dict(handlers.trace(handlers.substitute(seeded, data=dict(values))).get_trace(data))


def moving_supports(model: Model, latent: LatentSites, example: PyTree) -> list[str]:
    """Return the latent sites whose support depends on the data or on other sites, as in Uniform(0, scale)."""
    bounds = {name: jax.tree.leaves(site["fn"].support) for name, site in latent.items()}
    if not any(bounds.values()):
        return []

    def supports(values: Mapping[str, jax.Array], example: PyTree) -> list[Any]:
        trace = handlers.trace(handlers.substitute(model, data=dict(values))).get_trace(example)
        return [bound for name in bounds for bound in jax.tree.leaves(trace[name]["fn"].support)]

    used = inputs_used(supports, {name: site["value"] for name, site in latent.items()}, example)
    owners = [name for name, leaves in bounds.items() for _ in leaves]
    return [name for name, inputs in zip(owners, used, strict=True) if any(inputs)]


class _KeysAskedFor(Messenger):
    """What a program asks a random key for that is no site of its own."""

    def __init__(self, program: Callable[[PyTree], None]):
        super().__init__(program)
        self.of_subsamples: list[str] = []
        self.of_others = False

    def process_message(self, msg: dict[str, Any]) -> None:
        if msg["type"] == "plate" and msg["value"] is None:
            self.of_subsamples.append(msg["name"])
        # A key that loops and branches get, or that is asked for as such, may end anywhere or nowhere.
        self.of_others |= msg["type"] in ("prng_key", "control_flow")


def _start(site: dict[str, Any]) -> jax.Array | None:
    """Return the value at which a latent site starts."""
    if site["type"] != "sample" or site["value"] is not None:
        return None
    if site["fn"].support.is_discrete:
        raise StudyError(
            f"the latent site {site['name']!r} is discrete: NUTS needs continuous parameters; sum it out of the model"
        )
    if isinstance(site["fn"], dist.Delta):
        raise StudyError(
            f"the latent site {site['name']!r} is a point mass: name it with numpyro.deterministic instead"
        )
    return init_to_uniform(site)


def _moved_by_a_key(model: Model, latent: LatentSites, example: PyTree) -> Iterator[str]:
    """Yield the sites whose density, or whose value, depends on a random key although every latent site is given."""
    values = {name: site["value"] for name, site in latent.items()}
    owners: list[str] = []

    def outcomes(words: jax.Array, example: PyTree) -> list[Any]:
        seeded = handlers.seed(model, jax.random.wrap_key_data(words, impl="threefry2x32"))
        trace = handlers.trace(handlers.substitute(seeded, data=values)).get_trace(example)
        found = []
        for name, site in trace.items():
            if site["type"] in ("sample", "deterministic"):
                is_sample = site["type"] == "sample"
                leaves = jax.tree.leaves(site["fn"].log_prob(site["value"]) if is_sample else site["value"])
                found += leaves
                owners.extend([name] * len(leaves))
        return found

    used = inputs_used(outcomes, np.zeros(2, np.uint32), example)
    yield from (name for name, (by_key, *_) in zip(owners, used, strict=True) if by_key)


def inputs_used(function: Callable[..., list[Any]], *arguments: Any) -> list[list[bool]]:
    """Return, for each output of a function, which leaves of its arguments it depends on."""
    jaxpr = jax.make_jaxpr(function)(*arguments).jaxpr
    n = len(jaxpr.outvars)
    return [dce_jaxpr(jaxpr, [i == j for j in range(n)])[1] for i in range(n)]
