"""Simulation-based calibration: is the truth a draw like any other?

Where the truth is drawn from the priors that a method has, its rank among the method's posterior draws is uniform,
for every estimand and for any function of parameters and data, such as the log likelihood (Talts et al. 2018;
Modrak et al. 2023). This module takes the ranks of a run, judges each estimand of each method and scenario with
``ecdf.py``, and keeps the rate of false alarms of the whole run with Holm's procedure.

Groups of one replicate are dependent, so no test pools them: each group of an estimand has its own test, exact by
itself, and the groups share the weight of one hypothesis among the estimands. Which fit diverged does not matter:
leaving out divergent fits would let a failing sampler pass. A fit that gave no rank cannot be left out either: it gets
the rank that speaks most against uniformity, and the verdict says so.
"""

from typing import Any

import numpy as np
import pandas as pd

from simstudy.errors import TableError
from simstudy.measures.ecdf import judge_ranks
from simstudy.measures.holm import holm
from simstudy.measures.rows.labels import Keys, Labels
from simstudy.measures.rows.rows import Rows, read_rows
from simstudy.measures.rows.slices import slices
from simstudy.types import RunTables

KIND = "calibration"
CALIBRATED = "calibrated"
DESPITE_FAILED = "calibrated despite failed fits"
FOR_FAILED = "not calibrated for failed fits"
NOT_CALIBRATED = "not calibrated"
ROUNDING = 1e-6
RANK_COLUMNS = ("truth", "mean", "sd", "rank", "n_rank")
CELL = ["scenario", "method", "estimand", "group"]
COLUMNS = [*CELL, "n_replicates", "n_used", "statistic", "p_value", "p_holm", "verdict"]


def calibration(run: RunTables, *, alpha: float = 0.05) -> pd.DataFrame:
    """Return a verdict on every estimand of every method in every scenario of a run.

    Args:
        run: the tables of a study of the kind ``calibration``.
        alpha: largest probability of a false alarm anywhere in the run, in (0, 1).

    Returns:
        One row per scenario, method, estimand and group (null where there is none):

        - ``n_replicates``: fits that should have a rank: all, but those in which the truth itself does not exist;
        - ``n_used``: those that have one;
        - ``statistic``: smallest pointwise two-sided tail probability of the ranks' empirical distribution, the fits
          without a rank at their worst place;
        - ``p_value``: its exact p-value;
        - ``p_holm``: adjusted for all rows of the run, the groups of an estimand together counting as one;
        - ``verdict``: ``calibrated``, ``not calibrated``, or, where fits have no rank, ``calibrated despite failed
          fits`` (whatever their ranks would have been) and ``not calibrated for failed fits`` (they alone decide).

        A method none of whose fits is usable has one row without an estimand. Estimands without a truth, and those
        that the model knows beforehand (a point mass at the truth), have no row.

    Raises:
        TableError: the run is of another kind, or an estimand has ranks among different numbers of draws.
    """
    if (kind := run.study["study"].get("kind")) != KIND:
        raise TableError(
            f"calibration: ranks are uniform only where the truth is drawn from the priors of the methods; expected a "
            f'run of a study with kind = "{KIND}" in [study], got {kind!r}'
        )
    labels = Labels.of(run)
    table = pd.DataFrame(_judged(run, labels), columns=[*COLUMNS[:-2], "p_ranked"])
    weights = 1 / table.groupby(CELL[:3], dropna=False)["statistic"].transform("size").to_numpy()
    p_holm, p_ranked = (
        holm(table[name].fillna(1).to_numpy(float), weights=weights) for name in ("p_value", "p_ranked")
    )
    complete = (table["n_used"] == table["n_replicates"]).to_numpy(bool)
    verdict = np.select(
        [p_ranked <= alpha, p_holm <= alpha, complete], [NOT_CALIBRATED, FOR_FAILED, CALIBRATED], DESPITE_FAILED
    )
    table = table.assign(p_holm=p_holm, verdict=verdict.astype(object), group=table["group"].astype("Int64"))
    return table[COLUMNS]


def worst_groups(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per scenario, method and estimand: that of the group whose ranks are the least uniform.

    Because the groups of an estimand share one weight, this row's verdict is the estimand's.

    Args:
        table: as ``calibration`` returns it.
    """
    order = np.lexsort([table["p_value"], table["p_holm"]])
    return table.iloc[order].drop_duplicates(CELL[:3]).sort_index().reset_index(drop=True)


def _judged(run: RunTables, labels: Labels) -> list[dict[str, Any]]:
    """Return a row per cell, without its verdict; ``p_ranked`` is the p-value of the ranks that there are."""
    fits = labels.read(run.fits)
    is_ok = (run.fits["status"] == "ok").to_numpy()
    n_pairs = len(labels.scenarios) * len(labels.methods)
    attempted, usable = (np.bincount(_pair(fits)[some], minlength=n_pairs) for some in (slice(None), is_ok))
    by_code = np.zeros(fits.n_fits, bool)
    by_code[fits.fit[is_ok]] = True
    rows: dict[int, dict[str, Any]] = {}
    for part in slices(labels):
        ranked = _ranked(read_rows(run, labels, part, columns=RANK_COLUMNS).of_fits(by_code))
        for _, ranks in ranked.groupby("cell"):
            cell = int(ranks["cell"].iloc[0])
            code, group = divmod(cell, labels.n_groups + 1)
            pair, estimand = divmod(code, len(labels.estimands))
            names = {"estimand": labels.estimands[estimand], "group": group - 1 if group else None}
            rows[cell] = _row(labels, pair, ranks, int(attempted[pair])) | names
    without_use = np.flatnonzero((attempted > 0) & (usable == 0))
    nothing = pd.DataFrame(columns=["rank", "n_rank", "has_no_truth"], dtype=float)
    failed = [_row(labels, int(pair), nothing, int(attempted[pair])) for pair in without_use]
    return [rows[cell] for cell in sorted(rows)] + failed


def _row(labels: Labels, pair: int, part: pd.DataFrame, attempted: int) -> dict[str, Any]:
    """Return the row of one cell: ``part`` holds its estimates, ``attempted`` counts the fits of its method."""
    ranks = part["rank"].dropna().to_numpy(np.int64)
    n_rank = int(part["n_rank"].fillna(1).max()) if len(part) else 1
    n_replicates = attempted - int(part["has_no_truth"].sum())
    judged = judge_ranks(ranks, n_rank, n_missing=n_replicates - len(ranks))
    scenario, method = divmod(pair, len(labels.methods))
    return {
        "scenario": labels.scenarios[scenario],
        "method": labels.methods[method],
        "estimand": None,
        "group": None,
        "n_replicates": n_replicates,
        "n_used": len(ranks),
        "statistic": judged.statistic,
        "p_value": judged.p_value,
        "p_ranked": judged.p_value if len(ranks) == n_replicates else judge_ranks(ranks, n_rank).p_value,
    }


def _ranked(rows: Rows) -> pd.DataFrame:
    """Return the estimates whose estimand can be ranked, with the code of their cell."""
    keys, labels = rows.keys, rows.keys.labels
    truth, mean, sd = (rows[name] for name in ("truth", "mean", "sd"))
    is_known = (sd == 0) & (np.abs(mean - truth) <= ROUNDING * np.maximum(1, np.abs(truth)))
    table = pd.DataFrame(
        {
            "cell": (_pair(keys) * len(labels.estimands) + keys.estimand) * (labels.n_groups + 1) + keys.group + 1,
            "rank": rows["rank"],
            "n_rank": rows["n_rank"],
            "has_no_truth": np.isnan(truth),
            "says_nothing": np.isnan(truth) | is_known,
        }
    )
    table = table[~table.groupby("cell")["says_nothing"].transform("all").astype(bool)]
    if table.groupby("cell")["n_rank"].nunique().gt(1).any():
        raise TableError("calibration: expected one n_rank in each scenario, method, estimand and group, got several")
    return table


def _pair(keys: Keys) -> np.ndarray:
    """Return the (row,) code of (scenario, method)."""
    return keys.scenario * len(keys.labels.methods) + keys.method
