"""A Gaussian process over points on a line or in a plane: u ~ Normal(0, eta^2 k(|x - x'| / length)).

Exact, by the Cholesky factor of the covariance, or in a Hilbert-space basis (Solin & Saerkkae 2020; Riutort-Mayol et
al. 2023, eqs. 5 to 8): on [-L, L], L = boundary times the half-width of the points,

    u(x) = sum_k sqrt(S(sqrt(lambda_k))) phi_k(x) z_k,  phi_k(x) = sin(sqrt(lambda_k) (x + L)) / sqrt(L),
    sqrt(lambda_k) = k pi / (2L),

S the spectral density of the kernel; in the plane, products of both. The basis costs a matrix product a gradient where
the factor costs n^3; under the squared exponential kernel it is good for lengths above about 1.75 boundary / basis
half-widths (same, section 4.2). A simulator draws from the exact process, whatever basis a method has.

``new_effect`` is that of an unvisited point: the one in the box of the points that is farthest from all of them. Under
the exact process it is normal given the others (Rasmussen & Williams 2006, eq. 2.19); a basis has it as one more row.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from simstudy.errors import StudyError
from simstudy.late import spatial
from simstudy.models.design import Factor
from simstudy.models.estimands import TAU, Parameter
from simstudy.models.options import check_options
from simstudy.models.shapes import Array
from simstudy.models.terms.structure import EFFECT, NOISE, Constants, Layout, TermStructure, Values, of_modes, product

Kernel = Literal["squared_exponential", "matern32"]
ETA = replace(TAU, name="eta", symbol="η", words="the sd of the process η", default="HalfNormal(2)")
"""A long process is nearly a constant, which a wide prior of eta leaves to be confounded with the intercept."""
LENGTH = Parameter(
    name="length",
    role="scale",
    symbol="ℓ",
    words="the length scale ℓ",
    lower=0.0,
    support="positive",
    default="InverseGamma(5, 2)",
    default_of_data="InverseGamma(5, 2 s_of_points)",
    value=0.5,
    moves="none",
)
MOST_FUNCTIONS = 1_000
JITTER = 1e-9
"""Added to the diagonal of the correlation in double precision, whose factor would not exist otherwise."""
JITTER_SINGLE = 1e-5
EXACT = 0
ROUNDING = 1e-9
CANDIDATES = {1: 4_801, 2: 97}
"""Dimensions -> places along each axis where an unvisited point is looked for; halves and thirds are among them."""


@dataclass(frozen=True, kw_only=True)
class GaussianProcess(TermStructure):
    """A smooth function of where a level lies.

    Args:
        kernel: ``squared_exponential``, exp(-d^2 / 2), or ``matern32``, (1 + sqrt(3) d) exp(-sqrt(3) d).
        basis: basis functions along each dimension; 0 for the exact process.
        boundary: half-width of the basis' domain over that of the points, above 1.
    """

    kind: ClassVar[str] = "gaussian_process"
    formula: ClassVar[str] = "u ~ Normal(0, η² k(d / ℓ))"
    layout: ClassVar[Layout] = "points"
    has_new: ClassVar[bool] = True
    new_words: ClassVar[str] = "an unvisited point"
    kernel: Kernel = "squared_exponential"
    basis: Annotated[int, Field(ge=0, le=MOST_FUNCTIONS)] = 25
    boundary: Annotated[float, Field(gt=1, le=10)] = 2.5

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def words(self) -> str:  # type: ignore[override]
        """Kernel and basis."""
        how = f"a basis of {self.basis} functions along each dimension" if self.basis else "its exact covariance"
        return f"a Gaussian process with the {self.kernel.replace('_', ' ')} kernel in {how}"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The standard deviation of the process, and its length scale in the unit of the points."""
        return ETA, LENGTH

    @property
    def simulated(self) -> "GaussianProcess":
        """The exact process."""
        return replace(self, basis=EXACT)

    def check(self, factor: Factor) -> None:
        """Refuse a factor whose levels lie nowhere, or all in one place."""
        if factor.points is None:
            raise StudyError(f"the factor {factor.name!r} has no points; give some, such as points = {{ line = 20 }}")
        dims = factor.points.shape[1]
        if self.basis**dims > MOST_FUNCTIONS:
            raise StudyError(
                f"basis: {self.basis} functions along each of {dims} dimensions make {self.basis**dims:,}, more than "
                f"{MOST_FUNCTIONS:,}; give fewer"
            )
        if not np.ptp(factor.points, axis=0).all():
            raise StudyError(f"the points of {factor.name!r} do not vary; give points that lie apart")

    def parts(self, factor: Factor) -> dict[str, int]:
        """Return the basis functions, or the points."""
        return {NOISE: self.basis ** _points(factor).shape[1] if self.basis else factor.n_levels}

    def constants(self, factor: Factor) -> dict[str, np.ndarray]:
        """Return the basis at the points and its squared frequencies (function, dimension), or the distances.

        Of the unvisited point there is a row of the basis besides, or its distances to the others.
        """
        points = _points(factor)
        new = unvisited(points)
        if not self.basis:
            return {
                "distance": np.linalg.norm(points[:, None] - points[None], axis=-1),
                "to_new": np.linalg.norm(points - new, axis=-1),
            }
        middle = (points.max(0) + points.min(0)) / 2
        half = self.boundary * np.ptp(points, axis=0) / 2
        each = np.pi * np.arange(1, self.basis + 1) / (2 * half[:, None])  # (dimension, function)
        at = np.concatenate([points, new[None]])
        along = [
            np.sin(each[d] * (at[:, d, None] - middle[d] + half[d])) / math.sqrt(half[d]) for d in range(len(half))
        ]
        chosen = list(itertools.product(range(self.basis), repeat=len(half)))
        basis = np.stack([math.prod(along[d][:, k] for d, k in enumerate(ks)) for ks in chosen], 1)
        squares = np.array([[each[d][k] ** 2 for d, k in enumerate(ks)] for ks in chosen])
        return {"basis": basis[:-1], "omega2": squares, "basis_new": basis[-1:]}

    def scale(self, p: Values, constants: Constants, xp: ModuleType) -> dict[str, Array]:
        """Return sqrt(S), of the exact process eta."""
        if not self.basis:
            return {NOISE: p["eta"]}
        return {NOISE: self._amplitude(p, constants, xp) * self._decline(p, constants, xp)}

    def effects(self, p: Values, z: Mapping[str, Array], constants: Constants, xp: ModuleType) -> dict[str, Any]:
        """Return the basis times the modes, or the Cholesky factor times the noise."""
        if self.basis:
            modes = self._decline(p, constants, xp) * z[NOISE]
            return {EFFECT: self._amplitude(p, constants, xp) * product(constants["basis"], modes, xp)}
        root = xp.moveaxis(self._root(p, constants, z[NOISE].dtype, xp), (-2, -1), (0, 1))
        return {EFFECT: p["eta"] * (root * z[NOISE]).sum(1)}

    def variance(self, p: Values, constants: Constants, xp: ModuleType) -> Array:
        """Return eta^2, that of the exact process."""
        return p["eta"] ** 2

    def new_effect(
        self,
        p: Values,
        z: Mapping[str, np.ndarray],
        effects: Mapping[str, Any],
        constants: Constants,
        noise: np.ndarray,
    ) -> np.ndarray:
        """Return the basis at the unvisited point times the modes, or a draw given the effects of the others."""
        if self.basis:
            modes = self._decline(p, constants, np) * z[NOISE]
            return np.asarray(self._amplitude(p, constants, np) * product(constants["basis_new"], modes, np)[0])
        root = self._root(p, constants, z[NOISE].dtype, np)
        to_new: Any = self._correlation(_with_lanes(constants["to_new"], p["length"]) / p["length"], np)
        weights = np.linalg.solve(root, np.moveaxis(to_new, 0, -1)[..., None])[..., 0]
        left = np.sqrt(np.maximum(1 - (weights**2).sum(-1), 0))
        return p["eta"] * ((np.moveaxis(weights, -1, 0) * z[NOISE]).sum(0) + left * noise)

    def _root(self, p: Values, constants: Constants, dtype: Any, xp: ModuleType) -> Any:
        """Return the Cholesky factor of the correlations of the points, (*lane, level, level)."""
        distance = _with_lanes(constants["distance"], p["length"])
        jitter = (JITTER if dtype == np.float64 else JITTER_SINGLE) * np.eye(len(distance))
        diagonal = xp.asarray(_with_lanes(jitter, p["length"]), dtype)
        correlation = self._correlation(distance / p["length"], xp) + diagonal
        return xp.linalg.cholesky(xp.moveaxis(correlation, (0, 1), (-2, -1)))

    def _amplitude(self, p: Values, constants: Constants, xp: ModuleType) -> Array:
        """Return the factor of sqrt(S) that all frequencies share, (*lane)."""
        dims = constants["omega2"].shape[1]
        if self.kernel == "squared_exponential":
            density = (2 * math.pi) ** (dims / 2)
        else:
            density = 2**dims * math.pi ** (dims / 2) * math.gamma((dims + 3) / 2) * 3**1.5 / math.gamma(1.5)
        return p["eta"] * math.sqrt(density) * xp.sqrt(p["length"]) ** dims

    def _decline(self, p: Values, constants: Constants, xp: ModuleType) -> Array:
        """Return how sqrt(S) falls with the frequency, (mode, *lane)."""
        omega2 = of_modes(constants["omega2"].sum(1), p["length"])
        squares = omega2 * (p["length"] * p["length"])
        if self.kernel == "squared_exponential":
            return xp.exp(-0.25 * squares)
        dims = constants["omega2"].shape[1]
        return xp.exp(-0.25 * (dims + 3) * xp.log(3 + squares))  # a power's gradient costs three times as much

    def _correlation(self, d: Array, xp: ModuleType) -> Array:
        if self.kernel == "squared_exponential":
            return xp.exp(-0.5 * d**2)
        return (1 + math.sqrt(3) * d) * xp.exp(-math.sqrt(3) * d)


def unvisited(points: np.ndarray) -> np.ndarray:
    """Return the (dimension,) point in the box of the points that is farthest from all of them, of a fine grid.

    >>> unvisited(np.array([[0.0], [1.0], [3.0]]))
    array([2.])
    """
    low, high = points.min(0), points.max(0)
    steps = np.linspace(0, 1, CANDIDATES[points.shape[1]])
    grid = np.stack(np.meshgrid(*[steps] * points.shape[1], indexing="ij"), -1).reshape(-1, points.shape[1])
    candidates = low + (high - low) * grid
    distance = np.asarray(spatial.cKDTree(points).query(candidates)[0])
    return candidates[np.argmax(distance > distance.max() * (1 - ROUNDING))]


def _with_lanes(values: np.ndarray, like: Array) -> np.ndarray:
    return values.reshape(*values.shape, *[1] * np.ndim(like))


def _points(factor: Factor) -> np.ndarray:
    if factor.points is None:
        raise StudyError(f"the factor {factor.name!r} has no points")
    return factor.points
