"""Real data: built in, and from files."""

import numpy as np
import pytest

from simstudy.errors import StudyError
from simstudy.mechanisms.dataset import load_dataset


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
