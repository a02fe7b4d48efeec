"""Successes out of trials with a logit link: k_j ~ Binomial(n_j, p_j), logit p_j = theta_j. Formulas: ``trials.py``."""

from dataclasses import dataclass
from typing import ClassVar

from simstudy.models.likelihoods.trials import Trials


@dataclass(frozen=True, kw_only=True)
class Binomial(Trials):
    """Counts of successes; theta is the logit of the group's probability."""

    kind: ClassVar[str] = "binomial"
    formula: ClassVar[str] = "binomial counts, successes_j ~ Binomial(n_j, expit(θ_j))"
    fits_data_of: ClassVar[tuple[str, ...]] = ("bernoulli",)

    @property
    def words(self) -> str:
        """Counts."""
        return "binomial counts"
