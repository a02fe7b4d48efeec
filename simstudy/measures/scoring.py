"""From cells to rows of the performance table."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from simstudy.errors import TableError, suggestion
from simstudy.measures.measure import McseMethod, Measure, Setting
from simstudy.measures.policies import Policy
from simstudy.measures.rows.cells import NAMES, Cells
from simstudy.measures.rows.replicates import Replicates, Score
from simstudy.store.schema import PERFORMANCE


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The terms on which cells are scored.

    Args:
        levels: interval levels, each with the columns of the interval's ends.
        policy: which fits count.
        replication: ``data``: replicates differ in their data; ``sampler``: in the sampler's seed alone.
        null: value that an interval must exclude to reject.
        mcse_method: for measures of spread.
        trim: share of the largest squared errors that trimmed and winsorized measures do without.
    """

    levels: tuple[tuple[float, str, str], ...]
    policy: Policy = "available"
    replication: Literal["data", "sampler"] = "data"
    null: float = 0.0
    mcse_method: McseMethod = "influence"
    trim: float = 0.05

    def settings(self, measure: Measure) -> list[Setting]:
        """Return one setting per value of the measure in a cell."""
        every = Setting(null=self.null, mcse_method=self.mcse_method, trim=self.trim)
        if not measure.by_level:
            return [every]
        return [replace(every, level=level, lower=lower, upper=upper) for level, lower, upper in self.levels]

    def applies(self, measure: Measure) -> bool:
        """Return whether the measure means something for such replicates and under such a policy."""
        if measure.repeated_data and self.replication == "sampler":
            return False
        return measure.worst is not None or self.policy != "worst_case"


def score_cells(cells: Cells, measures: Iterable[Measure], terms: Terms) -> list[pd.DataFrame]:
    """Return one table per measure and level with the cells in which it is defined.

    A cell without any replicate that counts is kept, with no value, so that its failures are seen.
    """
    tables = []
    for measure in measures:
        if terms.applies(measure):
            tables += [_score(cells, measure, setting, terms) for setting in terms.settings(measure)]
    return tables


def assemble(tables: list[pd.DataFrame], *, orders: dict[str, pd.Index]) -> pd.DataFrame:
    """Return the tables as one, with the columns of the performance table, in the order of its keys.

    Args:
        tables: as ``score_cells`` returns them; their order is that of groups, bins and levels.
        orders: order of the names in some columns; others, and names that it lacks, come last.
    """
    tables = [table for table in tables if len(table)]
    if not tables:
        return PERFORMANCE.empty_table().to_pandas()
    table = pd.concat(tables, ignore_index=True)
    sorted_by = [column for column in ("estimand", "method", "scenario", "policy") if column in orders]
    ranks = [_rank(table[column], orders[column]) for column in sorted_by]
    order = np.lexsort([table["bin"].notna().to_numpy(), *ranks])
    return pa.Table.from_pandas(table.iloc[order], schema=PERFORMANCE, preserve_index=False).to_pandas()


def rows_of(cells: Cells, measure: Measure, setting: Setting) -> Replicates:
    """Return the replicates of cells that a measure is taken over: those with all that it needs.

    Raises:
        TableError: the rows have no such column, which a user's measure may need.
    """
    ends = {"lower": setting.lower, "upper": setting.upper}
    needs = [ends.get(name, name) for name in measure.needs]
    replicates: Replicates = getattr(cells, measure.which)
    if lacking := [name for name in needs if name not in replicates.columns]:
        raise TableError(
            f"the measure {measure.name!r} needs the column {lacking[0]!r}, which the rows of {measure.rows} have not"
            f"{suggestion(lacking[0], replicates.columns)}; they have {', '.join(sorted(replicates.columns))}"
        )
    if measure.roles:
        replicates = cells.with_roles(replicates, measure.roles, names=needs)
    replicates = replicates.complete(needs)
    if replicates.missing is None or measure.worst is None:
        return replicates
    return replace(replicates, missing=replace(replicates.missing, worst=measure.worst))


def _score(cells: Cells, measure: Measure, setting: Setting, terms: Terms) -> pd.DataFrame:
    replicates = rows_of(cells, measure, setting)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = measure.function(replicates, setting)
    stays = cells.all.n == 0 if score.kept is None else (cells.all.n == 0) | score.kept
    kept = np.flatnonzero(np.isfinite(score.value) | stays)
    n_left_out = cells.n_replicates - score.n_used if cells.n_left_out is None else cells.n_left_out
    numbers = {"value": score.value, "mcse": score.mcse, "lower": score.lower, "upper": score.upper}
    return pd.DataFrame(
        {
            **{name: cells.names[name].to_numpy()[kept] for name in NAMES},
            "level": setting.level,
            "measure": measure.name,
            **{name: np.nan if values is None else values[kept] for name, values in numbers.items()},
            "mcse_method": np.broadcast_to(score.mcse_method, score.value.shape)[kept].astype(object),
            "reference": _reference(cells, measure, score)[kept],
            "n_replicates": cells.n_replicates[kept],
            "n_used": score.n_used[kept],
            "n_excluded": n_left_out[kept],
            "policy": terms.policy,
            "replication": terms.replication,
        },
        columns=PERFORMANCE.names,
    )


def _reference(cells: Cells, measure: Measure, score: Score) -> np.ndarray:
    if score.reference is not None:
        return score.reference.astype(object)
    if (measure.rows == "sampler_errors" or "reference_error" in measure.needs) and "reference" in cells.names:
        return cells.names["reference"].to_numpy()
    return np.full(len(cells.names), None, dtype=object)


def _rank(names: pd.Series, order: pd.Index) -> np.ndarray:
    code = order.get_indexer(pd.Index(names))
    return np.where(code < 0, len(order), code)
