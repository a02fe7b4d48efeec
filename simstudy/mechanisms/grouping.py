"""The rows of a table as groups: which columns are what, what they may hold, and their reduction."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import logit

from simstudy.errors import StudyError, shown
from simstudy.tables import Table
from simstudy.tables.table import listed
from simstudy.types import GroupedData

COLUMN_KEYS = ("group", "value", "standard_error", "successes", "trials", "count", "exposure", "truth")
KINDS_OF_COLUMNS = {
    frozenset({"value"}): "normal",
    frozenset({"value", "standard_error"}): "normal_known_se",
    frozenset({"successes", "trials"}): "binomial",
    frozenset({"count"}): "poisson",
    frozenset({"count", "exposure"}): "poisson",
}
RESPONSES = ("value", "successes", "count")
"""Of each kind of observations, the column that tells it from the others."""
EXPECTED = (
    "group and value, group and value and standard_error, group and successes and trials, or group and count (exposure "
    "and truth besides)"
)
LINKS = {"binomial": ("p", logit), "poisson": ("rate", np.log)}
"""Kind -> what the mean of an observation is called, and the link that makes the effect of it."""
MOST_TRIALS = 100_000_000
LARGEST = 1e100  # squares of larger numbers overflow
SMALLEST_ERROR = 1e-100  # as do the reciprocals of squares of smaller ones
LARGEST_EXACT = 2**53  # whole numbers up to here are floats exactly


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """The rows of a table, checked and reduced.

    Args:
        kind: the likelihood that the columns call for.
        columns: what a column is -> its name, those that are used.
        labels: names of the groups, in the order of their first rows.
        data: the groups.
        truth: estimand -> (group,) true values, NaN where unknown; empty where no column has them.
        rows: the columns that are used, as texts and numbers.
    """

    kind: str
    columns: Mapping[str, str]
    labels: tuple[str, ...]
    data: GroupedData
    truth: Mapping[str, np.ndarray]
    rows: pa.Table


def group_rows(table: Table, columns: Mapping[str, str]) -> Grouped:
    """Return the groups of a table.

    Args:
        table: one row per observation, estimate, or count of successes among trials.
        columns: what a column is -> its name; columns of the names that messages use need not be named.

    Raises:
        StudyError: columns that cannot be told, or values that cannot be what they stand for.
        TableError: a column that is not there, or is not of names or numbers.
    """
    columns = chosen_columns(table, columns)
    kind = KINDS_OF_COLUMNS[frozenset(columns) - {"group", "truth"}]
    if not table.n_rows:
        raise StudyError("data: the table has no rows; expected at least one")
    names = table.labels("group", columns["group"])
    numbers = {key: _numbers(table, key, column) for key, column in columns.items() if key != "group"}
    code, labels = pd.factorize(names)
    if kind == "binomial":
        _check_counts(table, numbers["successes"], numbers["trials"], columns)
        data = _binomial(code, numbers)
    elif kind == "poisson":
        _check_rates(table, numbers, columns)
        data = _poisson(code, numbers, labels, columns)
    else:
        data = _normal(code, numbers, labels, columns)
    rows = pa.table({columns[key]: _stored(table, key, columns[key], names, numbers) for key in columns})
    truth = _truth(table, code, numbers["truth"], labels, kind, columns["truth"]) if "truth" in columns else {}
    return Grouped(kind=kind, columns=columns, labels=tuple(labels), data=data, truth=truth, rows=rows)


def chosen_columns(table: Table, given: Mapping[str, str]) -> dict[str, str]:
    """Return what a column is -> its name: those that are named, and others by their own names.

    Where a column of values, errors or counts is named, no other of these is looked for.

    Raises:
        StudyError: they make no data, or could make two kinds; lists the table's columns.

    >>> table = Table({"group": pa.array(["a"]), "value": pa.array([1]), "size": pa.array([2])}, n_rows=1)
    >>> chosen_columns(table, {})
    {'group': 'group', 'value': 'value'}
    """
    by_name = [key for key in COLUMN_KEYS if key in table.names]
    found = dict(given)
    if not set(given) - {"group", "truth"}:
        kinds = [keys for keys in KINDS_OF_COLUMNS if keys <= set(by_name)]
        if len({response for response in RESPONSES for keys in kinds if response in keys}) > 1:
            raise StudyError(
                f"data: the columns {listed(table.names)} could be values or counts; name those that are meant: "
                'value = "value", or successes = "successes" and trials = "trials", or count = "count"'
            )
        largest = max(kinds, key=len, default=frozenset())
        found |= {key: key for key in by_name if key in {*largest, "truth"} - set(given)}
    if "group" in by_name and "group" not in given:
        found["group"] = "group"
    if frozenset(found) - {"group", "truth"} not in KINDS_OF_COLUMNS or "group" not in found:
        if lacking := _lacking(found):
            one, other = lacking
            raise StudyError(
                f'{other}: the column that goes with {one} = "{found[one]}" is missing; name it, of those that there '
                f"are: {listed(table.names)}"
            )
        got = ", ".join(f'{key} = "{column}"' for key, column in found.items()) or "none of them"
        raise StudyError(
            f'data: expected the columns {EXPECTED}, named such as group = "school"; got {got}; the table has '
            f"{listed(table.names)}"
        )
    for key, column in found.items():
        if others := [other for other, name in found.items() if name == column and other != key]:
            raise StudyError(f"{key}: column {column!r} is named for {others[0]} too; name another")
    return {key: found[key] for key in COLUMN_KEYS if key in found}


def _lacking(found: Mapping[str, str]) -> tuple[str, str] | None:
    """Return a column that is named and the one that it lacks, where that is all that is wrong."""
    given = frozenset(found) - {"truth"}
    pairs = {"successes": "trials", "trials": "successes", "standard_error": "value", "exposure": "count"}
    return next(((one, other) for one, other in pairs.items() if given == {"group", one}), None)


def _numbers(table: Table, key: str, column: str) -> np.ndarray:
    """Return the (row,) numbers of a column, of sizes that can be reckoned with."""
    numbers = table.numbers(key, column, may_be_empty=key == "truth")
    _refuse(table, np.abs(numbers) > LARGEST, numbers, key, column, f"expected numbers up to {LARGEST:g}")
    if key == "standard_error":
        _refuse(table, numbers <= 0, numbers, key, column, "expected standard errors above 0")
        _refuse(table, numbers < SMALLEST_ERROR, numbers, key, column, f"expected at least {SMALLEST_ERROR:g}")
    return numbers


def _refuse(table: Table, wrong: np.ndarray, numbers: np.ndarray, key: str, column: str, expected: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise StudyError(f"{key}: column {column!r} has {numbers[row]:.15g} in {table.row_words(row)}; {expected}")


def _check_counts(table: Table, successes: np.ndarray, trials: np.ndarray, columns: Mapping[str, str]) -> None:
    """Refuse rows that are no successes among trials."""
    for key, counts in (("successes", successes), ("trials", trials)):
        _refuse(table, counts != np.rint(counts), counts, key, columns[key], "expected whole numbers")
    _refuse(
        table,
        trials < 1,
        trials,
        "trials",
        columns["trials"],
        "expected at least 1 trial in each row; leave the row out",
    )
    _refuse(table, successes < 0, successes, "successes", columns["successes"], "expected 0 or more")
    if (wrong := successes > trials).any():
        row = int(np.argmax(wrong))
        raise StudyError(
            f"successes: column {columns['successes']!r} has {successes[row]:.15g} in {table.row_words(row)}, above "
            f"the {trials[row]:.15g} trials there; expected 0 <= successes <= trials"
        )
    total = np.cumsum(trials)
    what = f"with it the table has more than {MOST_TRIALS:,} trials, the most that can be read"
    _refuse(table, total > MOST_TRIALS, trials, "trials", columns["trials"], what)


def _check_rates(table: Table, numbers: Mapping[str, np.ndarray], columns: Mapping[str, str]) -> None:
    """Refuse rows that are no counts, or have no exposure."""
    count = numbers["count"]
    _refuse(table, count != np.rint(count), count, "count", columns["count"], "expected whole numbers")
    _refuse(table, count < 0, count, "count", columns["count"], "expected 0 or more")
    _refuse(table, count >= LARGEST_EXACT, count, "count", columns["count"], f"expected less than {LARGEST_EXACT:,}")
    if "exposure" in numbers:
        exposure = numbers["exposure"]
        _refuse(table, exposure <= 0, exposure, "exposure", columns["exposure"], "expected exposures above 0")
        _refuse(
            table,
            exposure < SMALLEST_ERROR,
            exposure,
            "exposure",
            columns["exposure"],
            f"expected at least {SMALLEST_ERROR:g}",
        )


def _poisson(
    code: np.ndarray, numbers: Mapping[str, np.ndarray], labels: np.ndarray, columns: Mapping[str, str]
) -> GroupedData:
    """Return counts by group; those of a group have one exposure, so that any likelihood of counts can be theirs."""
    data = _normal(code, {"value": numbers["count"]}, labels, columns)
    if "exposure" not in numbers:
        return data
    each = pd.Series(numbers["exposure"]).groupby(code)
    least, most = each.min().to_numpy(float), each.max().to_numpy(float)
    if (differs := most > least).any():
        group = int(np.argmax(differs))
        raise StudyError(
            f"exposure: column {columns['exposure']!r} has {least[group]:g} and {most[group]:g} for group "
            f"{shown(str(labels[group]))}; expected one exposure for the counts of a group: add up its rows, or "
            "name the groups in [mechanism.terms.NAME], where counts of different exposures stand apart"
        )
    return replace(data, exposure=data.n_obs * least)


def _binomial(code: np.ndarray, numbers: Mapping[str, np.ndarray]) -> GroupedData:
    k, n = (np.bincount(code, weights=numbers[key]) for key in ("successes", "trials"))
    y = np.concatenate([np.repeat([1.0, 0.0], [int(a), int(b - a)]) for a, b in zip(k, n, strict=True)])
    mean = k / n
    return GroupedData(n_obs=n.astype(np.int64), y_mean=mean, y_ss=n * mean * (1 - mean), y=y)


def _normal(
    code: np.ndarray, numbers: Mapping[str, np.ndarray], labels: np.ndarray, columns: Mapping[str, str]
) -> GroupedData:
    n = np.bincount(code)
    # Compensated sums, whose last bits those of runs made before are.
    mean = pd.Series(numbers["value"]).groupby(code).mean().to_numpy(float)
    y = numbers["value"][np.argsort(code, kind="stable")]
    known_se = None
    if "standard_error" in numbers:
        if (n > 1).any():
            several = int(np.argmax(n > 1))
            raise StudyError(
                f"standard_error: expected one estimate in each group, got several: {shown(str(labels[several]))} of "
                f"column {columns['group']!r} has {n[several]}"
            )
        known_se = numbers["standard_error"]
    within = np.add.reduceat((y - np.repeat(mean, n)) ** 2, np.concatenate([[0], np.cumsum(n)[:-1]]))
    return GroupedData(n_obs=n.astype(np.int64), y_mean=mean, y_ss=within, known_se=known_se, y=y)


def _truth(
    table: Table, code: np.ndarray, given: np.ndarray, labels: np.ndarray, kind: str, column: str
) -> dict[str, np.ndarray]:
    """Return the truth of each group, NaN where no row has one; an infinite effect is no truth to be compared with."""
    if kind == "binomial":
        _refuse(table, (given < 0) | (given > 1), given, "truth", column, "expected probabilities, from 0 to 1")
    if kind == "poisson":
        _refuse(table, given < 0, given, "truth", column, "expected rates, 0 or more")
    groups = pd.Series(given).groupby(code)
    least, most = groups.min().to_numpy(float), groups.max().to_numpy(float)
    if (differs := most > least).any():
        group = int(np.argmax(differs))
        raise StudyError(
            f"truth: column {column!r} has {least[group]:g} and {most[group]:g} for group "
            f"{shown(str(labels[group]))}; expected one true value for a group"
        )
    if kind not in LINKS:
        return {"theta": least}
    mean, link = LINKS[kind]
    with np.errstate(divide="ignore"):
        effect = link(least)
    return {mean: least, "theta": np.where(np.isfinite(effect), effect, np.nan)}


def _stored(table: Table, key: str, column: str, names: np.ndarray, numbers: Mapping[str, Any]) -> pa.Array:
    """Return a column as texts, whole numbers or floats: what it was read as."""
    if key == "group":
        return pa.array(names, pa.string())
    values = numbers[key]
    if table.is_whole(column) and (np.abs(values) < LARGEST_EXACT).all():
        return pa.array(values.astype(np.int64))
    return pa.array(values, from_pandas=True)
