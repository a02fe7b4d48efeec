"""Performance measures: recovery, shrinkage, divergences and speed, each number with its Monte Carlo standard error.

Beside them: calibration, the sampler's own error, and the replicates that a precision needs.
"""

from simstudy.measures.calibration import calibration, worst_groups
from simstudy.measures.divergent_fits import judge_divergent_fits
from simstudy.measures.ecdf import ecdf_difference
from simstudy.measures.measure import Measure
from simstudy.measures.performance import performance
from simstudy.measures.policies import POLICIES, count_fits, flag
from simstudy.measures.precision import Precision, Target, current_precision, parse_targets, reached, replicates_needed
from simstudy.measures.registry import MEASURES

__all__ = [
    "MEASURES",
    "POLICIES",
    "Measure",
    "Precision",
    "Target",
    "calibration",
    "count_fits",
    "current_precision",
    "ecdf_difference",
    "flag",
    "judge_divergent_fits",
    "parse_targets",
    "performance",
    "reached",
    "replicates_needed",
    "worst_groups",
]
