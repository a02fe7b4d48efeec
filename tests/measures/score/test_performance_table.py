"""What the answer of ``score`` has: columns, nesting of groups, rows of cells without an estimate, units."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from simstudy.errors import TableError
from simstudy.measures.score import score
from simstudy.store import schema


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


def test_missing_estimates_are_counted(table):
    """Estimates that are not numbers are left out and counted, and do not spoil the others."""
    table.loc[[0, 2, 10], "est"] = [np.nan, np.inf, np.nan]
    ours = score(table, estimate="est", truth="truth", method="method").set_index(["method", "measure"])
    row = ours.loc[("a", "bias")]
    assert (row["n_replicates"], row["n_used"], row["n_excluded"]) == (120, 117, 3)
    assert np.isfinite(row["value"])


def test_a_row_without_an_estimate_counts_in_no_measure(table):
    """Its standard error, interval and p-value are left out too: every measure rests on the same 119 rows."""
    table.loc[0, "est"] = np.nan
    rows = table[table["method"] == "a"].assign(lo=-9.0, hi=9.0, p=0.5)
    ours = score(rows, estimate="est", truth="truth", se="se", lower="lo", upper="hi", p_value="p")
    assert set(ours["n_used"]) == {119}
    assert set(ours["n_excluded"]) == {1}
    assert {"model_se", "coverage", "rejection", "width"} <= set(ours["measure"])


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf])
def test_a_method_without_a_usable_estimate_keeps_its_rows(table, nothing):
    """Method b of scenario y has every measure, without a value, with n_used 0 and all replicates excluded."""
    both = pd.concat([table.assign(site="x"), table.assign(site="y")], ignore_index=True)
    both.loc[(both["site"] == "y") & (both["method"] == "b"), "est"] = nothing
    ours = score(
        both, estimate="est", truth="truth", se="se", method="method", by="site", replicate="rep", group="school"
    )
    empty = ours[(ours["site"] == "y") & (ours["method"] == "b")]
    full = ours[(ours["site"] == "x") & (ours["method"] == "b")]
    assert set(full["measure"]) <= set(empty["measure"])
    assert set(empty["n_used"]) == {0}
    assert set(empty["n_excluded"]) == {30}
    assert empty[["value", "mcse", "lower", "upper"]].isna().all(axis=None)
    assert (full["n_used"] == 30).all()


def test_a_scenario_without_a_usable_estimate_keeps_its_rows(table):
    """The same holds where no method has any, and with a truth that is known."""
    table["est"] = np.nan
    ours = score(table.assign(site="03"), estimate="est", truth="truth", method="method", by="site")
    assert set(zip(ours["site"], ours["method"], strict=True)) == {("03", "a"), ("03", "b")}
    assert set(ours["n_used"]) == {0}
    assert ours["value"].isna().all()


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
    column = score(table.assign(**{"0.5": table["truth"]}), estimate="est", truth="0.5")
    pd.testing.assert_series_equal(column["value"], score(table, estimate="est", truth="truth")["value"])


def test_by_an_estimand_column(table):
    """A column called estimand names the estimand of the answer."""
    ours = score(table.assign(estimand="theta"), estimate="est", truth="truth", by=["estimand"])
    assert set(ours["estimand"]) == {"theta"}
    assert ours["scenario"].isna().all()


def test_every_kind_of_table_gives_the_same(table, tmp_path):
    """A CSV file, a Parquet file, frames of pandas and Arrow, a dictionary of columns: one answer."""
    table["site"] = np.where(table["rep"] < 15, "01", "1")
    table.to_csv(tmp_path / "estimates.csv", index=False)
    table.to_parquet(tmp_path / "estimates.parquet")
    options = {"estimate": "est", "truth": "truth", "se": "se", "method": "method", "by": "site"}
    forms = [table, pa.Table.from_pandas(table), tmp_path / "estimates.csv", str(tmp_path / "estimates.parquet")]
    first, *others = (score(form, **options) for form in forms)
    assert list(dict.fromkeys(first["site"])) == ["01", "1"]
    for other in others:
        pd.testing.assert_frame_equal(other, first)


def test_polars_frames_are_read_as_they_are(table):
    """Eager and lazy ones."""
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(table.to_dict("list"))
    options = {"estimate": "est", "truth": "truth", "se": "se", "method": "method"}
    pd.testing.assert_frame_equal(score(frame, **options), score(table, **options))
    pd.testing.assert_frame_equal(score(frame.lazy(), **options), score(table, **options))


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
    options = {"estimate": "x", "truth": "truth", "se": "se", "method": "method", "replicate": "replicate", "ref": "a"}
    before, after = score(table, **options), score(other, **options)
    assert before["measure"].tolist() == after["measure"].tolist()
    for name in ("value", "mcse"):
        ratio = (after[name] / before[name]).where(before[name] != 0).dropna()
        power = np.log2(np.abs(ratio)) / np.log2(unit)
        np.testing.assert_allclose(power, power.round(), atol=1e-9)
        assert after[name].isna().tolist() == before[name].isna().tolist()


def test_an_empty_table_is_refused(table):
    """A table without rows measures nothing and says so."""
    with pytest.raises(TableError, match="the table has no rows"):
        score(table.head(0), estimate="est", truth="truth")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 95}, "level: expected a number between 0 and 1, got 95"),
        ({"null": np.inf}, "null: expected a finite number, got inf"),
        ({"trim": 0.5}, r"trim: expected a share from 0 up to, but not, 0\.5, got 0\.5"),
        ({"trim": -0.1}, "trim: expected a share"),
        ({"pairs": "some"}, "pairs: expected one of all, complete, got 'some'"),
        (
            {"mcse_method": "norml"},
            r"mcse_method: expected one of influence, normal, bootstrap, got 'norml'; did you mean 'normal'\?",
        ),
    ],
)
def test_bad_options_are_refused_with_one_clear_message(table, options, message):
    """The message names the option and what it may be."""
    with pytest.raises(TableError, match=message):
        score(table, **{"estimate": "est", "truth": "truth", **options})
