"""The numbers of the primary measure in sentences: both ends over the scenarios, of a made table."""

import pandas as pd

from simstudy.report.words.primary import primary_sentences

LABELS = {"a": "τ = 0", "b": "τ = 0.5", "c": "τ = 2"}


def rows(method, values, level=0.95):
    return pd.DataFrame(
        {"scenario": list(LABELS)[: len(values)], "method": method, "value": values, "mcse": 0.01, "level": level}
    )


def test_both_ends_are_told_of_each_method():
    """Coverage in percent with its MCSE, and where; methods in the order of the table; no number that is missing."""
    table = pd.concat([rows("wide", [0.99, 0.96, float("nan")]), rows("narrow", [0.97, 0.86, 0.91])], ignore_index=True)
    assert primary_sentences(table, LABELS, measure="coverage", estimand="mu") == [
        "“wide”: coverage of μ by 95 % intervals, from 96.0 % ± 1.0 % at τ = 0.5 to 99.0 % ± 1.0 % at τ = 0.",
        "“narrow”: coverage of μ by 95 % intervals, from 86.0 % ± 1.0 % at τ = 0.5 to 97.0 % ± 1.0 % at τ = 0.",
    ]


def test_one_scenario_and_equal_ends():
    """A single number stands alone, and so do scenarios that are all alike."""
    assert primary_sentences(rows("m", [1.5], level=None), LABELS, measure="width") == [
        "“m”: interval width 1.500 ± 0.010."
    ]
    (told,) = primary_sentences(rows("m", [0.9, 0.9]), LABELS, measure="coverage")
    assert told == "“m”: coverage by 95 % intervals, 90.0 % ± 1.0 % in all scenarios."
