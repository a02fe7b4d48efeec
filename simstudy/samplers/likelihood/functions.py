"""Estimands that are linear in fixed coefficients and modes, as rows over both.

The intercept, coefficients, effects of every level, and the predictor of every cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.models.estimands import MU, THETA
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.linear import effect_matrices
from simstudy.samplers.likelihood.equations import Solution
from simstudy.samplers.likelihood.frame import Frame
from simstudy.samplers.likelihood.rows import GROUPS, factors_of


@dataclass(frozen=True, kw_only=True)
class Function:
    """A linear function of coefficients and noise, or several.

    Args:
        fixed: (value, column) of the fixed coefficients.
        noise: (value, mode) of the noise of all terms.
        constant: (value,) what is added.
        is_single: whether there is one value, which is no group's.
    """

    fixed: np.ndarray
    noise: np.ndarray
    constant: np.ndarray
    is_single: bool = False


def held_coefficients(model: HierarchicalModel | AdditiveModel) -> dict[str, float]:
    """Return fixed coefficients whose priors are constants, with their values."""
    of_location = (
        [p.name for p in model.location.parameters] if isinstance(model, AdditiveModel) else [MU.name, THETA.name]
    )
    return {n: prior.value for n, prior in model.priors if n in of_location and prior.is_constant}


def functions_of(
    model: HierarchicalModel | AdditiveModel, frame: Frame, solution: Solution, arrays: Mapping[str, np.ndarray]
) -> dict[str, Function]:
    """Return the estimands of a data set that are linear.

    Args:
        model: the model.
        frame: of the data's design.
        solution: of the data set.
        arrays: its leaves of what ``model.arrays`` made.

    Returns:
        Estimand -> its function. Predictors of cells are left out where the data are lines through them.
    """
    of = _Builder(model, frame, solution)
    out: dict[str, Function] = {}
    if isinstance(model, AdditiveModel):
        location = {p.name: of.coefficient(p.name) for p in model.location.parameters}
        out |= {name: one for name, one in location.items() if name not in of.held}
        by_column = of.effects(model)
        for term in model.terms:
            out |= {f"{column}[{term.factor}]": by_column[term.factor, column] for column, _ in term.columns}
        if "n" in arrays:
            covariates = {name.removeprefix("x."): v for name, v in arrays.items() if name.startswith("x.")}
            out[THETA.name] = _cells(model, location, by_column, covariates, len(arrays["n"]))
        return out
    n = len(arrays["n"])
    if "mu" not in dict(model.priors):
        names = [(GROUPS, "theta", k) for k in range(n)]
        return {} if THETA.name in of.held else {THETA.name: of.stacked(names)}
    mu = of.coefficient(MU.name)
    if MU.name not in of.held:
        out[MU.name] = mu
    effects = [of.of_term(0, "effect")] if frame.terms else []
    out[THETA.name] = _sum([_repeated(mu, n), *effects])
    return out


class _Builder:
    """Functions of one solution."""

    def __init__(self, model: HierarchicalModel | AdditiveModel, frame: Frame, solution: Solution) -> None:
        self.held = held_coefficients(model)
        self._frame, self._solution = frame, solution
        self._place = {name: k for k, name in enumerate(frame.fixed.names)}
        self._n_modes = len(solution.mean) - frame.n_fixed
        self._factors = factors_of(model, 0) if isinstance(model, AdditiveModel) else {}

    def coefficient(self, name: str) -> Function:
        row = np.zeros((1, self._frame.n_fixed))
        if name not in self.held:
            row[0, self._place[name]] = 1.0
        constant = np.array([self.held.get(name, 0.0)])
        return Function(fixed=row, noise=np.zeros((1, self._n_modes)), constant=constant, is_single=True)

    def stacked(self, names: list[tuple[str, str, int]]) -> Function:
        rows = np.zeros((len(names), self._frame.n_fixed))
        rows[np.arange(len(names)), [self._place[name] for name in names]] = 1.0
        return Function(fixed=rows, noise=np.zeros((len(names), self._n_modes)), constant=np.zeros(len(names)))

    def of_term(self, index: int, column: str) -> Function:
        effects = self._solution.effects[index][column]
        noise = np.zeros((len(effects), self._n_modes))
        start = sum(next(iter(e.values())).shape[1] for e in self._solution.effects[:index])
        noise[:, start : start + effects.shape[1]] = effects
        fixed = np.zeros((len(effects), self._frame.n_fixed))
        return Function(fixed=fixed, noise=noise, constant=np.zeros(len(effects)))

    def effects(self, model: AdditiveModel) -> dict[tuple[str, str], Function]:
        """Return (factor, column) -> the effects of its levels."""
        random = [one.term.factor for one in self._frame.terms]
        out = {}
        for term in model.terms:
            for column, _ in term.columns:
                if term.factor in random:
                    out[term.factor, column] = self.of_term(random.index(term.factor), column)
                    continue
                unit = effect_matrices(
                    term, self._factors[term.factor], {p.name: 1.0 for p in term.structure.parameters}
                )[column]
                unit = unit[:, np.any(unit, axis=0)]
                of_contrasts = self.stacked([(term.factor, column, k) for k in range(unit.shape[1])])
                out[term.factor, column] = _times(unit, of_contrasts)
        return out


def _cells(
    model: AdditiveModel,
    location: Mapping[str, Function],
    by_column: Mapping[tuple[str, str], Function],
    covariates: Mapping[str, np.ndarray],
    n: int,
) -> Function:
    """Return the predictor of every cell."""
    parts = [_repeated(location[MU.name], n)]
    parts += [_weighted(_repeated(location[f"beta[{x}]"], n), covariates[x]) for x in model.location.covariates]
    factors = factors_of(model, n)
    for term in model.terms:
        for column, covariate in term.columns:
            of_levels, level = by_column[term.factor, column], factors[term.factor].level
            of_cells = Function(
                fixed=of_levels.fixed[level], noise=of_levels.noise[level], constant=of_levels.constant[level]
            )
            parts.append(of_cells if covariate is None else _weighted(of_cells, covariates[covariate]))
    return _sum(parts)


def _repeated(one: Function, n: int) -> Function:
    return Function(
        fixed=np.repeat(one.fixed, n, 0), noise=np.repeat(one.noise, n, 0), constant=np.repeat(one.constant, n)
    )


def _weighted(one: Function, weights: np.ndarray) -> Function:
    w = weights[:, None]
    return Function(fixed=w * one.fixed, noise=w * one.noise, constant=weights * one.constant)


def _times(matrix: np.ndarray, one: Function) -> Function:
    return Function(fixed=matrix @ one.fixed, noise=matrix @ one.noise, constant=matrix @ one.constant)


def _sum(parts: list[Function]) -> Function:
    return Function(
        fixed=np.sum([p.fixed for p in parts], 0),
        noise=np.sum([p.noise for p in parts], 0),
        constant=np.sum([p.constant for p in parts], 0),
    )
