"""One stored fit, run again alone: its draws, its rows, and whether they are the stored ones bit for bit.

The study comes from the run folder, and so do data of a user's own; simulated data and the draws come from their keys.
Nothing in the run is changed. What the run does not hold has to be there again: a user's model or mechanism
(registered), and the file of a data set where the run was made before runs kept their data.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from simstudy.errors import RunError, StudyError, printable, suggestion
from simstudy.executors import configure_compilation_cache
from simstudy.fitting.blocks import Block, blocks_of
from simstudy.fitting.fitting import fit_block
from simstudy.fitting.rows import KeptDraws
from simstudy.store import Run
from simstudy.store.declared import Declared
from simstudy.store.factors import names_by_level
from simstudy.store.frames import KEYS, as_frame
from simstudy.store.labels import begun_by, labeled, listed
from simstudy.store.opening import RunSource, open_folder
from simstudy.store.parts import as_table
from simstudy.store.schema import FITS, estimates_schema
from simstudy.study.opening import study_of
from simstudy.study.study import Study

MOST_LISTED = 30
OF_THE_BLOCK = ["batch"]  # the only column of a fit that depends on what was run beside it


@dataclass(frozen=True, kw_only=True)
class Refit:
    """A fit that was run again.

    Args:
        fit: its row of the fits.
        estimates: its rows of the estimates; none where it failed.
        draws: its draws and the sampler's statistics, or None where it failed.
        stored: its stored rows of the estimates.
        differences: what is not as it is stored, a line each.
        group_names: group -> its name, for those that have one.
        level_names: effect of a factor -> level -> what it is called.
    """

    fit: pd.Series
    estimates: pd.DataFrame
    stored: pd.DataFrame
    draws: KeptDraws | None
    differences: tuple[str, ...]
    group_names: Mapping[int, str] = field(default_factory=dict)
    level_names: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Whether status and every summary are those that are stored, bit for bit."""
        return not self.differences


def refit(run: RunSource, *, scenario: str, replicate: int, method: str, folder: str | Path | None = None) -> Refit:
    """Run one stored fit again, alone, from its own keys.

    Args:
        run: the run, or its folder; it is read and not changed.
        scenario: id of the scenario, the beginning of one id alone, its label (``groups=4, tau=0.5``), or a part that
            it alone has (``tau=0.5``).
        replicate: its number, from 0.
        method: its name.
        folder: what the path of a data file is relative to; only a run that was made before runs kept their data needs
            it.

    Returns:
        The fit, and how it differs from what is stored. Bits are the same on the same versions and kind of processor;
        elsewhere they differ by rounding, which chains enlarge.

    Raises:
        RunError: there is no such fit; the message names what there is.
        StudyError: a model, mechanism or data file of the study is not there, or is another one now.
    """
    run = open_folder(run)
    scenario, stored = _stored(run, scenario, replicate, method)
    study = study_of(run, Path(folder) if folder is not None else None)
    (block,) = blocks_of(study, _method(run, study, method), [(_index(study, scenario), replicate)])
    (again,) = _again(run, replace(block, keep_draws=replicate + 1), stored)
    return replace(
        again,
        group_names=dict(enumerate(study.scenarios[_index(study, scenario)].mechanism.labels)),
        level_names=_level_names(run, scenario),
    )


def refits(run: Run, fits: pd.DataFrame, *, folder: str | Path | None = None) -> Iterator[Refit]:
    """Run some stored fits again, from their own keys, and yield each without its draws.

    Fits of a method whose data have one shape are run in one block, which changes no bit of them.

    Args:
        run: the run; it is read and not changed.
        fits: some rows of ``run.fits``.
        folder: as for ``refit``.

    Raises:
        RunError: the study cannot be made again.
        StudyError: a model, mechanism or data file of the study is not there, or is another one now.
    """
    study = study_of(run, Path(folder) if folder is not None else None)
    for name, stored in fits.groupby(fits["method"].astype(str), sort=False):
        method, is_usable = _method(run, study, str(name)), (stored["status"] == "ok").to_numpy()
        # A fit that failed may take the others of its block with it.
        alone = [stored.iloc[i : i + 1] for i in np.flatnonzero(~is_usable).tolist()]
        for rows in [stored[is_usable], *alone]:
            keys = zip(rows["scenario"].astype(str), rows["replicate"], strict=True)
            for block in blocks_of(study, method, [(_index(study, s), int(r)) for s, r in keys]):
                yield from _again(run, block, rows)


def _method(run: Run, study: Study, method: str) -> int:
    """Return the index of a method.

    Raises:
        RunError: the study of the run has no such method.
    """
    if method not in (names := [m.name for m in study.methods]):
        raise RunError(f"{printable(str(run.folder))}: its study.json has no method {method!r}; restore it from a copy")
    return names.index(method)


def _again(run: Run, block: Block, stored: pd.DataFrame) -> list[Refit]:
    """Run a block of fits again, each of which is held to its row of those that are stored."""
    configure_compilation_cache()
    rows = fit_block(block)
    schema = estimates_schema(tuple(run.study["summary"]["levels"]))
    fits, estimates = _frame(rows.fits, FITS, "fits"), _frame(rows.estimates or None, schema, "estimates")
    method = block.study.methods[block.method].name
    keys = [(block.study.scenarios[s].identity, replicate, method) for s, replicate in block.fits]
    before = pd.concat([_of_fit(stored, *key) for key in keys])
    known = pd.concat([_of_batch(run, str(batch), rows) for batch, rows in before.groupby(before["batch"].astype(str))])
    draws = {(kept.scenario, kept.replicate): kept for kept in rows.kept}
    return [_one(stored, fits, known, estimates, key, draws.get(key[:2])) for key in keys]


def _of_batch(run: Run, batch: str, fits: pd.DataFrame) -> pd.DataFrame:
    """Return the stored estimates of some fits of a batch; one batch is held at a time."""
    estimates = replace(run, batches=(batch,)).estimates
    known, wanted = (
        pd.MultiIndex.from_arrays([table["scenario"].astype(str), table["replicate"], table["method"].astype(str)])
        for table in (estimates, fits)
    )
    return estimates[known.isin(wanted)]


def _one(
    stored: pd.DataFrame,
    fits: pd.DataFrame,
    known: pd.DataFrame,
    estimates: pd.DataFrame,
    fit: tuple[str, int, str],
    draws: KeptDraws | None,
) -> Refit:
    """Return one of the fits of a block, held to its stored rows."""
    before, now = (_of_fit(table, *fit) for table in (stored, fits))
    rows_before, rows_now = (_of_fit(table, *fit) for table in (known, estimates))
    differences = (
        *_differences(before, now.drop(columns=OF_THE_BLOCK)),
        *_differences(rows_before, rows_now),
    )
    return Refit(fit=now.iloc[0], estimates=rows_now, stored=rows_before, draws=draws, differences=differences)


def _level_names(run: Run, scenario: str) -> dict[str, dict[int, str]]:
    """Return what the levels of each effect of a factor are called."""
    levels = run.levels[run.levels["scenario"] == scenario]
    names = {str(factor): names_by_level(rows) for factor, rows in levels.groupby("factor")}
    return {e.name: names[e.factor] for e in Declared.of(run).effects if e.factor in names}


def _stored(run: Run, scenario: str, replicate: int, method: str) -> tuple[str, pd.DataFrame]:
    """Return the scenario's id and the stored row of the fit.

    Raises:
        RunError: names what there is instead.
    """
    scenario = _scenario(run, scenario)
    methods = run.methods["method"].tolist()
    if method not in methods:
        listed = ", ".join(map(repr, methods))
        raise RunError(f"{run.folder} has no method {method!r}{suggestion(method, methods)}; expected one of {listed}")
    fits = run.fits[(run.fits["scenario"] == scenario) & (run.fits["method"] == method)]
    row = fits[fits["replicate"] == replicate]
    if row.empty:
        known = f"0 to {fits['replicate'].max()}" if len(fits) else "none so far"
        raise RunError(
            f"{run.folder} has no replicate {replicate} of scenario {scenario}, method {method!r}; stored are {known}"
        )
    return scenario, row


def _scenario(run: Run, called: str) -> str:
    """Return the id of the scenario that is called by its id, the beginning of it, its label or parts of its label."""
    labels = dict(zip(run.scenarios["scenario"].astype(str), run.scenarios["label"].astype(str), strict=True))
    by_id = begun_by(labels, called)
    found = by_id or labeled(labels, called)
    if len(found) == 1:
        return found[0]
    state = f"{len(found)} scenarios {'that begin with' if by_id else 'labeled'}" if found else "no scenario"
    known = listed(labels, most=MOST_LISTED, among=found)
    raise RunError(f"{run.folder} has {state} {called!r}; expected the id or the label of one of\n{known}")


def _index(study: Study, scenario: str) -> int:
    known = [s.identity for s in study.scenarios]
    if scenario not in known:
        raise StudyError(
            f"the study no longer makes scenario {scenario}: its mechanism or its data file is another one now; "
            "restore what the run was made with"
        )
    return known.index(scenario)


def _frame(columns: object, schema: pa.Schema, table: str) -> pd.DataFrame:
    """Return columns as they look when they are stored and read back."""
    content = schema.empty_table() if columns is None else as_table(columns, schema)
    return as_frame(content, key=KEYS[table], order={})


def _of_fit(table: pd.DataFrame, scenario: str, replicate: int, method: str) -> pd.DataFrame:
    chosen = (table["scenario"] == scenario) & (table["replicate"] == replicate) & (table["method"] == method)
    return table[chosen].reset_index(drop=True)


def _differences(stored: pd.DataFrame, new: pd.DataFrame) -> list[str]:
    if len(stored) != len(new):
        return [f"{len(stored)} rows of estimates are stored, {len(new)} came now"]
    return [text for name in new.columns if (text := _difference(name, stored[name], new[name]))]


def _difference(name: str, stored: pd.Series, new: pd.Series) -> str:
    """Return how far a column is from the stored one, or an empty text where it is the same."""
    if not pd.api.types.is_numeric_dtype(new.dtype):
        pairs = zip(stored.astype(object), new.astype(object), strict=True)
        unlike = [(a, b) for a, b in pairs if not (a == b or (pd.isna(a) and pd.isna(b)))]
        return f"{name}: stored {unlike[0][0]!r}, now {unlike[0][1]!r}" if unlike else ""
    before, now = (column.to_numpy(dtype=float, na_value=np.nan) for column in (stored, new))
    if np.array_equal(before, now, equal_nan=True):
        return ""
    with np.errstate(invalid="ignore", divide="ignore"):
        largest = np.nanmax(np.abs(now - before) / np.maximum(np.abs(before), np.finfo(float).tiny), initial=0.0)
    return f"{name}: differs from the stored by up to {largest:.1e} of its size"
