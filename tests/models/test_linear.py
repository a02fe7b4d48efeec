"""The matrices of a term: what its effects are, linear in white noise."""

import numpy as np
import pytest

from simstudy.models.design import Factor
from simstudy.models.linear import cell_matrix, effect_matrices
from simstudy.models.predictor import Term, constants_of
from simstudy.models.terms import BYM2, CAR, ICAR, Exchangeable, GaussianProcess, RandomWalk, Separate, Slopes
from simstudy.models.terms.structure import TermStructure

PATH = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]])
FACTOR = Factor(
    name="s", level=np.array([0, 0, 1, 2, 3, 4, 5, 5]), n_levels=6, edges=PATH, points=np.linspace(0, 1, 6)[:, None]
)
CASES: list[tuple[TermStructure, dict[str, float]]] = [
    (Exchangeable(), {"tau": 2.0}),
    (RandomWalk(), {"tau": 2.0}),
    (ICAR(), {"tau": 2.0}),
    (CAR(), {"tau": 2.0, "alpha": 0.5}),
    (BYM2(), {"tau": 2.0, "share": 0.3}),
    (GaussianProcess(), {"eta": 2.0, "length": 0.3}),
    (GaussianProcess(basis=0), {"eta": 2.0, "length": 0.3}),
    (Separate(), {"spread": 2.0}),
    (Slopes(covariates=("x",)), {"tau": 1.0, "tau_slope": 2.0, "rho": 0.3}),
    (Slopes(covariates=("x", "w"), correlated=False), {"tau": 1.0, "tau_x": 2.0, "tau_w": 0.3}),
]


@pytest.mark.parametrize(("structure", "values"), CASES, ids=lambda case: getattr(case, "kind", ""))
def test_matrices_times_noise_are_the_effects(structure: TermStructure, values: dict[str, float]) -> None:
    """The matrix of each column times any white noise is what the structure itself makes of that noise."""
    term = Term(factor="s", structure=structure)
    rng = np.random.default_rng(0)
    z = {part: rng.normal(size=n) for part, n in structure.parts(FACTOR).items()}
    effects = structure.effects({k: np.float64(v) for k, v in values.items()}, z, constants_of(structure, FACTOR), np)
    matrices = effect_matrices(term, FACTOR, values)
    for column, matrix in matrices.items():
        assert matrix @ np.concatenate(list(z.values())) == pytest.approx(np.ravel(effects[column]), abs=1e-12)


def test_slopes_are_multiplied_with_their_covariate() -> None:
    """A cell has the intercept of its level, and its slope times the cell's covariate."""
    term = Term(factor="s", structure=Slopes(covariates=("x",), correlated=False))
    matrices = effect_matrices(term, FACTOR, {"tau": 1.0, "tau_slope": 1.0})
    x = np.arange(8.0)
    noise = np.arange(12.0)
    expected = noise[:6][FACTOR.level] + noise[6:][FACTOR.level] * x
    assert cell_matrix(term, FACTOR, matrices, {"x": x}) @ noise == pytest.approx(expected)
