"""Sentences say what the numbers show, on findings made to break them."""

import numpy as np
import pandas as pd
import pytest

from simstudy.choosing.question import COMPLETE, NONE, PARTIAL
from simstudy.choosing.sentences import answers, group_name, plain, warnings, which
from tests.choosing.made import made


def said(found):
    return " ".join(sentence for sentences in answers(found).values() for sentence in sentences)


def test_partial_pooling_that_beats_both_is_told_with_both_margins():
    """Errors 4, 2 and 1: three quarters and a half below."""
    first, second, *_ = which(made([4.0, 2.0, 1.0]))
    assert "of “partial pooling” is 75.0 % ± 1.0 % below that of “no pooling” and 50.0 % ± 1.0 % below that of" in first
    assert second == "Use “partial pooling”."


def test_a_tie_is_told_as_one():
    """Half a percent at an MCSE of one says nothing."""
    found = made([4.0, 1.005, 1.0])
    assert found.best == [PARTIAL, COMPLETE]
    first, second, *_ = which(found)
    assert "not to be told from that of “complete pooling” (ratio 1.00 ± 0.01)" in first
    assert "as well as “complete pooling” here" in second


def test_all_three_may_tie():
    """Then nobody is said to be better."""
    found = made([1.0, 1.01, 1.005])
    assert set(found.best) == {NONE, COMPLETE, PARTIAL}
    assert "below that of" not in which(found)[0]
    assert "“no pooling” and “complete pooling” here" in which(found)[1]


@pytest.mark.parametrize(("mse", "winner"), [([1.0, 3.0, 1.2], NONE), ([3.0, 1.0, 1.2], COMPLETE)])
def test_another_pooling_that_beats_partial_is_recommended(mse, winner):
    """With what partial pooling costs."""
    found = made(mse)
    assert found.best == [winner]
    first, second, *_ = which(found)
    assert f"the mean squared error of “{winner}” is" in first
    assert (
        second == f"“{winner}” is the better choice for groups like these: “partial pooling” costs 20.0 % ± 1.0 % more."
    )


def test_intervals_that_miss_are_named_and_no_others():
    """Coverage of .80 under complete pooling; .945 at an MCSE of .004 is no finding."""
    found = made([4.0, 2.0, 1.0])
    found = made([4.0, 2.0, 1.0], errors=found.errors.assign(coverage=[0.945, 0.80, 0.96]))
    assert "fewer hold the true effect than stated: “complete pooling” 80 %." in which(found)[-1]
    assert "all three hold the true effects" in which(made([4.0, 2.0, 1.0]))[-1]


def test_a_sampler_that_fails_its_check_is_not_recommended_in_silence():
    """The estimands are named."""
    check = pd.DataFrame(
        {"estimand": ["mu", "tau"], "p_value": 0.0, "p_holm": 0.0, "verdict": ["calibrated", "not calibrated"]}
    )
    text = said(made([4.0, 2.0, 1.0], check=check))
    assert "its ranks are not uniform for tau" in text
    assert "uniform for every estimand" not in text


def test_flagged_runs_are_counted_and_the_faster_steps_of_the_other_are_told():
    """No run of the chosen one is flagged; the other's steps are worth more."""
    found = made([4.0, 2.0, 1.0])
    slower = found.sampling.assign(ess_per_leapfrog=[0.1, 0.05])
    text = said(made([4.0, 2.0, 1.0], sampling=slower))
    assert "Sample it non-centered: none of its runs is flagged (centered: 10 of 20, though its steps" in text
    assert "a step is worth 2.5 times as many effective draws" in said(found)


def test_where_most_runs_are_flagged_no_parameterization_is_praised():
    """The estimates are exact all the same."""
    found = made([4.0, 2.0, 1.0])
    text = said(made([4.0, 2.0, 1.0], sampling=found.sampling.assign(flagged=[1.0, 0.8])))
    assert (
        "Neither parameterization samples these data well (16 of 20 runs are flagged non-centered, 20 centered)" in text
    )
    assert "Sample it" not in text


def test_a_sampler_that_could_not_run_is_told_with_its_reason():
    """And no check is claimed."""
    text = said(made([4.0, 2.0, 1.0], sampling=pd.DataFrame(), check=pd.DataFrame(), reason="too far from 1"))
    assert "The sampler was not tried: too far from 1" in text
    assert "uniform" not in text


def test_conflicts_lead_the_warnings():
    """And stand in the answer."""
    found = made([4.0, 2.0, 1.0], conflicts=("partial pooling: the data contradict the prior mu ~ Normal(0, 1)",))
    assert warnings(found)[0].startswith("partial pooling: the data contradict")
    assert "No prior contradicts" not in said(found)
    assert "No prior contradicts the data." in said(made([4.0, 2.0, 1.0]))


def test_numbers_have_the_digits_in_which_groups_differ():
    """Groups around a million that differ by tenths keep their tenths."""
    table = pd.DataFrame({"own": [1e6, 1e6 + 0.3, 1e6 + 0.9]})
    assert plain(1e6 + 0.3, table) == "1,000,000.300"
    assert plain(0.5, pd.DataFrame({"own": [-900.0, 1_000.0]})) == "0"
    assert plain(-12.3456, pd.DataFrame({"own": [-12.3, 5.0]})) == "−12.3"
    assert plain(7.0, pd.DataFrame({"own": [7.0, 7.0]})) == "7.00"


def test_a_number_for_a_name_says_what_it_is():
    """Driver 309 reads as a driver."""
    found = made([4.0, 2.0, 1.0])
    assert group_name(found, "309") == "school 309"
    assert group_name(found, "Lincoln") == "Lincoln"


def test_no_sentence_has_a_hole():
    """Whatever the errors, no sentence holds nan, none of Python's or an empty name."""
    for mse in np.random.default_rng(1).lognormal(0, 0.3, (40, 3)):
        text = said(made(list(mse), mcse=0.1))
        assert "nan" not in text.lower()
        assert "None" not in text
        assert "“”" not in text
