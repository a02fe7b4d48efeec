"""Estimates made elsewhere: the published example of Morris, White & Crowther (2019), nesting, and bad tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simstudy.errors import TableError
from simstudy.measures.score_table import read_table, score
from simstudy.store import incoming, schema

DATA = Path(__file__).parents[1] / "data"
# Names of the published file; rbias is bias / truth, as relative_bias is.
MEASURE_OF_STAT = {
    "thetamean": "mean_estimate",
    "thetamedian": "median_estimate",
    "bias": "bias",
    "rbias": "relative_bias",
    "empse": "empirical_se",
    "mse": "mse",
    "modelse": "model_se",
    "relerror": "relative_error",
    "cover": "coverage",
    "becover": "bias_eliminated_coverage",
    "power": "rejection",
}
TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def morris():
    """The 1,600 estimates by three methods in two scenarios."""
    return pd.read_csv(DATA / "morris2019_estimates.csv")


@pytest.fixture(scope="module")
def expected():
    """The published performance."""
    return pd.read_csv(DATA / "morris2019_expected.csv")


@pytest.fixture
def table():
    """Nested estimates: 30 replicates of 4 groups by two methods, the second twice as precise."""
    rng = np.random.default_rng(5)
    rows = pd.MultiIndex.from_product([range(30), range(4), ["a", "b"]], names=["rep", "school", "method"])
    frame = rows.to_frame(index=False)
    truth = rng.standard_normal((30, 4)).ravel().repeat(2)
    se = np.where(frame["method"] == "a", 1.0, 0.5)
    return frame.assign(truth=truth, est=truth + se * rng.standard_normal(240), se=se)


def test_published_values_and_standard_errors(morris, expected):
    """Every value and MCSE of the published example agrees to 1e-6."""
    ours = score(morris, estimate="theta", truth=-0.5, se="se", method="method", by="gamma", replicate="rep")
    stats = expected[expected["stat"].isin(MEASURE_OF_STAT)]
    both = stats.assign(measure=stats["stat"].map(MEASURE_OF_STAT)).merge(
        ours, on=["gamma", "method", "measure"], suffixes=("_published", "")
    )
    assert len(both) == len(stats) == 6 * len(MEASURE_OF_STAT)
    np.testing.assert_allclose(both["value"], both["est"], atol=TOLERANCE, rtol=0)
    published = both["mcse_published"].notna()
    assert published.sum() == 6 * (len(MEASURE_OF_STAT) - 2)
    np.testing.assert_allclose(both["mcse"][published], both["mcse_published"][published], atol=TOLERANCE, rtol=0)


def test_published_variances_and_counts(morris, expected):
    """Mean and median of the model variances, and the number of replicates, agree to 1e-6."""
    squared = morris.assign(variance=morris["se"] ** 2)
    ours = score(squared, estimate="variance", truth=0, method="method", by=["gamma"])
    wide = ours.pivot_table(index=["gamma", "method"], columns="measure", values="value")
    published = expected.pivot_table(index=["gamma", "method"], columns="stat", values="est")
    np.testing.assert_allclose(wide["mean_estimate"], published["se2mean"], atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(wide["median_estimate"], published["se2median"], atol=TOLERANCE, rtol=0)
    used = ours.groupby(["gamma", "method"])["n_used"].agg(["min", "max"])
    assert (used["min"] == published["nsim"]).all()
    assert (used["max"] == published["nsim"]).all()


def test_influence_functions_agree_with_normal_theory(morris):
    """For these nearly normal errors the influence-function MCSEs of spread lie within 15 % of the normal ones."""
    options = {"estimate": "theta", "truth": -0.5, "se": "se", "method": "method", "by": "gamma", "replicate": "rep"}
    normal, influence = (score(morris, **options, ref="cox", mcse_method=m) for m in ("normal", "influence"))
    of_spread = normal["mcse_method"] == "normal"
    assert set(normal.loc[of_spread, "measure"]) == {"empirical_se", "relative_error", "relative_precision"}
    np.testing.assert_allclose(influence["mcse"][of_spread], normal["mcse"][of_spread], rtol=0.15)


def test_columns_are_those_of_the_performance_table(table):
    """The answer has the by columns first, with their own values, then the schema's columns."""
    ours = score(table.assign(n=7), estimate="est", truth="truth", se="se", method="method", by=["n"])
    assert list(ours.columns) == ["n", *schema.PERFORMANCE.names]
    assert (ours["n"] == 7).all()
    assert set(ours["scenario"]) == {"n=7"}


def test_groups_are_nested_in_replicates(table):
    """Naming the groups leaves the MSE, counts replicates, and gives the standard error of replicate means."""
    options = {"estimate": "est", "truth": "truth", "se": "se", "method": "method"}
    nested = score(table, **options, replicate="rep", group="school").set_index(["method", "measure"])
    flat = score(table, **options).set_index(["method", "measure"])
    assert nested.loc[("a", "mse"), "value"] == pytest.approx(flat.loc[("a", "mse"), "value"])
    assert nested.loc[("a", "mse"), "n_used"] == 30
    assert flat.loc[("a", "mse"), "n_used"] == 120
    square = ((table["est"] - table["truth"]) ** 2)[table["method"] == "a"].groupby(table["rep"]).mean()
    assert nested.loc[("a", "mse"), "mcse"] == pytest.approx(square.sem())
    assert nested.loc[("a", "empirical_se"), "mcse_method"] == "influence"
    assert ("a", "rank_correlation") in nested.index


def test_ref_is_paired_by_replicate(table):
    """A method with half the error has a mse_ratio near 1/4 and a relative precision near 300 %: within 4 MCSE."""
    ours = score(table, estimate="est", truth="truth", method="method", replicate="rep", group="school", ref="a")
    rows = ours[(ours["method"] == "b")].set_index("measure")
    for measure, expected in (("mse_ratio", 0.25), ("relative_precision", 300.0)):
        assert rows.loc[measure, "reference"] == "a"
        assert abs(rows.loc[measure, "value"] - expected) < 4 * rows.loc[measure, "mcse"]
    assert "mse_ratio" not in set(ours.loc[ours["method"] == "a", "measure"])


def test_missing_estimates_are_counted(table):
    """Estimates that are not numbers are left out and counted, and do not spoil the others."""
    table.loc[[0, 2, 10], "est"] = [np.nan, np.inf, np.nan]
    ours = score(table, estimate="est", truth="truth", method="method").set_index(["method", "measure"])
    row = ours.loc[("a", "bias")]
    assert (row["n_replicates"], row["n_used"], row["n_excluded"]) == (120, 117, 3)
    assert np.isfinite(row["value"])


def test_given_intervals_are_used(table):
    """Intervals of the table are taken as they are: those that contain everything cover always."""
    wide = table.assign(lo=-100.0, hi=100.0)
    ours = score(wide, estimate="est", truth="truth", lower="lo", upper="hi", level=0.5).set_index("measure")
    assert ours.loc["coverage", "value"] == 1.0
    assert ours.loc["coverage", "level"] == 0.5
    assert ours.loc["width", "value"] == 200.0
    assert "model_se" not in ours.index


def test_a_text_that_is_a_number_is_the_truth(table):
    """``truth`` from a command line arrives as text: a column where there is one, else a number."""
    as_text, as_number = (score(table, estimate="est", truth=t)["value"] for t in ("0.5", 0.5))
    pd.testing.assert_series_equal(as_text, as_number)


def test_by_an_estimand_column(table):
    """A column called estimand names the estimand of the answer."""
    ours = score(table.assign(estimand="theta"), estimate="est", truth="truth", by=["estimand"])
    assert set(ours["estimand"]) == {"theta"}
    assert ours["scenario"].isna().all()


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"estimate": "estt"}, r"estimate: no column 'estt' in the table, .*did you mean 'est'\?"),
        ({}, {"truth": "trouth"}, r"truth: no column 'trouth'.*did you mean 'truth'\?"),
        ({"est": "x"}, {}, r"estimate: expected numbers in column 'est', got 'x' in row 1 of 240"),
        ({"se": -1.0}, {"se": "se"}, r"se: expected standard errors of at least 0 in column 'se', got -1"),
        ({}, {"level": 95}, "level: expected a number between 0 and 1, got 95"),
        ({}, {"mcse_method": "norml"}, r"mcse_method: expected one of influence, normal, .*did you mean 'normal'\?"),
        ({}, {"lower": "est"}, "lower and upper: an interval has two ends, name both or neither"),
        ({"hi": -9.0}, {"lower": "est", "upper": "hi"}, r"lower and upper: \d+ rows have 'est' above 'hi'"),
        ({}, {"group": "school"}, "group: groups are nested in replicates, so replicate must be named too"),
        ({}, {"replicate": "rep"}, r"rows repeat a replicate, the first at rep=0; name by, method or group"),
        ({}, {"ref": "a"}, "ref: methods are compared replicate by replicate, so method and replicate"),
        (
            {},
            {"ref": "c", "method": "method", "replicate": "rep", "group": "school"},
            "ref: no method 'c' in column 'method', which has a, b",
        ),
        ({"method": None}, {"method": "method"}, r"method: column 'method' has 240 empty fields"),
        ({"value": 1}, {"by": ["value"]}, "by: column 'value' has the name of a column of the answer; rename it"),
        ({}, {"by": ["rep"], "replicate": "rep"}, "column 'rep' is named for two of"),
    ],
)
def test_bad_tables_are_refused_with_one_clear_message(table, change, options, message):
    """The message names the option, the column, what was expected and what there is."""
    with pytest.raises(TableError, match=message):
        score(table.assign(**change), **{"estimate": "est", "truth": "truth", **options})


def test_an_empty_table_is_refused(table):
    """A table without rows measures nothing and says so."""
    with pytest.raises(TableError, match="the table has no rows"):
        score(table.head(0), estimate="est", truth="truth")


def test_csv_and_parquet_give_the_same(table, tmp_path):
    """A table reads the same from both formats, and scores the same."""
    table.to_csv(tmp_path / "estimates.csv", index=False)
    table.to_parquet(tmp_path / "estimates.parquet")
    options = {"estimate": "est", "truth": "truth", "se": "se", "method": "method"}
    csv, parquet = (score(read_table(tmp_path / f"estimates.{end}"), **options) for end in ("csv", "parquet"))
    pd.testing.assert_frame_equal(csv, parquet)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("table.xlsx", "", r"expected a file ending in .csv or .parquet, got .xlsx"),
        ("absent.csv", None, "no such file"),
        ("empty.csv", "", "cannot be read as csv"),
        ("text.parquet", "a,b", "cannot be read as parquet"),
    ],
)
def test_files_that_are_no_tables_are_refused(tmp_path, name, content, message):
    """The message names the file and what is wrong with it."""
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(TableError, match=message):
        read_table(tmp_path / name)


def test_numbers_written_as_text_are_numbers(table):
    """A column of text that reads as numbers throughout is scored like the numbers."""
    as_text = score(table.assign(est=table["est"].map(repr)), estimate="est", truth="truth")
    pd.testing.assert_frame_equal(as_text, score(table, estimate="est", truth="truth"))


@pytest.mark.parametrize("unit", [2.0**-30, 2.0**-200, 2.0**40])
def test_a_unit_moves_each_measure_by_its_power(unit):
    """In another unit every measure and its MCSE are those of the first, times a whole power of the unit."""
    rng = np.random.default_rng(0)
    n = 50
    table = pd.DataFrame(
        {
            "x": rng.normal(1, 0.3, 2 * n),
            "se": rng.uniform(0.2, 0.4, 2 * n),
            "truth": 1.0,
            "method": ["a"] * n + ["b"] * n,
            "replicate": list(range(n)) * 2,
        }
    )
    other = table.assign(**{name: table[name] * unit for name in ("x", "se", "truth")})
    options = dict(estimate="x", truth="truth", se="se", method="method", replicate="replicate", ref="a")
    before, after = score(table, **options), score(other, **options)
    assert before["measure"].tolist() == after["measure"].tolist()
    for name in ("value", "mcse"):
        ratio = (after[name] / before[name]).where(before[name] != 0).dropna()
        power = np.log2(np.abs(ratio)) / np.log2(unit)
        np.testing.assert_allclose(power, power.round(), atol=1e-9)
        assert after[name].isna().tolist() == before[name].isna().tolist()


def test_a_large_table_is_refused_before_it_is_read(tmp_path, monkeypatch):
    """The number of values stands in the file's footer, whatever few bytes they take."""
    pq.write_table(pa.table({"x": np.zeros(1_000_000), "y": np.zeros(1_000_000)}), tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").stat().st_size < 10_000
    monkeypatch.setattr(incoming, "MOST_VALUES", 1_000_000)
    with pytest.raises(TableError, match=r"x\.parquet: cannot be read as parquet: it has 2,000,000 values, more than"):
        read_table(tmp_path / "x.parquet")
    monkeypatch.setattr(incoming, "MOST_VALUES", 10_000_000)
    monkeypatch.setattr(incoming, "MOST_BYTES", 100)
    with pytest.raises(TableError, match="bytes uncompressed, more than 100; leave out rows or columns"):
        read_table(tmp_path / "x.parquet")


def test_a_text_that_is_repeated_is_held_once(tmp_path):
    """100,000 times a text of a megabyte are a file of some kilobytes, and no more in memory than the text."""
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int32)), pa.array(["x" * 1_000_000]))
    schema = pa.schema([("m", names.type), ("x", pa.float64())])
    pq.write_table(
        pa.Table.from_arrays([names, pa.array(np.ones(100_000))], schema=schema),
        tmp_path / "x.parquet",
        store_schema=False,
    )
    assert (tmp_path / "x.parquet").stat().st_size < 3_000_000
    table = read_table(tmp_path / "x.parquet")
    assert len(table) == 100_000
    assert table["m"].dtype == object
    assert table["m"].iloc[0] is table["m"].iloc[-1]


def test_memory_that_is_not_there_is_a_message(tmp_path, monkeypatch):
    """What Arrow cannot allocate is refused in a sentence."""
    pd.DataFrame({"x": [1.0]}).to_parquet(tmp_path / "x.parquet")

    def asks(*_, **__):
        raise pa.ArrowMemoryError("malloc of size 20000000000 failed")

    monkeypatch.setattr(pd, "read_parquet", asks)
    with pytest.raises(TableError, match=r"x\.parquet: cannot be read as parquet: it needs more memory than there is"):
        read_table(tmp_path / "x.parquet")
