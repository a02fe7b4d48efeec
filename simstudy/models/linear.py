"""An additive model as matrices: what its terms are at given parameters, linear in white noise.

The effects of a term are ``sum over modes of matrix[level, mode] z[mode]``, z independent standard normal numbers, and
the predictor is ``X beta + Z z`` over cells. Whatever the structure, its own text makes the matrix: the effects of each
unit vector of noise.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from simstudy.models.design import Factor
from simstudy.models.predictor import Term, constants_of


def effect_matrices(term: Term, factor: Factor, values: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Return column of the effects -> (level, mode), the modes of all parts of the noise one after the other.

    Args:
        term: an addend of the predictor.
        factor: whose levels have the effects.
        values: parameter, by the name that the structure gives it -> its value.

    >>> from simstudy.models.terms import Exchangeable
    >>> two = Factor(name="row", level=np.array([0, 1]), n_levels=2)
    >>> effect_matrices(Term(factor="row", structure=Exchangeable()), two, {"tau": 3.0})["effect"].tolist()
    [[3.0, 0.0], [0.0, 3.0]]
    """
    structure = term.structure
    n_modes = structure.n_noise(factor)
    z = structure.by_part(factor, np.eye(n_modes))
    lanes: dict[str, Any] = {name: np.full(1, value) for name, value in values.items()}
    found = structure.effects(lanes, z, constants_of(structure, factor), np)
    return {
        column: np.broadcast_to(np.asarray(matrix, float), (factor.n_levels, n_modes))
        for column, matrix in found.items()
    }


def cell_matrix(
    term: Term, factor: Factor, matrices: Mapping[str, np.ndarray], covariates: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Return what a term adds to the predictor of each cell, (cell, mode).

    Args:
        term: an addend of the predictor.
        factor: whose levels have the effects.
        matrices: what ``effect_matrices`` returned.
        covariates: name -> (cell,) values.
    """
    total: Any = 0.0
    for column, covariate in term.columns:
        of_cells = factor.at_cells(matrices[column])
        total = total + (of_cells if covariate is None else of_cells * covariates[covariate][:, None])
    return np.asarray(total)
