"""A term with random effects: its covariance over the rows of data, at given parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from simstudy.models.design import Factor
from simstudy.models.linear import effect_matrices
from simstudy.models.predictor import Term
from simstudy.samplers.likelihood.coordinates import Free, kind_of

STEP = 1e-5
"""Of a derivative by differences, as a share of a scale or length, or of the range of others."""


class RandomTerm:
    """The covariance of a term, K = M M', M its effects in the (compressed) rows of white noise.

    Args:
        term: the term.
        factor: its factor.
        columns: column of its effects -> (row, level).
        fixed: values of its parameters that are constants, by the structure's names.
        is_diagonal: whether covariances have nothing beside their diagonal, so that this alone is kept.
    """

    def __init__(
        self,
        term: Term,
        factor: Factor,
        columns: Mapping[str, np.ndarray],
        fixed: Mapping[str, float],
        *,
        is_diagonal: bool = False,
    ) -> None:
        self.term, self.factor, self.columns, self.fixed = term, factor, columns, dict(fixed)
        self.names = tuple(p.name for p in term.structure.parameters)
        self.is_diagonal = is_diagonal
        scales = [p.name for p in term.structure.parameters if kind_of(p) == "scale"]
        self._scale = scales[0] if len(scales) == 1 else None
        self._at_one: tuple[tuple[float, ...], np.ndarray] | None = None
        self._pairs = self._products_of_columns() if self._scale is None else None

    @property
    def has_single_scale(self) -> bool:
        """Whether a standard deviation is its only parameter."""
        return self.names == (self._scale,)

    def effects(self, values: Mapping[str, float]) -> dict[str, np.ndarray]:
        """Return column -> (level, mode) effects of the white noise."""
        return effect_matrices(self.term, self.factor, values)

    def matrix(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the (row, mode) effects of the white noise in the rows."""
        effects = self.effects(values)
        return np.asarray(sum(self.columns[name] @ effects[name] for name, _ in self.term.columns))

    def covariance(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the (row, row) covariance, or its (row,) diagonal where that is all."""
        if self._pairs is not None:
            return self._of_pairs(self._between_columns([values]))[0]
        if self._scale is None:
            return self._covariance(values)
        others = tuple(value for name, value in values.items() if name != self._scale)
        if self._at_one is None or self._at_one[0] != others:
            self._at_one = (others, self._covariance({**values, self._scale: 1.0}))
        return self._at_one[1] * values[self._scale] ** 2

    def derivatives(self, values: Mapping[str, float], free: Sequence[Free]) -> list[np.ndarray]:
        """Return the derivatives of the covariance by some parameters."""
        if self._pairs is None:
            return [self.derivative(values, one) for one in free]
        ends = [one.around(values[one.name], STEP) for one in free]
        places = [{**values, one.name: at} for one, both in zip(free, ends, strict=True) for at in both]
        between = self._between_columns(places).reshape(len(free), 2, *self._pairs.shape[:2])
        widths = np.array([high - low for low, high in ends])[:, None, None]
        return list(self._of_pairs((between[:, 1] - between[:, 0]) / widths))

    def derivative(self, values: Mapping[str, float], free: Free) -> np.ndarray:
        """Return the derivative of the covariance by a parameter.

        By a single scale it is exact; others are differences, of second order but at a bound.
        """
        name, at = free.name, values[free.name]
        if name == self._scale:
            return self.covariance({**values, name: 1.0}) * (2 * at)
        low, high = free.around(at, STEP)
        difference = self._covariance({**values, name: high}) - self._covariance({**values, name: low})
        return difference / (high - low)

    def _products_of_columns(self) -> np.ndarray | None:
        """Return the (column, column, row, row) products of columns, whose sum is the covariance if levels are alike.

        None where it is not: where the levels' effects hang together.
        """
        if self.term.structure.layout != "levels":
            return None
        columns = [self.columns[name] for name, _ in self.term.columns]
        self._pairs = np.array([[a @ b.T for b in columns] for a in columns])
        some = {p.name: 0.3 + 0.1 * k for k, p in enumerate(self.term.structure.parameters)}
        try:
            found, expected = self._of_pairs(self._between_columns([some]))[0], self._covariance(some)
        except (KeyError, ValueError):  # a user's structure may have parts of another kind
            return None
        return self._pairs if np.allclose(found, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max()) else None

    def _between_columns(self, places: Sequence[Mapping[str, float]]) -> np.ndarray:
        """Return the (place, column, column) covariances of a level's effects at some parameters."""
        structure, one_level = self.term.structure, replace(self.factor, level=np.zeros(1, int), n_levels=1)
        lane = (len(places), structure.n_noise(one_level))
        z = structure.by_part(one_level, np.broadcast_to(np.eye(lane[1])[:, None], (lane[1], *lane)))
        lanes = {name: np.array([[place[name]] for place in places]) for name in self.names}
        effects = structure.effects(lanes, z, structure.constants(one_level), np)
        each = np.stack([np.broadcast_to(effects[name], (1, *lane))[0] for name, _ in self.term.columns], 1)
        return each @ np.swapaxes(each, 1, 2)

    def _of_pairs(self, between: np.ndarray) -> np.ndarray:
        assert self._pairs is not None
        return np.tensordot(between, self._pairs, 2)

    def _covariance(self, values: Mapping[str, float]) -> np.ndarray:
        matrix = self.matrix(values)
        return np.square(matrix).sum(1) if self.is_diagonal else matrix @ matrix.T


def free_parameters(terms: Sequence[RandomTerm]) -> tuple[Free, ...]:
    """Return the parameters of the terms that are no constants."""
    return tuple(
        Free(
            term=i,
            name=own.name,
            study_name=one.term.name_of(own.name),
            kind=kind_of(own),
            usual=_usual(one, own.name, own.value),
        )
        for i, one in enumerate(terms)
        for own in one.term.structure.parameters
        if own.name not in one.fixed
    )


def _usual(term: RandomTerm, name: str, value: float) -> float:
    """Return where a search starts: of a length a quarter of the extent of the points."""
    points = term.factor.points
    if name == "length" and points is not None:
        return float(np.ptp(points, axis=0).max()) / 4
    return value
