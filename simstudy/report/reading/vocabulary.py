"""The letters and words of the run that is spoken of.

Figures and sentences are functions of tables, which hold names alone. While a run is reported (``speaking``), its own
declarations say what its estimands and factors are called; otherwise those of grouped models do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import pandas as pd

from simstudy.models.estimands import Estimand
from simstudy.store.declared import Declared

COUNTS = {"groups": "J", "group_size": "n", "standard_error": "se"}
"""Letters of what designs of groups have: how many there are, how many observations each has, or its standard error."""


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What estimands and factors are called.

    Args:
        declared: what is declared of the estimands.
        factors: factor of the design -> its letter.
    """

    declared: Declared = field(default_factory=Declared)
    factors: Mapping[str, str] = field(default_factory=dict)


_SPOKEN: ContextVar[Vocabulary] = ContextVar("vocabulary", default=Vocabulary())  # noqa: B039 - nothing changes it


@contextmanager
def speaking(vocabulary: Vocabulary) -> Iterator[None]:
    """Call estimands and factors as a vocabulary does, inside the block.

    >>> beta = Declared.of_rows([{"estimand": "beta", "symbol": "β"}])
    >>> with speaking(Vocabulary(declared=beta)):
    ...     declared()["beta"].symbol
    'β'
    """
    token = _SPOKEN.set(vocabulary)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def declared() -> Declared:
    """Return what is declared of the estimands that are spoken of."""
    return _SPOKEN.get().declared


def factor_letter(factor: str) -> str:
    """Return the letter of a factor of the design, or its name where it has none.

    >>> factor_letter("tau"), factor_letter("groups"), factor_letter("reaction")
    ('τ', 'J', 'reaction')
    """
    return {**COUNTS, **_SPOKEN.get().factors}.get(factor) or declared()[factor].symbol or factor


def effects() -> Estimand:
    """Return the effects of groups that are spoken of: of several kinds the first."""
    return declared().effects[0]


def hyperparameters() -> list[str]:
    """Return the center and the spread of the effects.

    >>> hyperparameters()
    ['mu', 'tau']
    """
    return [name for name in (effects().center, effects().spread) if name]


def with_role(rows: pd.DataFrame, *roles: str) -> pd.DataFrame:
    """Return the rows of the estimands that play one of some roles."""
    names = [str(name) for name in rows["estimand"].dropna().unique()]
    return rows[rows["estimand"].isin(declared().with_role(names, *roles))]
