"""Intervals from standard errors and degrees of freedom, and intervals with an infinite end."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

from simstudy.errors import TableError
from simstudy.measures.score import score

N = 4_000


def of_means(df, *, seed=3):
    """Return means of df + 1 normal observations with their estimated standard errors; the truth is 0."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((N, df + 1))
    return pd.DataFrame({"x": y.mean(1), "se": y.std(1, ddof=1) / np.sqrt(df + 1), "df": df})


@pytest.mark.parametrize("df", [2, 5, 20])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_coverage_of_t_intervals_is_nominal(df, level):
    """Means over estimated errors have a t distribution: t intervals cover the level, z intervals 2 F(z) - 1."""
    table = of_means(df)
    by_t = score(table, estimate="x", truth=0, se="se", df="df", level=level).set_index("measure")
    by_z = score(table, estimate="x", truth=0, se="se", level=level).set_index("measure")
    short = 2 * t.cdf(norm.ppf((1 + level) / 2), df) - 1
    for found, expected in ((by_t, level), (by_z, short)):
        assert abs(found.loc["coverage", "value"] - expected) < 4 * np.sqrt(expected * (1 - expected) / N)
    ratio = by_t.loc["width", "value"] / by_z.loc["width", "value"]
    assert ratio == pytest.approx(t.ppf((1 + level) / 2, df) / norm.ppf((1 + level) / 2))


def test_degrees_of_freedom_by_row():
    """Each row has its own; infinite ones are the normal distribution, empty ones have no interval."""
    table = pd.DataFrame({"x": 0.0, "se": 1.0, "df": [1.0, 4.0, np.inf, np.nan]})
    ours = score(table, estimate="x", truth=0, se="se", df="df").set_index("measure")
    widths = [2 * t.ppf(0.975, 1), 2 * t.ppf(0.975, 4), 2 * norm.ppf(0.975)]
    assert ours.loc["width", "value"] == pytest.approx(np.mean(widths))
    assert ours.loc["width", ["n_used", "n_excluded"]].tolist() == [3, 1]
    assert ours.loc["bias", "n_used"] == 4


@pytest.fixture
def endless():
    """Four intervals: one ends nowhere above and holds 0 and 1, one nowhere at all, two are finite."""
    return pd.DataFrame({"x": 1.0, "lo": [-0.5, -np.inf, 0.5, 2.0], "hi": [np.inf, np.inf, 1.5, 3.0]})


def test_an_infinite_end_counts_in_coverage_and_rejection(endless):
    """Three of four hold 1, two of four exclude 0; the mean width is infinite, and that is said."""
    asked = {"estimate": "x", "truth": 1, "lower": "lo", "upper": "hi"}
    with pytest.warns(UserWarning, match="2 intervals have infinite ends: they count in coverage and rejection"):
        ours = score(endless, **asked).set_index("measure")
    assert ours.loc["coverage", ["value", "n_used"]].tolist() == [0.75, 4]
    assert ours.loc["rejection", ["value", "n_used"]].tolist() == [0.5, 4]
    assert ours.loc["bias_eliminated_coverage", ["value", "n_used"]].tolist() == [0.75, 4]
    for measure in ("width", "interval_score"):
        assert ours.loc[measure, "value"] == np.inf
        assert np.isnan(ours.loc[measure, "mcse"])
        assert ours.loc[measure, "n_used"] == 4


def test_cells_without_infinite_ends_keep_their_width(endless):
    """One method's infinite end does not touch the other's width."""
    table = endless.assign(m=["a", "a", "b", "b"])
    with pytest.warns(UserWarning, match="infinite ends"):
        ours = score(table, estimate="x", truth=1, lower="lo", upper="hi", method="m").set_index(["method", "measure"])
    assert ours.loc[("a", "width"), "value"] == np.inf
    assert ours.loc[("b", "width"), "value"] == 1.0


def test_an_interval_with_one_end_missing_is_none(endless):
    """An empty field is no infinite end."""
    table = endless.assign(hi=[np.nan, 2.0, 1.5, 3.0], lo=[-0.5, 0.0, 0.5, 2.0])
    ours = score(table, estimate="x", truth=1, lower="lo", upper="hi").set_index("measure")
    assert ours.loc["coverage", ["n_used", "n_excluded"]].tolist() == [3, 1]


@pytest.mark.parametrize("text", ["Inf", "inf", "-Inf", "Infinity"])
def test_infinite_ends_of_files(tmp_path, text):
    """What R and Python write for infinity is read as such."""
    (tmp_path / "t.csv").write_text(f"x,lo,hi\n1,{text if '-' in text else '-Inf'},{text.lstrip('-')}\n1,0,2\n")
    with pytest.warns(UserWarning, match="1 interval has an infinite end: it counts"):
        ours = score(tmp_path / "t.csv", estimate="x", truth=1, lower="lo", upper="hi").set_index("measure")
    assert ours.loc["coverage", ["value", "n_used"]].tolist() == [1.0, 2]


def test_an_infinite_standard_error():
    """Its interval holds everything; the model SE is infinite, not that of the other rows."""
    table = pd.DataFrame({"x": [0.0, 5.0, 1.0], "se": [1.0, np.inf, 1.0]})
    with pytest.warns(UserWarning, match="1 interval has an infinite end"):
        ours = score(table, estimate="x", truth=0, se="se").set_index("measure")
    assert ours.loc["coverage", ["value", "n_used"]].tolist() == [1.0, 3]
    assert ours.loc["rejection", "value"] == 0.0
    assert ours.loc["model_se", "value"] == ours.loc["relative_error", "value"] == np.inf
    assert ours.loc["bias", "value"] == 2.0


def test_a_null_value_beside_p_values_is_refused():
    """P-values have their own: the option would do nothing."""
    table = pd.DataFrame({"x": [1.0, 2.0], "p": [0.01, 0.2]})
    with pytest.raises(TableError, match="leave null out"):
        score(table, estimate="x", truth=0, p_value="p", null=0.5)
