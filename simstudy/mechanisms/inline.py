"""Data that stand in the study itself: ``values = [10, 12, 9]``, one number a group or a list of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from simstudy.errors import StudyError, shown
from simstudy.tables import Table

LISTS = {"values": "value", "standard_errors": "standard_error", "successes": "successes", "trials": "trials"}
"""Key of a list -> what its numbers are."""
KINDS = ({"values"}, {"values", "standard_errors"}, {"successes", "trials"})
MOST_INLINE = 100_000


def is_inline(section: Mapping[str, Any]) -> bool:
    """Return whether a section holds its data itself."""
    return any(isinstance(section.get(name), list | tuple) for name in (*LISTS, "labels"))


def inline_table(section: Mapping[str, Any]) -> Table:
    """Return the table of the lists of a section, with the columns ``group`` and those of ``LISTS``.

    Args:
        section: ``values`` (a number for each group, or a list of observations for each), ``standard_errors``,
            ``successes`` and ``trials``, ``truth`` and ``labels``, a list each, by group; labels are 1, 2, ... where
            there are none.

    Raises:
        StudyError: they are no numbers, or of different lengths; or groups have the same name.

    >>> inline_table({"values": [[1, 3], [2.5]], "labels": ["a", "b"]}).labels("group", "group").tolist()
    ['a', 'a', 'b']
    """
    lists = {name: section[name] for name in (*LISTS, "truth") if section.get(name) is not None}
    if named := [name for name in ("data", "group", "value", "standard_error") if section.get(name) is not None]:
        inline = next(iter(lists), "labels")
        raise StudyError(f"{named[0]}: the data stand in the study itself, in {inline}; leave one of them out")
    for name, values in lists.items():
        if not isinstance(values, list | tuple) or not values:
            raise StudyError(f"{name}: expected a list with a value for each group, got {shown(values)}")
    if set(lists) - {"truth"} not in KINDS:
        got = ", ".join(lists) or "labels alone"
        raise StudyError(f"values: expected values, values and standard_errors, or successes and trials, got {got}")
    n_groups = len(next(iter(lists.values())))
    for name, values in lists.items():
        if len(values) != n_groups:
            raise StudyError(f"{name}: expected {n_groups} values, one for each group, got {len(values)}")
    sizes = [1] * n_groups
    if any(isinstance(value, list | tuple) for value in lists.get("values", ())):
        lists["values"], sizes = _observations(lists["values"])
        if alone := [name for name in lists if name not in ("values", "truth")]:
            raise StudyError(f"{alone[0]}: expected one value for each group in values, got lists of observations")
    if sum(sizes) > MOST_INLINE:
        raise StudyError(f"values: expected at most {MOST_INLINE:,} in a study, got {sum(sizes):,}; write a file")
    labels = _labels(section.get("labels"), n_groups)
    if "truth" in lists:
        lists["truth"] = _repeated(lists["truth"], sizes)
    columns = {LISTS.get(name, name): _numbers(name, values) for name, values in lists.items()}
    return Table({"group": pa.array(_repeated(labels, sizes), pa.string()), **columns}, n_rows=sum(sizes))


def _observations(values: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Return the observations of all groups one after the other, and how many each has."""
    for i, group in enumerate(values):
        if not isinstance(group, list | tuple) or not group:
            raise StudyError(
                f"values: expected a list of observations for each group, got {shown(group)} as list {i + 1}"
            )
    return [value for group in values for value in group], [len(group) for group in values]


def _labels(given: Any, n_groups: int) -> list[str]:
    if given is None:
        return [str(i + 1) for i in range(n_groups)]
    if not isinstance(given, list | tuple) or len(given) != n_groups:
        n = f"{len(given)} of them" if isinstance(given, list | tuple) else shown(given)
        raise StudyError(f"labels: expected a list of {n_groups} names, one for each group, got {n}")
    for label in given:
        if isinstance(label, bool) or not isinstance(label, str | int) or label == "":
            raise StudyError(f"labels: expected names, got {shown(label)}")
    texts = [str(label) for label in given]
    if broken := [text for text in texts if text != text.encode(errors="replace").decode()]:
        raise StudyError(f"labels: expected texts, got half a character in {shown(broken[0])}")
    if twice := [text for i, text in enumerate(texts) if text in texts[:i]]:
        raise StudyError(f"labels: {shown(twice[0])} stands twice; expected a name of its own for each group")
    return texts


def _numbers(name: str, values: Sequence[Any]) -> pa.Array:
    for i, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise StudyError(f"{name}: expected numbers, got {shown(value)} at place {i + 1}")
    try:
        return pa.array(values, pa.int64() if all(isinstance(value, int) for value in values) else pa.float64())
    except (OverflowError, pa.ArrowException) as error:
        raise StudyError(f"{name}: a number is too large; expected numbers up to 1e+100") from error


def _repeated(values: Sequence[Any], sizes: Sequence[int]) -> list[Any]:
    return [value for value, n in zip(values, sizes, strict=True) for _ in range(n)]
