"""Observations of 0 or 1 with a logit link: each is a trial. Formulas: ``trials.py``."""

from dataclasses import dataclass
from typing import ClassVar

from simstudy.models.likelihoods.trials import Trials


@dataclass(frozen=True, kw_only=True)
class Bernoulli(Trials):
    """Zeros and ones; theta is the logit of their probability."""

    kind: ClassVar[str] = "bernoulli"
    formula: ClassVar[str] = "observations of 0 or 1, y_i ~ Bernoulli(expit(θ_j))"
    fits_data_of: ClassVar[tuple[str, ...]] = ("binomial",)

    @property
    def words(self) -> str:
        """Zeros and ones."""
        return "observations of 0 or 1"
