"""A run, read: the study and its tables as pandas frames, from whole blocks only.

Needs no right to write, takes no lock, and may read a run that is still being written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import BaseModel

from simstudy.errors import RunError, printable
from simstudy.logs import log
from simstudy.store.blocks import RUN_AGAIN, committed_batches, read_part, stored_parts
from simstudy.store.cards import card, size_words
from simstudy.store.documents import (
    DescriptionDocument,
    ProvenanceDocument,
    StudyDocument,
    loaded,
    read_document,
    validated,
)
from simstudy.store.frames import KEYS, Where, as_frame, chosen
from simstudy.store.group_names import group_names
from simstudy.store.inside import digest_inside, is_there, read_inside, said
from simstudy.store.manifest import WHOLE_TABLES, Manifest
from simstudy.store.records import BLOCK_TABLES, Known, known_parts, part_path
from simstudy.store.recovery import NO_MANIFEST, find_problems, lost_batches
from simstudy.store.schema import CELLS, CHAINS, ESTIMANDS, FITS, GROUPS, LABELS, LEVELS, TIMINGS, estimates_schema

if TYPE_CHECKING:
    import xarray

STUDY = "study.json"
STUDY_KEYS = ("study", "mechanism", "methods", "summary", "diagnostics")
PIECE_ROWS = 250_000  # rows that are turned into a frame at once: far fewer cost more calls than work

MOST_NAMED = 3
N_LOOKS = 3  # at a run that a writer may change between two files that belong together
FIXED = {"scenarios": ("scenario", "label"), "methods": ("method",)}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run folder as it stood when it was opened. Satisfies ``types.RunTables``.

    Args:
        folder: run folder.
        study: canonical study.
        batches: names of the finished blocks.
        known: what is known of its parts, by default as it stands when they are first read.
    """

    folder: Path
    study: Mapping[str, Any]
    batches: tuple[str, ...]
    known: Known | None = field(default=None, repr=False, compare=False)

    @classmethod
    def open(cls, folder: str | Path) -> "Run":
        """Open a run folder for reading, as its manifest binds it together; warns of one that has no manifest.

        Raises:
            RunError: The folder is no run, no fit of it is finished, or it is not what its writer left: its study was
                edited, or blocks are missing or foreign.
        """
        run = opened(Path(folder))
        if run.known is not None and run.known.manifest is None:
            log.warning("%s: %s", said(folder), NO_MANIFEST)
        return run

    def __repr__(self) -> str:
        return f"<Run {printable(self._title)}: {self._size}, in {printable(str(self.folder))}>"

    def _repr_html_(self) -> str:
        section = self.study["study"]
        status = self.fits["status"].value_counts()
        told = [f"{status.sum():,}", *(f"{n:,} {name}" for name, n in status.items() if name != "ok" and n)]
        page = self.folder / "report.html"
        facts = {
            "aim": str(section.get("aim", "")),
            "design": self._size,
            "fits": ", ".join(told),
            "folder": str(self.folder),
            "report": str(page) if page.exists() else "",
        }
        methods = [
            {
                "method": m["name"],
                **{key: m[key] for key in ("structure", "model") if m.get(key)},
                "sampler": m["sampler"]["kind"],
                **{key: value for key, value in m["sampler"].items() if key != "kind"},
            }
            for m in self.study["methods"]
        ]
        names = dict.fromkeys(name for method in methods for name in method)
        return card(f"Run {self._title}", facts, [{n: method.get(n, "") for n in names} for method in methods])

    @property
    def _title(self) -> str:
        return str(self.study["study"]["name"])

    @property
    def _size(self) -> str:
        return size_words(len(self.scenarios), len(self.study["methods"]), self.study["study"]["replicates"])

    def to_datatree(self) -> "xarray.DataTree":
        """Return fits, estimates and kept draws as an xarray ``DataTree`` (``store.datatree``), all in memory.

        ``fits`` and ``estimates/<estimand>`` lie over scenario x method x replicate (x group); each of
        ``draws/<method>/<scenario>/<replicate>`` has a ``posterior`` and ``sample_stats`` for ArviZ.

        Raises:
            RunError: xarray is not installed; says how to.
        """
        from simstudy.store.datatree import to_datatree  # with xarray: not before it is asked for

        return to_datatree(self, self.folder)

    def verify(self) -> None:
        """Hold the study and every part of every table to their checksums.

        Raises:
            RunError: A part is damaged, missing or foreign, or the run has lost its checksums; names up to three.
        """
        if problems := find_problems(self.folder, of="numbers"):
            more = f" and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
            raise RunError(
                f"{said(self.folder)} is not as its run wrote it: {'; '.join(problems[:MOST_NAMED])}{more}. Restore it "
                "from a copy made together with its hidden files, or run its study again"
            )

    def require_groups(self) -> None:
        """Make sure that every usable fit has the groups of its data, which methods share, before anything is scored.

        Raises:
            RunError: They were lost with the block that held them; says how many replicates of which scenario.
        """
        usable = self.fits[(self.fits["status"] != "failed").to_numpy()]
        needed = np.unique(self._cells(usable))
        pieces = self.parts("groups", ["scenario", "replicate"])
        lost = np.setdiff1d(needed, np.unique(np.concatenate([np.unique(self._cells(p)) for p in pieces])))
        if len(lost):
            first = usable.iloc[int(np.flatnonzero(self._cells(usable) == lost[0])[0])]
            raise RunError(
                f"{said(self.folder)} has lost the groups of the data of {len(lost)} replicates, the first of them "
                f"replicate {first['replicate']} of scenario {said(str(first['scenario']))}, so that its fits cannot "
                "be scored; `simstudy run` on this folder makes them again"
            )

    def _cells(self, table: pd.DataFrame) -> np.ndarray:
        """Return one whole number for each row's scenario and replicate."""
        labels = table["scenario"].astype("category").cat
        scenario = pd.Index(self._order["scenario"]).get_indexer(labels.categories)[labels.codes]
        return table["replicate"].to_numpy(np.int64) * (len(self._order["scenario"]) + 1) + scenario

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, machine and sessions of the run; empty, with a warning, where there are none to be read."""
        return self._recorded("provenance.json", ProvenanceDocument)

    @cached_property
    def description(self) -> Mapping[str, Any]:
        """What the mechanism and the methods are, in words; empty where the run has none that can be read."""
        return self._recorded("description.json", DescriptionDocument)

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
        return self._whole_or_none("estimands", ESTIMANDS)

    @cached_property
    def labels(self) -> pd.DataFrame:
        """One row per scenario and group that has a name; none for simulated data, and where a run was made before."""
        return self._whole_or_none("labels", LABELS)

    @cached_property
    def levels(self) -> pd.DataFrame:
        """One row per scenario, factor and level (``schema.LEVELS``); none for data with a single grouping."""
        return self._whole_or_none("levels", LEVELS)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """One row per scenario, cell, and factor or covariate (``schema.CELLS``); none for a single grouping."""
        return self._whole_or_none("cells", CELLS)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """One row per scenario, replicate and group; with a ``label`` where groups have names."""
        groups = self._table("groups")
        if not (names := group_names(self)):
            return groups
        keys = zip(groups["scenario"].astype(str), groups["group"], strict=True)
        labels = [names.get(scenario, {}).get(int(group)) for scenario, group in keys]
        return groups.assign(label=pd.Series(labels, index=groups.index, dtype=object))

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
            piece.append(chosen(self._part(table, batch, schema=schema, columns=needed), where))
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
        if keys and table == "groups":  # blocks of groups that were made again have no fits
            names |= set(self.batches) - set(self.fits["batch"])
        for batch in stored_parts(self.folder, table, self.batches, known=self._known):
            if not keys or batch in names:
                yield batch

    @cached_property
    def _known(self) -> Known:
        return self.known or known_parts(self.folder)

    def _part(self, table: str, batch: str, *, schema: pa.Schema | None, columns: list[str] | None = None) -> pa.Table:
        return read_part(self.folder, table, batch, schema=schema, columns=columns, known=self._known)

    def _schema(self, table: str) -> pa.Schema:
        schemas = {"groups": GROUPS, "fits": FITS, "chains": CHAINS, "timings": TIMINGS}
        return schemas.get(table, self._estimates_schema)

    @property
    def _estimates_schema(self) -> pa.Schema:
        return estimates_schema(tuple(self.study["summary"]["levels"]))

    @cached_property
    def _order(self) -> dict[str, list[str]]:
        return {"scenario": list(self.scenarios["scenario"]), "method": list(self.methods["method"])}

    def _recorded(self, name: str, model: type[BaseModel]) -> dict[str, Any]:
        """Return a file that a run can do without."""
        bound = self._known.manifest.files.get(name) if self._known.manifest is not None else None
        try:
            recorded: dict[str, Any] = read_document(model, self.folder, name)
        except FileNotFoundError:
            if bound is not None:  # a run made before has none
                log.warning("%s is missing; what it says is left out", said(self.folder / name))
            return {}
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read (%s); what it says is left out", said(self.folder / name), _why(error))
            return {}
        if bound is not None and digest_inside(self.folder, name) not in bound:
            known = known_parts(self.folder).manifest
            if known is None or digest_inside(self.folder, name) not in known.files.get(name, ()):
                log.warning("%s is not as the run wrote it; what it says is left out", said(self.folder / name))
                return {}
        return recorded

    def _whole(self, table: str) -> pd.DataFrame:
        path = part_path(self.folder, table, table)
        if not is_there(path):
            raise RunError(
                f"{said(self.folder)} has no table of {table}; run its study with --out {said(self.folder)} again"
            )
        frame = self._part(table, table, schema=None).to_pandas()
        if missing := [name for name in FIXED[table] if name not in frame]:
            raise RunError(f"{said(path)} has no column {missing[0]!r}; {RUN_AGAIN}")
        return frame

    def _whole_or_none(self, table: str, schema: pa.Schema) -> pd.DataFrame:
        """Return a table that a run can do without; no rows where it has none."""
        is_known = self._known.digests(table, table) is not None
        if not is_known and not is_there(part_path(self.folder, table, table)):
            return schema.empty_table().to_pandas()
        return self._part(table, table, schema=schema).to_pandas()

    def _table(self, table: str) -> pd.DataFrame:
        schema = self._schema(table)
        batches = stored_parts(self.folder, table, self.batches, known=self._known)
        parts = [self._part(table, batch, schema=schema) for batch in batches]
        whole = pa.concat_tables([schema.empty_table(), *parts])
        return as_frame(whole, key=KEYS[table], order=self._order)


def opened(folder: Path) -> Run:
    """Return the run of a folder, without a word on a manifest that it does not have.

    Raises:
        RunError: as ``Run.open`` says.
    """
    for look in range(N_LOOKS):
        study = _loaded_study(folder)
        _refuse_linked(folder)
        if not (batches := committed_batches(folder)):
            raise RunError(
                f"{said(folder)} is a run without a finished fit; run its study with --out {said(folder)} first"
            )
        known = known_parts(folder)
        try:
            batches = _bound(folder, batches, known)
        except RunError:
            if look == N_LOOKS - 1:
                raise
            continue
        break
    return Run(folder=folder, study=_valid_study(folder, study), batches=batches, known=known)


def read_study(folder: Path) -> dict[str, Any]:
    """Return the canonical study of a run folder.

    Raises:
        RunError: There is none, or it cannot be read.
    """
    return _valid_study(folder, _loaded_study(folder))


def refuse_edited(folder: Path, manifest: Manifest) -> None:
    """Refuse a study that is not the one that the run was made with.

    Raises:
        RunError: ``study.json`` has another digest than the manifest says.
    """
    if digest_inside(folder, STUDY) not in manifest.files.get(STUDY, []):
        raise RunError(
            f"{said(folder / STUDY)} is not as the run wrote it: it was edited, or is of another run; restore it from "
            "a copy, since the numbers that are stored are not of this study"
        )


def _bound(folder: Path, batches: tuple[str, ...], known: Known) -> tuple[str, ...]:
    """Return the blocks that a manifest binds to the run; all of them where there is none.

    Raises:
        RunError: The study was edited, or a block is foreign or lost.
    """
    if known.manifest is None:
        return batches
    refuse_edited(folder, known.manifest)
    mine = tuple(batch for batch in batches if batch not in known.manifest.aside)
    if foreign := [batch for batch in mine if batch not in known.batches]:
        raise RunError(f"{said(folder / 'fits' / foreign[0])}.parquet is no part of this run; {RUN_AGAIN}")
    if lost := lost_batches(folder, known):
        raise RunError(f"{said(folder / 'fits' / lost[0])}.parquet is missing; {RUN_AGAIN}")
    if not mine:
        raise RunError(f"{said(folder)} has no fit left that is not set aside; {RUN_AGAIN}")
    return mine


def _refuse_linked(folder: Path) -> None:
    for table in (*BLOCK_TABLES, *WHOLE_TABLES):
        if (folder / table).is_symlink():
            raise RunError(f"{said(folder / table)} is a link, and no link is followed inside a run; remove it")


def _loaded_study(folder: Path) -> dict[str, Any]:
    if not (folder / STUDY).is_file():
        state = "holds no study.json" if folder.is_dir() else "is a file" if folder.exists() else "does not exist"
        raise RunError(
            f"{said(folder)} is no run folder: it {state}; expected the folder that `simstudy run --out` wrote"
        )
    try:
        study = loaded(read_inside(folder, STUDY))
    except (OSError, ValueError) as error:
        raise RunError(
            f"{said(folder / STUDY)} cannot be read ({_why(error)}); restore it from a copy, or give another folder"
        ) from None
    if missing := [name for name in STUDY_KEYS if not isinstance(study, dict) or name not in study]:
        raise RunError(_no_study(folder, f"it has no {missing[0]!r}"))
    return study


def _valid_study(folder: Path, study: dict[str, Any]) -> dict[str, Any]:
    try:
        validated(StudyDocument, study)
    except ValueError as error:
        raise RunError(_no_study(folder, str(error))) from None
    if len(set(names := estimates_schema(tuple(study["summary"]["levels"])).names)) < len(names):
        raise RunError(_no_study(folder, "two of its 'levels' have columns of one name"))
    return study


def _no_study(folder: Path, why: str) -> str:
    return f"{said(folder / STUDY)} is no study: {why}; restore it from a copy, or give another folder"


def _why(error: OSError | ValueError) -> str:
    return said(error.strerror or str(error) if isinstance(error, OSError) else str(error))
