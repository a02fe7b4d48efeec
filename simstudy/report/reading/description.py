"""What a report knows of a study beside its numbers: the words that its parts have for themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd

from simstudy.report.reading.before import describe_before, names_of
from simstudy.report.reading.vocabulary import Vocabulary
from simstudy.store.declared import Declared
from simstudy.store.factors import EXCHANGEABLE
from simstudy.store.traits import TRUE, exact_samplers, has_fixed_data, pooling_of
from simstudy.types import RunTables


class Planned(Protocol):
    """A study that there need be no run of, as ``simstudy.Study``."""

    @property
    def canonical(self) -> Mapping[str, Any]:
        """The study as JSON values with every default spelled out."""

    @property
    def description(self) -> Mapping[str, Any]:
        """What its parts are, in words."""

    @property
    def simulated(self) -> Mapping[str, Any]:
        """What one replicate and users' programs tell (``study.simulated``); empty where no part is a user's."""

    def estimand_rows(self) -> Sequence[Mapping[str, Any]]:
        """Return what each method declares of each of its estimands."""

    def level_rows(self) -> Sequence[Mapping[str, Any]]:
        """Return the rows of the table of levels."""

    def method_rows(self) -> Sequence[Mapping[str, Any]]:
        """Return the rows of the table of methods."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """A study in its own words.

    Args:
        study: canonical study.
        words: of ``mechanism`` and ``methods``, as ``description.json`` has them.
        declared: what the methods declare of their estimands.
        pooling: parts that the methods play among the pooling models.
        is_exact: whether every method draws from its posterior without error.
    """

    study: Mapping[str, Any]
    words: Mapping[str, Any] = field(default_factory=dict)
    declared: Declared = field(default_factory=Declared)
    pooling: frozenset[str] = frozenset()
    is_exact: bool = False

    @classmethod
    def of(cls, run: RunTables) -> Description:
        """Return the description of a run."""
        return cls(
            study=run.study,
            words=run.description or describe_before(run.study),
            declared=Declared.of(run),
            pooling=_parts(run.methods),
            is_exact=exact_samplers(run) == frozenset(run.methods["method"].astype(str)),
        )

    @classmethod
    def of_planned(cls, planned: Planned) -> Description:
        """Return the description of a study that there need be no run of."""
        near = {str(row["factor"]) for row in planned.level_rows() if row["layout"] != EXCHANGEABLE}
        methods = pd.DataFrame(planned.method_rows())
        return cls(
            study=planned.canonical,
            words=planned.description,
            declared=Declared.of_rows(planned.estimand_rows()).without_spread(near),
            pooling=_parts(methods),
            is_exact="is_exact" in methods and bool(methods["is_exact"].isin(TRUE).all()),
        )

    @property
    def mechanism(self) -> Mapping[str, Any]:
        """``words``, ``likelihood``, ``effects``, each empty where there is nothing to say, and ``symbols``."""
        return self.words.get("mechanism", {})

    @property
    def vocabulary(self) -> Vocabulary:
        """What its estimands and factors are called."""
        return Vocabulary(declared=self.declared, factors=self.mechanism.get("symbols", {}))

    @property
    def has_fixed_data(self) -> bool:
        """Whether all replicates have the same, real data."""
        return has_fixed_data(self.study, self.words)

    @property
    def extensions(self) -> list[str]:
        """The parts that do not come with the package, a line each: what they are and which text they have."""
        lines = []
        for one in self.words.get("extensions", ()):
            said = f"{one['part']}: {one['words'].removesuffix('.')}" if one["words"] else one["part"]
            lines.append(f"{said} ({one['package']}{', ' if one['package'] else ''}source {one['source']})")
        return lines

    def of_method(self, method: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return ``model`` and ``sampler`` of a method in words, and ``priors_of_data`` where it has such priors."""
        name = str(method["name"])
        return self.words.get("methods", {}).get(name) or names_of({**self.study, "methods": [method]})["methods"][name]


def _parts(methods: pd.DataFrame) -> frozenset[str]:
    return frozenset(pooling_of(methods).dropna().astype(str))
