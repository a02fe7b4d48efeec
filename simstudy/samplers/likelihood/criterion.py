"""The deviance of a linear model with normal effects and errors, and its gradient, at given parameters.

With K the covariance of the effects over the compressed rows, V = sigma^2 I + K, P the inverse of V without what the
fixed columns take, r the residuals, and N - R rows and squares s beyond the compressed ones,

    ML:    N log 2 pi + log|V| + (N - R) log sigma^2 + r'P r + s / sigma^2,
    REML:  the same with N - p in the place of N in front, + log|X'V^-1 X|

(Harville 1977; Bates, Maechler, Bolker & Walker 2015, eqs. 33 to 42, where sigma is profiled out).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from simstudy.samplers.likelihood.frame import Frame

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, kw_only=True)
class Data:
    """One data set, compressed.

    Args:
        residual: (compressed row,) residuals of least squares.
        beyond: sum of squares beyond the compressed rows.
        n: number of observations.
        log_weights: log of the product of the errors' variances over sigma^2.
    """

    residual: np.ndarray
    beyond: float
    n: float
    log_weights: float


@dataclass(frozen=True, kw_only=True)
class Point:
    """What the criterion is made of at given covariance and sigma^2.

    Args:
        log_det: of the observations' covariance, and under REML of the fixed effects' information.
        squares: r'P r + s / sigma^2.
        n: number of observations, under REML less that of the fixed effects.
        coefficients: (column,) of the orthonormal fixed columns, beside those of least squares.
        variance: (column, column) of these.
        gradient: of the deviance by each free parameter and by sigma^2, (free + 1,), in two parts: that of
            ``log_det`` and that of ``squares``; None where it was not asked for.
    """

    log_det: float
    squares: float
    n: float
    coefficients: np.ndarray
    variance: np.ndarray
    gradient: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def deviance(self) -> float:
        """Minus twice the log likelihood."""
        return self.n * LOG_2PI + self.log_det + self.squares

    @property
    def profiled(self) -> float:
        """The deviance at the best sigma, where covariance is relative to sigma = 1."""
        return self.n * (1 + LOG_2PI + np.log(self.squares / self.n)) + self.log_det


def evaluate(
    frame: Frame,
    data: Data,
    free: np.ndarray,
    variance: float,
    *,
    restricted: bool,
    with_gradient: bool = False,
) -> Point:
    """Return the criterion at given parameters.

    Args:
        frame: of the data's design.
        data: one data set.
        free: (free,) values of the parameters of the terms.
        variance: sigma^2.
        restricted: whether REML.
        with_gradient: whether derivatives are asked for.

    Raises:
        numpy.linalg.LinAlgError: the covariance has no factor at these parameters.
    """
    values = [frame.values(i, free) for i in range(len(frame.terms))]
    covariances = [term.covariance(v) for term, v in zip(frame.terms, values, strict=True)]
    q, r, n_beyond = frame.q, data.residual, data.n - frame.n_rows
    kind = _Diagonal if _is_diagonal(frame) else _Dense
    factor = kind(frame.n_rows, variance, covariances)
    of_q, of_r = factor.halved(q), factor.halved(r)
    information = of_q.T @ of_q
    triangle, spread = _factor_and_inverse(information)
    b = spread @ (of_q.T @ of_r)
    left = of_r - of_q @ b
    log_det = factor.log_det + n_beyond * np.log(variance) + data.log_weights
    n = data.n
    if restricted:
        log_det += 2 * np.log(np.diag(triangle)).sum() + frame.log_det_fixed
        n -= frame.n_fixed
    squares = float(left @ left) + data.beyond / variance
    if not with_gradient:
        return Point(log_det=float(log_det), squares=squares, n=n, coefficients=b, variance=spread)
    solved, of_fixed = factor.halved_back(left), factor.halved_back(of_q)
    derivatives = [
        derivative
        for i, term in enumerate(frame.terms)
        for derivative in term.derivatives(values[i], [f for f in frame.free if f.term == i])
    ]
    taken = [factor.trace(d) - (_inner(of_fixed, d, spread) if restricted else 0.0) for d in derivatives]
    of_identity = factor.trace_of_identity - (float((spread * (of_fixed.T @ of_fixed)).sum()) if restricted else 0.0)
    by_det = np.array([*taken, of_identity + n_beyond / variance])
    by_squares = [-float(solved @ (d * solved if d.ndim == 1 else d @ solved)) for d in derivatives]
    by_squares.append(-float(solved @ solved) - data.beyond / variance**2)
    return Point(
        log_det=float(log_det),
        squares=squares,
        n=n,
        coefficients=b,
        variance=spread,
        gradient=(by_det, np.array(by_squares)),
    )


def _factor_and_inverse(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower Cholesky factor and the inverse, by LAPACK itself: a wrapper would cost as much."""
    if not matrix.size:
        return matrix, matrix
    factor, failed = lapack.dpotrf(matrix, lower=1)
    if failed:
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    lower = np.asarray(lapack.dpotri(factor, lower=1)[0])
    return np.asarray(factor), lower + np.tril(lower, -1).T


def _is_diagonal(frame: Frame) -> bool:
    return all(term.is_diagonal for term in frame.terms)


def _inner(columns: np.ndarray, derivative: np.ndarray, spread: np.ndarray) -> float:
    """Return tr(spread columns' derivative columns)."""
    moved = derivative[:, None] * columns if derivative.ndim == 1 else derivative @ columns
    return float((spread * (columns.T @ moved)).sum())


class _Diagonal:
    """V where it is diagonal."""

    def __init__(self, n: int, variance: float, covariances: Sequence[np.ndarray]) -> None:
        self._v: np.ndarray = sum(covariances, np.full(n, variance))
        self._root = 1 / np.sqrt(self._v)
        self.log_det = float(np.log(self._v).sum())

    def halved(self, a: np.ndarray) -> np.ndarray:
        """Return L^-1 a."""
        return self._root * a if a.ndim == 1 else self._root[:, None] * a

    halved_back = halved

    def trace(self, derivative: np.ndarray) -> float:
        """Return tr(V^-1 derivative)."""
        return float((derivative / self._v).sum())

    @property
    def trace_of_identity(self) -> float:
        """Return tr(V^-1)."""
        return float((1 / self._v).sum())


class _Dense:
    """V = L L'."""

    def __init__(self, n: int, variance: float, covariances: Sequence[np.ndarray]) -> None:
        v = sum(covariances, np.zeros((n, n)))
        v[np.diag_indices(n)] += variance
        self._l, self.inverse = _factor_and_inverse(v)
        self.log_det = float(2 * np.log(np.diag(self._l)).sum())

    def halved(self, a: np.ndarray) -> np.ndarray:
        """Return L^-1 a."""
        return self._solved(a, trans=0)

    def halved_back(self, a: np.ndarray) -> np.ndarray:
        """Return L'^-1 a."""
        return self._solved(a, trans=1)

    def _solved(self, a: np.ndarray, *, trans: int) -> np.ndarray:
        return np.asarray(lapack.dtrtrs(self._l, a, lower=1, trans=trans)[0]) if a.size else a

    def trace(self, derivative: np.ndarray) -> float:
        """Return tr(V^-1 derivative)."""
        return float((self.inverse * derivative).sum())

    @property
    def trace_of_identity(self) -> float:
        """Return tr(V^-1)."""
        return float(np.trace(self.inverse))
