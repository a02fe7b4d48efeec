"""Two runs compared: what changed, what is the same, and what these replicates cannot tell.

``opening`` opens runs and holds them to their checksums, ``alignment`` brings two runs to common names and finds the
data sets that both saw, ``differences`` takes the difference of every measure with its Monte Carlo standard error,
``times`` that of wall-clock times, ``verdicts`` judges them, ``rules`` says what counts as a difference that matters.
"""

from simstudy.comparison.compare import Comparison, compare
from simstudy.comparison.rules import Margin, Rules, read_rules
from simstudy.comparison.verdicts import CANNOT_TELL, CHANGED, SAME

__all__ = ["CANNOT_TELL", "CHANGED", "SAME", "Comparison", "Margin", "Rules", "compare", "read_rules"]
