"""Data sets with terms that come with the package: their published likelihoods, totals and shapes."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from simstudy.errors import StudyError
from simstudy.mechanisms.built_in import FOLDER, WITH_TERMS, refuse_terms
from simstudy.study.dataset_terms import terms_cell


def data_of(name):
    """Return the cells of a built-in data set."""
    return terms_cell({"kind": "dataset", "data": name}, None)[0].replicate.data


def indicators(data, factor):
    """Return the (observation, level) matrix of which level each observation has."""
    return np.eye(data.design.factor(factor).n_levels)[data.design.factor(factor).level[data.group_of]]


def deviance(data, covariance, x=None):
    """Return -2 log L at the generalized least-squares mean, of dense matrices alone."""
    x = np.ones((len(data.y), 1)) if x is None else x
    weighted = np.linalg.solve(covariance, x)
    mean = x @ np.linalg.solve(x.T @ weighted, weighted.T @ data.y)
    return -2 * multivariate_normal(mean, covariance).logpdf(data.y)


@pytest.mark.parametrize(
    ("name", "sds", "sigma", "published"),
    [
        ("dyestuff", {"batch": 37.2603}, 49.5101, 327.32705988),
        ("penicillin", {"plate": 0.845572, "sample": 1.770666}, 0.549932, 332.18834867),
        ("pastes", {"cask": 2.904078, "batch": 1.095061}, 0.823407, 247.99446586),
    ],
)
def test_variance_components_have_the_published_likelihood(name, sds, sigma, published):
    """-2 log L of lme4's data at the maximum that MixedModels.jl's tests hold (test/pls.jl), nested and crossed.

    At a maximum an error in the sixth digit of a standard deviation changes -2 log L in the twelfth.
    """
    data = data_of(name)
    covariance = sigma**2 * np.eye(len(data.y))
    for factor, sd in sds.items():
        z = indicators(data, factor)
        covariance += sd**2 * z @ z.T
    assert deviance(data, covariance) == pytest.approx(published, abs=1e-6)


def test_sleepstudy_has_the_published_likelihood():
    """-2 log L of correlated intercepts and slopes, 1751.93934446 (MixedModels.jl, test/pls.jl)."""
    data = data_of("sleepstudy")
    days, z = data.covariate("days")[data.group_of], indicators(data, "subject")
    tau = np.array([[23.78066, 0.0], [0.0, 5.71684]])
    of_subject = tau @ np.array([[1.0, 0.08132], [0.08132, 1.0]]) @ tau
    both = np.stack([z, z * days[:, None]])
    covariance = np.einsum("aij,ab,bkj->ik", both, of_subject, both) + 25.59182**2 * np.eye(len(days))
    assert deviance(data, covariance, np.stack([np.ones_like(days), days], 1)) == pytest.approx(1751.93934446, abs=1e-4)


def test_the_nile_has_the_published_likelihood():
    """Log L of the local level model's 99 steps, -632.54563 (Durbin & Koopman 2012, section 2.10.3)."""
    data = data_of("nile")
    n = len(data.y) - 1
    of_steps = (1469.1 + 2 * 15098.5) * np.eye(n) - 15098.5 * (np.eye(n, k=1) + np.eye(n, k=-1))
    assert multivariate_normal(np.zeros(n), of_steps).logpdf(np.diff(data.y)) == pytest.approx(-632.54563, abs=2e-4)


@pytest.mark.parametrize(
    ("name", "n_cells", "n_observations"),
    [
        *[("rats", 150, 150), ("radon", 145, 919), ("seeds", 21, 831), ("blockers", 44, 20_290), ("pumps", 10, 10)],
        *[("salm", 18, 18), ("epil", 236, 236), ("scotland", 56, 56)],
    ],
)
def test_sizes(name, n_cells, n_observations):
    """Cells and observations (or trials) of each."""
    data = data_of(name)
    assert (data.design.n_cells, int(data.n_obs.sum())) == (n_cells, n_observations)


@pytest.mark.parametrize("name", WITH_TERMS)
def test_every_set_stands_by_its_name_alone(name):
    """Every data set gives cells whose factors are its terms, and every factor has all of its levels in the rows."""
    dataset, factors = terms_cell({"kind": "dataset", "data": name}, None)
    assert dataset.design.names == tuple(WITH_TERMS[name]["terms"])
    assert factors["data"] == name
    assert dataset.rows is None
    for factor in dataset.design.factors:
        assert set(factor.level) == set(range(factor.n_levels))


def test_every_file_names_its_source():
    """The table of sources has a row for each file, and there is no file that it does not name."""
    sources = (FOLDER / "README.md").read_text()
    for path in FOLDER.glob("*.csv"):
        assert f"`{path.name}`" in sources


def test_groups_alone_are_refused():
    """What asks for groups says where a data set with terms can be used."""
    with pytest.raises(StudyError, match=r"'pastes' has terms \(batch, cask\) and is no data set of groups alone"):
        refuse_terms("pastes")
    refuse_terms("baseball")
