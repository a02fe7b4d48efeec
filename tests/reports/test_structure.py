"""The report on structures says where a ratio is told apart from 1, and no more; on made tables."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from reports.structure import LOOKS, draw, sentence


def table(*ratios, mcse=0.01):
    """Return the rows of one family with these ratios."""
    rows = pd.DataFrame({"ratio": ratios, "mcse": mcse})
    names = {"study": "s", "structure": "walk", "exchangeable": "plain"}
    sides = np.where(rows["ratio"] < 1, "smaller", "larger")
    said = np.where((rows["ratio"] - 1).abs() > 2 * mcse, sides, "not told apart")
    return rows.assign(**names, scenario=[f"τ = {i}" for i in range(len(ratios))], said=said)


@pytest.mark.parametrize(
    ("ratios", "told"),
    [
        ((0.5, 0.6, 1.0), "in 2 of 3 scenarios, by up to 50.0 ± 1.0 % at τ = 0, and a larger one in none."),
        ((1.0, 1.015), "in none of 2 scenarios, and a larger one in none."),
        ((1.5,), "in none of 1 scenario, and a larger one in 1, by 50.0 ± 1.0 % at τ = 0."),
        (
            (0.5, 1.2, 1.3),
            "in 1 of 3 scenarios, by 50.0 ± 1.0 % at τ = 0, and a larger one in 2, by up to 30.0 ± 1.0 % at τ = 2.",
        ),
    ],
)
def test_the_sentence_holds_what_the_ratios_show(ratios, told):
    """All tie, one side alone, both sides: how many scenarios, and the largest of each side with its scenario."""
    assert sentence(table(*ratios)) == f"“walk” has a smaller squared error than “plain” {told}"


def test_every_scenario_has_its_mark():
    """A mark at each ratio, colored by what is said of it; the axis reaches past all bars."""
    made = table(0.3, 1.0, 2.7, mcse=0.05)
    figure = draw(made, 6.0)
    (ax,) = figure.axes
    x = sorted(float(v) for container in ax.containers for v in container[0].get_xdata())
    assert x == sorted(made["ratio"])
    low, high = ax.get_xlim()
    assert low < 0.2 + 1e-9
    assert high > 2.8
    assert {container.get_label() for container in ax.containers} == set(LOOKS)
    plt.close(figure)
