"""A data set as weighted rows, whose errors all have the variance sigma^2.

A cell of n observations is one row: its mean, predictor and effects times sqrt(n). Where standard errors are known they
take the place of 1 / sqrt(n), and sigma is 1. Of lines through cells (``models.lines``), a profile with the moments
S = R'R is as many rows as it has coefficients: those of R. What observations vary around the rows' predictor says of
sigma alone is their sum of squares.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.models.design import Factor
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.lines import ONE, profiles_of
from simstudy.models.predictor import Term
from simstudy.models.terms import Exchangeable

GROUPS = "group"
"""Name of the factor of a model of one grouping."""
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What the rows of a data set have in common with those of all others of its design.

    Args:
        one: (row,) weights of the intercept.
        x: covariate -> (row,) values, weighted.
        level: factor -> (row,) level.
        n_levels: factor -> number of levels.
    """

    one: np.ndarray
    x: Mapping[str, np.ndarray]
    level: Mapping[str, np.ndarray]

    @property
    def identity(self) -> bytes:
        """The same for data sets of one design."""
        return b"".join([self.one.tobytes(), *(x.tobytes() for x in self.x.values())])


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What is observed of one data set.

    Args:
        y: (row,) weighted.
        squares: sum of squares of the observations around the rows.
        n: number of observations.
        log_weights: sum over observations of the log of their errors' variances over sigma^2.
    """

    y: np.ndarray
    squares: float
    n: float
    log_weights: float


def factors_of(model: HierarchicalModel | AdditiveModel, n_cells: int) -> dict[str, Factor]:
    """Return the factors of a model's design by name; of one grouping its groups."""
    if isinstance(model, AdditiveModel):
        assert model.design is not None  # a program's model is bound to its design; for the type checker
        return {factor.name: factor for factor in model.design.factors}
    return {GROUPS: Factor(name=GROUPS, level=np.arange(n_cells), n_levels=n_cells)}


def terms_of(model: HierarchicalModel | AdditiveModel) -> tuple[Term, ...]:
    """Return the terms of a model whose effects vary at random, with the names that the study has for parameters."""
    if isinstance(model, AdditiveModel):
        return tuple(term for term in model.terms if term.structure.parameterized)
    has_tau = "tau" in {p.name for p in model.structure.parameters}
    return (Term(factor=GROUPS, structure=Exchangeable(), alone=True),) if has_tau else ()


def read(model: HierarchicalModel | AdditiveModel, arrays: Arrays) -> tuple[Rows, Observed]:
    """Return the rows of one data set.

    Args:
        model: a supported one.
        arrays: its leaves of what ``model.arrays`` made.
    """
    is_along_lines = "S.1.1" in arrays
    rows, y = _lines(model, arrays) if is_along_lines else _cells(model, arrays)
    if "a" not in arrays:
        return rows, Observed(y=y, squares=0.0, n=len(y), log_weights=-float(np.log(arrays["n"]).sum()))
    squares = float(arrays["a"] * np.exp(2 * arrays["log_s"]))
    return rows, Observed(y=y, squares=squares, n=float(arrays["n_within"]), log_weights=0.0)


def _cells(model: HierarchicalModel | AdditiveModel, arrays: Arrays) -> tuple[Rows, np.ndarray]:
    weight = np.sqrt(arrays["n"])
    level = {name: factor.level for name, factor in factors_of(model, len(weight)).items()}
    x = {n.removeprefix("x."): weight * value for n, value in arrays.items() if n.startswith("x.")}
    return Rows(one=weight, x=x, level=level), weight * arrays["y_mean"]


def _lines(model: HierarchicalModel | AdditiveModel, arrays: Arrays) -> tuple[Rows, np.ndarray]:
    assert isinstance(model, AdditiveModel)  # no other has lines; for the type checker
    assert model.design is not None
    _, profiles = profiles_of(model.design)
    names = [ONE, *(name.removeprefix("c.") for name in arrays if name.startswith("c.") and name != f"c.{ONE}")]
    k = len(names)
    moments = np.zeros((profiles.n_cells, k, k))
    for i, a in enumerate(names):
        for j in range(i, k):
            moments[:, i, j] = moments[:, j, i] = arrays[f"S.{a}.{names[j]}"]
    values, vectors = np.linalg.eigh(moments)
    values = np.where(values > values[:, -1:] * k * np.finfo(float).eps * 8, values, 0.0)
    roots = np.sqrt(values)[:, :, None] * np.swapaxes(vectors, 1, 2)  # (profile, row, coefficient)
    y = np.einsum("pij,pj->pi", roots, np.stack([arrays[f"c.{a}"] for a in names], 1)).ravel()
    columns = roots.reshape(-1, k)
    one = columns[:, 0]
    x = {a: arrays[f"mean.{a}"] * one + arrays[f"sd.{a}"] * columns[:, i] for i, a in enumerate(names) if i}
    level = {factor.name: np.repeat(factor.level, k) for factor in profiles.factors}
    return Rows(one=one, x=x, level=level), y
