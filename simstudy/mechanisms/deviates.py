"""Distributions of standardized effects: mean 0 and standard deviation 1, whatever their form.

A method assumes normal effects; a mechanism may draw others, for any term. One class a form, with its options.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from simstudy.late import jax, jnp
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
        return jax.random.t(key, self.df, (n,)) * jnp.sqrt((self.df - 2) / self.df)


@dataclass(frozen=True, kw_only=True)
class TwoComponentDeviates(Deviates):
    """Two kinds of levels: a mixture of two normals.

    With weight w, separation d between the component means and common component standard deviation s, it has mean 0
    when the means are -w d s (share 1 - w) and (1 - w) d s (share w), and variance s^2 (1 + w (1 - w) d^2) = 1.

    Args:
        weight: share of the upper component, in (0, 1).
        separation: distance of the component means in component standard deviations, at least 0.
    """

    kind: ClassVar[str] = "two_component"
    words: ClassVar[str] = "two kinds of levels (a mixture of two normals)"
    weight: Annotated[float, Field(gt=0, lt=1)] = 0.5
    separation: Annotated[float, Field(ge=0)] = 4.0

    def draw(self, key: jax.Array, n: int) -> jax.Array:
        """Draw a component, then a normal number around its mean."""
        key_component, key_number = jax.random.split(key)
        low, high, sd = self.components
        upper = jax.random.bernoulli(key_component, self.weight, (n,))
        return jnp.where(upper, high, low) + sd * jax.random.normal(key_number, (n,))

    @property
    def components(self) -> tuple[float, float, float]:
        """Means of the lower and upper component, and their standard deviation."""
        w, d = self.weight, self.separation
        sd = 1 / np.sqrt(1 + w * (1 - w) * d**2)
        return -w * d * sd, (1 - w) * d * sd, sd


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
