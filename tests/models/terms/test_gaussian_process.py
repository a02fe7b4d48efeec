"""A Gaussian process has the covariance of its kernel; its basis comes as near as its functions are many."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist
from scipy.special import gamma, kv

from simstudy.errors import StudyError
from simstudy.models.terms import GaussianProcess
from simstudy.models.terms.gaussian_process import unvisited
from simstudy.samplers.precision import use_precision
from simstudy.testing.term import pushed
from tests.models.terms.factors import close, covariance, factor_with, few, scales

LINE = np.linspace(-1.0, 1.0, 20)[:, None]
PLANE = np.stack(np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-0.5, 0.5, 4)), -1).reshape(-1, 2)


def kernel(kind, points, length):
    """Return the correlations; Matern's by its Bessel function."""
    d = cdist(points, points)
    if kind == "squared_exponential":
        return np.exp(-(d**2) / (2 * length**2))
    x = math.sqrt(3) * np.where(d > 0, d, 1) / length
    return np.where(d > 0, 2 ** (1 - 1.5) / gamma(1.5) * x**1.5 * kv(1.5, x), 1.0)


@pytest.mark.parametrize("kind", ["squared_exponential", "matern32"])
@few
@given(st.integers(0, 2**32 - 1), st.integers(1, 2), scales, st.floats(0.05, 3.0))
def test_the_exact_process_has_the_covariance_of_its_kernel(kind, seed, dims, eta, length):
    """At points anywhere, up to what is added to the diagonal."""
    points = np.random.default_rng(seed).uniform(-1, 1, (8, dims))
    structure = GaussianProcess(kernel=kind).simulated
    assert structure.basis == 0
    found = covariance(structure, factor_with(8, points=points), {"eta": eta, "length": length})
    np.testing.assert_allclose(found, eta**2 * kernel(kind, points, length), rtol=0, atol=2e-9 * eta**2)


@pytest.mark.parametrize("points", [LINE, PLANE, 50.0 + 10 * LINE], ids=["line", "plane", "other units"])
def test_the_basis_is_as_good_as_exact_where_it_is_said_to_be(points):
    """Lengths above 1.75 boundary / basis half-widths, of 4 and more; beyond it errors are seen."""
    factor, half = factor_with(len(points), points=points), np.ptp(points, axis=0).max() / 2
    structure = GaussianProcess(basis=24, boundary=4.0)
    within = covariance(structure, factor, {"eta": 1.0, "length": 0.6 * half})
    assert np.abs(within - kernel("squared_exponential", points, 0.6 * half)).max() < 0.01
    beyond = covariance(structure, factor, {"eta": 1.0, "length": 0.05 * half})
    assert np.abs(beyond - kernel("squared_exponential", points, 0.05 * half)).max() > 0.1


def with_unvisited(structure, points, p):
    """Return the points with the unvisited one, and the covariance of the effects of all of them."""
    factor = factor_with(len(points), points=points)
    constants, n = structure.constants(factor), sum(structure.parts(factor).values())
    lanes = {name: np.full(n + 1, value) for name, value in p.items()}
    z = {"z": np.eye(n, n + 1)}  # in the last lane the noise of the unvisited point alone
    effects = structure.effects(lanes, z, constants, np)
    new = structure.new_effect(lanes, z, effects, constants, np.eye(n + 1)[-1])
    root = np.concatenate([effects["effect"], new[None]])
    return np.concatenate([points, unvisited(points)[None]]), root @ root.T


@pytest.mark.parametrize("kind", ["squared_exponential", "matern32"])
@pytest.mark.parametrize("points", [LINE, PLANE], ids=["line", "plane"])
def test_an_unvisited_point_has_the_covariance_of_the_kernel(kind, points):
    """With itself and with the effects of the points, under the exact process and under a basis."""
    p = {"eta": 1.7, "length": 0.5}
    everywhere, found = with_unvisited(GaussianProcess(kernel=kind).simulated, points, p)
    expected = 1.7**2 * kernel(kind, everywhere, 0.5)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    if kind == "squared_exponential":
        np.testing.assert_allclose(with_unvisited(GaussianProcess(), points, p)[1], expected, rtol=0, atol=0.05)


def test_the_unvisited_point_is_far_from_all():
    """Of a line in the middle of its widest gap, of a square lattice in the middle of a square, in any unit."""
    assert unvisited(1e6 + 1e-3 * np.array([[0.0], [1.0], [5.0], [6.0]])) == pytest.approx([1e6 + 3e-3], abs=1e-9)
    lattice = np.stack(np.meshgrid(np.arange(3.0), 10 * np.arange(3.0)), -1).reshape(-1, 2)
    new = unvisited(lattice)
    assert set(new % [1, 10]) == {0.5, 5.0}
    points = np.random.default_rng(0).uniform(size=(30, 2))
    low, high = points.min(0), points.max(0)
    others = np.random.default_rng(1).uniform(low, high, (20_000, 2))
    assert cdist(others, points).min(1).max() < 1.02 * cdist(unvisited(points)[None], points).min()


def truncation(kind, points, *, length, basis, boundary):
    """Return a bound of the error of a covariance: spectral mass beyond the last function, and images at the ends.

    Frequencies times the length are normal under the squared exponential kernel, Student's with 3 degrees of freedom
    under Matern's; the functions' squares are at most twice their average along each axis, and S falls, so that sums
    over frequencies lie below integrals. Images of the points in the ends of the domain lie two gaps away.
    """
    half = np.ptp(points, axis=0) / 2
    spectrum = stats.norm if kind == "squared_exponential" else stats.t(3)
    beyond = 2 * spectrum.sf(basis * np.pi / (2 * boundary * half) * length)
    images = [kernel(kind, np.array([[0.0], [2 * gap]]), length)[0, 1] for gap in (boundary - 1) * half]
    return 2 ** len(half) * (beyond.sum() + 2 * sum(images)) + 1e-12


@pytest.mark.parametrize("kind", ["squared_exponential", "matern32"])
@pytest.mark.parametrize(("points", "sizes"), [(LINE, (8, 24, 48, 512)), (PLANE, (12, 20, 30))], ids=["line", "plane"])
def test_the_basis_converges_to_the_exact_covariance(kind, points, sizes):
    """Within what is left of the spectrum, down to rounding for a smooth kernel on a line."""
    factor = factor_with(len(points), points=points)
    errors = []
    for basis in sizes:
        structure = GaussianProcess(kernel=kind, basis=basis, boundary=5.0)
        found = covariance(structure, factor, {"eta": 1.0, "length": 0.5})
        errors.append(np.abs(found - kernel(kind, points, 0.5)).max())
        assert errors[-1] < truncation(kind, points, length=0.5, basis=basis, boundary=5.0)
    assert errors[-1] < errors[0] / 5


@few
@given(st.floats(-100, 100), st.floats(0.01, 100.0))
def test_the_origin_and_unit_of_the_points_do_not_matter(shift, unit):
    """The length is in their unit."""
    structure = GaussianProcess(basis=7)
    here = covariance(structure, factor_with(20, points=LINE), {"eta": 1.0, "length": 0.4})
    there = factor_with(20, points=shift + unit * LINE)
    close(covariance(structure, there, {"eta": 1.0, "length": 0.4 * unit}), here, rtol=1e-7)


def test_a_plane_of_one_function_is_still_a_plane():
    """Its scale is the square of that along each axis, where all axes are alike."""
    structure, square = GaussianProcess(basis=1), np.array([[-1.0, -1.0], [1.0, 1.0]])
    p = {"eta": np.array(1.0), "length": np.array(0.7)}
    scales = [
        structure.scale(p, structure.constants(factor_with(2, points=points)), np)["z"].item()
        for points in (square[:, :1], square)
    ]
    assert scales[1] == pytest.approx(scales[0] ** 2, rel=1e-12)


def test_points_in_one_place_have_one_effect():
    """Doubles do not break the exact process, nor does a length far beyond the points."""
    factor = factor_with(4, points=np.array([[0.0], [0.5], [0.5], [1.0]]))
    root = pushed(GaussianProcess(basis=0), factor, {"eta": 1.0, "length": 0.5})["effect"]
    np.testing.assert_allclose(root[1], root[2], atol=1e-4)
    assert np.isfinite(pushed(GaussianProcess(basis=0), factor, {"eta": 1.0, "length": 1e4})["effect"]).all()


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_exact_process_runs_in_vmap(precision):
    """As a simulator has it, its parameters without lanes; and in single precision."""
    structure, factor = GaussianProcess(basis=0), factor_with(20, points=LINE)
    with use_precision(precision):
        constants = {name: jnp.asarray(value) for name, value in structure.constants(factor).items()}
        z = jnp.asarray(np.random.default_rng(0).standard_normal((3, 20)))
        p = {"eta": jnp.ones(3), "length": jnp.array([0.2, 0.5, 1.0])}
        one = jax.vmap(lambda p, z: structure.effects(p, {"z": z}, constants, jnp)["effect"])(p, z)
        lanes = structure.effects(p, {"z": z.T}, constants, jnp)["effect"]
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, lanes.T, rtol=0, atol=1e-5 if precision == "float32" else 1e-11)


WRONG = {
    "nowhere": (None, 25, "the factor 'place' has no points; give some, such as points = { line = 20 }"),
    "one place": (np.zeros((3, 1)), 25, "the points of 'place' do not vary; give points that lie apart"),
    "too many": (
        np.eye(3)[:, :2],
        40,
        "basis: 40 functions along each of 2 dimensions make 1,600, more than 1,000; give fewer",
    ),
}


@pytest.mark.parametrize(("points", "basis", "message"), WRONG.values(), ids=WRONG)
def test_points_that_make_no_process_are_refused(points, basis, message):
    """One message each."""
    with pytest.raises(StudyError) as refused:
        GaussianProcess(basis=basis).check(factor_with(3, points=points))
    assert str(refused.value) == message


def test_options_have_bounds():
    """A domain no wider than the points has functions that are 0 at its ends."""
    with pytest.raises(StudyError, match="boundary"):
        GaussianProcess(boundary=1.0)
