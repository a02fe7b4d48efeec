"""Whether a run, or what was published of one, is what it says: files held to digests, fits run again.

Nothing in the folder is executed: a user's models have to be registered by whoever checks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simstudy.crate.agreement import DIFFERENT, EQUAL, UNKNOWN, WITHIN, agreement
from simstudy.crate.files import RUN, find_changes
from simstudy.crate.metadata import METADATA
from simstudy.errors import TableError
from simstudy.store import Run
from simstudy.store.inside import is_there
from simstudy.store.opening import RunSource, open_folder
from simstudy.store.recovery import NO_MANIFEST
from simstudy.store.verification import verify as verify_run

MOST_FITS = 100_000


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a check found.

    Args:
        folder: what was checked.
        problems: what is missing, foreign or edited, a line each.
        fits: the fits that were run again, a row each (``crate.agreement``).
        n_stored: how many fits the run has.
    """

    folder: Path
    problems: tuple[str, ...]
    fits: pd.DataFrame
    n_stored: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing was edited, and every fit that was run again is the stored one or within its error."""
        return not self.problems and not (self.fits["verdict"] == DIFFERENT).any()

    @property
    def sentences(self) -> list[str]:
        """What the fits that were run again say, a line each; nothing where none was."""
        if self.fits.empty:
            return []
        counts = self.fits["verdict"].value_counts()
        n = {verdict: int(counts.get(verdict, 0)) for verdict in (EQUAL, WITHIN, UNKNOWN, DIFFERENT)}
        lines = [
            f"{len(self.fits):,} of {self.n_stored:,} fits run again: {n[EQUAL]:,} equal the stored ones bit for bit"
            + "".join(f", {n[v]:,} {_SAID[v]}" for v in (WITHIN, UNKNOWN, DIFFERENT) if n[v])
        ]
        others = self.fits[(self.fits["verdict"] != EQUAL) & (self.fits["largest_sds"] > 0)]
        if len(others):
            worst = others.sort_values("largest_sds", kind="stable").iloc[-1]
            lines.append(
                f"largest difference: {worst['largest_sds']:.2g} posterior sds, in {worst['where']} of replicate "
                f"{worst['replicate']}, method {worst['method']}, scenario {worst['scenario']}"
            )
        for row in self.fits[self.fits["verdict"] == DIFFERENT].to_dict("records"):
            lines.append(
                f"different: replicate {row['replicate']}, method {row['method']}, scenario {row['scenario']}: "
                f"{row['why']}"
            )
        return lines


_SAID = {
    WITHIN: "within Monte Carlo error",
    UNKNOWN: "apart where chains did not mix, so that the Monte Carlo error is not known",
    DIFFERENT: "different",
}


def verify(folder: RunSource, *, fits: int = 0, seed: int = 0, data_folder: str | Path | None = None) -> Verification:
    """Check a run folder or a published folder, and run some of its fits again.

    Args:
        folder: of a run, the run itself, or what ``publish`` wrote; it is not changed, and nothing in it is executed.
        fits: how many fits, drawn at random without replacement, are simulated and fitted again; all where the run has
            no more.
        seed: of the draw.
        data_folder: of the data file of a study on a user's own data, for a run made before runs kept their data.

    Raises:
        RunError: it is neither, or its study cannot be made again.
        StudyError: a model or mechanism of the study is not registered, or is another one now.
        TableError: a number of fits that is none.
    """
    if not 0 <= fits <= MOST_FITS:
        raise TableError(f"fits: expected a number from 0 to {MOST_FITS:,}, got {fits}")
    folder = Path(folder) if isinstance(folder, str | os.PathLike) else open_folder(folder).folder
    is_crate = is_there(folder / METADATA)
    problems = find_changes(folder) if is_crate else []
    place = folder / RUN if is_crate else folder
    if not is_crate or (is_there(place) and not place.is_symlink()):
        problems += [f"{RUN}/: {problem}" if is_crate else problem for problem in verify_run(place)]
    if not fits or any(NO_MANIFEST not in problem for problem in problems):
        return Verification(folder=folder, problems=tuple(problems), fits=agreement([]), n_stored=0)
    run = Run.open(place)
    chosen = drawn(run.fits, fits, seed=seed)
    again = agreement(_again(run, chosen, data_folder))
    return Verification(folder=folder, problems=tuple(problems), fits=again, n_stored=len(run.fits))


def drawn(table: pd.DataFrame, n: int, *, seed: int) -> pd.DataFrame:
    """Return some rows of a table, drawn at random without replacement, in their order.

    >>> drawn(pd.DataFrame({"replicate": range(1000)}), 3, seed=0)["replicate"].tolist()
    [511, 636, 848]
    """
    if n >= len(table):
        return table
    places = np.random.default_rng(seed).choice(len(table), n, replace=False)
    return table.iloc[np.sort(places)]


def _again(run: Run, chosen: pd.DataFrame, data_folder: str | Path | None) -> Iterator[tuple[Any, str]]:
    """Yield each fit, run again, with its stored status."""
    from simstudy.fitting.refitting import refits  # with JAX: not before a fit is run again

    keys = zip(chosen["scenario"].astype(str), chosen["replicate"], chosen["method"].astype(str), strict=True)
    known = dict(zip(keys, chosen["status"].astype(str), strict=True))
    for again in refits(run, chosen, folder=data_folder):
        yield again, known[(str(again.fit["scenario"]), again.fit["replicate"], str(again.fit["method"]))]
