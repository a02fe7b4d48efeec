"""A run, read: the study and its tables as pandas frames, from whole blocks only.

Needs no right to write, takes no lock, and may read a run that is still being written.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from simstudy.errors import RunError
from simstudy.store.blocks import committed_batches, find_problems, part_path, read_part, stored_parts
from simstudy.store.frames import KEYS, Where, as_frame, chosen
from simstudy.store.schema import CHAINS, ESTIMANDS, FITS, GROUPS, TIMINGS, estimates_schema

STUDY_KEYS = ("study", "mechanism", "methods", "summary", "diagnostics")
PIECE_ROWS = 250_000  # rows that are turned into a frame at once: far fewer cost more calls than work

MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run folder as it stood when it was opened. Satisfies ``types.RunTables``.

    Args:
        folder: run folder.
        study: canonical study.
        batches: names of the finished blocks.
    """

    folder: Path
    study: Mapping[str, Any]
    batches: tuple[str, ...]

    @classmethod
    def open(cls, folder: str | Path) -> "Run":
        """Open a run folder for reading.

        Raises:
            RunError: The folder is no run, or no fit of it is finished.
        """
        folder = Path(folder)
        study = read_study(folder)
        if not (batches := committed_batches(folder)):
            raise RunError(f"{folder} is a run without a finished fit; run its study with --out {folder} first")
        return cls(folder=folder, study=study, batches=batches)

    def verify(self) -> None:
        """Hold every part of every table to its checksum.

        Raises:
            RunError: A part is damaged, missing or foreign, or the run has lost its checksums; names up to three.
        """
        if problems := find_problems(self.folder):
            more = f" and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
            raise RunError(
                f"{self.folder} is not as its run wrote it: {'; '.join(problems[:MOST_NAMED])}{more}. Restore it from "
                "a copy made together with its hidden files, or run its study again"
            )

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, machine and sessions of the run; empty where none were recorded."""
        return self._recorded("provenance.json")

    @cached_property
    def description(self) -> Mapping[str, Any]:
        """What the mechanism and the methods are, in words; empty where the run was made before runs told."""
        return self._recorded("description.json")

    @cached_property
    def scenarios(self) -> pd.DataFrame:
        """One row per scenario, in the order of the study."""
        return self._whole("scenarios")

    @cached_property
    def methods(self) -> pd.DataFrame:
        """One row per method, in the order of the study."""
        return self._whole("methods")

    @cached_property
    def estimands(self) -> pd.DataFrame:
        """One row per method and estimand that it declares; none where the run was made before runs told."""
        if not part_path(self.folder, "estimands", "estimands").exists():
            return ESTIMANDS.empty_table().to_pandas()
        return read_part(self.folder, "estimands", "estimands", schema=ESTIMANDS).to_pandas()

    @cached_property
    def groups(self) -> pd.DataFrame:
        """One row per scenario, replicate and group."""
        return self._table("groups")

    @cached_property
    def fits(self) -> pd.DataFrame:
        """One row per scenario, replicate and method."""
        return self._table("fits")

    @cached_property
    def chains(self) -> pd.DataFrame:
        """One row per fit and chain."""
        return self._table("chains")

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """One row per fit, estimand and group; ``parts`` reads them within bounds of memory."""
        return self._table("estimates")

    @cached_property
    def timings(self) -> pd.DataFrame:
        """One row per batch."""
        return self._table("timings")

    def parts(
        self, table: str, columns: Sequence[str] | None = None, *, where: Where | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield a table in pieces of bounded size, at least one, which together are the table.

        A fit's rows are never divided.

        Args:
            table: ``groups``, ``fits``, ``chains``, ``estimates`` or ``timings``.
            columns: columns to read; all by default.
            where: label column, or ``replicate`` -> the values whose rows are wanted. Blocks without a wanted fit are
                not opened.
        """
        schema, where = self._schema(table), where or {}
        needed = None if columns is None else [*dict.fromkeys((*columns, *where))]
        nothing = schema.empty_table() if needed is None else schema.empty_table().select(needed)
        piece, is_first = [nothing], True
        for batch in self._batches(table, where):
            piece.append(chosen(read_part(self.folder, table, batch, schema=schema, columns=needed), where))
            if sum(part.num_rows for part in piece) >= PIECE_ROWS:
                yield self._piece(piece, columns)
                piece, is_first = [], False
        if piece or is_first:
            yield self._piece(piece, columns)

    def _piece(self, parts: list[pa.Table], columns: Sequence[str] | None) -> pd.DataFrame:
        frame = as_frame(pa.concat_tables(parts), key=(), order=self._order)
        return frame if columns is None else frame[list(columns)]

    def _batches(self, table: str, where: Where) -> Iterator[str]:
        """Yield the batches that have a part of the table and a fit that is wanted."""
        keys = [name for name in KEYS["fits"] if name in where]
        wanted = (
            self.fits["batch"][np.all([self.fits[name].isin(where[name]) for name in keys], axis=0)] if keys else ()
        )
        names = set(wanted)
        for batch in stored_parts(self.folder, table, self.batches):
            if not keys or batch in names:
                yield batch

    def _schema(self, table: str) -> pa.Schema:
        schemas = {"groups": GROUPS, "fits": FITS, "chains": CHAINS, "timings": TIMINGS}
        return schemas.get(table, self._estimates_schema)

    @property
    def _estimates_schema(self) -> pa.Schema:
        return estimates_schema(tuple(self.study["summary"]["levels"]))

    @cached_property
    def _order(self) -> dict[str, list[str]]:
        return {"scenario": list(self.scenarios["scenario"]), "method": list(self.methods["method"])}

    def _recorded(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        return _read_json(path) if path.exists() else {}

    def _whole(self, table: str) -> pd.DataFrame:
        if not part_path(self.folder, table, table).exists():
            raise RunError(f"{self.folder} has no table of {table}; run its study with --out {self.folder} again")
        return read_part(self.folder, table, table, schema=None).to_pandas()

    def _table(self, table: str) -> pd.DataFrame:
        schema = self._schema(table)
        batches = stored_parts(self.folder, table, self.batches)
        parts = [read_part(self.folder, table, batch, schema=schema) for batch in batches]
        whole = pa.concat_tables([schema.empty_table(), *parts])
        return as_frame(whole, key=KEYS[table], order=self._order)


def read_study(folder: Path) -> dict[str, Any]:
    """Return the canonical study of a run folder.

    Raises:
        RunError: There is none, or it cannot be read.
    """
    if not (folder / "study.json").is_file():
        state = "holds no study.json" if folder.is_dir() else "is a file" if folder.exists() else "does not exist"
        raise RunError(f"{folder} is no run folder: it {state}; expected the folder that `simstudy run --out` wrote")
    study = _read_json(folder / "study.json")
    if missing := [name for name in STUDY_KEYS if not isinstance(study, dict) or name not in study]:
        raise RunError(
            f"{folder / 'study.json'} is no study: it has no {missing[0]!r}; restore it from a copy, or give another "
            "folder"
        )
    return study


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error}); restore it from a copy, or give another folder") from None
