"""Distributions of standardized effects: mean 0 and standard deviation 1, whatever their form.

A method assumes normal effects; a mechanism may draw others, for any term. One class a form, with its options.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp
from pydantic import Field

from simstudy.mechanisms.student_t import StudentT
from simstudy.mechanisms.two_component import TwoComponent
from simstudy.models.options import check_options


@dataclass(frozen=True, kw_only=True)
class Deviates(ABC):
    """A distribution of independent numbers with mean 0 and standard deviation 1."""

    kind: ClassVar[str]
    words: ClassVar[str]
    """What it is, for a report; empty for the normal one."""

    def __post_init__(self) -> None:
        check_options(self)

    @abstractmethod
    def draw(self, key: jax.Array, n: int) -> jax.Array:
        """Draw n numbers with a JAX key."""


@dataclass(frozen=True, kw_only=True)
class NormalDeviates(Deviates):
    """Standard normal numbers."""

    kind: ClassVar[str] = "normal"
    words: ClassVar[str] = ""

    def draw(self, key: jax.Array, n: int) -> jax.Array:
        """Draw standard normal numbers."""
        return jax.random.normal(key, (n,))


@dataclass(frozen=True, kw_only=True)
class StudentTDeviates(Deviates):
    """Heavy tails: sqrt((df - 2) / df) t_df.

    Args:
        df: degrees of freedom, above 2.
    """

    kind: ClassVar[str] = "student_t"
    words: ClassVar[str] = "heavy tails (Student-t)"
    df: Annotated[float, Field(gt=2)] = 3.0

    def draw(self, key: jax.Array, n: int) -> jax.Array:
        """Draw scaled Student-t numbers."""
        return StudentT(sizes=(1,), df=self.df).standard_effects(key, n)


@dataclass(frozen=True, kw_only=True)
class TwoComponentDeviates(Deviates):
    """Two kinds of levels: a mixture of two normals.

    Args:
        weight: share of the upper component, in (0, 1).
        separation: distance of the component means in component standard deviations, at least 0.
    """

    kind: ClassVar[str] = "two_component"
    words: ClassVar[str] = "two kinds of levels (a mixture of two normals)"
    weight: Annotated[float, Field(gt=0, lt=1)] = 0.5
    separation: Annotated[float, Field(ge=0)] = 4.0

    def draw(self, key: jax.Array, n: int) -> jax.Array:
        """Draw from the scaled mixture."""
        of_groups = TwoComponent(sizes=(1,), weight=self.weight, separation=self.separation)
        return of_groups.standard_effects(key, n)


@dataclass(frozen=True, kw_only=True)
class SkewedDeviates(Deviates):
    """A long upper tail: a gamma distribution, shifted and scaled; its skewness is 2 / sqrt(shape).

    Args:
        shape: of the gamma distribution, above 0; 1 is a shifted exponential, infinity the normal limit.
    """

    kind: ClassVar[str] = "skewed"
    words: ClassVar[str] = "a long upper tail (a shifted gamma)"
    shape: Annotated[float, Field(gt=0)] = 1.0

    def draw(self, key: jax.Array, n: int) -> jax.Array:
        """Draw standardized gamma numbers."""
        return (jax.random.gamma(key, self.shape, (n,)) - self.shape) / jnp.sqrt(self.shape)


@dataclass(frozen=True, kw_only=True)
class OutlierDeviates(Deviates):
    """Normal levels but one, which lies far out: the first, new in no replicate; the others stay standard normal.

    Args:
        distance: of the outlying level above the mean, in standard deviations of the others.
    """

    kind: ClassVar[str] = "outlier"
    words: ClassVar[str] = "one outlying level"
    distance: Annotated[float, Field(ge=0)] = 6.0

    def draw(self, key: jax.Array, n: int) -> jax.Array:
        """Draw standard normal numbers, the first of which is the distance."""
        return jax.random.normal(key, (n,)).at[0].set(self.distance)


DEVIATES: Mapping[str, type[Deviates]] = {
    family.kind: family
    for family in (NormalDeviates, StudentTDeviates, TwoComponentDeviates, SkewedDeviates, OutlierDeviates)
}
NORMAL = NormalDeviates()
