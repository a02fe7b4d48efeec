"""Errors that a user can act on.

Every one of them says what was expected, what came and what to do; the command line prints the message alone and
ends with exit code 2. A fit never raises for numbers: a failed fit is a row with a status and a reason.
"""

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class SimstudyError(Exception):
    """Base of every error that simstudy raises on purpose."""


class StudyError(SimstudyError):
    """A study file, or a study built in Python, that cannot be run as it stands."""


class TableError(SimstudyError):
    """A table that lacks what is asked of it, or whose values cannot be what they claim to be."""


class RunError(SimstudyError):
    """A run folder that cannot be opened, continued or extended."""


class ComparisonError(SimstudyError):
    """Two runs that cannot be compared, or rules of a comparison that cannot be read."""


MOST_SHOWN = 60
SYNONYMS = {"names": "labels", "se": "standard_errors"}
LONGEST_NAME = 200  # what is longer is misspelt from nothing, and would take long to compare
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that a terminal obeys or hides: control, format, halves of pairs, ends of lines."""


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return a text that is safe to log and to print: what a terminal would obey or hide stands as its escape.

    Args:
        text: whatever came, from a file of a stranger's too.
        lines: whether line feeds stay, in a text that has lines of our own.

    >>> printable("a\nb\x1b[31m"), printable("a\nb", lines=True)
    ('a\\nb\\x1b[31m', 'a\nb')
    """
    if text.isprintable():
        return text
    return "".join(
        ascii(letter)[1:-1] if unicodedata.category(letter) in UNSEEN and not (lines and letter == "\n") else letter
        for letter in text
    )


def shown(value: Any) -> str:
    """Return a value as a message shows it: as it stands in a study file, and not at full length.

    >>> shown((1, 2)), shown("x" * 100)
    ('[1, 2]', "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...")
    """
    if isinstance(value, tuple):
        value = list(value)
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write out integers of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def named(name: Any) -> str:
    r"""Return a name as a message says it: as it is, or quoted where it would not be read as a name.

    >>> named("tau"), named("a\nb")
    ('tau', "'a\\nb'")
    """
    return name if isinstance(name, str) and name.isprintable() and len(name) <= MOST_SHOWN else shown(name)


def one_of(allowed: Iterable[str], value: Any) -> str:
    """Return what a message says of a value that is none of the allowed words.

    >>> one_of(["normal", "binomial"], "binominal")
    "expected 'normal' or 'binomial', got 'binominal'; did you mean 'binomial'?"
    """
    words = [repr(word) for word in allowed]
    listed = " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    return f"expected {listed}, got {shown(value)}{suggestion(str(value), allowed)}"


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest of the allowed names, or an empty text.

    >>> suggestion("replicate", ["replicates", "seed"])
    "; did you mean 'replicates'?"
    >>> suggestion("names", ["values", "labels"])
    "; did you mean 'labels'?"
    """
    allowed = list(allowed)
    if (word := SYNONYMS.get(name)) in allowed:
        return f"; did you mean '{word}'?"
    near = get_close_matches(name, allowed, n=1, cutoff=0.5) if len(name) <= LONGEST_NAME else []
    return f"; did you mean '{near[0]}'?" if near else ""
