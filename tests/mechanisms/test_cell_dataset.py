"""Real data in cells as a mechanism: the same in every replicate, and workers go without the rows."""

import pickle

import numpy as np
import pandas as pd
import pytest

from simstudy.study.dataset_terms import terms_cell
from simstudy.testing import check_mechanism

FRAME = pd.DataFrame(
    {"row": list("aabb"), "column": list("xyxy"), "x": [0.0, 1.0, 2.0, 4.0], "value": [1.0, 2.0, 3.0, 5.0]}
)
SECTION = {"kind": "dataset", "data": FRAME, "terms": {"row": {}, "column": {}}, "covariates": {"x": {}}}


@pytest.fixture(scope="module")
def dataset():
    return terms_cell(SECTION, None)[0]


def test_it_conforms(dataset):
    """It keeps what every mechanism promises."""
    check_mechanism(dataset)


def test_replicates_are_the_data(dataset):
    """Every key gives the same observations, which are those of the rows."""
    first, second = dataset.simulate(np.array([[0, 1], [2, 3]], np.uint32))
    assert first.data.y.tolist() == second.data.y.tolist() == FRAME["value"].tolist()
    assert first.truth == {}


def test_workers_go_without_rows(dataset):
    """A pickled copy has the cells and is the same choice."""
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy.rows is None
    assert copy == dataset
    assert copy.design == dataset.design
    assert copy.simulate(np.zeros((1, 2), np.uint32))[0].data.y.tolist() == FRAME["value"].tolist()


def test_it_says_what_it_is(dataset):
    """Factors of the scenario and words name the data and their terms; the shape is the design and its sizes."""
    factors = terms_cell(SECTION, None)[1]
    assert factors["data"] == "a table of 4 rows (row, column, x, value)"
    assert (factors["levels[row]"], factors["levels[column]"], factors["cells"]) == (2, 2, 4)
    assert "real data" in dataset.words
    assert "row: exchangeable levels" in dataset.words
    assert dataset.shape == (dataset.design, (1, 1, 1, 1))
    assert dataset.sizes_of_data == (1, 1, 1, 1)
    assert dict(dataset.covariates)["x"].tolist() == [0, 1, 2, 4]
