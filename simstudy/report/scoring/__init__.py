"""The page of estimates that were made elsewhere: their performance in sentences, pictures and tables."""

from simstudy.report.scoring.page import render, scoring_part, write_scoring

__all__ = ["render", "scoring_part", "write_scoring"]
