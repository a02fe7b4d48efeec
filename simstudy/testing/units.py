"""Conformance of a likelihood whose data have a unit: in another one its density and its data are the same."""

import jax
import numpy as np

from simstudy.models.estimands import THETA
from simstudy.models.likelihoods import Likelihood
from simstudy.models.standardized import standardized
from simstudy.models.unit import Moves, Unit
from simstudy.testing.expectation import expect, expect_close
from simstudy.testing.observations import Point, parts_of
from simstudy.types import GroupedData

OTHER = Unit(center=-3.7, spread=0.23)


def check_unit(likelihood: Likelihood, data: GroupedData, point: Point) -> None:
    """Check what a likelihood says of the center and the spread of given data.

    Args:
        likelihood: any.
        data: a data set.
        point: effects and scale parameters.

    Raises:
        ConformanceError: a promise that is not kept.
    """
    unit = likelihood.unit_of(data)
    if unit is not None:
        is_unit = np.isfinite([unit.center, unit.spread]).all() and unit.spread > 0
        expect(likelihood, "a finite center of data, and a spread above 0", holds=is_unit, got=unit)
        expect(likelihood, "words on what center and spread are", holds=bool(likelihood.unit_words), got="none")
    if likelihood.has_unit:
        _check_moved(likelihood, data, point)


def _check_moved(likelihood: Likelihood, data: GroupedData, point: Point) -> None:
    there, here = standardized(data, OTHER), likelihood.unit_of(data)
    moves: dict[str, Moves] = {one.name: one.moves for one in (THETA, *likelihood.described) if one.moves}
    still = [name for name in point if name not in moves]
    expect(likelihood, "every parameter to say how it moves with the unit", holds=not still, got=", ".join(still))
    moved = {name: np.asarray(OTHER.standardized(value, moves[name])) for name, value in point.items()}
    n = np.array([data.n_obs.sum()])
    for form, log_lik, reduce in (
        ("sufficient", jax.jit(likelihood.log_likelihood), likelihood.statistics),
        ("raw", jax.jit(likelihood.raw_log_likelihood), likelihood.raw),
    ):
        z = np.asarray(log_lik(*parts_of(moved), reduce(there)), float)
        found = OTHER.moved(z[None], "log_density", n_observations=n)[0]
        promise = f"the log likelihood of {form} data in another unit, less N times the log of its spread"
        expect_close(likelihood, promise, found=found, expected=log_lik(*parts_of(point), reduce(data)))
    unit = likelihood.unit_of(there)
    if here is None or unit is None:
        expect(likelihood, "a center and a spread of data that have a unit", holds=False, got=None)
        return
    expected = [(here.center - OTHER.center) / OTHER.spread, here.spread / OTHER.spread]
    promise = "a center and a spread that move with the data"
    expect_close(likelihood, promise, found=[unit.center, unit.spread], expected=expected)
