"""Real data: built in, and from files."""

import contextlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simstudy.errors import StudyError
from simstudy.mechanisms.dataset import load_dataset
from simstudy.store import incoming


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
        ("g,v\na,x\n", {"group": "g", "value": "v"}, "'x' in data row 1"),
        ("g,v\na,\n", {"group": "g", "value": "v"}, "expected a finite number"),
        ("g,v,s\na,1,0\n", {"group": "g", "value": "v", "standard_error": "s"}, "above 0"),
        ("g,v,s\na,1,1\na,2,1\n", {"group": "g", "value": "v", "standard_error": "s"}, "one estimate in each group"),
        ("g,k,n\na,5,4\n", {"group": "g", "successes": "k", "trials": "n"}, "successes <= trials"),
        ("g,k,n\na,1.5,4\n", {"group": "g", "successes": "k", "trials": "n"}, "whole numbers"),
        ("g,v\na,1\n", {"group": "g"}, "expected the columns"),
        ("g,v\na,1\n", {"value": "v"}, "expected the columns"),
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
    monkeypatch.setattr(incoming, "MOST_VALUES", 1000)
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
