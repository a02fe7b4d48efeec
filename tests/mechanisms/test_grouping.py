"""Counts and exposures of groups, as they stand in a table."""

import numpy as np
import pyarrow as pa
import pytest

from simstudy.errors import StudyError
from simstudy.mechanisms.grouping import group_rows
from simstudy.tables import Table


def table(**columns):
    """Return a table of columns."""
    arrays = {name: pa.array(list(values)) for name, values in columns.items()}
    return Table(arrays, n_rows=len(next(iter(arrays.values()))))


def test_counts_of_a_group_are_its_observations():
    """Two counts of one exposure, and one of another: exposures are those of all observations of a group."""
    found = group_rows(
        table(group=["a", "b", "a"], count=[3, 4, 0], exposure=[2.5, 10.0, 2.5], truth=[1.0, 0.5, 1.0]), {}
    )
    assert found.kind == "poisson"
    assert found.data.n_obs.tolist() == [2, 1]
    assert found.data.y.tolist() == [3, 0, 4]
    assert found.data.exposure.tolist() == [5, 10]
    assert found.truth["rate"].tolist() == [1.0, 0.5]
    np.testing.assert_allclose(found.truth["theta"], [0.0, -0.6931471805599453])


def test_counts_need_no_exposure():
    """Without one, each observation has the exposure 1."""
    found = group_rows(table(group=["a", "b"], count=[3, 4]), {})
    assert found.data.exposure is None
    assert dict(found.columns) == {"group": "group", "count": "count"}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"count": [1, -2]}, r"count: column 'count' has -2 in row 2 of 2; expected 0 or more"),
        ({"count": [1.5, 2]}, r"count: column 'count' has 1.5 in row 1 of 2; expected whole numbers"),
        (
            {"count": [1, 2], "exposure": [1, 0]},
            r"exposure: column 'exposure' has 0 in row 2 of 2; expected exposures above 0",
        ),
        ({"count": [1, 2], "exposure": [1, 3]}, r"exposure: column 'exposure' has 1 and 3 for group 'a'; expected one"),
        ({"count": [1, 2], "value": [1, 2]}, r"could be values or counts; name those that are meant"),
        (
            {"count": [1, 2], "truth": [-1, -1]},
            r"truth: column 'truth' has -1 in row 1 of 2; expected rates, 0 or more",
        ),
    ],
)
def test_what_cannot_be_counts_is_refused(columns, words):
    """One message names key, column, row and value."""
    with pytest.raises(StudyError, match=words):
        group_rows(table(group=["a", "a"], **columns), {})
