"""Conformance of a model: its density is NumPyro's, lane by lane, and its estimands are those of each fit."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer.util import potential_energy

from simstudy.models.density import LogDensity, density_of
from simstudy.models.model import Model
from simstudy.streams import random_key
from simstudy.testing.expectation import ConformanceError, check_choice, differing, expect, expect_close, leaves_of
from simstudy.types import PyTree

N_CHAINS, N_DRAWS = 2, 3
SPREAD = 0.5  # sd of the unconstrained coordinates that are tried


def check_model(model: Model, data: Sequence[Any]) -> None:
    """Check what every model promises, built in or brought by a user.

    - It is a choice: frozen, hashable, equal to its copy, and it can be pickled.
    - Data of one shape stack to arrays with the fit on the first axis, each fit's those that it has alone.
    - The log density and its gradient are finite near the origin of the unconstrained space, and the density is that
      which NumPyro gives for the program on each data set alone.
    - Estimands are numbers of the shape (fit, chain, draw, *group), each fit's those that it has alone.

    Args:
        model: any model.
        data: one data set or more, of one shape, in the form that the model takes.

    Raises:
        ConformanceError: a promise that is not kept.
        StudyError: the model has a discrete latent site, or none that is latent at all.

    >>> import numpyro, numpyro.distributions as dist
    >>> from simstudy import register_model
    >>> def one_mean(data):
    ...     mu = numpyro.sample("mu", dist.Normal(0, 10))
    ...     numpyro.sample("y", dist.Normal(mu, 1), obs=data["y"])
    >>> model = register_model("one mean", one_mean, estimands=lambda posterior: {"mu": posterior["mu"]})
    >>> check_model(model, [{"y": np.array([1.0, 2.0])}])
    """
    check_choice(model)
    shapes = {model.shape(one) for one in data}
    expect(model, "data of one shape", holds=len(shapes) == 1, got=shapes)
    with jax.enable_x64(True):
        arrays = model.arrays(data)
        _check_arrays(model, data, arrays)
        density = density_of(model, _of_fit(arrays, 0))
        _check_estimands(model, density, data, arrays)
        q = SPREAD * np.random.default_rng(0).standard_normal((density.n_dims, len(data)))
        _check_density(model, density, arrays, q)


def _check_arrays(model: Model, data: Sequence[Any], arrays: PyTree) -> None:
    for i, one in enumerate(data):
        alone, together = leaves_of(_of_fit(model.arrays([one]), 0)), leaves_of(_of_fit(arrays, i))
        changed = differing(alone, together)
        expect(model, "arrays of a fit that do not depend on the others", holds=not changed, got=", ".join(changed))
    floats = [leaf.dtype for leaf in leaves_of(arrays).values() if np.issubdtype(leaf.dtype, np.floating)]
    expect(model, "arrays in float64", holds=all(dtype == np.float64 for dtype in floats), got=set(floats))


def _check_density(model: Model, density: LogDensity, arrays: PyTree, q: np.ndarray) -> None:
    @jax.jit
    def value_and_gradient(q: jax.Array, lanes: PyTree) -> tuple[jax.Array, jax.Array]:
        value, pullback = jax.vjp(lambda q: density.log_density(q, lanes), q)
        return value, pullback(jnp.ones_like(value))[0]

    @jax.jit
    def numpyros(q: jax.Array, one: PyTree) -> jax.Array:
        sites = {site.name: q[site.dims].reshape(site.shape) for site in density.sites}
        return -potential_energy(model, (one,), {}, sites)

    lanes = jax.tree.map(lambda leaf: np.moveaxis(leaf, 0, -1), arrays)
    value, gradient = value_and_gradient(q, lanes)
    for name, found in (("log density", value), ("gradient", gradient)):
        promise = f"a finite {name} near the origin of the unconstrained space"
        expect(model, promise, holds=np.isfinite(found).all(), got=np.asarray(found))
    expected = [numpyros(q[:, i], _of_fit(arrays, i)) for i in range(q.shape[1])]
    promise = "the log density that NumPyro gives for each data set alone"
    expect_close(model, promise, found=value, expected=expected)


def _check_estimands(model: Model, density: LogDensity, data: Sequence[Any], arrays: PyTree) -> None:
    shape = (len(data), N_CHAINS, N_DRAWS)
    q = SPREAD * np.random.default_rng(1).standard_normal((*shape, density.n_dims))
    sites = density.constrain(q, arrays)
    keys = np.stack([random_key("conformance", i) for i in range(len(data))])
    try:
        estimands = model.estimands(sites, data, keys)
    except (TypeError, ValueError) as error:
        raise ConformanceError(f"{type(model).__name__}: expected estimands of the draws; got: {error}") from error
    expect(model, "estimands", holds=len(estimands) > 0, got="none")
    for name, value in estimands.items():
        value = np.asarray(value)
        expect(model, f"{name} of shape {shape} or with groups behind", holds=value.shape[:3] == shape, got=value.shape)
        is_number = np.issubdtype(value.dtype, np.number) or value.dtype == bool
        expect(model, f"{name} to be finite numbers", holds=is_number and np.isfinite(value).all(), got=value)
    for i in range(len(data)):
        one = slice(i, i + 1)
        alone = model.estimands({name: value[one] for name, value in sites.items()}, data[one], keys[one])
        for name, value in estimands.items():
            promise = f"{name} of a fit that does not depend on the fits beside it"
            expect_close(model, promise, found=alone[name], expected=np.asarray(value)[one])


def _of_fit(arrays: PyTree, i: int) -> PyTree:
    return jax.tree.map(lambda leaf: leaf[i], arrays)
