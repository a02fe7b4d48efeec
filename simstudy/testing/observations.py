"""Observations that a likelihood draws at known effects: data for checks, many sets at once."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from simstudy.models.likelihoods import Likelihood
from simstudy.testing.programs import priors_of, run_program
from simstudy.types import GroupedData

SIZES = (3, 1, 5)
THETA = np.array([0.3, -0.4, 1.1])
STANDARD_ERRORS = np.array([0.5, 1.0, 2.0])
SEED = 1

Point = dict[str, Any]
"""``theta`` and the scale parameters by name."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Data sets that a likelihood drew at the same effects and scale.

    Args:
        theta: (group,) effects.
        scale: the likelihood's scale parameters, () or (group,).
        y: (data set, observation) raw observations.
        data: the data sets, grouped.
    """

    theta: np.ndarray
    scale: dict[str, np.ndarray]
    y: np.ndarray
    data: list[GroupedData]

    @property
    def point(self) -> Point:
        """The effects and the scale."""
        return {"theta": self.theta, **self.scale}

    @property
    def group_of(self) -> np.ndarray:
        """(observation,) index of the group."""
        return self.data[0].group_of


def observe(likelihood: Likelihood, n: int) -> Observed:
    """Return n data sets of three groups, drawn by the likelihood itself, in float64.

    Groups have 3, 1 and 5 observations, or one estimate each where the likelihood asks for standard errors.
    """
    needs_errors = _needs_standard_errors(likelihood)
    sizes = np.ones(len(SIZES), int) if needs_errors else np.array(SIZES)
    group_of = np.repeat(np.arange(len(sizes)), sizes)
    scale = run_program(lambda: likelihood.scale_parameters(priors_of(likelihood.parameters), THETA.shape)).returned
    of_observation = {name: jnp.broadcast_to(value, THETA.shape)[group_of] for name, value in scale.items()}
    keys = jax.random.split(jax.random.key(SEED), n)

    def data_set(key: jax.Array) -> jax.Array:
        return likelihood.draw(
            key, jnp.asarray(THETA[group_of]), of_observation, jnp.asarray(STANDARD_ERRORS)[group_of]
        )

    y = np.asarray(jax.jit(jax.vmap(data_set))(keys), np.float64)
    known_se = STANDARD_ERRORS if needs_errors else None
    data = [group_observations(values, sizes, known_se=known_se) for values in y]
    return Observed(theta=THETA, scale={k: np.asarray(v) for k, v in scale.items()}, y=y, data=data)


def group_observations(y: np.ndarray, sizes: np.ndarray, *, known_se: np.ndarray | None = None) -> GroupedData:
    """Return raw observations, group by group, as grouped data.

    >>> group_observations(np.array([1.0, 3.0, 5.0]), np.array([2, 1])).y_ss.tolist()
    [2.0, 0.0]
    """
    starts = np.cumsum([0, *sizes[:-1]])
    y_mean = np.add.reduceat(y, starts) / sizes
    y_ss = np.add.reduceat((y - np.repeat(y_mean, sizes)) ** 2, starts)
    return GroupedData(n_obs=sizes, y_mean=y_mean, y_ss=y_ss, known_se=known_se, y=y)


def relabel(data: GroupedData, order: np.ndarray) -> GroupedData:
    """Return the data with their groups in another order."""
    fields: dict[str, Any] = {"n_obs": data.n_obs[order], "y_mean": data.y_mean[order], "y_ss": data.y_ss[order]}
    if data.known_se is not None:
        fields["known_se"] = data.known_se[order]
    if data.y is not None:
        each = np.split(data.y, np.cumsum(data.n_obs)[:-1])
        fields["y"] = np.concatenate([each[j] for j in order])
    return GroupedData(**fields)


def parts_of(point: Point) -> tuple[Any, Point]:
    """Return the effects and the scale parameters.

    >>> parts_of({"theta": 1.0, "sigma": 2.0})
    (1.0, {'sigma': 2.0})
    """
    return point["theta"], {name: value for name, value in point.items() if name != "theta"}


def _needs_standard_errors(likelihood: Likelihood) -> bool:
    one = np.ones(1)
    try:
        likelihood.statistics(GroupedData(n_obs=np.ones(1, int), y_mean=one, y_ss=0 * one, y=one))
    except ValueError:
        return True
    return False
