"""The two runs of a comparison: opened, held to their checksums, and narrowed to what is compared."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from simstudy.errors import ComparisonError, suggestion
from simstudy.store import Run
from simstudy.store.opening import RunSource, open_run
from simstudy.types import RunTables


def open_verified(source: RunSource) -> RunTables:
    """Return a run whose stored parts are those that its writer stored.

    Args:
        source: run folder, opened run, or tables that are in no folder and cannot be verified.

    Raises:
        RunError: the folder is no run, its study or a part of it was changed since it was written, or groups that
            methods share were lost with a damaged block.
    """
    run = open_run(source)
    if isinstance(run, Run):
        run.verify()
        run.require_groups()
    return run


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """The tables of a run for some of its scenarios and methods. Satisfies ``types.RunTables``.

    Args:
        run: the run.
        kept_scenarios: ids, in the order that the tables are to have.
        kept_methods: method -> the name it is compared under.
    """

    run: RunTables
    kept_scenarios: tuple[str, ...]
    kept_methods: Mapping[str, str]

    @property
    def study(self) -> Mapping[str, Any]:
        """Canonical study of the run."""
        return self.run.study

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Provenance of the run."""
        return self.run.provenance

    @cached_property
    def scenarios(self) -> pd.DataFrame:
        """Scenarios that are kept."""
        return self._narrow(self.run.scenarios)

    @cached_property
    def methods(self) -> pd.DataFrame:
        """Methods that are kept."""
        return self._narrow(self.run.methods)

    @cached_property
    def estimands(self) -> pd.DataFrame:
        """What the kept methods declare of their estimands."""
        return self._narrow(self.run.estimands)

    @property
    def description(self) -> Mapping[str, Any]:
        """Description of the run, with its own names of methods."""
        return self.run.description

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Groups of the kept scenarios."""
        return self._narrow(self.run.groups)

    @cached_property
    def fits(self) -> pd.DataFrame:
        """Fits that are kept."""
        return self._narrow(self.run.fits)

    @cached_property
    def chains(self) -> pd.DataFrame:
        """Chains of the kept fits."""
        return self._narrow(self.run.chains)

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """Estimates of the kept fits."""
        return self._narrow(self.run.estimates)

    @cached_property
    def timings(self) -> pd.DataFrame:
        """Batches of the kept methods."""
        return self._narrow(self.run.timings)

    def parts(
        self, table: str, columns: Sequence[str] | None = None, *, where: Mapping[str, Collection[str]] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield what is kept of a table in pieces, as ``RunTables.parts`` does."""
        keys = ("scenario",) if table == "groups" else ("scenario", "method")
        needed = None if columns is None else [*dict.fromkeys((*columns, *keys))]
        where = dict(where or {})
        if "method" in where:
            where["method"] = {old for old, new in self.kept_methods.items() if new in where["method"]}
        for piece in self.run.parts(table, needed, where=where):
            kept = self._narrow(piece)
            yield kept if columns is None else kept[list(columns)]

    def _narrow(self, table: pd.DataFrame) -> pd.DataFrame:
        for column, kept in (("scenario", self.kept_scenarios), ("method", tuple(self.kept_methods))):
            if column in table and not (inside := table[column].isin(kept)).all():
                table = table[inside]
        renames = {old: new for old, new in self.kept_methods.items() if old != new}
        if renames and "method" in table:
            table = table.assign(method=table["method"].astype(object).map(lambda name: renames.get(name, name)))
        return table.reset_index(drop=True)


def chosen_method(run: RunTables, name: str, *, side: str) -> str:
    """Return the name of a method that the run has.

    Raises:
        ComparisonError: it has none of that name.
    """
    known = run.methods["method"].astype(str).tolist()
    if name not in known:
        raise ComparisonError(
            f"--{side}-method {name!r}: the {side} has no such method{suggestion(name, known)}; it has "
            f"{', '.join(known)}"
        )
    return name
