"""Additive models and data for them, made by hand, for tests."""

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.models.design import CellData, Design, Factor
from simstudy.models.likelihoods import Binomial, Normal
from simstudy.models.location import Location
from simstudy.models.predictor import Term
from simstudy.models.priors import parse_prior
from simstudy.models.terms import Exchangeable

SCHOOL = Factor(name="school", level=np.array([0, 0, 1, 1, 1]), n_levels=2)
CLASS = Factor(name="class", level=np.arange(5), n_levels=5, within="school", parent=np.array([0, 0, 1, 1, 1]))
ROW = Factor(name="row", level=np.array([0, 0, 0, 1, 1]), n_levels=2)
ITEM = Factor(name="item", level=np.array([0, 1, 2, 0, 2]), n_levels=3)
NESTED = Design(n_cells=5, factors=(SCHOOL, CLASS))
CROSSED = Design(n_cells=5, factors=(ROW, ITEM))
X = np.array([3.0, 3.0, 7.0, 8.0, 11.0])


def data_of(design, *, likelihood=None, seed=0, x=None):
    """Return random observations of a few in each cell; 0 or 1 for a binomial likelihood."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 5, design.n_cells)
    n[0] = 1
    y = rng.normal(2.0, 1.5, n.sum()) if likelihood is None else rng.integers(0, 2, n.sum()).astype(float)
    cell_of = np.repeat(np.arange(design.n_cells), n)
    mean = np.bincount(cell_of, y) / n
    ss = np.bincount(cell_of, (y - mean[cell_of]) ** 2)
    covariates = () if x is None else (("x", np.asarray(x, float)),)
    return CellData(n_obs=n, y_mean=mean, y_ss=ss, y=y, design=design, covariates=covariates)


def exchangeable(*factors, parameterization="noncentered"):
    """Return exchangeable terms of some factors."""
    return tuple(
        Term(factor=f, structure=Exchangeable(), parameterization=parameterization, alone=len(factors) == 1)
        for f in factors
    )


def model_with(terms, *, likelihood=None, covariates=(), priors=None, design=None):
    """Return a model with default priors, but for those that are given."""
    likelihood = Normal() if likelihood is None else likelihood
    location = Location(covariates=covariates)
    parameters = [*location.parameters, *(p for t in terms for p in t.parameters), *likelihood.parameters]
    given = {} if priors is None else priors
    made = tuple((p.name, parse_prior(given.get(p.name, p.default_prior(likelihood.scale)), p)) for p in parameters)
    return AdditiveModel(location=location, terms=terms, likelihood=likelihood, priors=made, design=design)


BINOMIAL = Binomial()
