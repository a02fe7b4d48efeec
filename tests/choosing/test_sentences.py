"""Sentences say what the numbers show, on findings made to break them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from simstudy.choosing.question import COMPLETE, NONE, PARTIAL, ask
from simstudy.choosing.sensitivity import sensitivity
from simstudy.choosing.sentences import answers, group_name, plain, warnings, which
from simstudy.report.reading.wording import number
from tests.choosing.made import made


def said(found):
    return " ".join(sentence for sentences in answers(found).values() for sentence in sentences)


def test_partial_pooling_that_beats_both_is_told_with_both_margins():
    """Errors 4, 2 and 1: three quarters and a half below."""
    first, second = which(made([4.0, 2.0, 1.0]))
    assert first == (
        "Use “partial pooling”: on 400 data sets simulated from what these 8 schools say, the mean squared error of "
        "their effects is 75.0 % ± 1.0 % below that under “no pooling” and 50.0 % ± 1.0 % below that under “complete "
        "pooling”."
    )
    assert "intervals of all three" in second


def test_a_tie_is_told_as_one():
    """Half a percent at an MCSE of one says nothing."""
    found = made([4.0, 1.005, 1.0])
    assert found.best == [PARTIAL, COMPLETE]
    first, second, *_ = which(found)
    assert first.startswith("Use “partial pooling”: ")
    assert "not to be told from that under “complete pooling” (ratio 0.995 ± 0.010)" in first
    assert "as well as “complete pooling” here" in second


def test_all_three_may_tie():
    """Then nobody is said to be better."""
    found = made([1.0, 1.01, 1.005])
    assert set(found.best) == {NONE, COMPLETE, PARTIAL}
    assert "below that" not in which(found)[0]
    assert "“no pooling” and “complete pooling” here" in which(found)[1]


@pytest.mark.parametrize(("mse", "winner"), [([1.0, 3.0, 1.2], NONE), ([3.0, 1.0, 1.2], COMPLETE)])
def test_another_pooling_that_beats_partial_is_recommended(mse, winner):
    """With what partial pooling costs."""
    found = made(mse)
    assert found.best == [winner]
    first, second, *_ = which(found)
    assert first.startswith(f"Use “{winner}”: on 400 data sets")
    assert second == "“partial pooling” costs 20.0 % ± 1.0 % more on groups like these."


def test_intervals_that_miss_are_named_and_no_others():
    """Coverage of .80 under complete pooling; .945 at an MCSE of .004 is no finding."""
    found = made([4.0, 2.0, 1.0])
    found = made([4.0, 2.0, 1.0], errors=found.errors.assign(coverage=[0.945, 0.80, 0.96]))
    assert which(found)[-1] == (
        "95 % intervals that hold the true effects less often than stated, by more than 2 points (and 2 MCSE): "
        "“complete pooling” 80 %."
    )
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
    assert "Sample it non-centered, target acceptance 0.9: none of its runs is flagged" in text
    assert "(centered: 10 of 20, though with 2.0 times as many effective draws per step)" in text
    assert "it has 2.5 times as many effective draws per step" in said(found)
    assert "where the target acceptance is adapt_delta or target_accept" in text


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


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["calibrated", "calibrated despite failed fits"], "its ranks are uniform for every estimand"),
        (["calibrated", "not calibrated for failed fits"], "cannot be said: too many of 100 fits"),
        ([], "cannot be said: too many of 100 fits"),
        (["not calibrated", "not calibrated for failed fits"], "its ranks are not uniform for mu: trust"),
    ],
)
def test_fits_that_failed_are_no_verdict_on_ranks(verdicts, expected):
    """Only ranks that are not uniform are called so."""
    check = pd.DataFrame({"estimand": ["mu", "tau"][: len(verdicts)], "p_value": 0.5, "p_holm": 1.0})
    assert expected in said(made([4.0, 2.0, 1.0], check=check.assign(verdict=verdicts)))


def test_groups_that_do_not_move_are_not_said_to():
    """Equal groups stay where they are; "from 1.50 to 1.50" is no move."""
    found = made([4.0, 2.0, 1.0])
    text = said(made([4.0, 2.0, 1.0], groups=found.groups.assign(own=1.5, **{PARTIAL: 1.5003})))
    assert "no mean moves in the digits shown" in text
    assert "moves most, from" not in text


def test_small_numbers_keep_their_digits():
    """Data in meters of what is measured in nanometers."""
    table = pd.DataFrame({"own": [1.1e-9, 2.5e-9, 3.25e-9]})
    assert plain(2.5e-9, table) == "2.50e−09"
    assert plain(1.0 + 2.5e-9, pd.DataFrame({"own": [1.0, 1.0 + 2.5e-9]})) == "1.00000000250"


def test_a_group_called_tau_is_a_group():
    """Its mean is not that of the parameter."""
    found = made([4.0, 2.0, 1.0])
    draws = {"tau": found.tau, "log_lik": -(found.tau**2) / 50}
    known = sensitivity(draws, "HalfNormal(15)", {"tau": found.tau}, {"tau": 100 + found.tau, "mu": found.tau})
    text = said(made([4.0, 2.0, 1.0], sensitivity=known))
    assert f"({number(found.tau.mean())} now); the mean of tau moves most" in text or "the mean of mu moves" in text


def test_a_weak_likelihood_of_tau_given_the_effects_is_no_lack_of_data():
    """Where groups are known well the likelihood given the effects says nothing more on tau, however many they are."""
    found = made([4.0, 2.0, 1.0])
    table = found.sensitivity.table.assign(of_prior=0.2, of_likelihood=0.001)
    text = said(made([4.0, 2.0, 1.0], sensitivity=replace(found.sensitivity, table=table)))
    assert "τ is sensitive to its prior (power-scaling 0.200, above 0.05)." in text


@pytest.mark.parametrize(("mcses", "beats"), [(1.9, False), (2.1, True)])
def test_two_standard_errors_are_the_line(mcses, beats):
    """A ratio of .9 with an MCSE that is a 1.9th of the difference is a tie, with a 2.1th it is not."""
    found = made([4.0, 1 / 0.9, 1.0], mcse=0.1 / mcses)
    assert found.beats(PARTIAL, COMPLETE) == beats
    assert not found.beats(COMPLETE, PARTIAL)
    assert ("not to be told from that under “complete pooling”" in which(found)[0]) != beats


def test_of_two_that_are_flagged_as_often_the_faster_is_chosen():
    """By effective draws per leapfrog step, whatever their order."""
    found = made([4.0, 2.0, 1.0])
    for speeds, name in (([0.3, 0.1], "centered"), ([0.1, 0.3], "non-centered")):
        sampling = found.sampling.assign(flagged=0.0, ess_per_leapfrog=speeds)
        assert made([4.0, 2.0, 1.0], sampling=sampling).parameterization == name


def test_one_flagged_run_is_one():
    """In the singular."""
    found = made([4.0, 2.0, 1.0])
    text = said(made([4.0, 2.0, 1.0], sampling=found.sampling.assign(flagged=[0.5, 0.05])))
    assert "1 of its 20 runs is flagged (centered: 10 of 20)" in text


@pytest.mark.parametrize(("k", "why"), [(0.9, "(Pareto k above 0.7)"), (np.inf, "(they end where the prior does)")])
def test_where_other_priors_are_not_known_it_is_said_why(k, why):
    """Weights that a few draws rule, or draws up to the end of the prior."""
    found = made([4.0, 2.0, 1.0])
    text = said(made([4.0, 2.0, 1.0], sensitivity=replace(found.sensitivity, k={0.5: 0.1, 2.0: k})))
    assert f"the draws at hand cannot say which {why}" in text


@pytest.mark.parametrize(("schools", "is_told"), [("abcdefgh", True), ("abcdefghc", False)])
def test_one_observation_a_group_leaves_the_spreads_to_their_priors(schools, is_told):
    """Of values, not of estimates whose standard errors are known; it is a warning too."""
    found = made([4.0, 2.0, 1.0])
    scores = pd.DataFrame({"school": list(schools), "score": np.arange(float(len(schools)))})
    question = ask(scores, columns={"group": "school", "value": "score"}, priors={}, seed=1)
    scored = made([4.0, 2.0, 1.0], question=question)
    for text in (said(scored), " ".join(warnings(scored))):
        assert ("Each school has one observation" in text) == is_told
    assert "has one observation" not in said(found)


def test_priors_that_contradict_the_data_lead_and_nothing_is_advised():
    """The first question is theirs."""
    found = made([4.0, 2.0, 1.0], conflicts=("partial pooling: the data contradict the prior mu ~ Normal(0, 1)",))
    first, *_ = answers(found)
    assert first == "Do priors and data agree?"
    assert answers(found)[first] == ["partial pooling: the data contradict the prior mu ~ Normal(0, 1)."]
    assert "Nothing is advised" in said(found)
    assert "Use “" not in said(found)
    assert "the mean squared error of their effects under “partial pooling” is" in said(found)
    assert next(iter(answers(made([4.0, 2.0, 1.0])))) == "Which pooling?"


def test_coverage_a_point_below_is_not_told_as_a_failure():
    """94 % at an MCSE of .1 % is below 95 %, and nobody minds."""
    found = made([4.0, 2.0, 1.0])
    errors = found.errors.assign(coverage=[0.94, 0.92, 0.95], coverage_mcse=0.001)
    told = which(made([4.0, 2.0, 1.0], errors=errors))[-1]
    assert told.endswith("by more than 2 points (and 2 MCSE): “complete pooling” 92 %.")


def test_the_common_mean_and_a_new_group_are_told():
    """What a meta-analyst asks first."""
    told = said(made([4.0, 2.0, 1.0]))
    assert (
        "The common mean μ is 8.00 (posterior median; 95 % interval −1.00 to 17.0), the effect of a new school" in told
    )
    assert "The sd between schools, τ, is 5.00 (posterior median; 95 % interval 0.400 to 19.0)." in told


def test_coverage_that_is_not_known_well_has_no_bound():
    """Of .90 with an MCSE of .03 it cannot be said that it lacks two points at most."""
    found = made([4.0, 2.0, 1.0])
    errors = found.errors.assign(coverage=[0.95, 0.90, 0.96], coverage_mcse=0.03)
    last = which(made([4.0, 2.0, 1.0], errors=errors))[-1]
    assert last == "No 95 % intervals hold the true effects less often than they state by over 2 MCSE."


@pytest.mark.parametrize(("p", "words"), [(0.004, "p = 0.004"), (0.0002, "p < 0.001"), (0.04, None)])
def test_a_group_unlike_the_others_is_told(p, words):
    """By name, with its p-value, as a warning too; one in twenty-five is not."""
    found = made([4.0, 2.0, 1.0], unlike=("C", p))
    told = "C lies farther from the rest than normal effects do (posterior predictive"
    assert (told in said(found)) == (words is not None)
    assert (words is None) or (f"{told} {words})" in said(found))
    assert any(told in warning for warning in warnings(found)) == (words is not None)


def test_groups_are_spoken_of_in_the_words_of_their_data():
    """Means of values, probabilities of counts: half at log odds of 0, with the ends of the interval of 1 and 3."""
    shares = pd.DataFrame({"ward": list("abcdefgh"), "cured": 2, "n": 4})
    question = ask(shares, columns={"group": "ward", "successes": "cured", "trials": "n"}, priors={}, seed=1)
    odds = pd.DataFrame({"estimand": ["mu", "tau", "theta_new"], "mean": 0.0, "median": 0.0})
    odds = odds.assign(lower=-np.log(3), upper=np.log(3))
    told = said(made([4.0, 2.0, 1.0], question=question, hyperparameters=odds))
    assert "the mean squared error of their probabilities is 75.0 %" in told
    interval = "0.500 (posterior median; 95 % interval 0.250 to 0.750)"
    assert f"At the common mean μ the probability is {interval}, that of a new ward {interval}." in told
    assert "On the scale of log odds μ is 0 (posterior median; 95 % interval −1.10 to 1.10), and the sd between" in told
    scores = pd.DataFrame({"school": list("aabbccddeeffgghh"), "score": np.arange(16.0)})
    question = ask(scores, columns={"group": "school", "value": "score"}, priors={}, seed=1)
    told = said(made([4.0, 2.0, 1.0], question=question))
    assert "the mean squared error of their means is" in told
    assert "the mean of a new school 8.00" in told
    assert "effects" not in " ".join(which(made([4.0, 2.0, 1.0], question=question)))
