"""What methods of one posterior differ in is told from their numbers, and never flatters one that did not converge."""

import numpy as np
import pandas as pd

from simstudy.report.words.costs import divergence_sentence, efficiency_sentence, sampler_sentence
from simstudy.report.words.split import split_sentences
from tests.report.words.test_sentences import rows

LABELS = {"a": "τ = 0.5", "b": "τ = 2"}
KEYS = {"scenario": ["a", "b"] * 2, "method": ["centered"] * 2 + ["non-centered"] * 2}
NONE = [0.0, 0.0, 0.0, 0.0]


def costs(efficiency, rate):
    """Return ESS per leapfrog and divergence rates by scenario and method."""
    drawn = rows(**KEYS, measure="ess_per_leapfrog", estimand="mu, tau", value=efficiency, mcse=0.001)
    diverged = rows(**KEYS, measure="divergence_rate", value=rate, mcse=np.array(rate) / 10)
    return pd.concat([drawn, diverged], ignore_index=True)


def test_who_makes_the_most_draws_is_counted_with_the_largest_gain():
    """Scenarios are counted, and the largest ratio of the first is told with its place."""
    assert efficiency_sentence(costs([0.3, 0.4, 0.2, 0.01], NONE), LABELS) == (
        "“centered” makes the most effective draws per leapfrog, or ties, in both scenarios (up to 40 times those of "
        "“non-centered” at τ = 2), “non-centered” in none."
    )


def test_draws_of_a_sampler_that_diverges_do_not_count():
    """Where more than 1 % of its draws diverge a method cannot win, and the sentence says so."""
    told = efficiency_sentence(costs([0.9, 0.4, 0.2, 0.01], [0.05, 0.0, 0.0, 0.0]), LABELS)
    assert "in 1 of 2 scenarios" in told
    assert told.endswith("; not counted where over 1 % of draws diverge or over 5 % of fits did not converge.")
    assert "4.5 times" not in told


def test_one_method_that_counts_makes_the_most_of_nobody():
    """In one scenario, where all methods but one diverge, there is nothing to compare."""
    table = costs([0.9, 0.4, 0.2, 0.01], [0.05, 0.0, 0.0, 0.0])
    told = efficiency_sentence(table[table["scenario"] == "a"], {"a": ""})
    assert told.startswith("Of effective draws per leapfrog those of “non-centered” alone count")
    assert "makes the most" not in told


def test_draws_of_fits_that_did_not_converge_do_not_count():
    """The same where too many fits did not converge."""
    table = costs([0.9, 0.4, 0.2, 0.01], NONE)
    assert "both scenarios" in efficiency_sentence(table, LABELS)
    assert "both scenarios" not in efficiency_sentence(table, LABELS, short={("a", "centered")})


def test_equal_efficiency_is_said_to_be():
    """Methods within 2 MCSE are tied, and not said to make equally many."""
    told = efficiency_sentence(costs([0.2, 0.4, 0.2, 0.4], NONE), LABELS)
    both = "“centered” and “non-centered” are tied in effective draws per leapfrog"
    assert told == f"{both} (within 2 MCSE) in both scenarios."


def test_divergences_are_told_where_they_harm():
    """The largest rate of each method is told in percent; below 1 % everywhere nothing is."""
    assert divergence_sentence(costs([1.0] * 4, [0.04, 0.01, 0.002, 0.0]), LABELS) == (
        "“centered” diverges in up to 4.0 % of draws (at τ = 0.5), “non-centered” in up to 0.20 %."
    )
    assert divergence_sentence(costs([1.0] * 4, [0.009, 0.0, 0.0, 0.0]), LABELS) == ""
    assert divergence_sentence(costs([1.0] * 4, [0.04, 0.01, 0.0, 0.0]), LABELS).endswith("“non-centered” in none.")


def split(method, added, mcse):
    """Return a row of the error split."""
    known = {"scenario": "a", "method": method, "estimand": "tau", "mse_model": 1.0, "mse_model_mcse": 0.1}
    known |= {"mse_sampler": added, "mse_sampler_mcse": mcse, "percent": 100 * added, "percent_mcse": 100 * mcse}
    return pd.DataFrame([known])


def test_what_did_not_converge_adds_never_nothing():
    """An error that cannot be seen is said to be none of a method that converged, and unknown of one that did not."""
    table = pd.concat([split("walk", 0.1, 0.2), split("NUTS", 0.1, 0.2)], ignore_index=True)
    assert sampler_sentence(table, ["walk"], ["exact"]) == (
        "Against the exact posterior (“exact”), “NUTS” adds no error that can be told from 0 (2 MCSE)."
    )
    convergence = pd.DataFrame({"fits": [38], "short": [38]}, index=["walk"])
    walk, nuts = split_sentences(table, LABELS, convergence=convergence)
    assert walk == "What the sampler of “walk” adds to the MSE is not known: 38 of 38 of its fits did not converge."
    assert "adds nothing" in nuts


def test_what_a_sampler_adds_is_told():
    """A clear addition is told in percent of the MSE of the estimand where it is largest."""
    assert sampler_sentence(split("NUTS", 0.3, 0.01), [], ["exact"]) == (
        "Against the exact posterior (“exact”), “NUTS” adds up to 30 % to the MSE of τ."
    )
