"""What a docstring says of the options of a family, or of the keys of a section: its ``Args``, in Google form.

A family states its options once, as annotated fields, and says in its docstring what they are. Who lists options reads
both, so that a family of a stranger's module is listed in its own words.
"""

import inspect
import re
from collections.abc import Iterable

INDENT = " " * 4
HEAD = "Args:"


def words_of(family: type) -> dict[str, str]:
    """Return option -> what it is, in the words of the family, and of those that it extends.

    >>> class Coin:
    ...     '''A coin.
    ...
    ...     Args:
    ...         bias: probability of heads,
    ...             from 0 to 1.
    ...         sides: how many.
    ...     '''
    >>> words_of(Coin)
    {'bias': 'probability of heads, from 0 to 1', 'sides': 'how many'}
    """
    words: dict[str, str] = {}
    for each in reversed(family.__mro__):
        words |= dict(_entries(_section(each.__doc__ or "")))
    return words


def _section(text: str) -> list[str]:
    """Return the lines under ``Args:``, one indentation taken off."""
    lines = inspect.cleandoc(text).splitlines()
    if HEAD not in lines:
        return []
    out = []
    for line in lines[lines.index(HEAD) + 1 :]:
        if not line.startswith(INDENT):
            break
        out.append(line.removeprefix(INDENT))
    return out


def _entries(lines: Iterable[str]) -> list[tuple[str, str]]:
    entries: list[list[str]] = []
    for line in lines:
        if line.startswith(INDENT):
            entries[-1].append(line.strip())
        else:
            entries.append([line])
    pairs = [" ".join(entry).partition(": ") for entry in entries]
    return [(name, text.rstrip(".")) for name, _, text in pairs if re.fullmatch(r"\w+", name)]
