"""Real data: built in, and from files."""

import contextlib
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simstudy.errors import StudyError
from simstudy.mechanisms.dataset import load_dataset, place_of
from simstudy.tables import as_table, files


def test_eight_schools_is_rubins_table():
    """Effects and standard errors of Rubin (1981), table 1."""
    data = load_dataset("eight_schools").replicate.data
    assert data.y_mean.tolist() == [28, 8, -3, 7, -1, 1, 18, 12]
    assert data.known_se.tolist() == [15, 10, 16, 11, 9, 11, 10, 18]


def test_baseball_has_the_published_errors():
    """Efron and Morris (1977): 18 players, grand mean .265, summed squared error of the averages .0754."""
    replicate = load_dataset("baseball").replicate
    assert len(replicate.data.n_obs) == 18
    assert replicate.data.y_mean.mean() == pytest.approx(0.265, abs=5e-4)
    rounded = np.round(replicate.data.y_mean, 3)
    assert ((rounded - replicate.truth["p"]) ** 2).sum() == pytest.approx(0.0754, abs=5e-5)


def test_rows_of_a_file_become_groups(tmp_path):
    """Observations are reduced by group, in the order in which groups appear."""
    (tmp_path / "marks.csv").write_text("school,mark,size\nb,1,x\na,5,y\nb,3,z\n")
    dataset = load_dataset("marks.csv", folder=tmp_path, columns={"group": "school", "value": "mark"})
    assert dataset.labels == ("b", "a")
    assert dataset.replicate.data.n_obs.tolist() == [2, 1]
    assert dataset.replicate.data.y_mean.tolist() == [2, 5]
    assert dataset.replicate.data.y_ss.tolist() == [2, 0]
    assert dataset.replicate.data.y.tolist() == [1, 3, 5]


def test_other_rows_are_another_data_set(tmp_path):
    """The digest tells edited data apart."""
    columns = {"group": "g", "value": "v"}
    digests = set()
    for value in (1, 2):
        (tmp_path / "d.csv").write_text(f"g,v\na,{value}\n")
        digests.add(load_dataset("d.csv", folder=tmp_path, columns=columns).digest)
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("text", "columns", "words"),
    [
        ("g,v\na,1\n", {"group": "g", "value": "w"}, "no column 'w'"),
        ("g,v\na,x\n", {"group": "g", "value": "v"}, "value: expected numbers in column 'v', got 'x' in row 1 of 1"),
        ("g,v\na,\n", {"group": "g", "value": "v"}, "got nothing in row 1 of 1"),
        ("g,v\na,inf\n", {"group": "g", "value": "v"}, "got 'inf' in row 1"),
        ("g,v\na,2\na,1e101\n", {"group": "g", "value": "v"}, "1e+101 in row 2 of 2 (line 3); expected numbers up to"),
        (
            "g,v\n,2\n",
            {"group": "g", "value": "v"},
            "expected a name in each row of column 'g', got nothing in row 1",
        ),
        ("g,v\na,1\na,2,3\n", {"group": "g", "value": "v"}, "cannot read 'd.csv': row 2 below the header has 3 fields"),
        ("g;v\na;1,5\n", {"group": "g", "value": "v"}, "separated by semicolons"),
        ("g,v\n", {"group": "g", "value": "v"}, "the table has no rows"),
        ("g,v,s\na,1,0\n", {"group": "g", "value": "v", "standard_error": "s"}, "above 0"),
        ("g,v,s\na,1,1\na,2,1\n", {"group": "g", "value": "v", "standard_error": "s"}, "one estimate in each group"),
        ("g,v\na,1\n", {"group": "g"}, "expected the columns"),
        ("g,v\na,1\n", {"value": "v"}, 'got value = "v"; the table has g, v'),
        ("g,v\na,1\n", {"group": "g", "value": "g"}, "group: column 'g' is named for value too"),
        ("g,v,s\na,1,1e-101\n", {"group": "g", "value": "v", "standard_error": "s"}, "expected at least 1e-100"),
    ],
)
def test_files_that_cannot_be_data_are_refused(tmp_path, text, columns, words):
    """The message says which column and which value."""
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(StudyError) as error:
        load_dataset("d.csv", folder=tmp_path, columns=columns)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("eight_shcools", "did you mean 'eight_schools'"),
        ("../../etc/passwd.csv", "outside the study's folder"),
        ("missing.csv", "no file"),
    ],
)
def test_data_that_are_not_there_are_refused(tmp_path, name, words):
    """A name has to be built in, a path inside the study's folder."""
    with pytest.raises(StudyError) as error:
        load_dataset(name, folder=tmp_path, columns={"group": "g", "value": "v"})
    assert words in str(error.value)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    """What a small file would need in memory is known before it is read."""
    pq.write_table(pa.table({"g": np.zeros(100_000, int), "v": np.ones(100_000)}), tmp_path / "x.parquet")
    monkeypatch.setattr(files, "MOST_VALUES", 1000)
    with pytest.raises(StudyError, match=r"data: cannot read 'x\.parquet': it has 200,000 values, more than 1,000"):
        load_dataset("x.parquet", folder=tmp_path, columns={"group": "g", "value": "v"})


def test_parquet_and_csv_are_the_same_data(tmp_path):
    """The same rows have one digest, in either form, with names as texts."""
    rows = pd.DataFrame({"g": ["b", "a", "b"], "v": [1.5, 2.0, 4.0]})
    rows.to_csv(tmp_path / "x.csv", index=False)
    rows.to_parquet(tmp_path / "x.parquet")
    csv, parquet = (
        load_dataset(name, folder=tmp_path, columns={"group": "g", "value": "v"}) for name in ("x.csv", "x.parquet")
    )
    assert csv.digest == parquet.digest
    assert csv.labels == parquet.labels == ("b", "a")


@pytest.mark.parametrize("seed", range(30))
def test_damaged_parquet_is_a_message(tmp_path, seed):
    """Bytes changed anywhere in a file give the table or a message, whatever Arrow raises."""
    pd.DataFrame({"g": ["a", "b"] * 50, "v": np.arange(100.0)}).to_parquet(tmp_path / "x.parquet")
    content = bytearray((tmp_path / "x.parquet").read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(4, len(content) - 4, 3):
        content[place] = rng.integers(256)
    (tmp_path / "x.parquet").write_bytes(
        bytes(content[: rng.integers(8, len(content) + 1)] if seed % 3 == 0 else content)
    )
    with contextlib.suppress(StudyError):
        load_dataset("x.parquet", folder=tmp_path, columns={"group": "g", "value": "v"})


COUNTS = {"group": "g", "successes": "k", "trials": "n"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("a,2,4\na,5,4", "successes: column 'k' has 5 in row 2 of 2 (line 3), above the 4 trials there"),
        ("a,5,4\na,0,9", "successes: column 'k' has 5 in row 1 of 2 (line 2), above the 4 trials there"),
        ("a,1,4\na,-1,4", "successes: column 'k' has -1 in row 2 of 2 (line 3); expected 0 or more"),
        ("a,1.5,4\na,0.5,4", "successes: column 'k' has 1.5 in row 1 of 2 (line 2); expected whole numbers"),
        ("a,1,4\na,1,4.5", "trials: column 'n' has 4.5 in row 2 of 2 (line 3); expected whole numbers"),
        ("a,1,4\na,0,0", "trials: column 'n' has 0 in row 2 of 2 (line 3); expected at least 1 trial in each row"),
        ("a,1,60000000\nb,1,60000000", "trials: column 'n' has 60000000 in row 2 of 2 (line 3); with it the table has"),
        ("a,1,1e30", "trials: column 'n' has 1e+30 in row 1"),
        ("a,,4", "successes: expected numbers in column 'k', got nothing in row 1"),
    ],
)
def test_counts_are_checked_row_by_row(tmp_path, rows, words):
    """Rows of a group whose sums would be possible are refused by their number where they are not possible."""
    (tmp_path / "d.csv").write_text(f"g,k,n\n{rows}\n")
    with pytest.raises(StudyError) as error:
        load_dataset("d.csv", folder=tmp_path, columns=COUNTS)
    assert words in str(error.value)


def test_counts_of_a_group_are_summed(tmp_path):
    """3 of 4 and 1 of 2 are 4 of 6; whole numbers may be written with a point."""
    (tmp_path / "d.csv").write_text("g,k,n\nb,3,4\na,0.0,1\nb,1,2\n")
    data = load_dataset("d.csv", folder=tmp_path, columns=COUNTS).replicate.data
    assert data.n_obs.tolist() == [6, 1]
    np.testing.assert_allclose(data.y_mean, [4 / 6, 0])
    assert data.y.tolist() == [1, 1, 1, 1, 0, 0, 0]


def of(frame, **columns):
    return load_dataset(frame, columns=columns)


def test_the_truth_of_a_group_is_one():
    """Two values in a group are refused by its name; rows without one take that of the others."""
    frame = pd.DataFrame({"g": ["01", "1", "01"], "v": [1, 2, 3], "t": [5.0, np.nan, 6.0]})
    with pytest.raises(StudyError, match="truth: column 't' has 5 and 6 for group '01'; expected one true value"):
        of(frame, group="g", value="v", truth="t")
    truth = of(frame.assign(t=[np.nan, np.nan, 6.0]), group="g", value="v", truth="t").replicate.truth
    np.testing.assert_array_equal(truth["theta"], [6.0, np.nan])


def test_true_probabilities_are_probabilities():
    """Outside [0, 1] they are refused; at 0 and 1 the effect on the link scale is infinite, and unknown."""
    frame = pd.DataFrame({"g": ["a", "b"], "successes": [1, 2], "trials": [4, 4]})
    for wrong in (-0.1, 1.1):
        with pytest.raises(StudyError, match=rf"column 'truth' has {wrong} in row 2 of 2; expected probabilities"):
            of(frame.assign(truth=[0.5, wrong]), group="g")
    truth = of(frame.assign(truth=[0.5, 1.0]), group="g").replicate.truth
    assert truth["p"].tolist() == [0.5, 1.0]
    np.testing.assert_array_equal(truth["theta"], [0.0, np.nan])


@pytest.mark.parametrize(
    ("names", "given", "kind", "used"),
    [
        (["group", "value", "size"], {}, "normal", {"group", "value"}),
        (["group", "value", "standard_error", "truth"], {}, "normal_known_se", None),
        (["group", "successes", "trials", "size"], {}, "binomial", {"group", "successes", "trials"}),
        (["school", "value", "standard_error"], {"group": "school"}, "normal_known_se", None),
        (["group", "score", "standard_error"], {"value": "score"}, "normal", {"group", "value"}),
        (["group", "value", "successes"], {}, "normal", {"group", "value"}),
    ],
)
def test_columns_called_what_they_are_need_no_naming(names, given, kind, used):
    """Others are left aside; where values are named, nothing is looked for beside them."""
    frame = pd.DataFrame({name: [1, 1] for name in names}).assign(**{names[0]: ["a", "b"]})
    dataset = load_dataset(frame, columns=given)
    assert dataset.likelihood.kind == kind
    named = {key: key for key in dataset.columns} | given
    assert dataset.columns == named
    if used is not None:
        assert set(dataset.columns) == used


def test_columns_that_could_be_two_things_are_asked_for():
    """Values and counts in one table: the message lists the columns; naming either settles it."""
    frame = pd.DataFrame({"group": ["a", "b"], "value": [1, 2], "successes": [1, 2], "trials": [3, 3]})
    with pytest.raises(StudyError, match="group, value, successes, trials could be values or counts; name those"):
        load_dataset(frame)
    assert of(frame, value="value").likelihood.kind == "normal"
    assert of(frame, successes="successes", trials="trials").likelihood.kind == "binomial"


def test_labels_stay_as_written():
    """Names that other readers take for one, or for nothing, are groups of their own, in every form of a table."""
    pl = pytest.importorskip("polars")
    labels = ("001", "01", "1", "NA", "null", "None")
    frame = pd.DataFrame({"group": labels, "value": [float(i) for i in range(6)]})
    datasets = [load_dataset(data) for data in (frame, pl.DataFrame(frame), as_table(frame), frame.astype("category"))]
    assert {dataset.labels for dataset in datasets} == {labels}
    assert len({dataset.digest for dataset in datasets}) == 1
    assert {dataset.name for dataset in datasets} == {"a table of 6 rows (group, value)"}


BUILT_IN_DIGESTS = {"lecture": "af54b562aa81fdca", "eight_schools": "4e24b549fcfc96ce", "baseball": "ff24bec1364168f9"}


@pytest.mark.parametrize("name", BUILT_IN_DIGESTS)
def test_data_sets_that_come_along_keep_their_identity(name):
    """Runs of them were made by earlier versions, and go on."""
    assert load_dataset(name).digest == BUILT_IN_DIGESTS[name]


@pytest.mark.parametrize(
    ("text", "columns", "digest"),
    [
        ("g,v,x\nb,1.5,1\na,2,1\nb,4,1\n", {"group": "g", "value": "v"}, "b3e6dd199c05987a"),
        ("g,v\n3,10\n1,20\n3,30\n", {"group": "g", "value": "v"}, "052dad72fec91ee0"),
        ('g,k,n,p\n"a, b",1,4,0.25\n"say ""x""",2,4,\n', {**COUNTS, "truth": "p"}, "e1732df2c2bf654b"),
    ],
)
def test_ordinary_files_keep_their_identity(tmp_path, text, columns, digest):
    """Digests as the version before this reader gave them."""
    (tmp_path / "x.csv").write_text(text)
    assert load_dataset("x.csv", folder=tmp_path, columns=columns).digest == digest


def test_an_edited_label_is_another_data_set(tmp_path):
    """Where a reader that guesses saw the same names."""
    (tmp_path / "a.csv").write_text("group,value\n01,1\n02,2\n")
    (tmp_path / "b.csv").write_text("group,value\n1,1\n2,2\n")
    a, b = (load_dataset(name, folder=tmp_path) for name in ("a.csv", "b.csv"))
    assert a.digest != b.digest
    assert (a.labels, b.labels) == (("01", "02"), ("1", "2"))


def test_workers_get_no_rows():
    """What is sent with every block is the reduced data."""
    dataset = load_dataset(pd.DataFrame({"group": ["a", "b"], "value": [1.0, 2.0]}))
    sent = pickle.loads(pickle.dumps(dataset))
    assert dataset.rows.num_rows == 2
    assert sent.rows is None
    assert sent == dataset
    assert sent.replicate.data.y_mean.tolist() == [1.0, 2.0]


UNFIT = {
    "lists": pd.Series([[1], [2]]),
    "structs": pd.Series([{"a": 1}, {"a": 2}]),
    "durations": pd.Series(pd.to_timedelta([1, 2], "D")),
}
NO_NUMBERS = UNFIT | {
    "truth values": pd.Series([True, False]),
    "dates": pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02"])),
}
KEYS = ("value", "standard_error", "successes", "trials", "truth")


@pytest.mark.parametrize("form", ["frame", "parquet"])
@pytest.mark.parametrize("what", NO_NUMBERS)
@pytest.mark.parametrize("key", KEYS)
def test_columns_that_hold_no_numbers_are_refused_by_name(tmp_path, key, what, form):
    """Whatever the column is for, in memory and in a file."""
    columns = ("value", "standard_error", "truth") if key in ("value", "standard_error") else KEYS[2:]
    frame = pd.DataFrame({"group": ["a", "b"]} | dict.fromkeys(columns, 1)).assign(**{key: NO_NUMBERS[what]})
    frame.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(StudyError, match=f"{key}: expected numbers in column '{key}', got {what}"):
        load_dataset(frame if form == "frame" else "x.parquet", folder=tmp_path)


@pytest.mark.parametrize("what", UNFIT)
def test_groups_that_have_no_names_are_refused_by_name(what):
    """Lists, structs and durations name nothing; dates and truth values do."""
    with pytest.raises(StudyError, match=f"group: expected names in column 'group', got {what}"):
        load_dataset(pd.DataFrame({"group": UNFIT[what], "value": 1.0}))
    dates = load_dataset(pd.DataFrame({"group": NO_NUMBERS["dates"], "value": 1.0}))
    assert dates.labels == ("2024-01-01", "2024-01-02")


def test_whole_numbers_that_no_integer_holds_are_kept_as_they_are():
    """A run keeps its rows: 10^20 is a float there, 7 a whole number."""
    for values, expected in ((["100000000000000000000", "7"], [1e20, 7.0]), (["8", "7"], [8, 7])):
        kept = load_dataset(pd.DataFrame({"group": ["a", "b"], "value": values})).rows
        assert kept["value"].to_pylist() == expected
        assert {type(value) for value in kept["value"].to_pylist()} == {type(expected[0])}


def test_a_link_that_the_user_names_is_its_file(tmp_path):
    """In the file's own folder, inside which data have to lie; data that are no file have no folder."""
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "scores.csv").write_text("group,value\na,1\nb,2\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "far" / "scores.csv")
    folder, name = place_of(str(tmp_path / "link.csv"))
    assert (folder, name) == ((tmp_path / "far").resolve(), "scores.csv")
    assert load_dataset(name, folder=folder).labels == ("a", "b")
    assert place_of("eight_schools") == (None, "eight_schools")
