"""What a sampler is: options, and programs that draw from many posteriors of one shape at once.

A sampler is a choice (hashable, no data). ``compile`` gives a program for one model and one shape; the program fits
any number of data sets of that shape. Draws of a fit depend on its key and the program, never on the fits beside it.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import Field, dataclass
from typing import Any, ClassVar

import numpy as np

from simstudy.models.model import Model
from simstudy.models.options import changed_options, option_fields, options_of
from simstudy.samplers.options import ChainOptions
from simstudy.types import Draws, PyTree

TOLD_APART = ("chains", "warmup", "draws", "precision")
"""Options that open and close the description of a sampler."""


class Program(ABC):
    """A sampler compiled for one model and one shape of data."""

    compile_seconds: float
    """Seconds that tracing and compilation took so far. What JAX compiles inside ``sample`` is taken off the time of
    sampling by itself; a program that compiles otherwise adds it here."""

    @abstractmethod
    def sample(self, arrays: PyTree, keys: np.ndarray) -> Draws:
        """Draw from the posterior of every fit.

        Args:
            arrays: what ``Sampler.arrays`` made: leaves (fit, ...), float64.
            keys: (fit, 2) uint32.
        """


@dataclass(frozen=True, kw_only=True)
class Sampler(ChainOptions, ABC):
    """A way to draw from posteriors, with the options that every sampler has; subclasses may have more."""

    words: ClassVar[str]
    """What it is, for a report."""
    has_trajectories: ClassVar[bool] = True
    """Whether it adapts and follows trajectories; a random walk does not, nor a sampler of independent draws. Reports
    tell options of trajectories, target acceptance and maximum tree depth, of those that do."""
    has_warmup: ClassVar[bool] = True
    """Whether it discards ``warmup`` draws before those that it keeps; a sampler that is exact does not."""
    is_exact: ClassVar[bool] = False
    """Whether its draws are those of the posterior itself, so that others can be held to them."""
    has_posterior: ClassVar[bool] = True
    """Whether it goes by the priors; a method of maximum likelihood does not."""

    @property
    def options(self) -> dict[str, Any]:
        """Every option by name, and the kind."""
        return {"kind": self.kind} | options_of(self)

    @property
    def told_options(self) -> dict[str, Any]:
        """The options that studies and tables have: all but those that are told only where they are changed."""
        untold = {f.name for f in option_fields(type(self)) if self._is_untold(f)}
        return {name: value for name, value in self.options.items() if name not in untold}

    @property
    def changed_options(self) -> dict[str, Any]:
        """The options that are not at their defaults, and the kind: a sampler's identity."""
        return {"kind": self.kind} | changed_options(self)

    @property
    def described(self) -> str:
        """The sampler and its options, for a report.

        >>> from simstudy.samplers import NUTS
        >>> NUTS(chains=1, draws=1000).described
        'NUTS, batched: 1 chain of 500 warm-up and 1,000 draws, maximum tree depth 10, target acceptance 0.8, float32'
        """
        options = sorted(option_fields(type(self)), key=lambda f: f.name)
        shown = [f for f in options if self.has_trajectories or not f.metadata.get("of_trajectories")]
        lengths = f"{self.draws:,} draws"
        if self.warmup and self.has_warmup and not self.is_exact:
            lengths = f"{self.warmup:,} warm-up and {lengths}"
        others = [
            f"{f.metadata.get('words', f.name.replace('_', ' '))} {value}"
            for f in shown
            if f.name not in TOLD_APART and (value := getattr(self, f.name)) is not None and not self._is_untold(f)
        ]
        run = f"{self.chains:,} chain{'' if self.chains == 1 else 's'} of {lengths}"
        return f"{self.words}: {', '.join([run, *others, self.precision])}"

    def _is_untold(self, option: Field[Any]) -> bool:
        return bool(option.metadata.get("told_if_changed")) and getattr(self, option.name) == option.default

    @property
    @abstractmethod
    def fits_per_block(self) -> int:
        """Fits that make a block worth about ten seconds, a multiple of the fits that run at once."""

    @property
    @abstractmethod
    def fits_at_once(self) -> int:
        """Fits that one call of the program advances together."""

    def check(self, model: Model) -> None:
        """Refuse a model that the sampler can never fit, before anything runs.

        Raises:
            StudyError: says what the sampler can fit.
        """

    def arrays(self, model: Model, data: Sequence[Any]) -> PyTree:
        """Return what its programs read of data sets of one shape: leaves (fit, ...), float64."""
        return model.arrays(data)

    def left_out(self, model: Model) -> frozenset[str]:
        """Return the estimands of a model that it says nothing of: they have no rows."""
        return frozenset()

    def program_shape(self, model: Model, shape: Hashable) -> Hashable:
        """Return the shape that a program is compiled for, given ``Model.shape``: shapes may share one by padding."""
        return shape

    @abstractmethod
    def compile(self, model: Model, example: PyTree) -> Program:
        """Return the program for a model.

        Args:
            model: any model.
            example: the arrays of one data set, leaves without the fit axis.
        """
