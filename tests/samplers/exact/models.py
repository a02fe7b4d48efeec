"""Models and data of the tests of the exact posterior."""

import csv
from pathlib import Path

import numpy as np

import simstudy.mechanisms
from simstudy.models.estimands import estimand_of
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods import Likelihood
from simstudy.models.priors import parse_prior
from simstudy.models.structures import Structure
from simstudy.types import GroupedData
from tests.user_models import grouped

DATA = Path(simstudy.mechanisms.__file__).parent / "data"


def model(structure: Structure, likelihood: Likelihood, *, observations: str = "sufficient", **priors: str | float):
    """Return a model with priors as text or numbers."""
    parsed = tuple((name, parse_prior(prior, estimand_of(name))) for name, prior in priors.items())
    return HierarchicalModel(structure=structure, likelihood=likelihood, priors=parsed, observations=observations)


def normal_data(seed: int, sizes: tuple[int, ...], *, tau: float = 1.0, sigma: float = 1.0) -> GroupedData:
    """Return normal observations of groups of given sizes around 1."""
    rng = np.random.default_rng(seed)
    theta = 1.0 + tau * rng.normal(size=len(sizes))
    return grouped(np.repeat(theta, sizes) + sigma * rng.normal(size=sum(sizes)), np.array(sizes))


def counts(k: np.ndarray, n: np.ndarray) -> GroupedData:
    """Return successes k out of n trials."""
    return GroupedData(n_obs=n, y_mean=k / n, y_ss=k * (1 - k / n))


def eight_schools() -> GroupedData:
    """Return the eight schools."""
    rows = _columns("eight_schools.csv")
    y = rows["effect"]
    return GroupedData(n_obs=np.ones(8, int), y_mean=y, y_ss=np.zeros(8), known_se=rows["standard_error"], y=y)


def lecture() -> GroupedData:
    """Return the five numbers of the lecture, one per group."""
    return grouped(_columns("lecture.csv")["value"], np.ones(5, int))


def baseball() -> tuple[GroupedData, np.ndarray]:
    """Return hits in 45 at bats, and the averages in the rest of the season."""
    rows = _columns("baseball.csv")
    return counts(rows["hits"], rows["at_bats"].astype(int)), rows["rest_of_season"]


def _columns(name: str) -> dict[str, np.ndarray]:
    rows = list(csv.DictReader((DATA / name).read_text().splitlines()))
    wanted = [column for column in rows[0] if column not in ("school", "player")]
    return {column: np.array([float(row[column]) for row in rows]) for column in wanted}
