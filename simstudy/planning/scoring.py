"""The measure of a goal in every scenario of a run, from the same rows and rules as a performance table."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from simstudy.measures import MEASURES, Measure, count_fits
from simstudy.measures.measure import Setting
from simstudy.measures.rows.cells import average_cells
from simstudy.measures.rows.context import Context
from simstudy.measures.rows.effects import read_effects
from simstudy.measures.rows.labels import Labels
from simstudy.measures.rows.replicates import Replicates, Score, proportion_score, ratio_score
from simstudy.measures.rows.rows import read_estimates
from simstudy.measures.rows.slices import Slice
from simstudy.measures.scoring import Terms, score_cells
from simstudy.measures.shrinkage import RIVALS, best_of
from simstudy.planning.goal import Goal
from simstudy.planning.points import Point
from simstudy.store import Run
from simstudy.store.schema import interval_columns

BASIS = ("mu", "tau", "sigma", "theta_sd", "theta_var")
"""Estimands that rows of the effects are read with: their centers and spreads."""


def scores(run: Run, goal: Goal, scenarios: Collection[str]) -> dict[str, Point]:
    """Return scenario -> the measure of a goal there, over the fits that are finite.

    Args:
        run: with one method.
        goal: the goal.
        scenarios: ids of those that are wanted.
    """
    labels = Labels.of(run)
    counted = count_fits(run.fits, run.study["diagnostics"], policy="available")
    keys = labels.read(run.fits)
    by_code = np.zeros(keys.n_fits, bool)
    by_code[keys.fit[counted]] = True
    attempted = np.bincount(keys.scenario, minlength=len(labels.scenarios))[:, None]
    chosen = [i for i, name in enumerate(labels.scenarios) if name in scenarios]
    effects = labels.effects[0].name
    name = goal.estimand if goal.kind in ("width", "power") else effects
    part = Slice.of(labels, scenarios=chosen, estimands=[labels.code_of(name)])
    rows = read_estimates(run, labels, part).of_fits(by_code)
    if goal.kind in ("rank_best", "regret"):
        rows = read_effects(run, Context.of(run, labels), rows)
    terms = Terms(levels=((goal.level, *interval_columns(goal.level)),), null=goal.null)
    tables = score_cells(average_cells(rows, attempted), [measure_of(goal)], terms)
    table = pd.concat(tables) if tables else pd.DataFrame(columns=["scenario"])
    found = {str(row["scenario"]): _point(row) for row in table.to_dict("records")}
    return {str(labels.scenarios[i]): found.get(str(labels.scenarios[i]), _nothing(attempted[i, 0])) for i in chosen}


def measure_of(goal: Goal) -> Measure:
    """Return the measure of a goal."""
    if goal.kind == "power":
        return ABOVE if goal.side == ">" else BELOW
    return {"width": MEASURES["width"], "rank_best": MEASURES["prob_best"], "regret": RELATIVE_REGRET}[goal.kind]


def above(cells: Replicates, setting: Setting) -> Score:
    """Return the share of central intervals that lie above the null value."""
    return proportion_score(cells, cells[setting.lower] > setting.null)


def below(cells: Replicates, setting: Setting) -> Score:
    """Return the share of central intervals that lie below the null value."""
    return proportion_score(cells, cells[setting.upper] < setting.null)


def relative_regret(cells: Replicates, setting: Setting) -> Score:
    """Return MSE / the smallest of the MSEs of {group means, grand mean, oracle} - 1, paired by replicate."""
    of_best, names = best_of(cells, RIVALS)
    score = ratio_score(cells, cells.reduce(cells["error"] ** 2), of_best)
    return Score(**{**vars(score), "value": score.value - 1, "reference": names})


def _point(row: Mapping[Any, Any]) -> Point:
    return Point(
        value=float(row["value"]),
        mcse=float(row["mcse"]),
        n=int(row["n_used"]),
        lower=float(row["lower"]),
        upper=float(row["upper"]),
        n_failed=int(row["n_replicates"] - row["n_used"]),
    )


def _nothing(attempted: int) -> Point:
    return Point(value=float("nan"), mcse=float("nan"), n=0, n_failed=int(attempted))


_CLAIM = {
    "needs": ("lower", "upper"),
    "source": "Wilson 1927",
    "unit": "1",
    "better": "larger",
    "which": "all",
    "by_level": True,
}
ABOVE = Measure(name="above", function=above, definition="share of central intervals above the null value", **_CLAIM)  # type: ignore[arg-type]
BELOW = Measure(name="below", function=below, definition="share of central intervals below the null value", **_CLAIM)  # type: ignore[arg-type]
RELATIVE_REGRET = Measure(
    name="relative_regret",
    function=relative_regret,
    needs=("error", "none_error", "complete_error", "oracle_error"),
    definition="MSE / the smallest MSE of {group means, grand mean, oracle with known tau and sigma} - 1",
    source="Efron & Morris 1973; Cochran 1977, eq. 6.13 (ratio estimator)",
    unit="1",
    better="smaller",
    rows="effects",
)
