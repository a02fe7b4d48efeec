"""What did not converge is told by method, the worst first, and hardly any is not told."""

import pandas as pd

from simstudy.report.words.convergence import convergence_sentence

LIMITS = {"max_rhat": 1.04, "min_ess": 100.0}


def table(**methods):
    """Return the table of methods, each with (fits, short, by R-hat, by ESS)."""
    names = ("fits", "short", "max_rhat", "min_ess")
    rows = {method: dict(zip(names, counts, strict=True)) for method, counts in methods.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def test_the_worst_is_first_with_all_counts():
    """Every method is named with its fits, those of which the largest share is short first."""
    assert convergence_sentence(table(a=(40, 4, 4, 0), b=(38, 38, 38, 38), c=(40, 0, 0, 0)), LIMITS) == (
        "“b” did not converge in 38 of 38 fits, “a” in 4 of 40 (R-hat above 1.04)."
    )


def test_the_reason_is_that_of_all():
    """One threshold is named where it says all, else both."""
    assert "(ESS below 100)" in convergence_sentence(table(a=(40, 4, 1, 4)), LIMITS)
    assert "(R-hat above 1.04 or ESS below 100)" in convergence_sentence(table(a=(40, 4, 2, 3)), LIMITS)


def test_one_in_a_hundred_is_not_told():
    """A method whose fits nearly all converged leads no page."""
    assert convergence_sentence(table(a=(1000, 10, 10, 0)), LIMITS) == ""
