"""Sentences say what the numbers say, and nothing where a difference is below 2 MCSE."""

import re

import numpy as np
import pandas as pd
import pytest

from simstudy.report.reading.pairs import COLUMNS, differences
from simstudy.report.reading.readings import CLEAR
from simstudy.report.words import sentences
from simstudy.store.schema import PERFORMANCE

LABELS = {"a": "τ = 0.5", "b": "τ = 2"}


def rows(**columns):
    """Return performance rows with the given columns, all others empty."""
    frame = pd.DataFrame({"group": None, "bin": None, "policy": "available", "n_used": 100, **columns})
    return frame.reindex(columns=PERFORMANCE.names)


def rmse_difference(difference, mcse, scenario="a", rival_value=1.0):
    """Return the difference in RMSE of one scenario."""
    values = [scenario, "partial", "none", rival_value + difference, mcse, rival_value, mcse, difference, mcse]
    return pd.DataFrame([values], columns=COLUMNS)


@pytest.mark.parametrize("size", [0.2, 1.0, 1.9, 2.0])
def test_difference_within_2_mcse_is_not_told(size):
    """A difference of at most 2 MCSE, to either side, is put into no sentence about a winner."""
    for sign in (-1, 1):
        (told,) = sentences.error_sentences(rmse_difference(sign * size * 0.01, 0.01), LABELS)
        assert "are tied (within 2 MCSE)" in told
        assert "smaller" not in told
        assert "larger" not in told


def test_clear_difference_is_told_with_its_numbers():
    """A difference of 4 MCSE names the better method, the scenario and both numbers with their MCSE."""
    (told,) = sentences.error_sentences(rmse_difference(-0.4, 0.1), LABELS)
    assert told == (
        "“partial” has a smaller RMSE for the group effects θ than “none” at τ = 0.5: 0.60 ± 0.10 against 1.00 ± 0.10 "
        "(40 % smaller)."
    )


def test_both_directions_are_told_with_their_counts():
    """Scenarios in which the method is better, worse and neither are counted apart."""
    parts = [rmse_difference(-0.5, 0.1, "a"), rmse_difference(0.5, 0.1, "b"), rmse_difference(0.1, 0.1, "c")]
    labels = {**LABELS, "c": "τ = 9"}
    told = sentences.error_sentences(pd.concat(parts, ignore_index=True), labels)
    (told,) = told
    first, second = told.split(" It has ")
    assert "smaller RMSE" in first
    assert "in 1 of 3 scenarios, most at τ = 0.5" in first
    assert second.startswith("a larger one in 1 of 3 scenarios, most at τ = 2")
    assert told.endswith("In the other one they are tied.")
    assert "τ = 9" not in told


def test_the_scenario_told_has_the_largest_ratio():
    """The scenario named is that of the largest ratio of errors, not of the largest difference."""
    parts = [rmse_difference(-5.0, 0.1, "a", 10.0), rmse_difference(-0.9, 0.1, "b", 1.0)]
    (told,) = sentences.error_sentences(pd.concat(parts, ignore_index=True), LABELS)
    assert "most at τ = 2" in told
    assert "90 % smaller" in told


@pytest.mark.parametrize("mcse", [np.nan, 0.0, np.inf])
def test_difference_without_a_usable_mcse_is_not_told(mcse):
    """A difference whose MCSE is unknown, infinite or 0 by accident is not told, however large."""
    (told,) = sentences.error_sentences(rmse_difference(-0.9, mcse), LABELS)
    assert "are tied" in told


def test_random_noise_is_rarely_told():
    """Of 4,000 true zeros with normal error 4.55 % are told: 2 MCSE, within 4 standard errors of that share."""
    n, nominal = 4000, 0.0455
    noise = 0.01 * np.random.default_rng(1).standard_normal(n)
    table = (
        rmse_difference(0.0, 0.01)
        .loc[[0] * n]
        .reset_index(drop=True)
        .assign(scenario=[f"s{i}" for i in range(n)], difference=noise)
    )
    told = sentences.error_sentences(table, {f"s{i}": f"s{i}" for i in range(n)})
    counts = [int(count) for sentence in told for count in re.findall(r"in (\d+) of 4,000", sentence)]
    assert len(counts) == CLEAR == 2
    assert abs(sum(counts) / n - nominal) < 4 * np.sqrt(nominal * (1 - nominal) / n)


def divergence_rows(rate, mcse, share=0.5):
    """Return divergence measures of two methods, the second without any."""
    keys = {"scenario": ["a", "b"] * 2, "method": ["centered"] * 2 + ["none"] * 2}
    rates = rows(**keys, measure="divergence_rate", value=[rate, rate / 9, 0.0, 0.0], mcse=[mcse, mcse, 0.0, 0.0])
    shares = rows(**keys, measure="any_divergence", value=[share, share / 9, 0.0, 0.0], mcse=0.01)
    return pd.concat([rates, shares], ignore_index=True)


def test_divergences_are_told_where_they_are_most():
    """The worst scenario is named per 1,000 draws with its share of fits, and who never diverged."""
    told = sentences.divergence_sentences(divergence_rows(0.04, 0.004, 0.5), LABELS)
    assert told == [
        "“centered” diverges most at τ = 0.5: in 40.0 ± 4.0 of 1,000 draws, and in 50 % of fits.",
        "No draw of “none” diverged.",
    ]


def test_unclear_divergence_rate_is_not_told():
    """A rate within 2 MCSE of 0 is not told, but that there are some is, and in how many fits."""
    told = sentences.divergence_sentences(divergence_rows(0.0001, 0.0001).assign(n_used=18), LABELS)
    assert told == ["Some draws of “centered” diverged, in 10 of 36 fits.", "No draw of “none” diverged."]


def test_contrast_needs_a_clear_difference():
    """How many times as often one method diverges is told only where the rates differ by more than 2 MCSE."""
    keys = {"scenario": ["a", "a"], "method": ["centered", "noncentered"], "measure": "divergence_rate"}
    clear = rows(**keys, value=[0.04, 0.002], mcse=[0.004, 0.0002])
    unclear = rows(**keys, value=[0.04, 0.032], mcse=[0.004, 0.004])
    pair = {"method": "noncentered", "rival": "centered"}
    (told,) = sentences.contrast_sentences(clear, LABELS, **pair)
    assert told == "“centered” diverges 20 times as often per draw as “noncentered” at τ = 0.5."
    assert sentences.contrast_sentences(unclear, LABELS, **pair) == []


def efficiency_rows(rate):
    """Return ESS per leapfrog of two methods in one scenario, the first diverging at a rate."""
    keys = {"scenario": ["a", "a"], "method": ["centered", "noncentered"]}
    ess = rows(**keys, measure="ess_per_leapfrog", estimand="mu, tau", value=[0.06, 0.02], mcse=[0.001, 0.001])
    return pd.concat([ess, rows(**keys, measure="divergence_rate", value=[rate, 0.0], mcse=0.0)], ignore_index=True)


def test_efficiency_is_not_told_where_draws_diverge():
    """ESS per leapfrog is compared where at most 1 % of draws diverge, and nowhere else."""
    pair = {"method": "centered", "rival": "noncentered"}
    (told,) = sentences.efficiency_sentences(efficiency_rows(0.01), LABELS, **pair)
    assert "“centered” makes up to 3.0 times the effective draws per leapfrog of “noncentered”" in told
    assert "0.0600 ± 0.0010 against 0.0200 ± 0.0010" in told
    assert sentences.efficiency_sentences(efficiency_rows(0.011), LABELS, **pair) == []


def coverage_rows(far, n_far=60):
    """Return the coverage of one method over all groups, and of those between 2 and 2.5 tau from the mean."""
    table = rows(
        scenario=["a", "a"],
        method=["partial", "partial"],
        estimand="theta",
        measure="coverage",
        level=0.95,
        value=[0.95, far],
        mcse=[0.01, 0.03],
        lower=[0.93, far - 0.06],
        upper=[0.97, far + 0.06],
    )
    return table.assign(bin=[None, "distance=2-2.5"], n_used=[100, n_far])


def test_price_of_shrinkage_is_told_when_clear_and_well_seen():
    """The loss of coverage far out is told when it exceeds 2 MCSE and its bin was seen in enough replicates."""
    (told,) = sentences.price_sentences(coverage_rows(0.70), {"a": "one"}, method="partial")
    assert "95 % intervals of “partial” cover 70.0 % ± 3.0 % of the groups 2 to 2.5 τ from μ" in told
    assert "against 95.0 % ± 1.0 % of all groups" in told
    assert sentences.price_sentences(coverage_rows(0.90), {"a": "one"}, method="partial") == []
    assert sentences.price_sentences(coverage_rows(0.70, n_far=5), {"a": "one"}, method="partial") == []


def test_coverage_of_0_is_not_certain():
    """A bin that nothing covered has an MCSE of 0 by accident; its Wilson interval decides instead."""
    table = coverage_rows(0.0).assign(mcse=[0.01, 0.0], upper=[0.97, 0.99], lower=[0.93, 0.0])
    assert sentences.price_sentences(table, {"a": "one"}, method="partial") == []


def test_bias_of_tau_at_0_is_no_finding():
    """At tau = 0 every estimate of tau is too large by construction, and no sentence says so."""
    table = rows(scenario=["a", "b"], method="partial", estimand="tau", measure="bias", value=[0.5, 0.1], mcse=0.01)
    about = {"estimand": "tau", "method": "partial"}
    assert "at τ = 0.5, by 0.500" in sentences.bias_sentences(table, LABELS, **about)[0]
    assert "at τ = 2, by 0.100" in sentences.bias_sentences(table, LABELS, **about, boundary={"a"})[0]
    assert sentences.bias_sentences(table, LABELS, **about, boundary={"a"})[1] == (
        "1 scenario is left out, whose true τ is at an end of its range, so that estimates can err to one side alone."
    )
    assert sentences.bias_sentences(table.assign(mcse=0.3), LABELS, **about) == []


def test_biases_are_counted_by_their_direction():
    """Where tau is overestimated is no place where it is underestimated, however clear it is."""
    four = {"a": "A", "b": "B", "c": "C", "d": "D"}
    keys = {"scenario": list(four), "method": "partial", "estimand": "tau", "measure": "bias"}
    about = {"estimand": "tau", "method": "partial"}
    (told,) = sentences.bias_sentences(rows(**keys, value=[0.077, -0.074, 0.031, -0.015], mcse=0.004), four, **about)
    assert "is overestimated most at A, by 0.0770 ± 0.0040 (clear in 2 of 4 scenarios, the other way in 2)." in told
    (told,) = sentences.bias_sentences(rows(**keys, value=[0.077, 0.074, 0.031, 0.001], mcse=0.004), four, **about)
    assert told.endswith("(clear in 3 of 4 scenarios).")


def test_peers_are_named_where_they_do_the_same_clearly():
    """Of three peers one errs as clearly to the same side, one the other way and one unclearly: one is named."""
    keys = {"scenario": "a", "estimand": "tau", "measure": "bias"}
    table = rows(
        **keys, method=["partial", "same", "other", "unclear"], value=[0.5, 0.4, -0.4, 0.4], mcse=[0.1] * 3 + [0.3]
    )
    about = {"estimand": "tau", "method": "partial"}
    (told,) = sentences.bias_sentences(table, LABELS, **about, peers=["same", "other", "unclear"])
    assert told.endswith("by 0.50 ± 0.10; “same” clearly overestimates it there too.")
    assert sentences.bias_sentences(table, LABELS, **about)[0].endswith("by 0.50 ± 0.10.")
    (told,) = sentences.bias_sentences(table.assign(value=-table["value"]), LABELS, **about, peers=["same"])
    assert told.endswith("; “same” clearly underestimates it there too.")


def test_peers_that_lose_coverage_too_are_named():
    """A peer counts where its loss in the same bin of the same scenario is clear, and nowhere else."""
    tables = [coverage_rows(far).assign(method=name) for name, far in (("partial", 0.6), ("x", 0.7), ("y", 0.93))]
    table = pd.concat([*tables, tables[1].assign(method="z", bin=[None, "distance=1-1.5"])], ignore_index=True)
    about = {"labels": {"a": "one"}, "method": "partial"}
    (told,) = sentences.price_sentences(table, **about, peers=["x", "y", "z"])
    assert told.endswith("of all groups; “x” clearly loses coverage there too.")
    (told,) = sentences.price_sentences(pd.concat([table, tables[1].assign(method="w")]), **about, peers=["x", "w"])
    assert told.endswith("; “x” and “w” clearly lose coverage there too.")


def test_unpaired_mcse_is_the_root_of_the_sum_of_squares():
    """Without pairing the MCSE of a difference is that of independent numbers."""
    table = rows(scenario="a", method=["x", "y"], measure="rmse", estimand="theta", value=[1.0, 3.0], mcse=[0.3, 0.4])
    (row,) = differences(table, "x", "y").to_dict("records")
    assert row["difference"] == -2.0
    assert row["difference_mcse"] == pytest.approx(0.5)


def test_spans_of_posterior_means_are_told_when_they_differ():
    """How far apart the groups of a data set are is told for two methods, unless the sampler's error explains it."""
    means = {"partial": (9.0, 11.0), "none": (8.0, 12.0)}
    table = pd.DataFrame(
        [(m, "theta", value, 0.05) for m, ends in means.items() for value in ends],
        columns=["method", "estimand", "mean", "mean_mcse"],
    )
    (told,) = sentences.span_sentences(table, method="partial", rival="none")
    assert told.endswith("between 9.00 and 11.0 under “partial”, between 8.00 and 12.0 under “none”.")
    assert sentences.span_sentences(table.assign(mean_mcse=1.0), method="partial", rival="none") == []


def test_spans_of_exact_means_need_no_seeds_and_those_of_bad_chains_a_caveat():
    """Means without error differ clearly in one fit, whose MCSE is not known; equal ones do not differ."""
    rows = [("partial", 0, 9.0), ("partial", 1, 11.0), ("none", 0, 12.0), ("none", 1, 7.0)]
    table = pd.DataFrame(rows, columns=["method", "group", "mean"]).assign(estimand="theta", mean_mcse=np.nan)
    pair = {"method": "partial", "rival": "none"}
    assert sentences.span_sentences(table, **pair) == []
    assert sentences.span_sentences(table, **pair, exact={"partial"}) == []
    assert len(sentences.span_sentences(table, **pair, exact={"partial", "none"})) == 1
    same = table.assign(mean=[9.0, 11.0, 9.0, 11.0])
    assert sentences.span_sentences(same, **pair, exact={"partial", "none"}) == []
    (told,) = sentences.span_sentences(table.assign(mean_mcse=0.01), **pair, doubtful=["none"])
    assert told.endswith("under “none”, as far as chains of “none” that did not converge can tell.")


def test_ends_of_spans_are_named():
    """By the groups that are there, other ones under each method."""
    rows = [("partial", 0, 9.0), ("partial", 1, 11.0), ("none", 0, 12.0), ("none", 1, 7.0)]
    table = pd.DataFrame(rows, columns=["method", "group", "mean"]).assign(estimand="theta", mean_mcse=0.05)
    (told,) = sentences.span_sentences(table, method="partial", rival="none", groups={0: "007", 1: "St. Mary"})
    assert "between 9.00 (group 007) and 11.0 (St. Mary) under “partial”" in told
    assert told.endswith("between 7.00 (St. Mary) and 12.0 (group 007) under “none”.")


def test_squared_errors_of_a_data_set_are_summed():
    """RMSEs of .04 and .06 over 18 groups are squared errors of .0288 and .0648, best method first."""
    rmse = pd.DataFrame({"method": ["none", "partial"], "value": [0.06, 0.04], "mcse": [0.001, 0.0005]})
    told = sentences.sum_sentence(rmse, 18)
    assert told == (
        "Squared errors, summed over the 18 groups: 0.02880 ± 0.00072 under “partial”, 0.0648 ± 0.0022 under “none”."
    )
