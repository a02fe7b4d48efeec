"""Keys are texts as written, and rows are told apart by the tuple of them."""

import numpy as np
import pandas as pd
import pytest

from simstudy.errors import TableError
from simstudy.measures.score import score


def written(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text)
    return path


def frame(**columns):
    return pd.DataFrame({"x": [1.0, 2.0, 3.0, 5.0], **columns})


PAIRS = {"a": ["x, b=1", "x, b=1", "x", "x"], "b": ["y", "y", "1, b=y", "1, b=y"]}


@pytest.mark.parametrize("form", ["csv", "parquet", "memory"])
def test_scenarios_whose_joined_labels_agree_are_two(tmp_path, form):
    """("x, b=1", "y") and ("x", "1, b=y") have a mean each, 1.5 and 4, and names that differ."""
    table = frame(**PAIRS)
    if form == "csv":
        table.to_csv(tmp_path / "t.csv", index=False)
    elif form == "parquet":
        table.to_parquet(tmp_path / "t.parquet")
    ours = score(table if form == "memory" else tmp_path / f"t.{form}", estimate="x", truth=0, by=["a", "b"])
    means = ours[ours["measure"] == "bias"]
    assert means["value"].tolist() == [1.5, 4.0]
    assert means["n_used"].tolist() == [2, 2]
    assert means[["a", "b"]].to_numpy().tolist() == [["x, b=1", "y"], ["x", "1, b=y"]]
    assert means["scenario"].tolist() == ['a="x, b=1", b=y', 'a=x, b="1, b=y"']


@pytest.mark.parametrize(
    "pairs",
    [
        [('a"', "b"), ("a", '"b')],
        [("1", '", b="'), ('1, b="', "")],
        [("a\\", 'b"'), ('a\\"', "b")],
        [("a b", "c"), ("a", "b c")],
    ],
)
def test_no_two_scenarios_are_called_the_same(pairs):
    """Quotes, backslashes and spaces in labels do not make two scenarios one."""
    rows = pd.DataFrame([(a, b or "-", 1.0) for a, b in pairs for _ in range(2)], columns=["a", "b", "x"])
    ours = score(rows, estimate="x", truth=0, by=["a", "b"])
    bias = ours[ours["measure"] == "bias"]
    assert bias["scenario"].nunique() == bias["n_used"].eq(2).sum() == 2


@pytest.mark.parametrize("role", ["method", "by"])
def test_labels_are_text_as_written(tmp_path, role):
    """001, 01, 1, 1.0, NA, null and None are seven names."""
    names = ["001", "01", "1", "1.0", "NA", "null", "None"]
    lines = "".join(f"{name},{i}.5\n{name},{i}.25\n" for i, name in enumerate(names))
    ours = score(written(tmp_path, f"m,x\n{lines}"), estimate="x", truth=0, **{role: "m"})
    bias = ours[ours["measure"] == "bias"]
    assert bias["method" if role == "method" else "m"].tolist() == names
    assert bias["n_used"].tolist() == [2] * 7


def test_a_replicate_is_its_text(tmp_path):
    """Replicates 1 and 01 are two, and the same one twice is refused with its row."""
    text = "m,rep,x\na,1,1\nb,1,2\na,01,3\nb,01,4\n"
    ours = score(written(tmp_path, text), estimate="x", truth=0, method="m", replicate="rep")
    assert ours.loc[ours["measure"] == "bias", "n_used"].tolist() == [2, 2]
    with pytest.raises(TableError, match=r"1 rows repeat a replicate, the first at m=b, rep=01 \(row 5\); name by"):
        score(written(tmp_path, text + "b,01,5\n"), estimate="x", truth=0, method="m", replicate="rep")


def test_the_reference_is_its_text(tmp_path):
    """--ref 01 is the method 01 and not 1; what there is is listed."""
    text = "m,rep,x\n01,1,1\n1,1,2\n01,2,3\n1,2,5\n"
    asked = {"estimate": "x", "truth": 0, "method": "m", "replicate": "rep"}
    ours = score(written(tmp_path, text), **asked, ref="01")
    assert set(ours.loc[ours["measure"] == "mse_ratio", "method"]) == {"1"}
    with pytest.raises(TableError, match="ref: no method '001' in column 'm', which has 01, 1; did you mean '01'"):
        score(written(tmp_path, text), **asked, ref="001")


def test_numbers_of_a_frame_stay_numbers():
    """A column of numbers that names scenarios in memory comes back as numbers; the names are their texts."""
    ours = score(frame(n=[10, 10, 20, 20]), estimate="x", truth=0, by="n")
    assert set(ours["n"]) == {10, 20}
    assert list(dict.fromkeys(ours["scenario"])) == ["n=10", "n=20"]


def test_a_large_file_gives_each_label_once(tmp_path):
    """600,000 rows whose labels are numbers at first and texts at last: 01, 02 and HQ, 200,000 rows each."""
    names = np.repeat(["01", "02", "HQ"], 200_000)
    pd.DataFrame({"site": names, "x": 1.0}).to_csv(tmp_path / "t.csv", index=False)
    ours = score(tmp_path / "t.csv", estimate="x", truth=0, by="site")
    bias = ours[ours["measure"] == "bias"]
    assert bias["site"].tolist() == ["01", "02", "HQ"]
    assert bias["n_used"].tolist() == [200_000] * 3


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"m": [None, "a", "a", "a"]}, {"method": "m"}, r"method: expected a name in each row of column 'm', .* row 1"),
        ({}, {"method": "mm"}, "method: no column 'mm' in the table, which has x, rep"),
        ({"m": [[1], [2], [3], [4]]}, {"by": ["m"]}, "by: expected names in column 'm', got lists"),
        ({"value": 1}, {"by": ["value"]}, "by: column 'value' has the name of a column of the answer; rename it"),
        ({}, {"by": ["rep"], "replicate": "rep"}, "column 'rep' is named for two of by, method, replicate and group"),
        ({}, {"group": "rep"}, "group: groups are nested in replicates, so replicate must be named too"),
        (
            {"rep": 1},
            {"replicate": "rep"},
            r"3 rows repeat a replicate, the first at rep=1 \(row 2\); name by, method or group",
        ),
    ],
)
def test_bad_keys_are_refused_with_one_clear_message(change, options, message):
    """The message names the option, the column, what was expected and what there is."""
    with pytest.raises(TableError, match=message):
        score(frame(rep=[1, 2, 3, 4]).assign(**change), estimate="x", truth=0, **options)
