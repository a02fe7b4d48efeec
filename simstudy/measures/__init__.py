"""Performance measures: recovery, shrinkage, divergences and speed, each number with its Monte Carlo standard error.

Beside them: calibration, the sampler's own error, and the replicates that a precision needs.
"""

from simstudy.measures.calibration import calibration, worst_groups
from simstudy.measures.divergent_fits import judge_divergent_fits
from simstudy.measures.ecdf import ecdf_difference
from simstudy.measures.measure import Measure, Setting
from simstudy.measures.performance import performance
from simstudy.measures.policies import POLICIES, count_fits, flag
from simstudy.measures.precision import Precision, Target, current_precision, parse_targets, reached, replicates_needed
from simstudy.measures.registry import MEASURES, register_measure
from simstudy.measures.rows.replicates import (
    Replicates,
    Score,
    mean_score,
    proportion_score,
    ratio_score,
    root_mean_score,
)

__all__ = [
    "MEASURES",
    "POLICIES",
    "Measure",
    "Precision",
    "Replicates",
    "Score",
    "Setting",
    "Target",
    "calibration",
    "count_fits",
    "current_precision",
    "ecdf_difference",
    "flag",
    "judge_divergent_fits",
    "mean_score",
    "parse_targets",
    "performance",
    "proportion_score",
    "ratio_score",
    "reached",
    "register_measure",
    "replicates_needed",
    "root_mean_score",
    "worst_groups",
]
