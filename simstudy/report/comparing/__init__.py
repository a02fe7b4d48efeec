"""The page and the words of a comparison of two runs."""

from simstudy.report.comparing.page import comparison_part, write_comparison
from simstudy.report.comparing.sentences import answers, headline

__all__ = ["answers", "comparison_part", "headline", "write_comparison"]
