"""The table of levels, as the table side reads it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from simstudy.errors import RunError
from simstudy.models.estimands import Estimand
from simstudy.store.declared import Declared
from simstudy.store.factors import adjacency, layouts, level_names, levels_of, with_neighbors
from simstudy.store.run import Run
from simstudy.store.schema import CELLS, LEVELS
from simstudy.store.writer import RunWriter
from tests.fake_terms import lattice_neighbors, level_rows
from tests.store.test_store import make_block, make_study, write_labels


def test_neighbors_of_a_series_are_before_and_after():
    """Two for each level, one at the ends."""
    near = adjacency(level_rows("month", "order", 5))
    assert near.sum(1).tolist() == [1, 2, 2, 2, 1]
    assert np.argwhere(near[2]).ravel().tolist() == [1, 3]


def test_neighbors_on_a_graph_are_those_of_its_edges():
    """As they are stored; an island has none."""
    near = adjacency(level_rows("area", "graph", 7, neighbors=[*lattice_neighbors(2, 3), []]))
    assert (near == near.T).all()
    assert near.sum(1).tolist() == [2, 3, 2, 2, 3, 2, 0]


def test_neighbors_of_points_are_the_nearest_whatever_their_order():
    """Points on a line: shuffled, they have the neighbors that they have in order."""
    at = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    order = np.random.default_rng(1).permutation(6)
    near = adjacency(level_rows("site", "points", 6, x=at))
    shuffled = adjacency(level_rows("site", "points", 6, x=at[order]))
    np.testing.assert_array_equal(shuffled, near[np.ix_(order, order)])
    assert near[2, [1, 3]].all()
    assert not near[2, [0, 4, 5]].any() or near[[0, 4, 5], 2].any()  # the ends reach further


def test_levels_without_neighbors_have_none():
    """Those of schools."""
    assert not adjacency(level_rows("school", "levels", 4)).any()


def test_runs_without_the_table_have_no_factors():
    """As those with a single grouping, and those made before."""
    run = SimpleNamespace()
    assert levels_of(run).empty
    assert layouts(run) == {}
    assert with_neighbors(SimpleNamespace(levels=level_rows("a", "order", 2))) == ["a"]


def test_levels_are_called_by_their_labels():
    """Or by factor and place."""
    assert level_names(level_rows("school", "levels", 2, label=["Lincoln", None])) == ["Lincoln", "school 2"]


def test_no_spread_is_that_of_levels_with_neighbors():
    """Whatever a method declares; other factors keep theirs, cells lose it since they are a sum."""
    each = [
        Estimand(name="theta", role="effects", spread="tau", center="mu"),
        Estimand(name="effect[area]", role="effects", spread="tau[area]", factor="area"),
        Estimand(name="effect[school]", role="effects", spread="tau[school]", factor="school"),
    ]
    declared = Declared({e.name: e for e in each}).without_spread({"area"})
    assert [declared[e.name].spread for e in each] == [None, None, "tau[school]"]
    assert declared["theta"].center == "mu"
    assert declared.sd_of(declared["effect[school]"]) == ["effect[school]_sd", "sd[school]"]
    assert declared.sd_of(declared["theta"]) == ["theta_sd"]


def test_levels_and_cells_come_back_as_they_were_written(tmp_path):
    """With lists of neighbors and what is missing; a run that has none writes no file."""
    levels = level_rows("area", "graph", 3, neighbors=[[1], [0, 2], [1]], x=[0.0, 1.0, 2.0]).assign(scenario="s1")
    cells = pd.DataFrame(
        {"scenario": "s1", "cell": [0, 1], "name": ["area", "day"], "level": [2, None], "value": [None, 0.5]}
    )
    for folder, given in (("with", (levels, cells)), ("without", (pd.DataFrame(), pd.DataFrame()))):
        with RunWriter.create_or_continue(tmp_path / folder, make_study()) as writer:
            write_labels(writer)
            writer.write_levels(*given)
            writer.write_block("b", **make_block())
    run = Run.open(tmp_path / "with")
    assert [list(n) for n in run.levels["neighbors"]] == [[1], [0, 2], [1]]
    assert run.levels["x"].tolist() == [0.0, 1.0, 2.0]
    assert run.levels[["label", "parent", "y"]].isna().all(axis=None)
    assert run.cells["level"].tolist()[0] == 2
    assert run.cells["value"].tolist()[1] == 0.5
    run.verify()
    bare = Run.open(tmp_path / "without")
    assert not (tmp_path / "without" / "levels").exists()
    assert list(bare.levels) == LEVELS.names
    assert list(bare.cells) == CELLS.names
    (tmp_path / "with" / "levels" / "levels.parquet").write_bytes(b"damaged")
    damaged = Run.open(tmp_path / "with")
    with pytest.raises(RunError, match=r"levels.parquet"):
        _ = damaged.levels
