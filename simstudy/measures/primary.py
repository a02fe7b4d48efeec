"""What a study is about: the measure, and the estimand, that its answer leads with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simstudy.errors import StudyError, suggestion
from simstudy.measures.registry import MEASURES

OF_NONE = ("fits", "batches")
"""Rows of the measures that are of no estimand."""
EXAMPLE = "rmse:theta, or divergence_rate, which is of no estimand"


@dataclass(frozen=True, kw_only=True)
class Primary:
    """The measure of a study's answer.

    Args:
        measure: its name.
        estimand: of which it is; None for measures of fits.
    """

    measure: str
    estimand: str | None = None


def parse_primary(text: str) -> Primary:
    """Return the measure and estimand of a text such as ``rmse:theta``.

    Raises:
        ValueError: no such measure, or it lacks its estimand; the message says what was expected.

    >>> parse_primary("coverage: tau").estimand, parse_primary("divergence_rate").estimand
    ('tau', None)
    """
    measure, _, estimand = (part.strip() for part in text.partition(":"))
    if measure not in MEASURES:
        near = suggestion(measure, MEASURES)
        raise ValueError(f"a measure and its estimand, such as {EXAMPLE}; got no measure {measure!r}{near}")
    if MEASURES[measure].better is None:
        raise ValueError(f"a measure of which one value is better than another, such as {EXAMPLE}; got {measure!r}")
    of_none = MEASURES[measure].rows in OF_NONE
    if bool(estimand) == of_none:
        alone, named = f"{measure} alone, which is of no estimand", f"{measure} with its estimand, as {measure}:theta"
        raise ValueError(f"{alone if of_none else named}; got {text!r}")
    return Primary(measure=measure, estimand=estimand or None)


def primary_of(study: Mapping[str, Any]) -> Primary | None:
    """Return what a canonical study says that it is about, or None.

    Raises:
        StudyError: it says a measure that is not known, as a user's is not where its file is not loaded.
    """
    said = study["study"].get("primary")
    try:
        return None if said is None else parse_primary(str(said))
    except ValueError as error:
        raise StudyError(
            f"[study] primary: expected {error}; a measure of your own comes with --load FILE.py"
        ) from None
