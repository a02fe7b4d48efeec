"""Cells of fits and of batches: divergences, effective draws, leapfrogs and seconds."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from simstudy.measures.rows.cells import NAMES, Cells, nest
from simstudy.measures.rows.context import Context
from simstudy.measures.rows.labels import Keys, Labels
from simstudy.types import RunTables

WITH_WARMUP = "with warm-up"
BY_LEAPFROGS = "split by leapfrogs"
ALL_WORKERS = "all workers, wall clock"
COUNTED = ("n_divergent", "n_max_treedepth", "n_draws", "n_boundary")


def fit_cells(run: RunTables, labels: Labels, *, counted: np.ndarray) -> Cells:
    """Return one cell per scenario and method, with a row per fit that counts; without rows where none does."""
    fits = run.fits
    columns = {name: floats(fits[name])[counted] for name in COUNTED if name in fits}
    keys = labels.read(fits)
    index, pairs = pd.factorize(keys.scenario * len(labels.methods) + keys.method)
    return Cells(
        replicates=nest(index[counted], keys.replicate[counted], columns, n_cells=len(pairs)),
        names=_pair_names(labels, np.asarray(pairs)),
        n_replicates=np.bincount(index, minlength=len(pairs)),
    )


def leapfrog_cells(run: RunTables, labels: Labels, context: Context, *, counted: np.ndarray) -> list[Cells]:
    """Return cells of effective draws and leapfrogs by fit: for each set of estimands, without and with warm-up."""
    fits = run.fits
    keys = labels.read(fits)
    index, pairs = pd.factorize(keys.scenario * len(labels.methods) + keys.method)
    sampling, warmup = floats(fits["n_leapfrog"]), floats(fits["n_leapfrog_warmup"])
    cells = []
    for ess_set, by_code in context.ess.items():
        ess = by_code[keys.fit]
        for bin_, leapfrogs in ((None, sampling), (WITH_WARMUP, sampling + warmup)):
            columns = {"ess": ess[counted], "leapfrogs": np.where(leapfrogs > 0, leapfrogs, np.nan)[counted]}
            cells.append(
                Cells(
                    replicates=nest(index[counted], keys.replicate[counted], columns, n_cells=len(pairs)),
                    names=_pair_names(labels, np.asarray(pairs), estimand=ess_set, bin_=bin_),
                    n_replicates=np.bincount(index, minlength=len(pairs)),
                )
            )
    return cells


def batch_cells(run: RunTables, labels: Labels, context: Context, *, counted: np.ndarray) -> list[Cells]:
    """Return cells of seconds by batch: per program, per scenario split by leapfrogs, and all workers together."""
    timings = run.timings.drop_duplicates("batch", keep="last")
    if timings.empty:
        return []
    fits = _fits_with_batch(run, labels.read(run.fits), context, timings, counted)
    sets = list(context.ess)
    return [*_program_cells(timings, fits, sets), *_split_cells(fits, sets), _wall_clock_cell(run.timings)]


def floats(column: pd.Series) -> np.ndarray:
    """Return a column as float64, NaN where it is null."""
    return column.to_numpy(dtype=float, na_value=np.nan)


def _fits_with_batch(
    run: RunTables, keys: Keys, context: Context, timings: pd.DataFrame, counted: np.ndarray
) -> pd.DataFrame:
    """Return a row per fit with its batch, leapfrogs and, where it counts, its ESS by set."""
    ess = {name: np.where(counted, values[keys.fit], np.nan) for name, values in context.ess.items()}
    leapfrogs = floats(run.fits["n_leapfrog"]) + floats(run.fits["n_leapfrog_warmup"])
    fits = pd.DataFrame(
        {
            "scenario": run.fits["scenario"].astype(object),
            "method": run.fits["method"].astype(object),
            "batch": run.fits["batch"].to_numpy(),
            "leapfrogs": leapfrogs,
            **ess,
        }
    )
    return fits.merge(timings[["batch", "run_seconds"]], on="batch")


def _program_cells(timings: pd.DataFrame, fits: pd.DataFrame, sets: list[str]) -> list[Cells]:
    by_batch = fits.groupby("batch")[sets].sum(min_count=1).reindex(timings["batch"])
    index, programs = pd.factorize(timings["program"])
    method = timings.groupby(index)["method"].first().astype(object).to_numpy()
    names = pd.DataFrame({"method": method, "bin": programs}).reindex(columns=NAMES).astype(object)
    clock = {name: timings[name].to_numpy(dtype=float) for name in ("run_seconds", "compile_seconds", "n_fits")}
    by_set = [
        _batches(index, {"run_seconds": clock["run_seconds"], "ess": by_batch[ess].to_numpy()}, names, estimand=ess)
        for ess in sets
    ]
    return [_batches(index, clock, names), *by_set]


def _split_cells(fits: pd.DataFrame, sets: list[str]) -> list[Cells]:
    """Return a row per batch and scenario, with the share of the batch's seconds that its leapfrogs took."""
    of_batch = fits.groupby("batch")["leapfrogs"].transform("sum")
    fits = fits.assign(run_seconds=fits["run_seconds"] * fits["leapfrogs"] / of_batch, n_fits=1.0)
    parts = fits.groupby(["scenario", "method", "batch"], as_index=False, sort=False)
    rows = parts[["run_seconds", "n_fits", *sets]].sum(min_count=1)
    index, pairs = pd.factorize(pd.MultiIndex.from_frame(rows[["scenario", "method"]]))
    names = pd.DataFrame(pairs.tolist(), columns=["scenario", "method"]).assign(bin=BY_LEAPFROGS)
    names = names.reindex(columns=NAMES).astype(object)
    columns = {name: rows[name].to_numpy(dtype=float) for name in ("run_seconds", "n_fits")}
    by_set = [
        _batches(index, {"run_seconds": columns["run_seconds"], "ess": rows[ess].to_numpy()}, names, estimand=ess)
        for ess in sets
    ]
    return [_batches(index, {**columns}, names), *by_set]


def _wall_clock_cell(timings: pd.DataFrame) -> Cells:
    """Return all batches as one, over the time in which at least one of them ran."""
    spans = timings.sort_values("started")
    start = spans["started"].astype("int64").to_numpy() * _seconds_per_tick(spans["started"])
    end = spans["ended"].astype("int64").to_numpy() * _seconds_per_tick(spans["ended"])
    covered = np.concatenate([[start[0]], np.maximum.accumulate(end)[:-1]])
    seconds = np.maximum(end - np.maximum(start, covered), 0).sum()
    names = pd.DataFrame({"bin": [ALL_WORKERS]}).reindex(columns=NAMES).astype(object)
    columns = {"n_fits": np.array([float(spans["n_fits"].sum())]), "run_seconds": np.array([seconds])}
    return _batches(np.zeros(1, np.int64), columns, names)


def _seconds_per_tick(column: pd.Series) -> float:
    return pd.Timedelta(1, unit=column.dt.unit).total_seconds()


def _batches(
    index: np.ndarray, columns: Mapping[str, np.ndarray], names: pd.DataFrame, *, estimand: str | None = None
) -> Cells:
    index = index.astype(np.int64)
    return Cells(
        replicates=nest(index, np.arange(len(index)), columns, n_cells=len(names)),
        names=names.assign(estimand=estimand).astype(object),
        n_replicates=np.bincount(index, minlength=len(names)),
    )


def _pair_names(
    labels: Labels, pairs: np.ndarray, *, estimand: str | None = None, bin_: str | None = None
) -> pd.DataFrame:
    scenario, method = np.divmod(pairs, len(labels.methods))
    return pd.DataFrame(
        {
            "scenario": labels.scenarios.to_numpy()[scenario],
            "method": labels.methods.to_numpy()[method],
            "estimand": estimand,
            "group": None,
            "bin": bin_,
        },
        dtype=object,
    )
