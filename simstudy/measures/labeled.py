"""Performance with what tells its scenarios apart: their labels, and the factors of the design."""

import pandas as pd

from simstudy.measures.performance import performance as score
from simstudy.store.opening import RunSource, open_run
from simstudy.types import RunTables

LABEL = "label"


def performance(run: RunSource, **options: object) -> pd.DataFrame:
    """Return the performance of every method in every scenario of a run, with labels and factors of the scenarios.

    Args:
        run: the run, or its folder.
        options: as for ``measures.performance``: ``policy``, ``reference``, ``groups``, ``null``, ``mcse_method``.

    Returns:
        The table of ``measures.performance``, with ``label`` behind ``scenario`` and, as last columns, the factors of
        the design: whole numbers as integers, none where a speed of a program has no scenario. A factor that is called
        like a column of the table stands as ``name (factor)``.

    Raises:
        TableError: an unknown policy, reference, choice of groups or MCSE method; tables that do not fit together.
        RunError: the folder is no run, or groups that methods share were lost with a damaged block.
    """
    tables = open_run(run)
    return labeled(score(tables, **options), tables)  # type: ignore[arg-type]


def labeled(table: pd.DataFrame, run: RunTables) -> pd.DataFrame:
    """Return a performance table of a run with labels and factors of its scenarios."""
    scenarios = run.scenarios.assign(scenario=run.scenarios["scenario"].astype(str)).set_index("scenario")
    ids = table["scenario"].astype(object)
    factors = [str(name) for name in scenarios if _is_factor(str(name), scenarios)]
    told = {f"{name} (factor)" if name in table else name: scenarios[name] for name in factors}
    out = table.copy()
    out.insert(list(table).index("scenario") + 1, LABEL, ids.map(scenarios[LABEL]))
    return out.assign(**{name: _levels(ids, levels) for name, levels in told.items()})


def _is_factor(name: str, scenarios: pd.DataFrame) -> bool:
    return name != LABEL and bool(scenarios[name].notna().any())


def _levels(ids: pd.Series, levels: pd.Series) -> pd.Series:
    """Return the level of each row's scenario."""
    of_rows = ids.map(levels)
    is_whole = pd.api.types.is_float_dtype(levels) and (levels.dropna() % 1 == 0).all() and levels.notna().any()
    if is_whole or pd.api.types.is_integer_dtype(levels):
        return of_rows.astype("Float64").astype("Int64")
    return of_rows
