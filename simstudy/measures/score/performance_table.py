"""From a table of estimates to its performance table."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from simstudy.measures import recovery, robust
from simstudy.measures.choices import check_choice
from simstudy.measures.measure import McseMethod, Measure, Setting
from simstudy.measures.registry import MEASURES
from simstudy.measures.rows.cells import AVERAGE, Cells, nest
from simstudy.measures.rows.replicates import Replicates, Score, proportion_score
from simstudy.measures.score.bootstrap import by_bootstrap
from simstudy.measures.score.estimates import Estimates, Pairs, read_estimates
from simstudy.measures.score.intervals import bounded, infinite_where_unbounded
from simstudy.measures.scoring import Terms, assemble, score_cells
from simstudy.store.schema import PERFORMANCE

McseChoice = Literal["influence", "normal", "bootstrap"]
MCSE_CHOICES: tuple[McseChoice, ...] = get_args(McseChoice)
OF_REFERENCE = ("relative_precision", "mse_ratio")
OF_GROUPS = ("rank_correlation", "prob_best")


def score(
    data: Any,
    *,
    estimate: str,
    truth: str | float,
    se: str | None = None,
    df: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
    p_value: str | None = None,
    level: float = 0.95,
    null: float = 0.0,
    method: str | None = None,
    by: str | Sequence[str] = (),
    replicate: str | None = None,
    group: str | None = None,
    ref: str | None = None,
    pairs: Pairs = "all",
    trim: float = 0.05,
    mcse_method: McseChoice = "influence",
) -> pd.DataFrame:
    """Return the performance of estimates with Monte Carlo standard errors.

    Args:
        data: one row per estimate: a table, the path of a CSV or Parquet file, or a frame (pandas, Polars, Arrow). Rows
            whose estimate is empty or not finite count as excluded. Columns that name something are text as written.
        estimate: column of the estimates.
        truth: column of the true values, or one number. It may vary over replicates and groups; all methods of a
            replicate share it.
        se: column of standard errors (posterior sds), at least 0.
        df: column of degrees of freedom, above 0; intervals are then estimate -+ t se instead of -+ z se.
        lower: column of the intervals' lower ends; without it they are made of ``se``. An interval with an infinite
            end counts in coverage and rejection; the mean width is then infinite.
        upper: column of the intervals' upper ends.
        p_value: column of p-values, in [0, 1]; an estimate rejects where p < 1 - level, whatever its interval.
        level: level of the intervals, in (0, 1).
        null: value that an interval must exclude to reject.
        method: column that names the method.
        by: column or columns that name the scenario.
        replicate: column that names the replicate; methods are paired by it and groups are nested in it. Without it
            each row is a replicate of its own.
        group: column that names the group within the replicate.
        ref: method that relative_precision and mse_ratio refer to, paired by replicate.
        pairs: ``all`` usable estimates, or ``complete``: only replicates for which every method of the scenario has
            one enter any measure.
        trim: share of the largest squared errors that trimmed_mse and winsorized_mse do without, in [0, 0.5).
        mcse_method: ``influence``, right for errors of any distribution. ``normal``: for empirical_se, relative_error
            and relative_precision the forms of Morris et al. 2019, table 6, which their published tables have; they
            hold for normal errors and are too small by 39 % for errors with a kurtosis of 6.4, say, and too large for
            light tails. ``bootstrap``: 500 resamples of the replicates, for every measure.

    Returns:
        The columns of ``by``, then those of ``schema.PERFORMANCE``: one row per scenario, method and measure. One
        without a usable estimate keeps its rows, without a value and with n_used 0.

    Raises:
        TableError: a column is missing or holds what it cannot hold, or options do not go together.

    Warns:
        UserWarning: the reference has no estimate in some scenarios, or intervals have infinite ends.

    >>> table = pd.DataFrame({"x": [1.1, 0.8, 1.3, 0.9], "se": 0.2})
    >>> performance = score(table, estimate="x", truth=1, se="se")
    >>> performance.loc[performance["measure"] == "bias", ["value", "mcse", "n_used"]].round(4).values.tolist()
    [[0.025, 0.1109, 4.0]]
    """
    check_choice("mcse_method", mcse_method, MCSE_CHOICES)
    estimates = read_estimates(
        data,
        estimate=estimate,
        truth=truth,
        se=se,
        df=df,
        lower=lower,
        upper=upper,
        p_value=p_value,
        level=level,
        null=null,
        method=method,
        by=by,
        replicate=replicate,
        group=group,
        ref=ref,
        pairs=pairs,
        trim=trim,
    )
    for note in estimates.notes:
        warnings.warn(note, stacklevel=2)
    return score_estimates(estimates, mcse_method=mcse_method)


def score_estimates(estimates: Estimates, *, mcse_method: McseChoice = "influence") -> pd.DataFrame:
    """Return the performance of estimates, as ``score`` does.

    Raises:
        TableError: an unknown MCSE method.
    """
    check_choice("mcse_method", mcse_method, MCSE_CHOICES)
    columns = bounded(dict(estimates.columns))
    cells = _cells(estimates, columns)
    of_spread: McseMethod = "normal" if mcse_method == "normal" else "influence"
    terms = Terms(
        levels=((estimates.level, "lower", "upper"),),
        policy="paired" if estimates.pairs == "complete" else "available",
        null=estimates.null,
        mcse_method=of_spread,
        trim=estimates.trim,
    )
    measures = measures_of(columns, has_groups=estimates.keys.group is not None)
    if mcse_method == "bootstrap":
        measures = [by_bootstrap(measure) for measure in measures]
    measures = [_kept_when_empty(infinite_where_unbounded(measure)) for measure in measures]
    performance = assemble(score_cells(cells, measures, terms), orders=_orders(cells))
    if estimates.ref is not None:
        of_itself = performance["measure"].isin(OF_REFERENCE) & (performance["method"] == estimates.ref)
        performance = performance[~of_itself].reset_index(drop=True)
    return _with_by(performance, cells, estimates)


def measures_of(columns: dict[str, np.ndarray], *, has_groups: bool) -> list[Measure]:
    """Return the measures that can be taken over some columns, for estimands of any role."""
    own = [one.part for one in MEASURES.extensions.values() if one.part.rows == "estimates"]
    known = [*recovery.MEASURES, *robust.MEASURES, MEASURES["mse_ratio"], *own]
    if has_groups:
        known += [MEASURES[name] for name in OF_GROUPS]
    if "rejects" in columns:
        known = [_by_p_value(measure) if measure.name == "rejection" else measure for measure in known]
    return [replace(m, roles=()) for m in known if set(m.needs) <= set(columns) and m.which != "boundary"]


def _by_p_value(measure: Measure) -> Measure:
    def rejection(cells: Replicates, setting: Setting) -> Score:
        return proportion_score(cells, cells["rejects"] > 0)

    return replace(measure, function=rejection, needs=("rejects",))


def _kept_when_empty(measure: Measure) -> Measure:
    """Return the measure with a row, without a value, of every cell that has no usable estimate."""
    function = measure.function

    def kept(cells: Replicates, setting: Setting) -> Score:
        nothing = np.full(cells.n_cells, np.nan)
        if not len(cells.cell):
            return Score(
                value=nothing, mcse=nothing, mcse_method="none", n_used=cells.n, kept=np.ones(cells.n_cells, bool)
            )
        score = function(cells, setting)
        is_empty = score.n_used == 0
        return replace(
            score,
            value=np.where(is_empty, np.nan, score.value),
            mcse=np.where(is_empty, np.nan, score.mcse),
            kept=is_empty if score.kept is None else is_empty | score.kept,
        )

    return replace(measure, function=kept)


def _cells(estimates: Estimates, columns: dict[str, np.ndarray]) -> Cells:
    keys = estimates.keys
    first = np.unique(keys.cell, return_index=True)[1]
    names = pd.DataFrame(
        {
            "scenario": keys.scenario_texts(first),
            "method": keys.labels[keys.method][first] if keys.method else None,
            "estimand": keys.labels["estimand"][first] if "estimand" in keys.by else estimates.named.estimate,
            "group": AVERAGE if keys.group else None,
            "bin": None,
            "reference": estimates.ref,
            "row": first,
        },
        dtype=object,
    )
    replicates = nest(keys.cell, estimates.replicate, columns, n_cells=len(first))
    return Cells(replicates=replicates, names=names, n_replicates=replicates.n)


def _orders(cells: Cells) -> dict[str, pd.Index]:
    names = cells.names.sort_values("row")
    return {name: pd.Index(names[name].dropna().unique()) for name in ("scenario", "method", "estimand")}


def _with_by(performance: pd.DataFrame, cells: Cells, estimates: Estimates) -> pd.DataFrame:
    """Return the performance with the values that the ``by`` columns have in the table, first."""
    added = [name for name in estimates.keys.by if name not in PERFORMANCE.names]
    keys = ["scenario", "method", "estimand"]
    cell = pd.MultiIndex.from_frame(cells.names[keys].fillna(""))
    row = cells.names["row"].to_numpy(int)[cell.get_indexer(pd.MultiIndex.from_frame(performance[keys].fillna("")))]
    values = pd.DataFrame({name: estimates.by_values[name][row] for name in added}, index=performance.index)
    return pd.concat([values, performance], axis=1)
