"""Figures over whole designs: every scenario in the order of its factors, blank where nothing can be told."""

import numpy as np
import pandas as pd
import pytest

from simstudy.report import figures
from simstudy.report.figures.canvas import NARROW, WIDE
from simstudy.report.figures.nested_loop import factor_ranks
from simstudy.report.figures.regret import multiples
from simstudy.report.reading.design import read_design
from simstudy.report.reading.readings import average, is_clear
from simstudy.store.schema import PERFORMANCE


def test_loops_run_through_the_crossed_factors():
    """The slowest factor changes least often, the axis at every step; each combination stands once."""
    design = [(j, n, t) for t in (0.0, 1.0) for j in (4, 8) for n in (2, 10, 50)]
    table = pd.DataFrame(design, columns=["groups", "group_size", "tau"])
    ranks = factor_ranks(read_design(table.assign(scenario=[f"s{i}" for i in range(len(table))])))
    changes = {factor: int((np.diff(values) != 0).sum()) for factor, values in ranks.items()}
    assert changes == {"J": 1, "n": 5, "τ": 11}
    assert len(ranks.drop_duplicates()) == len(design)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_steps_are_the_values_of_the_table(run, table, width):
    """The step of a scenario has the height of its RMSE, under the tracks of its own factors."""
    figure = figures.nested_loop(table, run.scenarios, width=width)
    order = factor_ranks(read_design(run.scenarios)).index
    known = average(table, "rmse", estimand="theta")
    methods = list(dict.fromkeys(known["method"]))
    for line, method in zip(figure.axes[0].lines, methods, strict=True):
        values = known[known["method"] == method].set_index("scenario")["value"].loc[order]
        np.testing.assert_allclose(line.get_ydata()[:-1], values)
    assert len(figure.axes) == 1 + len(read_design(run.scenarios).factors)


def test_cells_hold_the_multiple_of_the_best(run, table):
    """A cell is MSE / (MSE - regret), the best of the three rivals; 1 where no regret is clear, and never blank."""
    regret, mse = (
        average(table, name, estimand="theta").set_index(["scenario", "method"]) for name in ("regret", "mse")
    )
    clear = [v > 0 and is_clear(v, m) for v, m in zip(regret["value"], regret["mcse"], strict=True)]
    assert 0 < sum(clear) < len(clear)
    expected = (mse["value"] / (mse["value"] - regret["value"]))[clear]
    figure = figures.regret(table, run.scenarios)
    drawn = [np.ma.compressed(ax.collections[0].get_array()) for ax in figure.axes[:4]]
    n_tied = int((~np.array(clear)).sum())
    np.testing.assert_allclose(np.sort(np.concatenate(drawn)), np.sort([*expected, *np.ones(n_tied)]))
    assert (expected > 1).all()


def test_a_regret_within_2_mcse_is_no_loss():
    """Of regrets of 1 and 3 MCSE the second alone is a multiple; one below 0 never is."""
    keys = {"scenario": list("abc"), "method": "m", "estimand": "theta", "policy": "available"}
    parts = [
        pd.DataFrame({**keys, "measure": "regret", "value": [0.1, 0.3, -0.5], "mcse": 0.1}),
        pd.DataFrame({**keys, "measure": "mse", "value": 0.9, "mcse": 0.1}),
    ]
    table = pd.concat(parts).reindex(columns=PERFORMANCE.names)
    found = multiples(table).set_index("scenario")["multiple"]
    assert found.tolist() == pytest.approx([1.0, 1.5, 1.0])
