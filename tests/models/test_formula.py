"""The formula of a sum of terms, as people write it for lme4."""

import numpy as np

from simstudy.models.design import Design, Factor
from simstudy.models.formula import formula_of
from simstudy.models.predictor import Term
from simstudy.models.terms import TERM_STRUCTURES

PARENT = np.array([0, 0, 1, 1])


def design(**within):
    factors = [
        Factor(name=name, level=np.arange(4), n_levels=4, within=outer, parent=None if outer is None else PARENT)
        for name, outer in within.items()
    ]
    return Design(n_cells=4, factors=tuple(factors))


def term(factor, kind="exchangeable", **options):
    return Term(factor=factor, structure=TERM_STRUCTURES[kind](**options))


def test_nested_and_crossed_factors():
    """Of a chain the innermost stands for all; what is left out of a model is left out of it."""
    nested = design(school=None, **{"class": "school"})
    assert formula_of(nested, [term("school"), term("class")], []) == "y ~ 1 + (1 | school/class)"
    assert formula_of(nested, [term("class")], []) == "y ~ 1 + (1 | class)"
    assert formula_of(nested, [], ["age"]) == "y ~ 1 + age"
    crossed = design(plate=None, sample=None)
    assert formula_of(crossed, [term("plate"), term("sample")], []) == "y ~ 1 + (1 | plate) + (1 | sample)"


def test_slopes_and_levels_with_neighbors():
    """Two bars where slopes are not correlated with intercepts; series and maps by the name of their structure."""
    one = design(subject=None)
    slopes = [term("subject", "slopes", covariates=("day",))]
    assert formula_of(one, slopes, ["day"]) == "y ~ 1 + day + (1 + day | subject)"
    apart = [term("subject", "slopes", covariates=("day",), correlated=False)]
    assert formula_of(one, apart, ["day"]) == "y ~ 1 + day + (1 + day || subject)"
    assert formula_of(one, [term("subject", "random_walk")], []) == "y ~ 1 + random_walk(subject)"


def test_a_chain_that_ends_in_another_structure_is_told_apart():
    """Only plain factors are put into one."""
    nested = design(school=None, **{"class": "school"})
    terms = [term("school"), term("class", "slopes", covariates=("x",))]
    assert formula_of(nested, terms, []) == "y ~ 1 + (1 | school) + (1 + x | class)"
