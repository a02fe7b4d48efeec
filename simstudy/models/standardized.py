"""A built-in model fitted in a unit of its own: its data are standardized before and its draws moved back after.

Samplers with trajectories begin near 0 and hold their steps to sizes about 1; in single precision a mean of a million
leaves no digits for a standard deviation of 1. With z = (y - m) / s the posterior is the same, moved: likelihoods with
a unit (``Likelihood.has_unit``) and priors (``prior_units``) are led into themselves, and every estimand says how it
moves. Draws are moved in double precision, so that nothing of them is lost.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from simstudy.errors import StudyError
from simstudy.models.additive import AdditiveModel
from simstudy.models.estimands import Estimand
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.model import Axes, Model
from simstudy.models.prior_units import in_unit
from simstudy.models.priors import Prior
from simstudy.models.unit import Moves, Unit
from simstudy.types import GroupedData, KnownPosterior, PyTree

Data = TypeVar("Data", bound=GroupedData)


@dataclass(frozen=True, kw_only=True)
class StandardizedModel(Model):
    """A built-in model that is sampled in standardized units.

    Args:
        model: the model in the unit of its data, which is what it is to all but samplers.
        unit: what its data are standardized by.
    """

    model: HierarchicalModel | AdditiveModel
    unit: Unit
    lanes_last = True

    @cached_property
    def sampled(self) -> HierarchicalModel | AdditiveModel:
        """The model of the standardized data.

        Raises:
            StudyError: names the prior, the likelihood or the quantity that has no other unit.
        """
        return replace(self.model, priors=standardized_priors(self.model, self.unit))

    @property
    def family(self) -> Any:
        """The likelihood of the model."""
        return self.model.likelihood

    def __call__(self, data: PyTree) -> None:
        """Run the program of the standardized data."""
        self.sampled(data)

    def bound(self, data: Any) -> "StandardizedModel":
        """Return the model with the design of the data as constants, where it has one."""
        return self if isinstance(self.model, HierarchicalModel) else replace(self, model=self.model.bound(data))

    def arrays(self, data: Sequence[Any]) -> dict[str, np.ndarray]:
        """Stack standardized data."""
        return self.sampled.arrays([standardized(d, self.unit) for d in data])

    def cell_arrays(self, data: Sequence[Any]) -> PyTree:
        """Stack statistics of standardized data."""
        return self.sampled.cell_arrays([standardized(d, self.unit) for d in data])

    def shape(self, data: Any) -> Hashable:
        """Return the model's shape."""
        return self.model.shape(data)

    def known_shape(self, sizes: Any) -> Hashable:
        """Return the model's shape."""
        return self.model.known_shape(sizes)

    def padded_shape(self, shape: Hashable, pad: Callable[[int], int]) -> Hashable:
        """Return the model's padded shape."""
        return self.model.padded_shape(shape, pad)

    @property
    def has_short_trajectories(self) -> bool:
        """Whether the model has."""
        return self.model.has_short_trajectories

    @property
    def axes(self) -> Axes:
        """The model's."""
        return self.model.axes

    @property
    def described(self) -> tuple[Estimand, ...]:
        """The model's estimands, in the unit of the data."""
        return self.model.described

    @property
    def words(self) -> str:
        """The model, and in which unit it is sampled."""
        center, spread = self.unit.texts
        return f"{self.model.words}, sampled in units of {spread} from {center}"

    @property
    def pooling(self) -> str | None:
        """The part that the model plays."""
        return self.model.pooling

    @property
    def effect_scale(self) -> str:
        """The model's."""
        return self.model.effect_scale

    @property
    def hierarchy(self) -> Any:
        """The model in the unit of its data: structure, likelihood and priors as they were given; None without one."""
        return self.model.hierarchy

    @property
    def declared(self) -> Any:
        """The model in the unit of its data."""
        return self.model

    def estimands(
        self, sites: Mapping[str, np.ndarray], data: Sequence[Any], keys: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return every estimand in the unit of the data, float64 where it moves."""
        in_units = self.sampled.estimands(sites, [standardized(d, self.unit) for d in data], keys)
        return self.moved(in_units, data)

    def restored(self, known: KnownPosterior, data: Sequence[Any]) -> KnownPosterior:
        """Return means, standard deviations and distribution functions in the unit of the data."""
        return MovedPosterior(known=known, model=self, data=data)

    def moved(self, in_units: Mapping[str, np.ndarray], data: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return values of estimands, (fit, ...), in the unit of the data."""
        n = np.array([d.n_obs.sum() for d in data], float)
        return {name: self.unit.moved(values, self.moves[name], n_observations=n) for name, values in in_units.items()}

    @cached_property
    def moves(self) -> dict[str, Moves]:
        """Estimand -> how it moves."""
        return {one.name: one.moves or "none" for one in self.model.described}


@dataclass(frozen=True, kw_only=True)
class MovedPosterior:
    """What is known of posteriors of standardized data, moved back.

    Args:
        known: in standardized units.
        model: whose unit it is.
        data: of each fit.
    """

    known: KnownPosterior
    model: StandardizedModel
    data: Sequence[Any]

    @cached_property
    def mean(self) -> dict[str, np.ndarray]:
        """Estimand -> (fit, *group)."""
        return self.model.moved(self.known.mean, self.data)

    @cached_property
    def sd(self) -> dict[str, np.ndarray]:
        """Estimand -> (fit, *group): of a mean as of a distance."""
        return self._distances(self.known.sd)

    def quantiles(self, probabilities: Sequence[float]) -> dict[str, np.ndarray]:
        """Return the quantiles, estimand -> (fit, *group, probability)."""
        return self.model.moved(self.known.quantiles(probabilities), self.data)

    def hdi(self, level: float) -> dict[str, np.ndarray]:
        """Return the ends of the shortest intervals, estimand -> (fit, *group, 2)."""
        return self.model.moved(self.known.hdi(level), self.data)

    def cdf(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the posterior probability of less than given values, estimand -> (fit, *group)."""
        return self.known.cdf(self._standardized(values))

    def crps(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the continuous ranked probability score at given values, a distance."""
        return self._distances(self.known.crps(self._standardized(values)))

    def _standardized(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        unit, moves = self.model.unit, self.model.moves
        return {name: unit.standardized(value, moves[name]) for name, value in values.items()}

    def _distances(self, in_units: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        power: dict[Moves, int] = {"value": 1, "difference": 1, "variance": 2}
        spread, moves = self.model.unit.spread, self.model.moves
        return {name: value * spread ** power.get(moves[name], 0) for name, value in in_units.items()}


def standardized(data: Data, unit: Unit) -> Data:
    """Return data as z = (y - m) / s."""
    m, s = unit.center, unit.spread
    return replace(
        data,
        y_mean=(data.y_mean - m) / s,
        y_ss=data.y_ss / s / s,
        known_se=None if data.known_se is None else data.known_se / s,
        y=None if data.y is None else (data.y - m) / s,
    )


def standardized_priors(model: HierarchicalModel | AdditiveModel, unit: Unit) -> tuple[tuple[str, Prior], ...]:
    """Return the priors of a model's parameters in a unit.

    Raises:
        StudyError: the likelihood, a quantity or a prior has no other unit; says which.
    """
    if not model.likelihood.has_unit:
        raise StudyError(f"the likelihood {model.likelihood.kind!r} has no unit")
    if still := [one.name for one in model.described if one.moves is None]:
        raise StudyError(f"{still[0]} does not say how it moves with the unit of the data")
    moves = {p.name: p.moves for p in model.parameters}
    priors = []
    for name, prior in model.priors:
        moved = in_unit(prior, moves[name], unit)
        if moved is None:
            raise StudyError(f"the prior {prior.text} of {name} has no other unit")
        priors.append((name, moved))
    return tuple(priors)
