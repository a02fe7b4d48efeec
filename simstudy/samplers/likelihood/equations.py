"""The mixed-model equations: coefficients and modes together, with the covariance of their errors.

Given the parameters of the covariance, the fixed coefficients b and the white noise z of the effects solve

    [Q'Q / sigma^2    Q'M / sigma^2    ] [b]   [Q'r / sigma^2]
    [M'Q / sigma^2    M'M / sigma^2 + I] [z] = [M'r / sigma^2]

and the inverse of the matrix is the covariance of their errors (Henderson 1975): that of the generalized least-squares
estimate, and that of the predicted effects, the uncertainty of the fixed ones included.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from simstudy.samplers.likelihood.frame import Frame


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Coefficients and noise of a data set, and the covariance of their errors.

    Args:
        mean: (column + mode,) coefficients of the orthonormal fixed columns, then the noise of each term.
        factor: (column + mode, column + mode) lower Cholesky factor of the inverse covariance.
        effects: for each term, column of its effects -> (level, mode).
    """

    mean: np.ndarray
    factor: np.ndarray
    effects: tuple[dict[str, np.ndarray], ...]

    def variance(self, rows: np.ndarray) -> np.ndarray:
        """Return the (row,) error variances of linear functions, (row, column + mode)."""
        return np.square(solve_triangular(self.factor, rows.T, lower=True, check_finite=False)).sum(0)

    def draws(self, standard: np.ndarray) -> np.ndarray:
        """Return (column + mode, draw) draws, given standard normal numbers of that shape."""
        moved = solve_triangular(self.factor, standard, lower=True, trans=1, check_finite=False)
        return self.mean[:, None] + np.asarray(moved)


def solve(frame: Frame, residual: np.ndarray, free: np.ndarray, variance: float) -> Solution:
    """Return the solution at given parameters.

    Args:
        frame: of the data's design.
        residual: (compressed row,) residuals of least squares.
        free: values of the free parameters.
        variance: sigma^2.
    """
    values = [frame.values(i, free) for i in range(len(frame.terms))]
    effects = tuple(term.effects(v) for term, v in zip(frame.terms, values, strict=True))
    inside = [
        sum(term.columns[name] @ of[name] for name, _ in term.term.columns)
        for term, of in zip(frame.terms, effects, strict=True)
    ]
    design = np.concatenate([frame.q, *inside], axis=1)
    matrix = design.T @ design / variance
    modes = np.arange(frame.n_fixed, len(matrix))
    matrix[modes, modes] += 1.0
    factor = cholesky(matrix, lower=True, check_finite=False)
    mean = cho_solve((factor, True), design.T @ residual / variance, check_finite=False)
    return Solution(mean=np.asarray(mean), factor=np.asarray(factor), effects=effects)
