"""The log densities of ``exact/terms/marginal_density.by_numpy``: one loop over modes for every node."""

import numpy as np

from simstudy.samplers.compiled.native import compiled


@compiled
def by_modes(
    total: np.ndarray,
    sigma: np.ndarray,
    within: np.ndarray,
    squares: np.ndarray,
    count: np.ndarray,
    sum_yy: np.ndarray,
    sum_xy: np.ndarray,
    sum_xx: np.ndarray,
    left_yy: np.ndarray,
    left_xy: np.ndarray,
    left_xx: np.ndarray,
    precision: np.ndarray,
    precision_mean: np.ndarray,
    mean_square: np.ndarray,
    log_det: np.ndarray,
) -> np.ndarray:
    """Return (row, node) log densities; arguments are those of ``SpectralProblem``, nodes flat."""
    n_rows, n_nodes = total.shape
    n_classes, p = squares.shape[1], precision.shape[1]
    out = np.empty((n_rows, n_nodes))
    a = np.empty((p, p))
    r = np.empty(p)
    xy = np.empty(p)
    xx = np.empty((p, p))
    for row in range(n_rows):
        for i in range(n_nodes):
            s = sigma[row, i]
            ratio = (total[row, i] / s) ** 2
            i2 = 1.0 / (s * s)
            log_v, product, yy = 0.0, 1.0, left_yy[row]
            for j in range(p):
                xy[j] = left_xy[row, j]
                for k in range(j + 1):
                    xx[j, k] = left_xx[row, j, k]
            for c in range(n_classes):
                v = 1.0 + ratio * squares[row, c]
                if count[row, c] == 1.0 and v < 1e60:  # one logarithm for many modes
                    product *= v
                    if product > 1e200:
                        log_v += np.log(product)
                        product = 1.0
                else:
                    log_v += count[row, c] * np.log(v)
                q = 1.0 / v
                yy += q * sum_yy[row, c]
                for j in range(p):
                    xy[j] += q * sum_xy[row, c, j]
                    for k in range(j + 1):
                        xx[j, k] += q * sum_xx[row, c, j, k]
            log_v += np.log(product)
            quadratic = yy * i2 + mean_square[row]
            log_a = 0.0
            for j in range(p):  # Cholesky factor of A, and L^-1 r, row by row
                r[j] = xy[j] * i2 + precision_mean[row, j]
                for k in range(j + 1):
                    value = xx[j, k] * i2 + precision[row, j, k]
                    for m in range(k):
                        value -= a[j, m] * a[k, m]
                    if k < j:
                        a[j, k] = value / a[k, k]
                    else:  # rounding must not leave a direction without precision
                        a[j, j] = np.sqrt(max(value, 1e-15 * (xx[j, j] * i2 + precision[row, j, j])))
                for k in range(j):
                    r[j] -= a[j, k] * r[k]
                r[j] /= a[j, j]
                log_a += 2.0 * np.log(a[j, j])
                quadratic -= r[j] * r[j]
            quadratic = max(quadratic, 0.0)
            d = np.log(s) - within[row, 2]
            inside = within[row, 0] * d + 0.5 * within[row, 1] * np.expm1(-2.0 * d)
            out[row, i] = within[row, 3] - inside - 0.5 * (log_v + quadratic)
            if p:
                out[row, i] -= 0.5 * (log_a - log_det[row])
    return out
