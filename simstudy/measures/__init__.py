"""Performance measures: recovery, shrinkage, divergences and speed, each number with its Monte Carlo standard error."""

from simstudy.measures.measure import Measure
from simstudy.measures.performance import performance
from simstudy.measures.policies import POLICIES, count_fits, flag
from simstudy.measures.registry import MEASURES

__all__ = ["MEASURES", "POLICIES", "Measure", "count_fits", "flag", "performance"]
