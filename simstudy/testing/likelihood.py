"""Conformance of a likelihood: its forms agree, padding and names of groups do not matter, and it draws what it says."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from simstudy.likelihoods import Likelihood
from simstudy.noise import Noise
from simstudy.testing.expectation import BOUND, ROUNDING, check_choice, expect, expect_close
from simstudy.testing.observations import Observed, observe, relabel
from simstudy.testing.programs import as_draws, constants_of, priors_of, run_program
from simstudy.types import GroupedData

N_DATA = 2_000  # tells a factor of 1.2 in a score's variance
N_LANES = 4
N_PADDED = 2
ORDER = np.array([2, 0, 1])
TAUS = np.array([1e-8, 0.1, 0.5, 2.0, 1e8])

Point = dict[str, Any]


def check_likelihood(likelihood: Likelihood) -> None:
    """Check what every likelihood promises.

    - It is a choice: frozen, hashable, equal to its copy, and it can be pickled.
    - ``restore`` gives from the latent sites the parameters that ``scale_parameters`` used, constants included.
    - Raw observations and sufficient statistics give log likelihoods that differ by a constant.
    - Lanes on the last axis have the values that they have alone, in JAX and in NumPy.
    - Other names for the groups change nothing. Groups with zeros as statistics change neither value nor gradient.
    - ``draw`` and the density belong together: over data sets drawn at theta, the score has mean 0 and its square has
      the mean of minus the second derivative, in every parameter (Bartlett 1953, equations 1 and 2); observations have
      the mean ``inverse_link(theta)``, theta itself where there is no link.
    - ``shrinkage_weight`` is in [0, 1], falls with tau, from 1 at tau = 0 to 0 at infinity.
    - ``new_observation`` is finite, one for each draw, and depends on its fit's key, not on the fits beside it.

    The likelihood draws its own data: three groups of 3, 1 and 5 observations; of one estimate each where
    ``statistics`` raises a ``ValueError`` for want of standard errors. Parameters get gamma priors.

    Args:
        likelihood: any likelihood.

    Raises:
        ConformanceError: a promise that is not kept.
    """
    check_choice(likelihood)
    with jax.enable_x64(True):
        for priors in (priors_of(likelihood.parameters), constants_of(likelihood.parameters)):
            _check_restore(likelihood, priors)
        observed = observe(likelihood, N_DATA)
        point = {"theta": observed.theta, **observed.scale}
        data = observed.data[0]
        _check_forms(likelihood, data, point)
        _check_lanes(likelihood, data, point)
        _check_names(likelihood, data, point)
        _check_padding(likelihood, data, point)
        _check_scores(likelihood, observed, point)
        _check_mean(likelihood, observed)
        _check_weights(likelihood, data, observed.scale)
        _check_new_observation(likelihood, observed.scale)


def _check_restore(likelihood: Likelihood, priors: Mapping[str, Any]) -> None:
    run = run_program(lambda: likelihood.scale_parameters(priors, (3,)))
    restored = likelihood.restore(run.posterior(), priors, (1, 1, 1, 3))
    used = {name: as_draws(value, 0) for name, value in run.returned.items()}
    promise = f"restore to name the parameters {sorted(used)} that scale_parameters names"
    expect(likelihood, promise, holds=restored.keys() == used.keys(), got=sorted(restored))
    for name, value in used.items():
        promise = f"restore to give the {name} that the program used"
        expect_close(likelihood, promise, found=restored[name], expected=value)


def _check_forms(likelihood: Likelihood, data: GroupedData, point: Point) -> None:
    stats, raw = likelihood.statistics(data), likelihood.raw(data)

    @jax.jit
    def difference(theta: Any, scale: Point) -> Any:
        return likelihood.raw_log_likelihood(theta, scale, raw) - likelihood.log_likelihood(theta, scale, stats)

    differences = [float(difference(*_parts(moved))) for moved in _lanes(point)]
    promise = "raw and sufficient log likelihoods that differ by a constant"
    expect_close(likelihood, promise, found=differences, expected=[differences[0]] * N_LANES)


def _check_lanes(likelihood: Likelihood, data: GroupedData, point: Point) -> None:
    stats = likelihood.statistics(data)
    lanes = _lanes(point)
    log_likelihood = jax.jit(likelihood.log_likelihood)
    alone = [float(log_likelihood(*_parts(moved), stats)) for moved in lanes]
    together = _parts({name: np.stack([moved[name] for moved in lanes], axis=-1) for name in point})
    found = {
        "JAX": log_likelihood(*together, _with_lane(stats)),
        "NumPy": likelihood.log_likelihood(*together, _with_lane(stats), xp=np),
    }
    for name, values in found.items():
        promise = f"lanes on the last axis to have in {name} the log likelihood that they have alone"
        expect_close(likelihood, promise, found=values, expected=alone)


def _check_names(likelihood: Likelihood, data: GroupedData, point: Point) -> None:
    renamed = {name: value[ORDER] if np.ndim(value) else value for name, value in point.items()}
    forms: dict[str, tuple[Callable[..., Any], Callable[[GroupedData], Any]]] = {
        "sufficient": (jax.jit(likelihood.log_likelihood), likelihood.statistics),
        "raw": (jax.jit(likelihood.raw_log_likelihood), likelihood.raw),
    }
    for form, (log_lik, reduce) in forms.items():
        promise = f"the same log likelihood of {form} data whatever the groups are called"
        found = log_lik(*_parts(renamed), reduce(relabel(data, ORDER)))
        expect_close(likelihood, promise, found=found, expected=log_lik(*_parts(point), reduce(data)))


def _check_padding(likelihood: Likelihood, data: GroupedData, point: Point) -> None:
    stats = likelihood.statistics(data)
    value_and_gradient = jax.jit(jax.value_and_grad(lambda q, stats: likelihood.log_likelihood(*_parts(q), stats)))
    expected, gradient = value_and_gradient(point, stats)
    padded = {name: _padded(value, 0.0) for name, value in stats.items()}
    found, moved = value_and_gradient({name: _padded(value, 0.7) for name, value in point.items()}, padded)
    expect_close(likelihood, "no change in value from groups without observations", found=found, expected=expected)
    for name, slope in gradient.items():
        promise = f"a finite gradient in {name}, 0 for groups without observations and unchanged for others"
        expect(likelihood, promise, holds=np.isfinite(slope).all(), got=np.asarray(slope))
        expect_close(likelihood, promise, found=moved[name], expected=_padded(np.asarray(slope), 0.0))


def _check_scores(likelihood: Likelihood, observed: Observed, point: Point) -> None:
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
        return likelihood.log_likelihood(*_parts(parts), stats)

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
    return float(mean / error) if mean > ROUNDING else 0.0


def _check_mean(likelihood: Likelihood, observed: Observed) -> None:
    mean = likelihood.inverse_link(observed.theta)
    mean = (observed.theta if mean is None else np.asarray(mean))[observed.group_of]
    for j in range(len(observed.theta)):
        rest = (observed.y - mean)[:, observed.group_of == j].mean(1)
        z = _standardized(rest)
        promise = "observations with the mean inverse_link(theta), or theta where there is no link"
        expect(likelihood, promise, holds=z <= BOUND, got=f"group {j} off by {rest.mean():.3g}, {z:.1f} standard errors")


def _check_weights(likelihood: Likelihood, data: GroupedData, scale: Point) -> None:
    mu = np.zeros_like(TAUS)
    stats = _with_lane(likelihood.statistics(data))
    weight = np.asarray(likelihood.shrinkage_weight(TAUS, mu, _with_lane(scale), stats))
    shape = (data.n_groups, len(TAUS))
    expect(likelihood, f"shrinkage weights of shape {shape}", holds=weight.shape == shape, got=weight.shape)
    is_share = np.all((weight >= 0) & (weight <= 1))
    expect(likelihood, "shrinkage weights in [0, 1]", holds=is_share, got=weight)
    falls = np.all(np.diff(weight, axis=-1) < 0)
    expect(likelihood, "shrinkage weights that fall as tau rises", holds=falls, got=weight)
    for place, limit, where in ((0, 1.0, "0"), (-1, 0.0, "infinity")):
        promise = f"shrinkage weights near {limit:g} as tau goes to {where}"
        expect_close(likelihood, promise, found=weight[:, place], expected=np.full(data.n_groups, limit))


def _check_new_observation(likelihood: Likelihood, scale: Point) -> None:
    shape = (2, 2, 5)
    keys = np.arange(4, dtype=np.uint32).reshape(2, 2)
    theta = np.linspace(-1, 1, 20).reshape(shape)
    scales = {n: np.broadcast_to(value[..., None, None, None], (*value.shape, *shape)) for n, value in scale.items()}
    new = np.asarray(likelihood.new_observation(theta, scales, Noise(keys, shape[1:])))
    is_finite = new.shape == shape and np.isfinite(new).all()
    expect(likelihood, f"finite new observations of shape {shape}", holds=is_finite, got=repr(new))
    of_second = {name: value[..., 1:, :, :] for name, value in scales.items()}
    alone = likelihood.new_observation(theta[1:], of_second, Noise(keys[1:], shape[1:]))
    promise = "new observations that do not depend on the fits beside them"
    expect_close(likelihood, promise, found=new[1:], expected=alone)


def _lanes(point: Point) -> list[Point]:
    """Return a few points near one, positive parameters still positive; the first is the point itself."""
    rng = np.random.default_rng(0)
    moves = [np.zeros_like, *[lambda x: rng.normal(0, 0.3, np.shape(x))] * (N_LANES - 1)]
    return [{n: x + move(x) if n == "theta" else x * np.exp(move(x)) for n, x in point.items()} for move in moves]


def _parts(point: Point) -> tuple[Any, Point]:
    return point["theta"], {name: value for name, value in point.items() if name != "theta"}


def _with_lane(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.asarray(value)[..., None] for name, value in arrays.items()}


def _padded(value: np.ndarray, fill: float) -> np.ndarray:
    return np.append(value, [fill] * N_PADDED) if np.ndim(value) else value
