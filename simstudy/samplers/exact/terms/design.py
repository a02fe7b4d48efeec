"""What belongs to the design of a sum of terms: columns of the location, modes of the terms at given hyperparameters.

Cells are weighted with the square root of their observations (or 1 / se), so that their noise is sigma each:

    root y = X b + T M z + sigma e,    b ~ Normal(m, D), z and e standard normal,

M the terms' matrices at a total scale of 1. With M = U diag(s) W' the modes U' root y are independent given b.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.models.design import Design
from simstudy.models.linear import cell_matrix, effect_matrices
from simstudy.models.of_terms import linear_estimands
from simstudy.models.predictor import Term, constants_of
from simstudy.samplers.exact.axis import location_and_scale
from simstudy.samplers.exact.terms.outer_axis import OuterAxis
from simstudy.samplers.exact.terms.scope import Hyperparameters

Values = Mapping[str, float]
ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """The design at one set of outer coordinates.

    Args:
        values: parameter of the terms -> its value; of a scale with a prior, that at a total of 1.
        left: (cell, mode) U.
        x_along: (mode, column) what modes have of the columns of the location.
        x_beyond: (cell, column) what no mode has of them.
        singular: (mode,) s.
        right: (mode, noise) W'.
        of_location: (number, column) what every Gaussian estimand has of b.
        of_modes: (number, mode) what it has of W'z at a total of 1.
        unseen: (number,) its variance at a total of 1 that no mode tells of: that of new levels and of noise beyond W.
        constant: (number,) what it is besides.
    """

    values: Values
    left: np.ndarray
    x_along: np.ndarray
    x_beyond: np.ndarray
    singular: np.ndarray
    right: np.ndarray
    of_location: np.ndarray
    of_modes: np.ndarray
    unseen: np.ndarray
    constant: np.ndarray


class TermsDesign:
    """A model, the weights of its cells and their covariates.

    Args:
        model: with a design.
        hyper: its hyperparameters.
        weights: (cell,) observations, or 1 / se^2.
        covariates: name -> (cell,).
    """

    def __init__(
        self, model: AdditiveModel, hyper: Hyperparameters, weights: np.ndarray, covariates: Mapping[str, np.ndarray]
    ):
        assert model.design is not None
        self.model, self.hyper = model, hyper
        self.design: Design = model.design
        self.covariates = covariates
        self.root = np.sqrt(weights)
        self.outer = self._outer_axes()
        self._nodes: dict[tuple[float, ...], Node] = {}
        self._set_location()

    @property
    def estimands(self) -> dict[str, tuple[int, ...]]:
        """Every Gaussian estimand -> (level,) or (), in the order of the numbers of ``Node``."""
        return self._shapes

    def node(self, t: tuple[float, ...]) -> Node:
        """Return the design at outer coordinates."""
        if t not in self._nodes:
            self._nodes[t] = self._node(t)
        return self._nodes[t]

    def n_noise(self, term: Term) -> int:
        """Return how many numbers the white noise of a term has."""
        return term.structure.n_noise(self.design.factor(term.factor))

    def log_shares(self, t: Sequence[float]) -> np.ndarray:
        """Return (scale,) what is added to log total to make the log of every scale."""
        n = len(self.hyper.scales)
        if n < 2:
            return np.zeros(n)
        log_ratio = np.append(self._values(t)[: n - 1], 0.0)
        log_share = log_ratio - np.logaddexp.reduce(log_ratio)
        return 0.5 * log_share - np.log(self._sizes)

    def log_density(self, t: Sequence[float]) -> float:
        """Return the log density of outer coordinates that is not in the priors of the scales."""
        return sum(float(axis.log_density(np.asarray(x))) for axis, x in zip(self.outer, t, strict=True))

    def _values(self, t: Sequence[float]) -> np.ndarray:
        return np.array([axis.value(np.asarray(x)) for axis, x in zip(self.outer, t, strict=True)], float)

    def _outer_axes(self) -> tuple[OuterAxis, ...]:
        ratios = [OuterAxis(axis=None)] * max(len(self.hyper.scales) - 1, 0)
        return (*ratios, *(OuterAxis(axis=axis) for axis in self.hyper.others))

    @cached_property
    def _sizes(self) -> np.ndarray:
        """(scale,) root mean square of what a scale of 1 adds to the predictor, so that shares are of its variance."""
        others = {axis.axis.name: float(axis.value(np.zeros(()))) for axis in self.outer if axis.axis is not None}
        sizes = []
        for scale in self.hyper.scales:
            values = {s.name: float(s.name == scale.name) for s in self.hyper.scales} | others
            values |= self.hyper.constants
            matrix = self.root[:, None] * self._of_term(scale.term, values)
            sizes.append(np.sqrt((matrix**2).sum() / (self.root**2).sum()) or 1.0)
        return np.array(sizes)

    def _of_term(self, term: Term, values: Values) -> np.ndarray:
        factor = self.design.factor(term.factor)
        return cell_matrix(term, factor, effect_matrices(term, factor, term.values(values)), self.covariates)

    @cached_property
    def fixed_terms(self) -> tuple[Term, ...]:
        """Terms of constant scales beside others with a prior: their noise is columns of the location."""
        moving = {scale.term.factor for scale in self.hyper.scales}
        return tuple(term for term in self.model.terms if term.factor not in moving) if moving else ()

    @cached_property
    def moving_terms(self) -> tuple[Term, ...]:
        """The terms whose noise is modes."""
        return tuple(term for term in self.model.terms if term not in self.fixed_terms)

    def _set_location(self) -> None:
        """Set the columns of the location, and their prior: at the means of the covariates, where it is free."""
        priors, parameters = dict(self.model.priors), self.model.location.parameters
        columns = {"mu": np.ones(self.design.n_cells)}
        columns |= {f"beta[{x}]": self.covariates[x] for x in self.model.location.covariates}
        moments = {p.name: location_and_scale(priors[p.name]) for p in parameters}
        self.location_names = tuple(name for name, (_, sd) in moments.items() if sd > 0)
        self.location_constants = {name: mean for name, (mean, sd) in moments.items() if sd == 0}
        self.offset = sum(
            (mean * columns[name] for name, mean in self.location_constants.items()), np.zeros(self.design.n_cells)
        )
        n_fixed = sum(self.n_noise(t) for t in self.fixed_terms)
        p = len(self.location_names)
        x = np.stack([columns[name] for name in self.location_names], 1) if p else np.zeros((self.design.n_cells, 0))
        back = np.eye(p)  # b -> the location's own parameters
        if "mu" in self.location_names and p > 1:
            weights = self.root**2 / (self.root**2).sum()
            back[0, 1:] = -(weights @ x[:, 1:])
        mean = np.array([moments[name][0] for name in self.location_names])
        precision = np.diag([moments[name][1] ** -2.0 for name in self.location_names]) if p else np.zeros((0, 0))
        fixed = [self._of_term(t, self.hyper.constants) for t in self.fixed_terms]
        self.x = self.root[:, None] * np.concatenate([x @ back, *fixed], 1)
        self.back = back
        self.prior_mean = np.concatenate([np.linalg.solve(back, mean) if p else mean, np.zeros(n_fixed)])
        self.prior_precision = np.zeros((p + n_fixed, p + n_fixed))
        self.prior_precision[:p, :p] = back.T @ precision @ back
        self.prior_precision[p:, p:] = np.eye(n_fixed)
        self.prior_log_det = float(np.log(np.diag(precision)).sum())

    def _node(self, t: tuple[float, ...]) -> Node:
        log_shares = self.log_shares(t)
        others = self._values(t)[max(len(self.hyper.scales) - 1, 0) :]
        values = dict(self.hyper.constants)
        values |= {s.name: float(np.exp(shift)) for s, shift in zip(self.hyper.scales, log_shares, strict=True)}
        values |= {axis.name: float(value) for axis, value in zip(self.hyper.others, others, strict=True)}
        each = [self._of_term(term, values) for term in self.moving_terms]
        matrix = self.root[:, None] * np.concatenate([np.zeros((self.design.n_cells, 0)), *each], 1)
        left, singular, right = np.linalg.svd(matrix, full_matrices=False)
        linear = self._linear(values)
        n_location, n_moving = len(self.location_names), matrix.shape[1]
        n_noise = n_moving + self.x.shape[1] - n_location
        of_noise = linear[:, n_location:][:, self._noise_order]
        of_moving, of_fixed = of_noise[:, :n_moving], of_noise[:, n_moving:]
        of_modes = of_moving @ right.T
        hidden = np.maximum((of_moving**2).sum(1) - (of_modes**2).sum(1), 0.0)
        hidden[hidden < 1e-13 * (of_moving**2).sum(1)] = 0.0
        of_new = linear[:, n_location + n_noise : -1]
        return Node(
            values=values,
            left=left,
            x_along=along(self.x, left),
            x_beyond=beyond(self.x, left),
            singular=singular,
            right=right,
            of_location=np.concatenate([linear[:, :n_location] @ self.back, of_fixed], 1),
            of_modes=of_modes,
            unseen=hidden + (of_new**2).sum(1),
            constant=linear[:, -1],
        )

    @cached_property
    def _noise_order(self) -> np.ndarray:
        """Where the noise of the moving terms, then of the fixed ones, stands in that of all terms."""
        starts, at = {}, 0
        for term in self.model.terms:
            n = self.n_noise(term)
            starts[term.factor] = np.arange(at, at + n)
            at += n
        ordered = [starts[term.factor] for term in (*self.moving_terms, *self.fixed_terms)]
        return np.concatenate(ordered) if ordered else np.zeros(0, int)

    def _linear(self, values: Values) -> np.ndarray:
        """Return (number, location + noise + new + 1): what every Gaussian estimand is made of.

        Estimands are made as those of draws are, each draw a unit vector of location, noise or new effect.
        """
        terms, design = self.model.terms, self.design
        n_location, n_noise = len(self.location_names), sum(map(self.n_noise, terms))
        n_lanes = n_location + n_noise + len(terms) + 1
        lanes = np.zeros((n_lanes, 1, 1, n_lanes))  # the last is all zero but for constants
        for i in range(n_lanes - 1):
            lanes[i, 0, 0, i] = 1.0
        location: dict[str, Any] = {name: lanes[i] for i, name in enumerate(self.location_names)}
        for name, value in self.location_constants.items():
            location[name] = np.zeros((1, 1, n_lanes))
            location[name][..., -1] = value
        location = {p.name: location[p.name] for p in self.model.location.parameters}
        white: dict[str, dict[str, np.ndarray]] = {}
        at = n_location
        for term in terms:
            noise = lanes[at : at + self.n_noise(term)]
            white[term.factor] = term.structure.by_part(design.factor(term.factor), noise)
            at += len(noise)
        drawn = {name: np.full((1, 1, n_lanes), value) for name, value in values.items()}
        effects = {
            t.factor: t.structure.effects(
                t.values(drawn), white[t.factor], constants_of(t.structure, design.factor(t.factor)), np
            )
            for t in terms
        }
        made = linear_estimands(
            location=location,
            terms=terms,
            values=drawn,
            white=white,
            effects=effects,
            design=design,
            covariates={name: x[:, None, None, None] for name, x in self.covariates.items()},
            noise={t.factor: lanes[at + i] for i, t in enumerate(terms)},
        )
        self._shapes = {name: value.shape[:-3] for name, value in made.items()}
        return np.concatenate([value.reshape(-1, n_lanes) for value in made.values()])


def along(columns: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return what modes have of (cell, ...) columns, (mode, ...); 0 where that is all but rounding.

    Over sigma squared, with sigma near 0, rounding would be more than the rest.
    """
    out = left.T @ columns
    return out * (np.abs(out) > ROUNDING * np.sqrt((columns**2).sum(0)))


def beyond(columns: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return (cell, ...) columns less what modes have of them; 0 where that is all but rounding."""
    out = columns - left @ (left.T @ columns)
    size, of_all = (np.sqrt((x**2).sum(0)) for x in (out, columns))
    return out * (size > ROUNDING * of_all)
