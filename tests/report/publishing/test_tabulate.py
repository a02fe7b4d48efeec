"""Tables for a paper: the numbers of the performance table, factors before them, no ids."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.errors import TableError
from simstudy.report.publishing import cell
from simstudy.report.publishing.numbers import decimals_of
from simstudy.report.reading.readings import average
from tests.fakes import METHODS, fake_run

BASELINE = "benchmarks/regress/baseline"


def table(paper_run, paper_scores, **how):
    return simstudy.table(paper_run, performance=paper_scores, **how)


def test_a_wide_table_has_factors_and_a_column_per_method(paper_run, paper_scores):
    """The factors that vary come first, whole numbers as integers; each cell is the value and its MCSE."""
    made = table(paper_run, paper_scores)
    assert list(made.columns) == ["J", "τ", *METHODS]
    assert made["J"].dtype == "int64"
    assert made["J"].tolist() == [4, 4, 8, 8]
    assert made["τ"].tolist() == [0.5, 2, 0.5, 2]
    known = average(paper_scores, "rmse", estimand="theta").set_index(["scenario", "method"])
    for i, scenario in enumerate(paper_run.scenarios["scenario"]):
        for method in METHODS:
            value, mcse = known.loc[(scenario, method), ["value", "mcse"]]
            first, second = re.fullmatch(r"([\d.]+) \(([\d.]+)\)", made.loc[i, method]).groups()
            assert abs(float(first) - value) <= 0.5 * 10.0 ** -len(first.partition(".")[2]) + 1e-12
            assert len(first.partition(".")[2]) == len(second.partition(".")[2])
            assert float(second) == pytest.approx(mcse, rel=0.051)


def test_a_long_table_has_numbers_in_full(paper_run, paper_scores):
    """One row per scenario and method, value and MCSE as floats, replicates used as integers."""
    made = table(paper_run, paper_scores, wide=False)
    assert list(made.columns) == ["J", "τ", "method", "value", "mcse", "n_used"]
    known = average(paper_scores, "rmse", estimand="theta")
    np.testing.assert_array_equal(np.sort(made["value"]), np.sort(known["value"]))
    assert made["n_used"].dtype == "Int64"


def test_no_id_stands_in_a_table(paper_run, paper_scores):
    """No identity of a scenario, no hash."""
    for wide in (True, False):
        text = table(paper_run, paper_scores, measure=["rmse", "coverage", "divergence_rate"], wide=wide).to_csv()
        assert not any(str(scenario) in text for scenario in paper_run.scenarios["scenario"])


def test_several_measures_and_estimands_are_rows(paper_run, paper_scores):
    """Each scenario has a row per measure and estimand; a method that has no tau has an en dash."""
    made = table(paper_run, paper_scores, measure=["rmse", "coverage"], estimand=["tau", "theta"])
    assert list(made.columns[:4]) == ["J", "τ", "estimand", "measure"]
    assert made["measure"].tolist()[:4] == ["RMSE", "RMSE", "coverage", "coverage"]
    assert made["estimand"].tolist()[:4] == ["τ", "θ", "τ", "θ"]
    assert (made.loc[made["estimand"] == "τ", "complete"] == "–").all()
    assert made.attrs["caption"].startswith(
        "RMSE of τ, θ; coverage of τ, θ (95 % intervals), with Monte Carlo standard errors in parentheses"
    )


def test_a_measure_of_fits_needs_no_estimand(paper_run, paper_scores):
    """Beside RMSE, the rate of divergences is a row of its own, and one estimand is no column."""
    made = table(paper_run, paper_scores, measure=["rmse", "divergence_rate"])
    assert "estimand" not in made
    assert made["measure"].tolist()[:2] == ["RMSE", "divergent draws"]


def test_speeds_of_scenarios_say_that_they_are_split(paper_run, paper_scores):
    """Programs are shared by scenarios, so that the speed of one is a share; the caption says by what."""
    made = table(paper_run, paper_scores, measure="fits_per_second")
    assert made.attrs["caption"].startswith("Fits per second (split by leapfrogs)")
    assert not (made == "–").to_numpy().any()


def test_another_level_of_intervals(paper_run, paper_scores):
    """The level that is asked for is the one that is read."""
    half = table(paper_run, paper_scores, measure="coverage", level=0.5, wide=False)
    known = average(paper_scores, "coverage", estimand="theta", level=0.5)
    np.testing.assert_array_equal(np.sort(half["value"]), np.sort(known["value"]))
    with pytest.raises(TableError, match=r"level: coverage has no 0.7; it has 0.5, 0.8, 0.9, 0.95"):
        table(paper_run, paper_scores, measure="coverage", level=0.7)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"measure": "rmes"}, "measure: the run has no 'rmes'; did you mean 'rmse'"),
        ({"estimand": "thetta"}, "estimand: rmse has no 'thetta'; did you mean 'theta'"),
        ({"measure": "compile_seconds"}, "'compile_seconds' is not of scenarios as a whole"),
    ],
)
def test_what_the_run_does_not_have_is_refused(paper_run, paper_scores, how, words):
    """The message has the name that was meant."""
    with pytest.raises(TableError, match=re.escape(words)):
        table(paper_run, paper_scores, **how)


def test_one_scenario_has_no_factors(dataset_run):
    """A run on one data set is one row of methods."""
    made = simstudy.table(dataset_run, measure="mean_estimate", estimand="mu")
    assert list(made.columns) == list(METHODS)
    assert len(made) == 1


def test_unbalanced_designs_stay_apart():
    """Sizes whose short forms are the same are written in full, as a level and in the map of a figure."""
    sizes = [(1, 2, 5, 7, 9, 11, 40), (1, 3, 5, 7, 9, 11, 40)]
    made = simstudy.table(fake_run(groups=(), sizes=sizes, tau=(0.5,), replicates=5))
    assert made["n"].tolist() == ["1,2,5,7,9,11,40", "1,3,5,7,9,11,40"]


def test_a_method_may_be_called_like_a_factor(paper_run, paper_scores):
    """Its column is named apart."""
    methods = paper_run.methods.assign(method=paper_run.methods["method"].astype(str).replace("none", "J"))
    scores = paper_scores.assign(method=paper_scores["method"].astype(str).replace("none", "J"))
    made = simstudy.table(replace(paper_run, methods=methods), performance=scores)
    assert "J (method)" in made
    assert made["J"].tolist() == [4, 4, 8, 8]


def test_a_folder_is_read():
    """The stored baseline is opened by its path."""
    made = simstudy.table(BASELINE, measure="rmse")
    assert made["τ"].tolist() == [0.5, 2]
    assert made.iloc[:, 1:].map(lambda text: "(" in text).to_numpy().all()


@pytest.mark.parametrize("mcse", [0.0123, 0.0996, 0.00995, 3.04, 99.6, 1e-5])
def test_the_mcse_has_two_digits(mcse):
    """As many decimals as two significant digits take, by Python's own rounding to them."""
    assert float(f"{mcse:.{decimals_of(mcse)}f}") == pytest.approx(float(f"{mcse:.2g}"), rel=1e-9, abs=0.5)


def test_missing_numbers_are_dashes():
    """There is no nan in a paper."""
    assert cell(float("nan"), 0.1) == "–"
    assert pd.isna(cell(1.0)) is False


def test_methods_have_the_names_of_the_caller(paper_run, paper_scores):
    """In wide tables as heads and in long ones as values; unknown methods and two of one name are refused."""
    first, second, *_ = METHODS
    assert list(table(paper_run, paper_scores, labels={first: "own"}))[2:4] == ["own", second]
    assert "own" in set(table(paper_run, paper_scores, labels={first: "own"}, wide=False)["method"])
    with pytest.raises(TableError, match="labels: the run has no method 'nobody'"):
        table(paper_run, paper_scores, labels={"nobody": "own"})
    with pytest.raises(TableError, match="two methods have one name"):
        table(paper_run, paper_scores, labels={first: second})


def test_where_all_replicates_agree_an_interval_stands_in_place_of_the_mcse(paper_run, paper_scores):
    """A coverage of 1 in every replicate is not known without error; the caption says what the brackets are."""
    is_cell = (paper_scores["measure"] == "coverage") & (paper_scores["estimand"] == "mu")
    scores = paper_scores.copy()
    scores.loc[is_cell, ["value", "mcse", "lower", "upper"]] = [1.0, 0.0, 0.8865, 1.0]
    made = table(paper_run, scores, measure="coverage", estimand="mu")
    known = [method for method in METHODS if (made[method] != "–").all()]
    assert (made[known] == "1.00 [0.886, 1.00]").all(axis=None)
    assert made.attrs["caption"].endswith("; where all replicates agree, the 95 % interval of the value in brackets")
    assert "brackets" not in table(paper_run, paper_scores).attrs["caption"]


def test_a_dash_at_the_end_of_the_range_is_explained():
    """Coverage of tau where tau is 0 has no number, and the caption says so."""
    run = fake_run(groups=(4,), group_size=(2,), tau=(0.0, 2.0), replicates=20, methods=("partial, centered",))
    made = simstudy.table(run, measure="coverage", estimand="tau")
    assert made.iloc[0, -1] == "–"
    assert made.attrs["caption"].endswith("; – where the true τ is 0, the end of its range")
