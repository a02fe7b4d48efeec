"""Conformance of a measure: its value rests on replicates and nothing else, and its MCSE is what it says."""

from collections.abc import Callable
from functools import cache
from typing import get_args

import numpy as np
import pandas as pd

from simstudy.measures import Measure
from simstudy.measures.measure import Better, Source, Which
from simstudy.measures.rows.cells import NAMES, Cells
from simstudy.measures.rows.replicates import Replicates
from simstudy.measures.scoring import Terms, score_cells
from simstudy.testing.expectation import check_choice, expect, expect_close
from simstudy.testing.replicates import LAYOUTS, change_unit, leave_gap, make_replicates, renumber, shuffle_rows

N_CELLS, N_REPLICATES = 3, 60
N_REPEATS = 300
MCSE_RATIO = (0.8, 1.25)  # the spread over 300 repeats has a relative standard error of 4 %, and more with heavy tails
NULL = 0.5
FACTOR, SECONDS = 4.0, 8.0
UNITS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "estimand": lambda value: FACTOR * value,
    "estimand^2": lambda value: FACTOR**2 * value,
    "nat": lambda value: value + np.log(FACTOR),
    "s": lambda value: SECONDS * value,
    "1/s": lambda value: value / SECONDS,
    **dict.fromkeys(("1", "%", "posterior sd", "draws"), lambda value: value),
}
WITHOUT_UNIT = frozenset({"correlation", "share", "weight", "indicator"})
"""Roles of estimands whose unit cannot be changed."""
TEXTS = ("name", "definition", "source", "unit")


def check_measure(measure: Measure) -> None:
    """Check what every measure promises, on made-up replicates whose columns are those of real ones.

    - It is a choice: frozen, hashable, equal to its copy, and it can be pickled; it says what it is, by whom, in which
      unit, and what is better. It needs only columns that there are.
    - It is finite somewhere: for groups with random effects, for one estimand with a constant truth, or for one with a
      truth at the end of its range. A cell without replicates has no value.
    - MCSEs are finite and not negative wherever there is a value (unless ``mcse_method`` is ``none``), and intervals
      contain it. The replicates used and those left out are all there are, and a replicate with a gap is left out.
    - Neither the order of rows and groups, nor the numbers of replicates, nor the cells beside it change a cell.
    - In another unit of the estimand or of time, the value changes as its ``unit`` says, and its MCSE alongside.
    - The MCSE is right: its root mean square over 300 repeats of 60 replicates, over the spread of their values, lies
      in ``MCSE_RATIO``.

    Args:
        measure: as it stands, or would stand, among the registered ones.

    Raises:
        ConformanceError: a promise that is not kept.

    >>> from simstudy.measures import MEASURES
    >>> check_measure(MEASURES["coverage"])
    """
    check_choice(measure)
    _check_texts(measure)
    scored = {layout: _score(measure, _few(layout)) for layout in LAYOUTS}
    is_finite = any(np.isfinite(rows["value"]).any() for rows in scored.values())
    expect(measure, "a finite value in one of three layouts", holds=is_finite, got="none")
    for layout, rows in scored.items():
        _check_numbers(measure, rows)
        _check_invariances(measure, layout, rows)
        _check_unit(measure, layout, rows)
        _check_mcse(measure, _score(measure, _many(layout)))


def _check_texts(measure: Measure) -> None:
    for name in TEXTS:
        text = getattr(measure, name)
        expect(measure, f"a text as {name}", holds=isinstance(text, str) and text.strip(), got=repr(text))
    choices = {"better": (*get_args(Better), None), "rows": get_args(Source), "which": get_args(Which)}
    for name, allowed in choices.items():
        value = getattr(measure, name)
        expect(measure, f"{name} to be one of {allowed}", holds=value in allowed, got=repr(value))
    unknown = set(measure.needs) - set(_few("grouped").columns)
    expect(measure, "needs to be columns of the rows", holds=not unknown, got=", ".join(sorted(unknown)))


@cache
def _few(layout: str) -> Replicates:
    return make_replicates(layout, n_cells=N_CELLS, n_replicates=N_REPLICATES)


@cache
def _many(layout: str) -> Replicates:
    return make_replicates(layout, n_cells=N_REPEATS, n_replicates=N_REPLICATES, seed=1)


def _score(measure: Measure, replicates: Replicates, *, null: float = NULL) -> pd.DataFrame:
    """Return the rows of the performance table, by cell, with the path that runs take."""
    role = measure.roles[0] if measure.roles else "effects"
    cells = [str(i) for i in range(replicates.n_cells)]
    names = pd.DataFrame({"group": cells, "estimand": role, "role": role}).reindex(columns=[*NAMES, "role"])
    names = names.astype(object)
    terms = Terms(levels=((0.95, "lower", "upper"),), null=null)
    (rows,) = score_cells(Cells(replicates=replicates, names=names, n_replicates=replicates.n), [measure], terms)
    return rows.set_index("group").rename_axis(index=None)


def _check_numbers(measure: Measure, rows: pd.DataFrame) -> None:
    value, mcse = rows["value"].to_numpy(float), rows["mcse"].to_numpy(float)
    has_mcse = (rows["mcse_method"] != "none").to_numpy()
    is_error = np.isfinite(mcse) & (mcse >= 0)
    promise = "a finite MCSE, not below 0, of every value (mcse_method 'none' says that there is none)"
    expect(measure, promise, holds=is_error[has_mcse].all(), got=mcse)
    lower, upper = rows["lower"].to_numpy(float), rows["upper"].to_numpy(float)
    is_outside = (value < lower) | (value > upper)
    expect(measure, "the value inside its interval", holds=not is_outside.any(), got=f"{value}, {lower} to {upper}")
    total = rows["n_used"] + rows["n_excluded"]
    promise = "replicates used and left out to be all that there are"
    counts = rows[["n_used", "n_excluded", "n_replicates"]].to_dict("list")
    is_count = (total == rows["n_replicates"]) & (rows["n_used"] >= 0) & (rows["n_used"] <= rows["n_replicates"])
    expect(measure, promise, holds=is_count.all(), got=counts)


def _check_invariances(measure: Measure, layout: str, rows: pd.DataFrame) -> None:
    replicates = _few(layout)
    changes = {
        "whatever the order of rows and groups": shuffle_rows(replicates),
        "whatever the numbers of the replicates": renumber(replicates),
    }
    for how, changed in changes.items():
        _expect_same(measure, f"the same value {how}", _score(measure, changed), rows)
    alone = _score(measure, _renamed(replicates.select(replicates.cell == 0)))
    _expect_same(measure, "the same value without the cells beside it", alone, rows[rows.index == "0"])
    if "0" not in rows.index:
        return
    empty = _score(measure, replicates.select(replicates.cell > 0))
    value = empty["value"][empty.index == "0"].to_numpy(float)
    expect(measure, "no value of a cell without replicates", holds=np.isnan(value).all(), got=value)
    whole, gappy = (
        table["n_used"][table.index == "0"].tolist() for table in (rows, _score(measure, leave_gap(replicates)))
    )
    promise = "a replicate with a gap to be left out, and no other"
    expect(measure, promise, holds=gappy == [n - 1 for n in whole], got=f"{gappy} used, of {whole} without a gap")


def _renamed(replicates: Replicates) -> Replicates:
    """Return replicates of the first cell as those of the only one."""
    return Replicates(columns=replicates.columns, unit=replicates.unit, cell=replicates.cell, n_cells=1)


def _check_unit(measure: Measure, layout: str, rows: pd.DataFrame) -> None:
    """Compare with another unit; a unit that is not in ``UNITS``, or an estimand without one, promises nothing."""
    has_no_unit = measure.roles and set(measure.roles) <= WITHOUT_UNIT
    if measure.unit not in UNITS or has_no_unit:
        return
    changed = _score(measure, change_unit(_few(layout), factor=FACTOR, seconds=SECONDS), null=FACTOR * NULL)
    in_unit = UNITS[measure.unit]
    expected = rows.assign(value=in_unit(rows["value"].to_numpy(float)))
    if measure.unit != "nat":
        expected = expected.assign(mcse=in_unit(rows["mcse"].to_numpy(float)))
    promise = f"the value to go with its unit {measure.unit!r} when the estimand's is changed, or the clock's"
    _expect_same(measure, promise, changed, expected)


def _expect_same(measure: Measure, promise: str, found: pd.DataFrame, expected: pd.DataFrame) -> None:
    expect(measure, promise, holds=list(found.index) == list(expected.index), got=f"cells {list(found.index)}")
    for name, words in (("value", promise), ("mcse", promise.replace("value", "MCSE", 1)), ("n_used", promise)):
        expect_close(measure, words, found=found[name], expected=expected[name])


def _check_mcse(measure: Measure, rows: pd.DataFrame) -> None:
    value, mcse = rows["value"].to_numpy(float), rows["mcse"].to_numpy(float)
    known = np.isfinite(value) & np.isfinite(mcse)
    if known.sum() < N_REPEATS / 2 or not np.ptp(value[known]):
        return
    ratio = np.sqrt(np.mean(mcse[known] ** 2)) / value[known].std(ddof=1)
    promise = f"an MCSE that is the spread of the value over repeats, within {MCSE_RATIO[0]} to {MCSE_RATIO[1]} times"
    expect(measure, promise, holds=MCSE_RATIO[0] <= ratio <= MCSE_RATIO[1], got=f"{ratio:.2f} times")
