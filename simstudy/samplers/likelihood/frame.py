"""What data sets of one design share: fixed columns, the rows of each term's levels, and their compression.

Rows are compressed to an orthonormal basis of all columns, as many as there are rows or columns, whichever are fewer;
what lies beyond it says of sigma alone. Where a single standard deviation is all that is free, the basis is that of the
principal axes of its term, and covariances are diagonal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.models.design import Factor
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.linear import effect_matrices
from simstudy.models.predictor import Term
from simstudy.models.priors import Prior
from simstudy.samplers.likelihood.coordinates import Free
from simstudy.samplers.likelihood.random_term import RandomTerm, free_parameters
from simstudy.samplers.likelihood.rows import GROUPS, Observed, Rows, factors_of, terms_of

DEPENDENT = 1e-9
"""Least part of a fixed column beside those before it, as a share of its length, that is taken to be apart."""

CONFOUNDED = 1e-8
"""Least part of the errors' covariance beside those of the terms, as a share of it, that is taken to be apart."""


@dataclass(frozen=True, kw_only=True)
class FixedColumns:
    """The columns of the rows whose coefficients are fixed effects.

    Args:
        names: of coefficients: mu, beta[x]; (factor, column of its effects, number) of a contrast or a group's effect.
        columns: (row, column).
        offset: (row,) what coefficients add that are constants.
    """

    names: tuple[str | tuple[str, str, int], ...]
    columns: np.ndarray
    offset: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What data sets of one design share.

    Args:
        fixed: the fixed columns of the rows.
        basis: (row, compressed row), orthonormal columns.
        q: (compressed row, column) orthonormal basis of the fixed columns.
        triangle: (column, column): columns = q @ triangle.
        terms: the random terms, in compressed rows.
        free: free parameters of the terms, scales with their units.
        problem: why no data set of the design can be fitted; empty for none.
    """

    fixed: FixedColumns
    basis: np.ndarray
    q: np.ndarray
    triangle: np.ndarray
    terms: tuple[RandomTerm, ...]
    free: tuple[Free, ...]
    problem: str = ""

    @property
    def n_rows(self) -> int:
        """Number of compressed rows."""
        return self.basis.shape[1]

    @property
    def n_fixed(self) -> int:
        """Number of fixed coefficients."""
        return self.q.shape[1]

    @cached_property
    def log_det_fixed(self) -> float:
        """Log determinant of the fixed columns' cross product."""
        return float(2 * np.log(np.abs(np.diag(self.triangle))).sum())

    def values(self, term: int, free: np.ndarray) -> dict[str, float]:
        """Return every parameter of a term by the structure's name, given the (free,) values."""
        one = self.terms[term]
        own = {f.name: float(value) for f, value in zip(self.free, free, strict=True) if f.term == term}
        return {name: own[name] if name in own else one.fixed[name] for name in one.names}

    def derivative(self, index: int, free: np.ndarray) -> np.ndarray:
        """Return the derivative of the covariance by a free parameter."""
        one = self.free[index]
        return self.terms[one.term].derivative(self.values(one.term, free), one)

    @cached_property
    def is_confounded(self) -> bool:
        """Whether sigma is not told from the terms, where no observation is beyond the compressed rows."""
        rest = np.eye(self.n_rows) - self.q @ self.q.T
        usual = np.array([f.usual for f in self.free])
        derivatives = [self.derivative(i, usual) for i in range(len(self.free))]
        seen = [rest @ (np.diag(d) if d.ndim == 1 else d) @ rest for d in derivatives]
        if not seen:
            return False
        columns = np.stack([one.ravel() for one in seen], 1)
        left = rest.ravel() - columns @ np.linalg.lstsq(columns, rest.ravel())[0]
        return bool(np.linalg.norm(left) < CONFOUNDED * np.linalg.norm(rest))

    def compress(self, observed: Observed) -> tuple[np.ndarray, np.ndarray, float]:
        """Return coefficients of least squares, (column,), compressed residuals, and the squares around those.

        Residuals are taken first, so that nothing is lost in data far from 0.
        """
        y = observed.y - self.fixed.offset
        whole = self.basis @ self.q
        of_q = whole.T @ y
        residual = y - whole @ of_q
        more = whole.T @ residual
        residual = residual - whole @ more
        inside = self.basis.T @ residual
        beyond = residual - self.basis @ inside
        coefficients = np.linalg.solve(self.triangle, of_q + more) if self.n_fixed else np.empty(0)
        return coefficients, inside, observed.squares + float(beyond @ beyond)


def frame_of(model: HierarchicalModel | AdditiveModel, rows: Rows) -> Frame:
    """Return what data sets with these rows share."""
    priors, factors = dict(model.priors), factors_of(model, len(rows.one))
    fixed = _fixed(model, rows, priors, factors)
    terms = terms_of(model)
    of_levels = [_of_levels(term, factors[term.factor], rows) for term in terms]
    constants = [
        {
            p.name: priors[t.name_of(p.name)].value
            for p in t.structure.parameters
            if priors[t.name_of(p.name)].is_constant
        }
        for t in terms
    ]
    blocks = [block for columns in of_levels for block in columns.values()]
    every = np.concatenate([fixed.columns, *blocks], axis=1)
    basis = np.linalg.qr(every)[0] if every.shape[1] < every.shape[0] else np.eye(every.shape[0])
    bare = [RandomTerm(t, factors[t.factor], c, k) for t, c, k in zip(terms, of_levels, constants, strict=True)]
    is_diagonal = len(bare) == 1 and bare[0].has_single_scale
    if is_diagonal:
        inside = basis.T @ bare[0].matrix(dict.fromkeys(bare[0].names, 1.0))
        basis = basis @ np.linalg.eigh(inside @ inside.T)[1]
    made = tuple(
        RandomTerm(t, factors[t.factor], {n: basis.T @ b for n, b in c.items()}, k, is_diagonal=is_diagonal)
        for t, c, k in zip(terms, of_levels, constants, strict=True)
    )
    q, triangle = np.linalg.qr(basis.T @ fixed.columns)
    lengths = np.linalg.norm(fixed.columns, axis=0)
    is_apart = np.abs(np.diag(triangle)) > DEPENDENT * lengths if triangle.shape[0] == len(lengths) else [False]
    problem = "" if np.all(is_apart) else "the fixed effects are not told apart by the design: leave some out"
    frame = Frame(
        fixed=fixed, basis=basis, q=q, triangle=triangle, terms=made, free=free_parameters(made), problem=problem
    )
    return replace(frame, free=tuple(_with_unit(frame, i) for i in range(len(frame.free))))


def _with_unit(frame: Frame, index: int) -> Free:
    """Return a free parameter; a scale with its unit, at which its effects vary as much as an error of sigma = 1."""
    one = frame.free[index]
    if one.kind != "scale":
        return one
    start = np.array([0.0 if f.kind == "scale" else f.usual for f in frame.free])
    start[index] = 1.0
    values, term = frame.values(one.term, start), frame.terms[one.term]
    covariance = term.covariance(values) - term.covariance({**values, one.name: 0.0})
    mean = float(np.mean(covariance if covariance.ndim == 1 else np.diag(covariance)))
    return replace(one, usual=1 / np.sqrt(mean) if mean > 0 else 1.0)


def _fixed(
    model: HierarchicalModel | AdditiveModel, rows: Rows, priors: Mapping[str, Prior], factors: Mapping[str, Factor]
) -> FixedColumns:
    """Return the fixed columns: intercept, covariates, and what is not pooled."""
    each: dict[str | tuple[str, str, int], np.ndarray] = {}
    if isinstance(model, AdditiveModel):
        each["mu"] = rows.one
        each |= {f"beta[{name}]": rows.x[name] for name in model.location.covariates}
        for term in model.terms:
            if not term.structure.parameterized:
                factor = factors[term.factor]
                of_levels = _of_levels(term, factor, rows)
                for part, matrix in _contrasts(term, factor).items():
                    columns = of_levels[part] @ matrix
                    each |= {(term.factor, part, k): columns[:, k] for k in range(columns.shape[1])}
    elif "mu" in priors:
        each["mu"] = rows.one
    else:
        level = rows.level[GROUPS]
        each |= {(GROUPS, "theta", k): rows.one * (level == k) for k in range(factors[GROUPS].n_levels)}
    names = {name: name if isinstance(name, str) else "theta" for name in each}
    held = {n: priors[names[n]].value for n in each if names[n] in priors and priors[names[n]].is_constant}
    offset = sum((value * each[name] for name, value in held.items()), np.zeros(len(rows.one)))
    free = {name: column for name, column in each.items() if name not in held}
    columns = np.stack(list(free.values()), 1) if free else np.empty((len(rows.one), 0))
    return FixedColumns(names=tuple(free), columns=columns, offset=offset)


def _contrasts(term: Term, factor: Factor) -> dict[str, np.ndarray]:
    """Return column of the effects of no pooling -> (level, contrast), orthonormal."""
    found = effect_matrices(term, factor, {p.name: 1.0 for p in term.structure.parameters})
    return {name: matrix[:, np.any(matrix, axis=0)] for name, matrix in found.items()}


def _of_levels(term: Term, factor: Factor, rows: Rows) -> dict[str, np.ndarray]:
    """Return column of the effects of a term -> (row, level)."""
    is_level = np.equal.outer(rows.level[term.factor], np.arange(factor.n_levels))
    return {
        column: is_level * (rows.one if covariate is None else rows.x[covariate])[:, None]
        for column, covariate in term.columns
    }
