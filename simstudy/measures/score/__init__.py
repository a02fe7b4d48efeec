"""Estimates made elsewhere: a table with a row per estimate, scored by the measures of the package."""

from simstudy.measures.score.estimates import Estimates, read_estimates
from simstudy.measures.score.performance_table import MCSE_CHOICES, McseChoice, score, score_estimates

__all__ = ["MCSE_CHOICES", "Estimates", "McseChoice", "read_estimates", "score", "score_estimates"]
