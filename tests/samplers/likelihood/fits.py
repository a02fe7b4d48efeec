"""Models, data and their estimates, for tests of maximum likelihood."""

from dataclasses import replace

import numpy as np

from simstudy.models.design import CellData, Design, Factor
from simstudy.models.likelihoods import Normal, NormalKnownSE
from simstudy.models.predictor import Term
from simstudy.models.terms import Exchangeable, Slopes
from simstudy.samplers.likelihood import ML, REML
from simstudy.study.dataset_terms import terms_cell
from simstudy.types import GroupedData
from tests.models.additive_models import model_with

KINDS = {"ml": ML, "reml": REML}


def estimated(model, data, kind="reml"):
    """Return the estimates of a data set, or the list of those of several of one shape."""
    several = isinstance(data, list)
    each = data if several else [data]
    program = KINDS[kind]().compile(model.bound(each[0]), None)
    found = [one for _, one in program.estimates(model.arrays(each))]
    return found if several else found[0]


def lme4(name):
    """Return the model that lme4's documentation fits to one of its data sets, and the data."""
    data = terms_cell({"kind": "dataset", "data": name}, None)[0].replicate.data
    names = data.design.names
    if name == "sleepstudy":
        term = Term(factor=names[0], structure=Slopes(covariates=("days",)), alone=True)
        return model_with((term,), covariates=("days",)), data
    return model_with(tuple(Term(factor=f, structure=Exchangeable(), alone=len(names) == 1) for f in names)), data


def one_way(y, known_se=None):
    """Return a model of one grouping, and data: (group, observation) values, or estimates with standard errors."""
    y = np.asarray(y, float)
    n = len(y)
    design = Design(n_cells=n, factors=(Factor(name="group", level=np.arange(n), n_levels=n),))
    term = (Term(factor="group", structure=Exchangeable(), alone=True),)
    if known_se is not None:
        data = CellData(n_obs=np.ones(n, int), y_mean=y, y_ss=np.zeros(n), known_se=np.asarray(known_se), design=design)
        return model_with(term, likelihood=NormalKnownSE()), data
    mean = y.mean(1)
    squares = ((y - mean[:, None]) ** 2).sum(1)
    data = CellData(n_obs=np.full(n, y.shape[1]), y_mean=mean, y_ss=squares, design=design)
    return model_with(term, likelihood=Normal()), data


def balanced(*, among, seed=0, groups=8, size=5):
    """Return (group, observation) values whose mean squares have a given ratio, among over within."""
    rng = np.random.default_rng(seed)
    within = rng.normal(size=(groups, size))
    within -= within.mean(1, keepdims=True)
    within /= np.sqrt((within**2).sum() / (groups * (size - 1)))
    between = rng.normal(size=groups)
    between = (between - between.mean()) / between.std(ddof=1)
    return 3.0 + within + np.sqrt(among / size) * between[:, None]


def moved(data, *, origin=0.0, unit=1.0):
    """Return data in another unit, from another origin."""
    se = None if data.known_se is None else data.known_se * unit
    return replace(data, y=None, y_mean=origin + unit * data.y_mean, y_ss=unit**2 * data.y_ss, known_se=se)


def trials():
    """Return log risk ratios and standard errors of 13 trials of the BCG vaccine (Colditz et al. 1994).

    Of the vaccinated those with tuberculosis and without, and the same of the others.
    """
    counts = [
        (4, 119, 11, 128),
        (6, 300, 29, 274),
        (3, 228, 11, 209),
        (62, 13536, 248, 12619),
        (33, 5036, 47, 5761),
        (180, 1361, 372, 1079),
        (8, 2537, 10, 619),
        (505, 87886, 499, 87892),
        (29, 7470, 45, 7232),
        (17, 1699, 65, 1600),
        (186, 50448, 141, 27197),
        (5, 2493, 3, 2338),
        (27, 16886, 29, 17825),
    ]
    a, b, c, d = np.array(counts, float).T
    return np.log(a / (a + b) / (c / (c + d))), np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


def grouped(data):
    """Return cells as groups."""
    return GroupedData(n_obs=data.n_obs, y_mean=data.y_mean, y_ss=data.y_ss, known_se=data.known_se)
