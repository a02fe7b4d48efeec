"""Conformance of a likelihood: its forms agree, padding does nothing, and it draws from its own density."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from simstudy.models.likelihoods import Likelihood
from simstudy.models.noise import Noise
from simstudy.testing.declarations import check_axes, check_declared, check_parameters, check_words
from simstudy.testing.expectation import check_choice, expect, expect_close
from simstudy.testing.observations import Point, observe, parts_of, relabel
from simstudy.testing.programs import as_draws, constants_of, priors_of, run_program
from simstudy.testing.scores import check_mean, check_scores
from simstudy.testing.units import check_unit
from simstudy.types import GroupedData

N_DATA = 2_000  # tells a factor of 1.2 in a score's variance
N_LANES = 4
N_PADDED = 2
ORDER = np.array([2, 0, 1])
TAUS = np.array([1e-8, 0.1, 0.5, 2.0, 1e8])

LogLikelihood = Callable[..., Any]


def check_likelihood(likelihood: Likelihood) -> None:
    """Check what every likelihood promises.

    - It is a choice: frozen, hashable, equal to its copy, and it can be pickled.
    - It says what it is, and its parameters have default priors that a study file could have given. ``described`` names
      all that ``restore`` and ``inverse_link`` return; ``site_axes`` and ``statistic_axes`` name the axes of all latent
      sites and statistics.
    - ``restore`` gives from the latent sites the parameters that ``scale_parameters`` used, constants included.
    - Raw observations and sufficient statistics give log likelihoods that differ by a constant.
    - Lanes on the last axis have the values that they have alone, in JAX and in NumPy.
    - Other names for the groups change nothing. Groups with zeros as statistics change neither value nor gradient.
    - ``draw`` and the density belong together: over data sets drawn at theta, the score has mean 0 and its square has
      the mean of minus the second derivative, in every parameter (Bartlett 1953, equations 1 and 2); observations have
      the mean ``inverse_link(theta)``, theta itself where there is no link.
    - ``shrinkage_weight`` is in [0, 1], falls with tau, from 1 at tau = 0 to 0 at infinity.
    - ``new_observation`` is finite, one for each draw, and depends on its fit's key, not on the fits beside it.
    - In another unit, data of a likelihood that has one have the same density, and center and spread that move along.

    The likelihood draws its own data: three groups of 3, 1 and 5 observations; of one estimate each where
    ``statistics`` raises a ``ValueError`` for want of standard errors. Parameters get log-normal priors.

    Args:
        likelihood: any likelihood.

    Raises:
        ConformanceError: a promise that is not kept.
    """
    check_choice(likelihood)
    check_words(likelihood)
    check_parameters(likelihood, likelihood.every_parameter)
    with jax.enable_x64(True):
        for priors in (priors_of(likelihood.parameters), constants_of(likelihood.parameters)):
            _check_restore(likelihood, priors)
        observed = observe(likelihood, N_DATA)
        data, point = observed.data[0], observed.point
        n = data.n_groups
        check_axes(likelihood, likelihood.statistics(data), likelihood.statistic_axes, what="statistic_axes", n=n)
        sufficient, raw = jax.jit(likelihood.log_likelihood), jax.jit(likelihood.raw_log_likelihood)
        _check_forms(likelihood, data, point, sufficient, raw)
        _check_lanes(likelihood, data, point, sufficient)
        _check_names(likelihood, data, point, sufficient, raw)
        _check_padding(likelihood, data, point)
        check_scores(likelihood, observed)
        check_mean(likelihood, observed)
        _check_weights(likelihood, data, observed.scale)
        _check_new_observation(likelihood, observed.scale)
        check_unit(likelihood, data, point)


def _check_restore(likelihood: Likelihood, priors: Mapping[str, Any]) -> None:
    shape = (len(ORDER), N_LANES)
    run = run_program(lambda: likelihood.scale_parameters(priors, shape))
    at_a_point = {name: value[..., 0] for name, value in run.sites.items()}
    check_axes(likelihood, at_a_point, likelihood.site_axes, what="site_axes", n=len(ORDER))
    restored = likelihood.restore(run.draws, priors, (1, 1, *shape[::-1]))
    mean = {} if likelihood.mean is None else {likelihood.mean.name: None}
    check_declared(likelihood, {**restored, **mean}, what="restore or inverse_link")
    used = {name: as_draws(value) for name, value in run.returned.items()}
    promise = f"restore to name the parameters {sorted(used)} that scale_parameters names"
    expect(likelihood, promise, holds=restored.keys() == used.keys(), got=sorted(restored))
    for name, value in used.items():
        promise = f"restore to give the {name} that the program used"
        expect_close(likelihood, promise, found=restored[name], expected=value)


def _check_forms(
    likelihood: Likelihood, data: GroupedData, point: Point, sufficient: LogLikelihood, raw: LogLikelihood
) -> None:
    arrays, raw_arrays = likelihood.statistics(data), likelihood.raw(data)
    lanes = [parts_of(moved) for moved in _lanes(point)]
    differences = [float(raw(*lane, raw_arrays) - sufficient(*lane, arrays)) for lane in lanes]
    promise = "raw and sufficient log likelihoods that differ by a constant"
    expect_close(likelihood, promise, found=differences, expected=[differences[0]] * N_LANES)


def _check_lanes(likelihood: Likelihood, data: GroupedData, point: Point, sufficient: LogLikelihood) -> None:
    stats = likelihood.statistics(data)
    lanes = _lanes(point)
    alone = [float(sufficient(*parts_of(moved), stats)) for moved in lanes]
    together = parts_of({name: np.stack([moved[name] for moved in lanes], axis=-1) for name in point})
    found = {
        "JAX": sufficient(*together, _with_lane(stats)),
        "NumPy": likelihood.log_likelihood(*together, _with_lane(stats), xp=np),
    }
    for name, values in found.items():
        promise = f"lanes on the last axis to have in {name} the log likelihood that they have alone"
        expect_close(likelihood, promise, found=values, expected=alone)


def _check_names(
    likelihood: Likelihood, data: GroupedData, point: Point, sufficient: LogLikelihood, raw: LogLikelihood
) -> None:
    renamed = {name: value[ORDER] if np.ndim(value) else value for name, value in point.items()}
    for form, log_lik, reduce in (("sufficient", sufficient, likelihood.statistics), ("raw", raw, likelihood.raw)):
        promise = f"the same log likelihood of {form} data whatever the groups are called"
        found = log_lik(*parts_of(renamed), reduce(relabel(data, ORDER)))
        expect_close(likelihood, promise, found=found, expected=log_lik(*parts_of(point), reduce(data)))


def _check_padding(likelihood: Likelihood, data: GroupedData, point: Point) -> None:
    stats = likelihood.statistics(data)
    value_and_gradient = jax.jit(jax.value_and_grad(lambda q, stats: likelihood.log_likelihood(*parts_of(q), stats)))
    expected, gradient = value_and_gradient(point, stats)
    padded = {name: _padded(value, 0.0) for name, value in stats.items()}
    found, moved = value_and_gradient({name: _padded(value, 0.7) for name, value in point.items()}, padded)
    expect_close(likelihood, "no change in value from groups without observations", found=found, expected=expected)
    for name, slope in gradient.items():
        promise = f"a finite gradient in {name}, 0 for groups without observations and unchanged for others"
        expect(likelihood, promise, holds=np.isfinite(slope).all(), got=np.asarray(slope))
        expect_close(likelihood, promise, found=moved[name], expected=_padded(np.asarray(slope), 0.0))


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
    """Return a few points near one, positive parameters still positive."""
    rng = np.random.default_rng(0)

    def near(name: str, value: np.ndarray) -> np.ndarray:
        move = rng.normal(0, 0.3, np.shape(value))
        return value + move if name == "theta" else value * np.exp(move)

    return [{name: near(name, value) for name, value in point.items()} for _ in range(N_LANES)]


def _with_lane(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.asarray(value)[..., None] for name, value in arrays.items()}


def _padded(value: np.ndarray, fill: float) -> np.ndarray:
    return np.concatenate([value, np.full((N_PADDED, *np.shape(value)[1:]), fill)]) if np.ndim(value) else value
