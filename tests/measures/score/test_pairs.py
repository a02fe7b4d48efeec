"""What holds between the methods of a replicate: one truth, a reference, complete replicates."""

import numpy as np
import pandas as pd
import pytest

from simstudy.errors import TableError
from simstudy.measures.score import score

KEYS = {"method": "method", "replicate": "rep", "group": "school"}
ASKED = {"estimate": "est", "truth": "truth", **KEYS}


def test_ref_is_paired_by_replicate(table):
    """A method with half the error has a mse_ratio near 1/4 and a relative precision near 300 %: within 4 MCSE."""
    ours = score(table, **ASKED, ref="a")
    rows = ours[(ours["method"] == "b")].set_index("measure")
    for measure, expected in (("mse_ratio", 0.25), ("relative_precision", 300.0)):
        assert rows.loc[measure, "reference"] == "a"
        assert abs(rows.loc[measure, "value"] - expected) < 4 * rows.loc[measure, "mcse"]
    assert "mse_ratio" not in set(ours.loc[ours["method"] == "a", "measure"])


@pytest.fixture
def sites(table):
    """The table at three sites, two of which lack method a: in one its rows, in the other its estimates."""
    at = {name: table.assign(site=name) for name in ("01", "02", "HQ")}
    at["02"] = at["02"][at["02"]["method"] != "a"]
    at["HQ"].loc[at["HQ"]["method"] == "a", "est"] = np.nan
    return pd.concat(at.values(), ignore_index=True)


def test_a_reference_that_a_scenario_lacks_is_said(sites):
    """One warning names the scenarios; there the rows of the comparison have no value, elsewhere they have."""
    with pytest.warns(UserWarning, match=r"^ref: 'a' has no usable estimate in 2 scenarios \(site=02; site=HQ\), "):
        ours = score(sites, **ASKED, by="site", ref="a")
    rows = ours[ours["measure"].isin(["mse_ratio", "relative_precision"])].set_index(["site", "measure"])
    assert set(rows["method"]) == {"b"}
    for site, n in (("01", 30), ("02", 0), ("HQ", 0)):
        for measure in ("mse_ratio", "relative_precision"):
            assert rows.loc[(site, measure), "n_used"] == n
            assert np.isfinite(rows.loc[(site, measure), "value"]) == (n > 0)
    assert (ours.loc[ours["measure"] == "bias", "n_used"] > 0).sum() == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ref": "a"}, "ref: methods are compared replicate by replicate, so method and replicate must be named too"),
        ({"ref": "c", **KEYS}, "ref: no method 'c' in column 'method', which has a, b"),
        ({"pairs": "complete", "method": "method"}, "pairs: replicates are complete over methods, so method and rep"),
    ],
)
def test_comparisons_without_pairs_are_refused(table, options, message):
    """The message says what has to be named."""
    with pytest.raises(TableError, match=message):
        score(table, estimate="est", truth="truth", **options)


def test_complete_replicates_are_the_same_for_all_methods(table):
    """A gap of one method in one group takes the replicate from all measures of all methods, and is counted."""
    table.loc[(table["rep"] == 4) & (table["method"] == "b") & (table["school"] == 2), "est"] = np.nan
    table = table.drop(index=table.index[(table["rep"] == 9) & (table["method"] == "a") & (table["school"] == 0)])
    ours = score(table, **ASKED, se="se", ref="a", pairs="complete")
    assert set(ours["n_used"]) == {28}
    assert set(ours["n_excluded"]) == {2}
    assert set(ours["policy"]) == {"paired"}
    without = score(table[~table["rep"].isin([4, 9])], **ASKED, se="se", ref="a")
    assert ours["measure"].tolist() == without["measure"].tolist()
    pd.testing.assert_series_equal(ours["value"], without["value"])
    pd.testing.assert_series_equal(ours["mcse"], without["mcse"])
    every = score(table, **ASKED)
    used = every[every["measure"] == "bias"].set_index("method")["n_used"]
    assert used.to_dict() == {"a": 30, "b": 29}


def test_completeness_is_of_a_scenario(sites):
    """Only methods that the scenario has are asked for; one without any estimate leaves nothing, which is shown."""
    ours = score(sites, **ASKED, by="site", pairs="complete")
    used = ours[ours["measure"] == "bias"].set_index(["site", "method"])["n_used"]
    assert used.to_dict() == {("01", "a"): 30, ("01", "b"): 30, ("02", "b"): 30, ("HQ", "a"): 0, ("HQ", "b"): 0}


def test_methods_share_the_truth_of_a_replicate(table):
    """One that differs is refused with the first replicate and both truths."""
    table.loc[(table["rep"] == 7) & (table["school"] == 1) & (table["method"] == "b"), "truth"] = 5.0
    with pytest.raises(TableError, match=r"truth: expected one truth .* got -?[\d.]+ and 5 for a and b at rep=7, scho"):
        score(table, **ASKED)
    with pytest.raises(TableError, match=r"at site=01, rep=7, school=1; 1 differ so"):
        score(table.assign(site="01"), **ASKED, by="site")


def test_truths_may_vary_by_replicate_group_and_scenario(table):
    """They do in the table; and a method that failed may leave its truth empty, or write anything there."""
    table.loc[5, ["est", "truth"]] = np.nan
    table.loc[13, ["est", "truth"]] = [np.nan, 99.0]
    both = pd.concat([table.assign(site="x"), table.assign(site="y", truth=table["truth"] + 1)])
    ours = score(both, **ASKED, by="site")
    assert ours.loc[ours["measure"] == "bias", "n_used"].tolist() == [30, 28, 30, 28]


def test_truths_that_differ_by_rounding_are_one(table):
    """The same truth computed by two methods has the same digits but for the last."""
    table.loc[table["method"] == "b", "truth"] *= 1 + 1e-14
    assert len(score(table, **ASKED))
