"""Columns of effects as mixtures of columns of noise, u_k = sum_j w_kj z_j, with the gradient written out.

Derived from the sums, the gradient is compiled into a loop for each weight that makes the products anew; written as the
two products that it is, it costs two thirds of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from simstudy.late import jnp, with_gradient
from simstudy.models.shapes import Array

Weights = Sequence[Sequence[Any]]
"""Row -> weights of the first columns, (*lane) or a number each; None for 0."""


def mixed(weights: Weights, columns: Sequence[Array], xp: ModuleType) -> tuple[Any, ...]:
    """Return a (level, *lane) mixture of the columns for each row of weights.

    Args:
        weights: row -> weight of each column, or of the first ones, those after them being 0.
        columns: (level, *lane) each.
        xp: ``jax.numpy`` or ``numpy``.

    >>> mixed([[2.0], [None, 3.0]], [np.array([1.0]), np.array([10.0])], np)
    (array([2.]), array([30.]))
    """
    lane = np.shape(columns[0])[1:]
    of_lanes = tuple(tuple(None if w is None else xp.broadcast_to(w, lane) for w in row) for row in weights)
    return _sums(of_lanes, tuple(columns)) if xp is np else _mixed(of_lanes, tuple(columns))


def _sums(weights: Weights, columns: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(sum(w * column for w, column in zip(row, columns, strict=False) if w is not None) for row in weights)


def _forward(weights: Weights, columns: Sequence[Any]) -> tuple[Any, Any]:
    return _sums(weights, columns), (weights, columns)


def _backward(kept: Any, tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    weights, columns = kept
    of_weights = tuple(
        tuple(None if w is None else (tangent * columns[j]).sum(0) for j, w in enumerate(row))
        for row, tangent in zip(weights, tangents, strict=True)
    )
    of_columns = tuple(
        sum(
            (
                row[j] * tangent
                for row, tangent in zip(weights, tangents, strict=True)
                if j < len(row) and row[j] is not None
            ),
            start=jnp.zeros((), columns[j].dtype),
        )
        for j in range(len(columns))
    )
    return of_weights, of_columns


@with_gradient(_forward, _backward)
def _mixed(weights: Weights, columns: Sequence[Any]) -> tuple[Any, ...]:
    return _sums(weights, columns)
