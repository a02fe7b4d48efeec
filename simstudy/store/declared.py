"""What a run declares of its estimands: what they are called, where they can lie, which part they play.

Measures and reports ask for roles, ranges, centers and spreads here, and know no estimand by its name. What a run does
not declare (one made before runs did, or a user's model that says nothing) is read as a quantity of grouped models, or
as one of which nothing but the name is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from simstudy.models.estimands import THETA, Estimand, estimand_of, listed
from simstudy.store.factors import with_neighbors
from simstudy.types import RunTables

SAID = ("role", "symbol", "words", "lower", "upper", "center", "spread", "factor")
MEAN, SD, VARIANCE = "_mean", "_sd", "_var"
"""What the names of mean, sd and variance of the effects of the groups at hand add to the name of the effects."""
OF_LEVELS = "sd[{}]"
"""What the sd of the effects of a factor's levels is called."""
RESIDUAL = "sigma"
"""The sd of an observation around the effect of its group, under every likelihood that has one."""


@dataclass(frozen=True)
class Declared:
    """The declarations of a run by the name of the estimand, as the methods make them together.

    >>> declared = Declared.of_rows([{"method": "a", "estimand": "beta", "role": "location", "symbol": "β"}])
    >>> declared["beta"].symbol, declared["tau"].symbol, declared["gamma"].symbol
    ('β', 'τ', '')
    """

    estimands: Mapping[str, Estimand] = field(default_factory=dict)

    @classmethod
    def of(cls, *runs: RunTables) -> Declared:
        """Return what a run declares, or several together, of which the first that says something is believed."""
        declared = cls.of_rows(row for run in runs for row in run.estimands.to_dict("records"))
        return declared.without_spread({factor for run in runs for factor in with_neighbors(run)})

    def without_spread(self, factors: Collection[str]) -> Declared:
        """Return the declarations for factors whose levels have neighbors, so that no spread is that of all levels.

        The scale of a series or a map is that of its steps, or of what sets a level apart from its neighbors, whatever
        a method takes it for.
        """
        if not factors:
            return self
        return Declared(
            {
                name: replace(e, spread=None) if e.role == "effects" and e.factor in {None, *factors} else e
                for name, e in self.estimands.items()
            }
        )

    def sd_of(self, effects: Estimand) -> list[str]:
        """Return what the standard deviation of the effects of the levels at hand is called, of groups or a factor.

        Of a factor with several kinds of effects it is that of the first.
        """
        of_factor = [e.name for e in self.effects if e.factor == effects.factor]
        is_first = effects.factor is not None and of_factor[:1] == [effects.name]
        return [f"{effects.name}{SD}", *([OF_LEVELS.format(effects.factor)] if is_first else [])]

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[Any, Any]]) -> Declared:
        """Return what the rows of a table of estimands declare.

        Where methods declare the same estimand, the first that says something of it is believed.
        """
        said: dict[str, dict[str, Any]] = {}
        for row in rows:
            known = said.setdefault(str(row["estimand"]), {})
            for name in SAID:
                if not _is_missing(value := row.get(name)):
                    known.setdefault(name, value)
        return cls({e.name: e for e in listed(Estimand(name=name, **known) for name, known in said.items())})

    def __getitem__(self, name: str) -> Estimand:
        """Return the declaration of an estimand."""
        return self.estimands[name] if name in self.estimands else estimand_of(name)

    @property
    def effects(self) -> tuple[Estimand, ...]:
        """The estimands that are effects of groups; those of grouped models where none is declared."""
        return tuple(e for e in self.estimands.values() if e.role == "effects") or (THETA,)

    @property
    def centers(self) -> list[str]:
        """What the effects lie around."""
        return _known(e.center for e in self.effects)

    @property
    def spreads(self) -> list[str]:
        """Their standard deviations around it."""
        return _known(e.spread for e in self.effects)

    @property
    def moments(self) -> list[str]:
        """Mean, sd and variance of the effects of the groups at hand, which follow from the effects."""
        of_groups = [f"{e.name}{ending}" for e in self.effects for ending in (MEAN, SD, VARIANCE)]
        return of_groups + [OF_LEVELS.format(e.factor) for e in self.effects if e.factor is not None]

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Return each name once: quantities of grouped models, then other declared ones, then the rest.

        >>> Declared().in_order(["b", "tau", "a", "theta"])
        ['theta', 'tau', 'b', 'a']
        """
        names = list(dict.fromkeys(names))
        first = [name for name in self.estimands if name in names]
        return [e.name for e in listed(self[name] for name in [*first, *names])]

    def with_role(self, names: Iterable[str], *roles: str) -> list[str]:
        """Return the names that play a role, role by role.

        >>> Declared().with_role(["p", "mu", "theta"], "effects", "mean")
        ['theta', 'p']
        """
        names = self.in_order(names)
        return [name for role in roles for name in names if self[name].role == role]


def _known(names: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value == "" or value != value
