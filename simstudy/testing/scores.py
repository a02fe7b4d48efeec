"""Whether a likelihood draws from its own density: the identities of Bartlett, and the mean of an observation.

Where data come from the density itself, the score s = d log L / d q has mean 0, and its square has the mean of minus
the second derivative (Bartlett 1953, "Approximate confidence intervals", Biometrika 40:12). A factor in the log
likelihood leaves the first of these true and not the second.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from simstudy.models.likelihoods import Likelihood
from simstudy.testing.expectation import BOUND, ROUNDING, expect
from simstudy.testing.observations import Observed, Point, parts_of


def check_scores(likelihood: Likelihood, observed: Observed) -> None:
    """Check that first and second derivatives have the means that they have under the density that was drawn from.

    Raises:
        ConformanceError: they have not.
    """
    point = observed.point
    stats = [likelihood.statistics(data) for data in observed.data]
    stacked = {name: np.stack([s[name] for s in stats], axis=-1) for name in stats[0]}
    names = [f"{name}[{i}]" if np.ndim(value) else name for name, value in point.items() for i in range(np.size(value))]
    score, curvature = _derivatives(likelihood, stacked, point)
    for name, first, second in zip(names, score, curvature, strict=True):
        if (z := _standardized(first)) > BOUND:
            promise = f"a score in {name} with mean 0 over data drawn at the truth: draw and density disagree"
            expect(likelihood, promise, holds=False, got=f"{first.mean():.3g}, {z:.1f} standard errors from 0")
        if (z := _standardized(first**2 + second)) > BOUND:
            promise = f"the squared score in {name} to have the mean of minus the second derivative"
            got = f"{np.mean(first**2):.3g} and {-second.mean():.3g}, {z:.1f} standard errors apart"
            expect(likelihood, promise, holds=False, got=got)


def check_mean(likelihood: Likelihood, observed: Observed) -> None:
    """Check that observations have the mean that the link says.

    Raises:
        ConformanceError: they have not.
    """
    mean = likelihood.inverse_link(observed.theta)
    mean = (observed.theta if mean is None else np.asarray(mean))[observed.group_of]
    for j in range(len(observed.theta)):
        rest = (observed.y - mean)[:, observed.group_of == j].mean(1)
        z = _standardized(rest)
        promise = "observations with the mean inverse_link(theta), or theta where there is no link"
        got = f"group {j} off by {rest.mean():.3g}, {z:.1f} standard errors"
        expect(likelihood, promise, holds=z <= BOUND, got=got)


def _derivatives(
    likelihood: Likelihood, stats: Mapping[str, np.ndarray], point: Point
) -> tuple[np.ndarray, np.ndarray]:
    """Return first and second derivative of the log likelihood in each parameter, both (parameter, data set)."""
    sizes = np.cumsum([0, *(np.size(value) for value in point.values())])
    n_data = next(iter(stats.values())).shape[-1]

    def gradient(q: jax.Array) -> jax.Array:
        return jax.grad(lambda q: log_lik(q).sum())(q)

    def log_lik(q: jax.Array) -> jax.Array:
        parts = {n: q[a:b].reshape(*np.shape(point[n]), -1) for n, a, b in zip(point, sizes, sizes[1:], strict=False)}
        return jnp.asarray(likelihood.log_likelihood(*parts_of(parts), stats))

    flat = np.concatenate([np.ravel(value) for value in point.values()])
    q = jnp.broadcast_to(flat[:, None], (len(flat), n_data))

    @jax.jit
    def derivatives(q: jax.Array) -> tuple[jax.Array, jax.Array]:
        first, along = jax.linearize(gradient, q)
        directions = jnp.eye(len(flat))[..., None]
        second = jax.vmap(lambda direction: (along(direction * jnp.ones_like(q)) * direction).sum(0))(directions)
        return first, second

    first, second = derivatives(q)
    return np.asarray(first), np.asarray(second)


def _standardized(values: np.ndarray) -> float:
    """Return the mean's distance from 0 in standard errors; what is 0 but for rounding is at 0."""
    mean, error = np.abs(values.mean()), values.std(ddof=1) / np.sqrt(values.size)
    with np.errstate(divide="ignore"):
        return float(mean / error) if mean > ROUNDING else 0.0
