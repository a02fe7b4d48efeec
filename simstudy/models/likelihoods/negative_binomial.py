"""Overdispersed counts: y_i ~ NegativeBinomial with mean mu_i = e_i exp(theta_j) and variance mu_i + mu_i^2 / phi.

With S the total of a group, n its observations, all of one exposure, and m_k the number of all observations above k,

    log L = constant + S theta + sum_k m_k log1p(k / phi) - sum_j (S_j + n_j phi) log1p(mu_j / phi),

which goes to the Poisson likelihood as phi goes to infinity, term by term. It is written around what the data give, so
that single precision holds differences at a million counts. Around the mean m = (S + 1/2) / n, with d = log(mu / m) and
r = m / (m + phi), the part of theta is S d - (S + n phi) log1p(r expm1(d)); where m > phi, the same with -d, n phi in
the place of S, and phi / (m + phi). Around the shape p that the moments give, with h = phi - p, the part of phi is

    sum_k m_k log1p(h / (p + k)) - sum_j S_j log1p(h / (p + m_j)) - sum_j n_j [h a_j + p (a_j - b_j)],

a_j = log1p(m_j / phi), b_j = log1p(m_j / p). So single precision holds a million counts where phi is near p; where they
are no more spread than Poisson counts, p is the largest of ``SHAPES`` and energies at a million are right to .5 only.
Programs are compiled before data are seen, so that the measure m_k, k >= 1,
has to have a fixed length: it is replaced by the Gauss quadrature of it in log k (Golub & Welsch 1969), exact for up to
``NODES`` different k, and for more good to 1e-7, since log1p(k / phi) is analytic in log k up to a distance of pi.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from simstudy.late import jax, jnp, special
from simstudy.models.estimands import Parameter
from simstudy.models.likelihoods.counts import Counts, drawn_counts, log_factorials, new_counts, totals
from simstudy.models.likelihoods.likelihood import ExactForm, Statistics
from simstudy.models.model import GROUP
from simstudy.models.noise import Noise
from simstudy.models.shapes import Array, Effects, OfLane, Scales
from simstudy.types import GroupedData

NODES = 20
EXACT = 16_384
"""Counts up to which the measure is taken as it is."""
WIDEST, ORDER = 0.25, 6
"""Widest panel in log k beyond, and the points in each."""
SHAPES = (1e-2, 300.0)
"""Bounds of the shape that the likelihood is written around."""
FAR = 30.0
"""Where log1p(q expm1(d)) is log(q) + d to rounding, and expm1 is still finite in single precision."""
PHI = Parameter(
    name="phi",
    symbol="φ",
    words="the shape φ of the counts",
    lower=0.0,
    support="positive",
    default="Gamma(2, 0.1)",
    value=3.0,
    moves="none",
)


@dataclass(frozen=True, kw_only=True)
class NegativeBinomial(Counts):
    """Counts whose variance exceeds their mean; theta is the log of the group's rate."""

    kind: ClassVar[str] = "negative_binomial"
    formula: ClassVar[str] = "negative binomial counts, y_i ~ NegativeBinomial(mean = exposure_i · exp(θ_j), shape = φ)"
    every_parameter: ClassVar[tuple[Parameter, ...]] = (PHI,)
    fits_data_of: ClassVar[tuple[str, ...]] = ("poisson",)

    @property
    def words(self) -> str:
        """Counts."""
        return "negative binomial counts"

    @property
    def exact_form(self) -> ExactForm:
        """Effects are integrated one by one."""
        return "negative_binomial"

    @property
    def statistic_axes(self) -> Mapping[str, tuple[str, ...]]:
        """Observations, exposure and count of each group, what they are written around, and the counts above k."""
        of_groups = ("n", "size", "total", "center", "mean", "lack")
        nodes = {"above": ("node",), "at": ("node",)}
        return {**dict.fromkeys(of_groups, (GROUP,)), **nodes, "nonzero": (), "shape": (), "constant": ()}

    def statistics(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return exposure n, observations ``size``, total, the mean m, the shape p, and nodes and weights of m_k."""
        total, exposure = totals(data)
        y, size = _counts(data), data.n_obs.astype(np.float64)
        is_seen = size > 0
        mean = np.where(is_seen, (total + 0.5) / np.maximum(size, 1), 0.0)
        each = np.where(is_seen, exposure / np.maximum(size, 1), 1.0)
        center = np.where(is_seen, np.log(np.where(is_seen, mean, 1.0) / each), 0.0)
        shape = _shape_of_moments(y, mean[data.group_of])
        at, above = counts_above(y)
        constant = (total * np.log(np.where(is_seen, mean, 1.0))).sum() - log_factorials(data, total)
        constant += (above * np.log1p(at / shape)).sum() - ((total + size * shape) * np.log1p(mean / shape)).sum()
        return {
            "n": exposure,
            "size": size,
            "total": total,
            "center": center,
            "mean": mean,
            "lack": np.log1p(mean / shape),
            "at": at,
            "above": above,
            "nonzero": np.asarray(float((y > 0).sum())),
            "shape": np.asarray(shape),
            "constant": np.asarray(constant),
        }

    def log_likelihood(
        self, theta: Effects, scale: Mapping[str, Scales], stats: Statistics, *, xp: ModuleType = jnp
    ) -> OfLane:
        """Return the log likelihood of the module's formula."""
        phi, mean, size, total = scale["phi"], stats["mean"], stats["size"], stats["total"]
        is_large = mean > phi
        d = xp.where(is_large, stats["center"] - theta, theta - stats["center"])
        r = xp.minimum(mean, phi) / (mean + phi)
        near = xp.log1p(r * xp.expm1(xp.minimum(d, FAR)))
        moved = xp.where(d > FAR, xp.log(xp.where(r > 0, r, 1.0)) + d, near)
        of_means = xp.where(is_large, size * phi, total) * d - (total + size * phi) * moved
        shape = stats["shape"]
        h = phi - shape
        beside = xp.log1p(h / (shape + mean))
        lack = xp.log1p(mean / phi)
        of_shape = total * beside + size * (h * lack + shape * (lack - stats["lack"]))
        # Of k = 0, the sum over k has the logarithm of phi over the shape.
        above = (stats["above"] * xp.log1p(h / (shape + stats["at"]))).sum(0) + stats["nonzero"] * xp.log1p(h / shape)
        return stats["constant"] + (above + (of_means - of_shape).sum(0))

    def raw_log_likelihood(self, theta: Effects, scale: Mapping[str, Scales], raw: Statistics) -> OfLane:
        """Return the sum of the log probabilities of single counts, without the factorials."""
        phi, y = scale["phi"], raw["y"]
        log_mu = jnp.take_along_axis(theta, raw["group_of"], axis=0) + raw["log_exposure"]
        of_shape = special.gammaln(y + phi) - special.gammaln(phi) + phi * jnp.log(phi)
        return (of_shape + y * log_mu - (y + phi) * jnp.logaddexp(log_mu, jnp.log(phi))).sum(0)

    def draw(self, key: jax.Array, theta: Array, scale: Mapping[str, Array], known_se: Any) -> jax.Array:
        """Draw a gamma number around the mean, and a Poisson count of it."""
        key_gamma, key_poisson = jax.random.split(key)
        phi = scale["phi"]
        log_gamma = jax.random.loggamma(key_gamma, phi, theta.shape, theta.dtype)
        return drawn_counts(key_poisson, theta + log_gamma - jnp.log(phi))

    def new_observation(self, theta_new: np.ndarray, scale: Mapping[str, np.ndarray], noise: Noise) -> np.ndarray:
        """Draw a count of exposure 1 in the new group."""
        gamma = np.maximum(noise.gamma(scale["phi"]), np.finfo(np.float64).tiny)
        return new_counts(theta_new + np.log(gamma) - np.log(scale["phi"]), noise)

    def shrinkage_weight(self, tau: OfLane, mu: OfLane, scale: Mapping[str, Scales], stats: Statistics) -> Effects:
        """Return B_j = 1 / (1 + n_j tau^2 m phi / (m + phi)), m = E_j exp(mu) / n_j: approximate, on the log scale."""
        size = np.maximum(stats["size"], 1)
        mean = stats["n"] * np.exp(mu) / size
        return 1 / (1 + stats["size"] * tau**2 * mean / (1 + mean / scale["phi"]))


def counts_above(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes k and weights, (``NODES``,) each, that stand for m_k = number of counts above k, k >= 1.

    Beyond ``EXACT`` the sum over k is the integral from k - 1/2, by panels of Gauss-Legendre points in log k.

    >>> at, above = counts_above(np.array([0.0, 1.0, 3.0, 3.0]))
    >>> at[above > 0].round(9).tolist(), above[above > 0].round(9).tolist()
    ([1.0, 2.0], [2.0, 2.0])
    """
    at, above = np.ones(NODES), np.zeros(NODES)
    tally = np.bincount(np.minimum(y, EXACT).astype(np.int64), minlength=2)
    m = (tally.sum() - np.cumsum(tally))[1:EXACT]
    k = np.flatnonzero(m) + 1
    points, weights = k.astype(float), m[k - 1].astype(float)
    if len(y) and y.max() > EXACT:
        more, of_more = _integral_above(y[y > EXACT])
        points, weights = np.concatenate([points, more]), np.concatenate([weights, of_more])
    if len(points) <= NODES:
        at[: len(points)], above[: len(points)] = points, weights
        return at, above
    nodes, of_nodes = _gauss(np.log(points), weights)
    return np.exp(nodes), of_nodes


def _integral_above(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points and weights of the integral of the number of counts above k, from ``EXACT`` - 1/2 on."""
    ends, n = np.unique(np.log(y - 0.5), return_counts=True)
    edges = np.union1d(np.arange(np.log(EXACT - 0.5), ends[-1], WIDEST), ends)
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    above = n.sum() - np.concatenate([[0], np.cumsum(n)])[np.searchsorted(ends, middle)]
    x, w = np.polynomial.legendre.leggauss(ORDER)
    log_k = middle[:, None] + half[:, None] * x
    weights = above[:, None] * half[:, None] * w * np.exp(log_k)
    return np.exp(log_k).ravel(), weights.ravel()


def _gauss(points: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Gauss quadrature of a discrete measure, by Lanczos with full reorthogonalization."""
    total = weights.sum()
    vectors = np.zeros((NODES, len(points)))
    diagonal, beside = np.zeros(NODES), np.zeros(NODES - 1)
    vectors[0] = np.sqrt(weights / total)
    for i in range(NODES):
        moved = points * vectors[i]
        diagonal[i] = moved @ vectors[i]
        for _ in range(2):
            moved -= vectors[: i + 1].T @ (vectors[: i + 1] @ moved)
        if i < NODES - 1:
            beside[i] = np.linalg.norm(moved)
            vectors[i + 1] = moved / beside[i]
    values, of = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    return values, total * of[0] ** 2


def _shape_of_moments(y: np.ndarray, mean: np.ndarray) -> float:
    """Return the shape that the variance of counts around their means gives, within bounds."""
    excess = float(((y - mean) ** 2 - mean).sum())
    least, most = SHAPES
    return float(np.clip((mean**2).sum() / excess, least, most)) if excess > 0 else most


def _counts(data: GroupedData) -> np.ndarray:
    if data.y is None:
        raise ValueError("the likelihood negative_binomial needs single counts, but the data hold totals only")
    return np.rint(data.y)
