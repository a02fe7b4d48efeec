"""Observations of 0 or 1 with a logit link: the binomial likelihood, where an observation is a trial."""

from dataclasses import dataclass
from typing import ClassVar

from simstudy.models.likelihoods.binomial import Binomial


@dataclass(frozen=True, kw_only=True)
class Bernoulli(Binomial):
    """Zeros and ones; theta is the logit of their probability."""

    kind: ClassVar[str] = "bernoulli"
    formula: ClassVar[str] = "observations of 0 or 1, y_i ~ Bernoulli(expit(θ_j))"
    fits_data_of: ClassVar[tuple[str, ...]] = ("binomial",)

    @property
    def words(self) -> str:
        """Zeros and ones."""
        return "observations of 0 or 1"
