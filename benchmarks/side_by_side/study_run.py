"""Whole studies with simstudy: from simulation to stored rows, on worker processes, as a user runs them.

The clock runs from the moment the first block is on disk to the moment the last one is: the start of the processes and
the loading of the program are outside, as compilation is for the peers, and everything else is inside.
"""

import os
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

import simstudy
from side_by_side.answers import checked, z_scores
from side_by_side.outcome import Outcome
from side_by_side.problem import PARAMETERS, data_sets, study_of
from simstudy.store import Run

CHECKED_FITS = 400
WATCH_SECONDS = 0.2
FULL_STUDY = 100_000
GROWING_PART = 0.5  # of the run, at its end: before it, buffers are still being filled


def measure(*, fits: int, workers: int) -> dict[str, Any]:
    """Run a study twice, the first time for its compiled program, and return what the second took.

    Args:
        fits: fits of the second run; a multiple of the fits of a block uses the workers evenly.
        workers: worker processes.

    Returns:
        ``outcome``: an ``Outcome``; ``summaries``, ``driver``, ``simulation``: shares of the workers' time;
        ``memory_mb``: largest memory of a worker and of the driver; ``memory_mb_at_100000``: extrapolated.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SIMSTUDY_CACHE_DIR"] = str(Path(folder) / "cache")
        first = simstudy.run(study_of(64, seed=1), out=Path(folder) / "first", workers=1, quiet=True)
        watch = _Watch(Path(folder) / "run")
        with watch:
            run = simstudy.run(study_of(fits), out=watch.folder, workers=workers, quiet=True)
        return _measured(run, watch, workers=workers, compile_seconds=float(first.timings["compile_seconds"].sum()))


def _measured(run: Run, watch: "_Watch", *, workers: int, compile_seconds: float) -> dict[str, Any]:
    ended, cpu_seconds = watch.seconds_and_driver_cpu()
    later = run.timings.sort_values("started").iloc[1:]
    fits = run.fits[run.fits["batch"].isin(later["batch"])]
    estimates = run.estimates[run.estimates["estimand"].isin(PARAMETERS)]
    ess = estimates.groupby("replicate", observed=True)["ess_bulk"].min()
    outcome = Outcome(
        name=f"simstudy, {workers} worker{'s' if workers > 1 else ''}",
        how="simstudy.run: simulation, sampling, summaries and storage, one pinned process per core",
        n_fits=len(fits),
        seconds=ended,
        compile_seconds=compile_seconds,
        n_leapfrog=int(fits["n_leapfrog"].sum() + fits["n_leapfrog_warmup"].sum()),
        ess=float(ess[ess.index.isin(fits["replicate"])].sum()),
        peak_memory_mb=float(later["peak_memory_mb"].max()),
        z_rms=_z_rms(estimates),
    )
    available = workers * ended
    within = (later["ended"] - later["started"]).dt.total_seconds().sum()
    sampling, summaries = later["run_seconds"].sum(), later["summarize_seconds"].sum()
    return {
        "outcome": asdict(outcome),
        "sampling": sampling / available,
        "summaries": summaries / available,
        "simulation_and_rows": (within - sampling - summaries - later["compile_seconds"].sum()) / available,
        "driver": cpu_seconds / available,
        "memory_mb": {"worker": outcome.peak_memory_mb, "driver": float(watch.memory()["mb"].max())},
        "memory_mb_at_100000": {
            "worker": _extrapolated(_worker_memory(later)),
            "driver": _extrapolated(watch.memory()),
        },
    }


def _z_rms(estimates: pd.DataFrame) -> float:
    """Return how far the stored means are from the exact ones, over the first fits."""
    places = {name: place for place, name in enumerate(PARAMETERS)}
    some = estimates[estimates["replicate"] < CHECKED_FITS].assign(
        place=lambda rows: rows["estimand"].astype(str).map(places)
    )
    some = some.sort_values(["replicate", "place", "group"])
    n_fits = some["replicate"].nunique()
    means, mcse = (some[name].to_numpy().reshape(n_fits, -1) for name in ("mean", "mcse_mean"))
    return checked(z_scores(means, mcse, data_sets(study_of(n_fits), n_fits)), name="simstudy")


def _worker_memory(timings: pd.DataFrame) -> pd.DataFrame:
    """Return the fits that a worker had made, and its peak memory then, block by block."""
    by_end = timings.sort_values("ended")
    return pd.DataFrame({"fits": by_end["n_fits"].cumsum(), "mb": by_end["peak_memory_mb"].cummax()})


def _extrapolated(memory: pd.DataFrame) -> float:
    """Return the memory at 100,000 fits by the line through the later part of a run; it never shrinks."""
    late = memory[memory["fits"] >= GROWING_PART * memory["fits"].max()]
    slope = np.polyfit(late["fits"], late["mb"], 1)[0] if np.ptp(late["fits"]) > 0 else 0.0
    return float(late["mb"].max() + max(slope, 0.0) * (FULL_STUDY - memory["fits"].max()))


class _Watch:
    """Looks on while a study runs: when its blocks reach the disk, and what its driver, this process, uses.

    Args:
        folder: run folder.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._seen: list[tuple[float, int, float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def seconds_and_driver_cpu(self) -> tuple[float, float]:
        """Return the seconds from the first block on disk to the last, and the driver's CPU seconds meanwhile."""
        written = sorted(path.stat().st_mtime for path in (self.folder / "fits").glob("*.parquet"))
        at = np.array([(moment, cpu) for moment, _, cpu, _ in self._seen])
        first, last = np.interp([written[0], written[-1]], at[:, 0], at[:, 1])
        return written[-1] - written[0], float(last - first)

    def memory(self) -> pd.DataFrame:
        """Return the blocks' fits on disk and the driver's resident memory, look by look."""
        rows = [(n * self._fits_per_block(), mb) for _, n, _, mb in self._seen]
        return pd.DataFrame(rows, columns=["fits", "mb"])

    def _fits_per_block(self) -> int:
        return study_of(1).methods[0].sampler.fits_per_block

    def _look(self) -> None:
        driver = psutil.Process()
        while not self._over.wait(WATCH_SECONDS):
            cpu = driver.cpu_times()
            n_blocks = len(list((self.folder / "fits").glob("*.parquet")))
            self._seen.append((time.time(), n_blocks, cpu.user + cpu.system, driver.memory_info().rss / 2**20))
