"""Data in the study itself: lists of numbers, a value or a list for each group."""

import json

import numpy as np
import pandas as pd
import pytest

from simstudy.errors import StudyError
from simstudy.mechanisms.dataset import load_dataset
from simstudy.study.study import Study
from tests.mechanisms.test_dataset import of

METHODS = {"method": [{"name": "partial", "structure": "partial"}], "sampler": {"kind": "exact"}}


def study_of(**mechanism):
    section = {"study": {"name": "inline", "seed": 1, "replicates": 1}, **METHODS}
    return Study.from_dict(section | {"mechanism": {"kind": "dataset", **mechanism}})


def dataset_of(**mechanism):
    return study_of(**mechanism).scenarios[0].mechanism


def test_the_lecture_in_a_study_is_the_lecture():
    """The five numbers of the built-in data set, typed in, are its rows."""
    inline, built_in = dataset_of(values=[10, 12, 9, 11, 8]), load_dataset("lecture")
    assert inline.digest == built_in.digest
    assert inline.labels == built_in.labels
    assert inline.likelihood == built_in.likelihood


def test_a_list_for_each_group_is_its_observations():
    """Groups may have different sizes; labels are names, whole numbers among them."""
    dataset = dataset_of(values=[[1, 3], [2.5]], labels=["Lincoln", 7], truth=[2, 3])
    assert dataset.labels == ("Lincoln", "7")
    assert dataset.shape == (2, 1)
    assert dataset.replicate.data.y.tolist() == [1, 3, 2.5]
    assert dataset.replicate.truth["theta"].tolist() == [2, 3]


def test_estimates_and_counts():
    """Standard errors beside values, and successes among trials."""
    estimates = dataset_of(values=[28, 8], standard_errors=[15, 10.5])
    assert estimates.likelihood.kind == "normal_known_se"
    assert estimates.replicate.data.known_se.tolist() == [15, 10.5]
    counts = dataset_of(successes=[3, 1], trials=[4, 4], truth=[0.5, 0.5])
    assert counts.likelihood.kind == "binomial"
    assert counts.replicate.data.y_mean.tolist() == [0.75, 0.25]
    assert counts.replicate.truth["theta"].tolist() == [0, 0]


def test_lists_are_data_and_no_factors():
    """One scenario, whatever the lists hold; the study is made again from its JSON, which holds the numbers."""
    for mechanism in ({"values": [1, 2, 3]}, {"values": [[1, 2], [3]]}, {"values": np.array([1.5, 2.0])}):
        study = study_of(**mechanism)
        assert len(study.scenarios) == 1
        canonical = json.loads(json.dumps(study.canonical))
        again = Study.from_canonical(canonical)
        assert again.scenarios[0].identity == study.scenarios[0].identity
        assert again.canonical == study.canonical


@pytest.mark.parametrize(
    ("mechanism", "words"),
    [
        ({"values": []}, "values: expected a list with a value for each group, got []"),
        ({"values": 5}, "values: expected a list, such as values = [10, 12, 9], got 5"),
        ({"values": "score"}, 'a column of a file is named value = "score"'),
        ({"values": [1, "a"]}, "values: expected numbers, got 'a' at place 2"),
        ({"values": [1, True]}, "values: expected numbers, got True at place 2"),
        ({"values": [[1], 2]}, "values: expected a list of observations for each group, got 2 as list 2"),
        ({"values": [[1], []]}, "got [] as list 2"),
        ({"values": [1, float("nan")]}, "got nothing in row 2"),
        ({"values": [1, 10**40]}, "values: a number is too large"),
        ({"values": [1, 2], "labels": ["a"]}, "labels: expected a list of 2 names, one for each group, got 1 of them"),
        ({"values": [1, 2], "labels": ["a", "a"]}, "labels: 'a' stands twice"),
        ({"values": [1, 2], "labels": ["a", ""]}, "labels: expected names, got ''"),
        ({"values": [1, 2], "labels": "ab"}, "labels: expected a list of 2 names"),
        ({"values": [1, 2], "labels": ["a", "\ud800"]}, "labels: expected texts, got half a character"),
        ({"labels": ["a", "b"]}, "got labels alone"),
        ({"standard_errors": [1, 2]}, "expected values, values and standard_errors, or successes and trials"),
        ({"successes": [1, 2]}, "got successes"),
        ({"values": [1, 2], "standard_errors": [1]}, "standard_errors: expected 2 values, one for each group, got 1"),
        ({"values": [1, 2], "standard_errors": [1, 0]}, "expected standard errors above 0"),
        ({"values": [[1, 2]], "standard_errors": [1]}, "expected one value for each group in values"),
        ({"successes": [5, 1], "trials": [4, 4]}, "has 5 in row 1 of 2, above the 4 trials"),
        ({"values": [1, 2], "data": "lecture"}, "data: the data stand in the study itself, in values; leave one"),
        ({"values": [1, 2], "value": "score"}, "value: the data stand in the study itself"),
        ({"values": [1, 2], "truth": "t"}, "truth: expected a list with a value for each group, got 't'"),
        ({}, "data: the key is missing; expected one of lecture"),
        ({"data": "lecture", "trials": [1]}, "data: the data stand in the study itself, in trials"),
    ],
)
def test_lists_that_are_no_data_are_refused(mechanism, words):
    """The message names the key and what came."""
    with pytest.raises(StudyError) as error:
        dataset_of(**mechanism)
    assert words in str(error.value)
    assert str(error.value).startswith("[mechanism] ")


def test_long_lists_are_refused():
    """They belong into a file."""
    with pytest.raises(StudyError, match="values: expected at most 100,000 in a study, got 100,001; write a file"):
        dataset_of(values=[1.0] * 100_001)


def test_a_frame_in_a_study_is_named_in_words():
    """The JSON of a study holds no rows: it says what they were, and takes them from the run."""
    frame = pd.DataFrame({"school": ["b", "a"], "score": [1.5, 2.0], "size": [3, 4]})
    study = study_of(data=frame, group="school", value="score")
    assert study.canonical["mechanism"] == {
        "kind": "dataset",
        "data": "a table of 2 rows (school, score)",
        "group": "school",
        "value": "score",
    }
    assert study.data.to_pylist() == [{"school": "b", "score": 1.5}, {"school": "a", "score": 2.0}]
    with pytest.raises(StudyError, match="which the run has lost"):
        Study.from_canonical(study.canonical)
    assert of(frame, group="school", value="score").digest == study.scenarios[0].mechanism.digest
