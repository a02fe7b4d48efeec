"""The rows of levels and cells that a study gives to its run."""

import numpy as np

from simstudy import Study
from simstudy.store.factors import adjacency
from simstudy.study.level_rows import cell_rows, level_rows


def study(terms, **mechanism):
    contents = {
        "study": {"name": "s", "replicates": 2, "seed": 1},
        "mechanism": {"kind": "multilevel", "terms": terms, **mechanism},
        "method": [{"name": "p", "pooling": "partial"}],
        "sampler": {"kind": "nuts"},
    }
    return Study.from_dict(contents)


def mechanism_of(terms, **mechanism):
    return study(terms, **mechanism).scenarios[0].mechanism


def test_nested_levels_have_parents_and_cells_their_levels():
    """Two classes in each of three schools, a cell each."""
    mechanism = mechanism_of({"school": {"levels": 3}, "class": {"levels": 2, "within": "school"}})
    rows = [row for row in level_rows("s1", mechanism) if row["factor"] == "class"]
    assert [row["parent"] for row in rows] == [0, 0, 1, 1, 2, 2]
    assert {row["within"] for row in rows} == {"school"}
    cells = cell_rows("s1", mechanism)
    assert [row["level"] for row in cells if row["name"] == "school"] == [0, 0, 1, 1, 2, 2]
    assert [row["level"] for row in cells if row["name"] == "class"] == list(range(6))


def test_levels_say_how_they_lie():
    """A graph has neighbors, points have places, a series has its order; covariates stand by cell."""
    graph = level_rows("s", mechanism_of({"area": {"structure": "icar", "graph": {"ring": 5}}}))
    assert [row["neighbors"] for row in graph] == [[1, 4], [0, 2], [1, 3], [2, 4], [0, 3]]
    assert {row["layout"] for row in graph} == {"graph"}
    grid = level_rows(
        "s", mechanism_of({"site": {"structure": "gaussian_process", "points": {"grid": [2, 2]}, "basis": 3}})
    )
    assert sorted((row["x"], row["y"]) for row in grid) == [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    assert {
        row["layout"] for row in level_rows("s", mechanism_of({"t": {"structure": "random_walk", "levels": 3}}))
    } == {"order"}
    covariate = {"name": "day", "values": [0.0, 3.0]}
    slopes = mechanism_of({"subject": {"structure": "slopes", "levels": 2, "covariate": covariate}})
    assert [row["value"] for row in cell_rows("s", slopes) if row["name"] == "day"] == [0.0, 3.0, 0.0, 3.0]


def test_the_table_has_the_neighbors_of_the_structure():
    """The adjacency that the report reads is the matrix that the structure's precision is made of."""
    import pandas as pd

    from simstudy.models.graphs import neighbors_of

    mechanism = mechanism_of({"area": {"structure": "icar", "graph": {"lattice": [3, 4]}}})
    near = adjacency(pd.DataFrame(level_rows("s", mechanism)))
    np.testing.assert_array_equal(near, neighbors_of(mechanism.design.factor("area")).weights.astype(bool))


def test_a_single_grouping_has_no_rows():
    """So that its run has no such files."""
    contents = {
        "study": {"name": "s", "replicates": 2, "seed": 1},
        "mechanism": {"kind": "exchangeable", "groups": 4, "group_size": 2},
        "method": [{"name": "p", "structure": "partial"}],
        "sampler": {"kind": "nuts"},
    }
    plain = Study.from_dict(contents)
    assert plain.level_rows() == []
    assert plain.cell_rows() == []
