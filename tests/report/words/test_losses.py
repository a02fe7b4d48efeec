"""Lost and flagged fits are counted, and every reason of flags is named."""

import numpy as np
import pandas as pd
import pytest

from simstudy.report.words.losses import failure_sentence, lost_methods_sentence

LIMITS = {"max_rhat": 1.01, "min_ess": 400, "max_divergence_rate": 0.0}


def flagged(n, **counts):
    """Return the flags of n fits, each flag on as many of the first fits as its count says."""
    names = ("divergent", "max_rhat", "min_ess")
    return pd.DataFrame({name: np.arange(n) < counts.get(name, 0) for name in names})


def test_lost_fits_are_counted():
    """Failed and non-finite fits are counted apart, nothing is called finite that is not, a lost fit has no flag."""
    fits = pd.DataFrame({"status": ["ok"] * 7 + ["failed"] * 2 + ["non_finite"], "method": "a"})
    told = failure_sentence(fits, flagged(10, max_rhat=10), LIMITS)
    assert told == (
        "Of 10 fits 2 failed and 1 gave numbers that are not finite; 7 carry a flag, all for an R-hat above 1.01."
    )
    assert failure_sentence(fits[:7], flagged(7), LIMITS) == "All 7 fits are finite; none carries a flag."


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"min_ess": 6, "divergent": 4}, "6 carry a flag: 6 for effective draws below 400 and 4 for divergent draws."),
        ({"min_ess": 6}, "6 carry a flag, all for effective draws below 400."),
        ({"divergent": 1}, "1 carries a flag, for divergent draws."),
        ({"divergent": 1, "max_rhat": 1}, "1 carries a flag, for divergent draws and an R-hat above 1.01."),
    ],
)
def test_every_reason_of_flags_is_named(counts, words):
    """What fits are flagged for is said with its limit and, where fits have several, with how many have it."""
    fits = pd.DataFrame({"status": ["ok"] * 7, "method": "a"})
    assert failure_sentence(fits, flagged(7, **counts), LIMITS).endswith(words)


def test_reasons_of_different_fits_are_apart():
    """Of 6 fits with 3 of each kind both are told; a share of draws that may diverge is in the words."""
    flags, fits = flagged(6, min_ess=3), pd.DataFrame({"status": ["ok"] * 6, "method": "a"})
    flags["divergent"] = np.arange(6) >= 3
    told = failure_sentence(fits, flags, LIMITS)
    assert told.endswith("6 carry a flag: 3 for divergent draws and 3 for effective draws below 400.")
    rate = {**LIMITS, "max_divergence_rate": 0.01}
    told = failure_sentence(fits, flagged(6, divergent=2), rate)
    assert told.endswith("all for more than 1 % of draws divergent.")


def ended(**methods):
    """Return fits of methods, each a list of reasons; no reason is a fit that can be used."""
    rows = [(method, reason) for method, reasons in methods.items() for reason in reasons]
    status = ["ok" if not reason else "non_finite" if "finite" in reason else "failed" for _, reason in rows]
    return pd.DataFrame(rows, columns=["method", "reason"]).assign(status=status)


def test_a_method_that_failed_is_named_with_the_reason():
    """Whoever lost all fits leads, with the reason where all have one, and with the most frequent where not."""
    fits = ended(a=[None] * 200, b=["no density"] * 3, c=[None, "far", "near", "far"], d=[None] * 199 + ["far"])
    assert lost_methods_sentence(fits) == (
        "“b” failed in every fit: no density; “c” failed in 3 of 4 fits, 2 of them for: far."
    )
    assert lost_methods_sentence(ended(a=[None] * 200, d=[None] * 199 + ["far"])) == ""


def test_how_fits_were_lost_is_told_apart():
    """Numbers that are not finite are not called failures; a method may have both."""
    fits = ended(a=["draws are not finite"] * 2, b=["draws are not finite", "far", "far"])
    assert lost_methods_sentence(fits) == (
        "“a” gave numbers that are not finite in every fit: draws are not finite; "
        "“b” failed or gave numbers that are not finite in every fit, 2 of them for: far."
    )


def test_counts_of_lost_fits_name_the_methods_that_have_them():
    """Of several methods those that lost fits are named, unless all did."""
    some, every = ended(a=[None] * 4, b=["far"] * 3), ended(a=["far"], b=["far"])
    assert failure_sentence(some, flagged(7), LIMITS).startswith("Of 7 fits 3 failed (of “b”);")
    assert failure_sentence(every, flagged(2), LIMITS).startswith("Of 2 fits 2 failed;")
