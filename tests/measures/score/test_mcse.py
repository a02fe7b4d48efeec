"""Monte Carlo standard errors of scored estimates, by three ways, held against the spread over repeated studies."""

import numpy as np
import pandas as pd
import pytest

from simstudy.measures.score import bootstrap as by_resampling
from simstudy.measures.score import read_estimates, score, score_estimates

REPEATS, N = 800, 200
OF_SPREAD = ("empirical_se", "relative_error")


@pytest.fixture(scope="module")
def skewed():
    """800 studies, as scenarios, of 200 replicates whose errors are exponential less 1: their kurtosis is 9."""
    rng = np.random.default_rng(11)
    error = rng.exponential(size=REPEATS * N) - 1
    return pd.DataFrame({"x": error, "se": 1.0, "study": np.repeat(np.arange(REPEATS), N)})


@pytest.fixture(scope="module")
def ratios(skewed):
    """MCSE over the spread of the value over the studies, by measure, for each form."""
    found = {}
    for form in ("influence", "normal"):
        rows = score(skewed, estimate="x", truth=0, se="se", by="study", mcse_method=form)
        of_measure = rows.groupby("measure")
        found[form] = of_measure["mcse"].mean() / of_measure["value"].std()
    return pd.DataFrame(found)


@pytest.mark.parametrize("measure", OF_SPREAD)
def test_influence_is_right_for_skewed_errors_and_normal_is_half(ratios, measure):
    """The sd of s is s sqrt((k - 1) / (4 n)) with kurtosis k = 9: twice the normal s / sqrt(2 n).

    Over 800 studies the spread is known to 2.5 %; influence functions are 6 % short at 200 replicates.
    """
    assert 0.86 < ratios.loc[measure, "influence"] < 1.06
    assert 0.45 < ratios.loc[measure, "normal"] < 0.56


@pytest.mark.parametrize("measure", ["bias", "mse", "rmse", "median_bias", "trimmed_mse", "winsorized_mse", "coverage"])
def test_other_standard_errors_are_right_for_skewed_errors(ratios, measure):
    """They do not depend on the form and lie within 12 % of the spread; the median's is a little wide by design."""
    assert 0.88 < ratios.loc[measure, "influence"] < 1.12


def test_the_form_for_a_kurtosis_of_six_point_four():
    """Gamma errors with that kurtosis: the normal form is 39 % too small, within 4 %."""
    rng = np.random.default_rng(2)
    shape = 6 / (6.375 - 3)
    table = pd.DataFrame({"x": rng.gamma(shape, size=REPEATS * 500), "study": np.repeat(np.arange(REPEATS), 500)})
    rows = score(table, estimate="x", truth=shape, by="study", mcse_method="normal")
    rows = rows[rows["measure"] == "empirical_se"]
    assert rows["mcse"].mean() / rows["value"].std() == pytest.approx(0.61, abs=0.04)


@pytest.fixture(scope="module")
def nested():
    """Nested, skewed estimates by two methods, with gaps."""
    rng = np.random.default_rng(8)
    index = pd.MultiIndex.from_product([range(150), range(3), ["a", "b"]], names=["rep", "school", "m"])
    table = index.to_frame(index=False)
    truth = rng.standard_normal(450).repeat(2)
    shared = rng.exponential(size=150).repeat(6) - 1
    table = table.assign(truth=truth, x=truth + shared + 0.5 * rng.standard_normal(900), se=rng.uniform(0.6, 1.2, 900))
    table.loc[rng.random(900) < 0.02, "x"] = np.nan
    return table


@pytest.mark.parametrize("groups", [True, False])
def test_bootstrap_agrees_with_influence(nested, groups):
    """Every measure's MCSE agrees within 25 %, of which 3 % are the resamples'; values are the same."""
    keys = {"method": "m", "replicate": "rep", **({"group": "school"} if groups else {})}
    table = nested if groups else nested[nested["school"] == 0]
    estimates = read_estimates(table, estimate="x", truth="truth", se="se", ref="a", **keys)
    influence = score_estimates(estimates)
    resampled = score_estimates(estimates, mcse_method="bootstrap")
    pd.testing.assert_series_equal(influence["value"], resampled["value"])
    assert set(resampled["mcse_method"]) == {"bootstrap"}
    assert len(influence) > 30
    ratio = resampled["mcse"] / influence["mcse"]
    assert ratio.notna().sum() > 30
    loose = influence["measure"].str.contains("median|trimmed|winsorized")  # steps of order statistics
    assert ratio[~loose].dropna().between(0.8, 1.25).all()
    assert ratio[loose].dropna().between(0.6, 1.6).all()


def test_bootstrap_of_a_mean_is_known(monkeypatch):
    """Of a mean it is the sd with divisor n over sqrt n, within 4 standard errors of 500 resamples; twice the same."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"x": rng.exponential(size=80)})
    first, again = (score(table, estimate="x", truth=0, mcse_method="bootstrap").set_index("measure") for _ in "12")
    pd.testing.assert_frame_equal(first, again)
    known = table["x"].std(ddof=0) / np.sqrt(80)
    spread = 4 / np.sqrt(2 * by_resampling.RESAMPLES)
    assert first.loc["bias", "mcse"] == pytest.approx(known, rel=spread)


def test_one_replicate_has_no_standard_error():
    """By no form: the value stands, the MCSE is empty."""
    table = pd.DataFrame({"x": [1.0], "se": [0.5]})
    for form in ("influence", "normal", "bootstrap"):
        ours = score(table, estimate="x", truth=0, se="se", mcse_method=form).set_index("measure")
        assert ours.loc["bias", "value"] == 1.0
        for measure in ("bias", "mse", "median_bias", "trimmed_mse", "winsorized_mse"):
            assert np.isnan(ours.loc[measure, "mcse"]), (form, measure)
