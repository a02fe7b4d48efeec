"""A posterior in closed form: normal effects and observations, everything known but mu and the effects.

With mu ~ Normal(0, m), theta_j ~ Normal(mu, t) and y_j ~ Normal(theta_j, se_j), (mu, theta) given y is normal with
precision P and mean P^-1 b (Lindley & Smith 1972, equation 12):

    P[mu, mu] = 1 / m^2 + J / t^2,   P[mu, j] = -1 / t^2,   P[j, j] = 1 / t^2 + 1 / se_j^2,   b = (0, y_j / se_j^2).
"""

import numpy as np

from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods import NormalKnownSE
from simstudy.models.priors import Prior
from simstudy.models.structures import Partial
from simstudy.testing.observations import group_observations
from simstudy.types import GroupedData

MU_SD = 2.0
TAU = 1.0
MODEL = HierarchicalModel(
    structure=Partial(parameterization="centered"),
    likelihood=NormalKnownSE(),
    priors=(("mu", Prior(name="Normal", args=(0.0, MU_SD))), ("tau", Prior(name="Constant", args=(TAU,)))),
)


def make_data(n_fits: int, n_groups: int) -> list[GroupedData]:
    """Return data sets drawn from the model, each with standard errors of its own."""
    rng = np.random.default_rng(n_groups)
    known_se = rng.uniform(0.5, 2.0, (n_fits, n_groups))
    mu = MU_SD * rng.standard_normal((n_fits, 1))
    y = mu + np.hypot(TAU, known_se) * rng.standard_normal((n_fits, n_groups))
    sizes = np.ones(n_groups, int)
    return [group_observations(*one, known_se=se) for one, se in zip([(v, sizes) for v in y], known_se, strict=True)]


def posterior(data: GroupedData) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of (mu, theta_1, ..., theta_J).

    >>> mean, covariance = posterior(make_data(1, 3)[0])
    >>> mean.shape, covariance.shape
    ((4,), (4, 4))
    """
    weight = np.asarray(data.known_se) ** -2.0
    n = data.n_groups
    precision = np.diag([1 / MU_SD**2 + n / TAU**2, *(1 / TAU**2 + weight)])
    precision[0, 1:] = precision[1:, 0] = -1 / TAU**2
    covariance = np.linalg.inv(precision)
    return covariance @ [0.0, *(weight * data.y_mean)], covariance


def standardize(sites: dict[str, np.ndarray], data: list[GroupedData]) -> dict[str, np.ndarray]:
    """Return draws less their exact mean, over their exact sd: mu, every theta, and the mean of the thetas.

    Args:
        sites: ``mu`` (fit, chain, draw) and ``theta`` (fit, chain, draw, group).
        data: of each fit.

    Returns:
        quantity -> (fit, chain, draw), standard normal where the draws come from the posterior.
    """
    n = data[0].n_groups
    draws = np.concatenate([sites["mu"][..., None], sites["theta"]], axis=-1).astype(float)
    combinations = np.vstack([np.eye(n + 1), [0.0, *[1 / n] * n]])
    names = ["mu", *(f"theta[{j}]" for j in range(n)), "theta_mean"]
    moments = [posterior(one) for one in data]
    mean = np.stack([combinations @ m for m, _ in moments])[:, None, None]
    sd = np.stack([np.sqrt(np.einsum("ij,jk,ik->i", combinations, v, combinations)) for _, v in moments])[:, None, None]
    standardized = (draws @ combinations.T - mean) / sd
    return {name: standardized[..., i] for i, name in enumerate(names)}
