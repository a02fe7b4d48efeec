"""What a mechanism is: it makes the data of a replicate, and knows the truth."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simstudy.models.design import Design
from simstudy.models.likelihoods import Likelihood
from simstudy.models.predictor import Term
from simstudy.models.priors import Prior
from simstudy.types import Replicate


class Mechanism(ABC):
    """A data-generating mechanism with every factor at one level. Subclasses are frozen dataclasses."""

    kind: ClassVar[str]
    replication: ClassVar[str] = "data"
    """``data``: every replicate has new data; ``sampler``: the data are fixed and only the sampler's seed is new."""
    letters: ClassVar[Mapping[str, str]] = {}
    """Letters of the factors that are no parameters."""
    likelihood: Likelihood | None = None
    """The likelihood of the data, or None for data of a user's own form."""
    design: Design | None = None
    """Cells and factors of data with terms; None for data in groups, and for those of a user's own form."""
    covariates: tuple[tuple[str, Any], ...] = ()
    """(name, (cell,) values) of each covariate of data with terms."""
    labels: tuple[str, ...] = ()
    """Names of the groups, in their order; none where they have numbers alone."""
    rows: pa.Table | None = None
    """The rows of a user's own data, which a run keeps; None for simulated and for built-in data."""

    @property
    def assumed_terms(self) -> tuple[Term, ...]:
        """The terms that a model of the data has where it assumes what is true of them; none without a design."""
        return ()

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Covariates of data with terms."""
        return ()

    @property
    @abstractmethod
    def words(self) -> str:
        """What it is, for a report."""

    @property
    def effects_text(self) -> str:
        """Whether effects are new in each replicate, for a report; empty where there is nothing to say."""
        return ""

    @property
    def population(self) -> Mapping[str, Prior] | None:
        """Parameter -> value or prior, where the truth is drawn from a population that methods can have; else None."""
        return None

    @property
    def truth(self) -> Mapping[str, float]:
        """Parameter -> its value, of those that are the same number in every replicate."""
        return {}

    @property
    def symbols(self) -> Mapping[str, str]:
        """Letters of the factors."""
        return self.letters

    @abstractmethod
    def simulate(self, keys: np.ndarray) -> list[Replicate]:
        """Return one replicate for each of the (replicate, 2) uint32 keys; the same key gives the same replicate."""

    @property
    @abstractmethod
    def fields(self) -> Mapping[str, Any]:
        """What sets the mechanism apart, as JSON values without defaults: its identity."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Observations in each group: mechanisms of one shape can share compiled programs."""

    @property
    def sizes_of_data(self) -> tuple[int, ...]:
        """Observations in each group or cell, by which blocks are kept small; none where only data can tell."""
        return self.shape
