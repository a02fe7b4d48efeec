"""Made-up replicates with every column that a measure can need: a normal model whose estimates shrink, and its costs.

Three layouts stand side by side, since no measure applies to all: groups whose effects are drawn anew (``grouped``),
one estimand with a constant truth (``single``), and one whose truth is 0, the end of its range (``boundary``).
"""

from dataclasses import replace

import numpy as np
from scipy.stats import norm

from simstudy.measures.rows.replicates import Replicates

N_GROUPS = 4
MU, TAU, NOISE = 0.5, 1.5, 0.8
SHRINKAGE = NOISE**2 / (NOISE**2 + TAU**2)
Z95 = 1.96
LAYOUTS = {"grouped": (N_GROUPS, None), "single": (1, 2.0), "boundary": (1, 0.0)}
IN_UNIT = (
    "error", "truth", "mean", "median", "sd", "lower", "upper", "deviation", "y_mean", "crps", "mcse_mean",
    "local_deviation", "part_none", "part_complete", "part_partial",
    "reference_error", "none_error", "complete_error", "oracle_error", "exact_error", "sampler_error", "exact_sd",
    "exact_mcse",
)  # fmt: skip
"""Columns in the unit of the estimand."""
IN_SECONDS = ("run_seconds", "compile_seconds")


def make_replicates(layout: str, *, n_cells: int, n_replicates: int, seed: int = 0) -> Replicates:
    """Return cells of one layout, all drawn in the same way.

    Args:
        layout: one of ``LAYOUTS``.
        n_cells: number of cells.
        n_replicates: replicates in each cell.
        seed: of NumPy's generator.

    >>> make_replicates("grouped", n_cells=2, n_replicates=3).n.tolist()
    [3, 3]
    """
    n_groups, truth = LAYOUTS[layout]
    rng = np.random.default_rng(seed)
    shape = (n_cells * n_replicates, n_groups)
    columns = _estimates(rng, shape, truth)
    columns |= _sampler_errors(rng, shape, columns["error"]) | _costs(rng, shape)
    return Replicates(
        columns={name: np.broadcast_to(value, shape).ravel() for name, value in columns.items()},
        unit=np.repeat(np.arange(shape[0]), n_groups),
        cell=np.repeat(np.arange(n_cells), n_replicates),
        n_cells=n_cells,
    )


def _estimates(rng: np.random.Generator, shape: tuple[int, int], truth: float | None) -> dict[str, np.ndarray]:
    theta = MU + TAU * rng.standard_normal(shape) if truth is None else np.full(shape, truth)
    y = theta + NOISE * rng.standard_normal(shape)
    oracle = SHRINKAGE * MU + (1 - SHRINKAGE) * y
    mean = oracle + 0.3 * rng.standard_normal(shape)
    sd = 0.8 * np.exp(0.1 * rng.standard_normal(shape))
    z = (theta - mean) / sd
    return {
        "truth": theta,
        "at_end": theta == 0,
        "mean": mean,
        "median": mean,
        "sd": sd,
        "mcse_mean": sd / 20,
        "lower": mean - Z95 * sd,
        "upper": mean + Z95 * sd,
        "crps": sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi)),
        "log_score": -norm.logpdf(z) + np.log(sd),
        "error": mean - theta,
        "reference_error": y - theta,
        "none_error": y - theta,
        "complete_error": y.mean(axis=1, keepdims=True) - theta,
        "oracle_error": oracle - theta,
        "deviation": theta - MU,
        "distance": np.abs(theta - MU) / TAU,
        "variance_among": TAU**2 * np.exp(0.2 * rng.standard_normal((shape[0], 1))),
        "y_mean": y,
        "n_obs": np.ones(shape),
        "is_balanced": np.ones(shape),
        "has_parts": np.ones(shape),
        "part_none": y - theta,
        "part_complete": y.mean(axis=1, keepdims=True) - theta,
        "part_partial": oracle - theta,
        "local_deviation": theta - MU,
    }


def _sampler_errors(rng: np.random.Generator, shape: tuple[int, int], error: np.ndarray) -> dict[str, np.ndarray]:
    sampler_error = 0.1 * rng.standard_normal(shape)
    return {
        "sampler_error": sampler_error,
        "sampler_z": 1.5 * rng.standard_normal(shape),
        "exact_sd": 0.8 * np.exp(0.1 * rng.standard_normal(shape)),
        "exact_mcse": np.full(shape, 0.02),
        "exact_error": error - sampler_error,
        "has_divergence": rng.random(shape) < 0.5,
    }


def _costs(rng: np.random.Generator, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    of_replicate = (shape[0], 1)
    return {
        "n_draws": np.full(of_replicate, 2_000.0),
        "n_divergent": rng.poisson(1.0, of_replicate),
        "n_max_treedepth": rng.poisson(0.5, of_replicate),
        "n_boundary": rng.poisson(0.5, of_replicate),
        "ess": 20 * rng.gamma(20, size=of_replicate),
        "leapfrogs": 500 * rng.gamma(40, size=of_replicate),
        "run_seconds": 0.1 * rng.gamma(50, size=of_replicate),
        "compile_seconds": 0.1 * rng.gamma(50, size=of_replicate),
        "n_fits": rng.poisson(100, of_replicate),
    }


def shuffle_rows(replicates: Replicates) -> Replicates:
    """Return the same replicates with their rows in another order."""
    order = np.random.default_rng(0).permutation(len(replicates.unit))
    columns = {name: values[order] for name, values in replicates.columns.items()}
    return replace(replicates, columns=columns, unit=replicates.unit[order])


def renumber(replicates: Replicates) -> Replicates:
    """Return the same replicates numbered in another order."""
    number = np.random.default_rng(1).permutation(len(replicates.cell))
    cell = np.empty_like(replicates.cell)
    cell[number] = replicates.cell
    return replace(replicates, unit=number[replicates.unit], cell=cell)


def leave_gap(replicates: Replicates) -> Replicates:
    """Return the replicates with the first row without any value."""
    gap = np.arange(len(replicates.unit)) == 0
    columns = {name: np.where(gap, np.nan, values) for name, values in replicates.columns.items()}
    # A truth that is not known is at no end.
    columns["at_end"] = np.where(gap, False, replicates["at_end"])
    return replace(replicates, columns=columns)


def change_unit(replicates: Replicates, *, factor: float, seconds: float) -> Replicates:
    """Return the replicates with estimands in a unit so many times smaller, and clocks that tick so many times."""
    scales = dict.fromkeys(IN_UNIT, factor) | dict.fromkeys(IN_SECONDS, seconds) | {"variance_among": factor**2}
    columns = {name: values * scales.get(name, 1.0) for name, values in replicates.columns.items()}
    # A density per unit: minus its logarithm rises by that of the factor.
    columns["log_score"] = columns["log_score"] + np.log(factor)
    return replace(replicates, columns=columns)
