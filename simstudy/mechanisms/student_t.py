"""Student-t effects, scaled to standard deviation 1: groups far out are more common than any method expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simstudy.errors import StudyError
from simstudy.late import jax, stats
from simstudy.mechanisms.deviates import StudentTDeviates
from simstudy.mechanisms.grouped import GroupedMechanism


@dataclass(frozen=True, kw_only=True)
class StudentT(GroupedMechanism):
    """Effects sqrt((df - 2) / df) * t_df.

    Args:
        df: degrees of freedom, above 2, so that a standard deviation exists.
    """

    kind: ClassVar[str] = "student_t"
    words: ClassVar[str] = "group effects with heavy tails: Student-t around μ with sd τ"
    letters: ClassVar[Mapping[str, str]] = {"df": "ν"}
    df: float = 3.0

    def __post_init__(self) -> None:
        if not 2 < self.df < float("inf"):
            raise StudyError(
                f"df: {self.df} is out of range; expected a number above 2, so that effects have a variance"
            )

    def standard_effects(self, key: jax.Array, n: int) -> jax.Array:
        """Draw Student-t effects scaled to standard deviation 1."""
        return StudentTDeviates(df=self.df).draw(key, n)

    def effect_scores(self, n: int) -> np.ndarray:
        """Return quantiles of the scaled distribution."""
        return stats.t.ppf((np.arange(n) + 0.5) / n, self.df) * np.sqrt((self.df - 2) / self.df)
