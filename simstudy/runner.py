"""Run a study: plan blocks, send them to workers, write what comes back.

The driver writes, workers compute. Running again continues; a larger study extends the run. Nothing that is stored is
fitted again.
"""

import os
import sys
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from simstudy.blocks import Block, plan_blocks
from simstudy.errors import RunError
from simstudy.executors import (
    BlockFailure,
    InProcessExecutor,
    configure_compilation_cache,
    local_executor,
    run_blocks,
    worker_environment,
)
from simstudy.fitting import fit_block
from simstudy.kept import write_kept
from simstudy.progress import RunProgress
from simstudy.provenance import session
from simstudy.rows import BlockRows, Clock, failed_rows
from simstudy.store import Run, RunWriter
from simstudy.study import Study

Platform = Literal["cpu", "gpu"]
BLOCKS_PER_WORKER = 2  # in flight, so that no worker waits for the driver


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where fits run.

    Args:
        platform: ``cpu``: worker processes, one per core; ``gpu``: one process on the device.
        workers: number of worker processes; None for one per core that this process may use, 0 for none: this
            process computes.
    """

    platform: Platform = "cpu"
    workers: int | None = None

    @property
    def n_workers(self) -> int:
        """Number of processes that compute."""
        if self.platform == "gpu" or self.workers == 0:
            return 1
        return self.workers or _n_cores()

    def executor(self) -> Executor:
        """Return a new executor."""
        if self.platform == "gpu":
            _require_gpu()
        if self.platform == "gpu" or self.workers == 0:
            configure_compilation_cache()
            return InProcessExecutor()
        return local_executor(self.n_workers, environment=worker_environment())


def run(
    study: Study,
    *,
    out: str | Path | None = None,
    replicates: int | None = None,
    workers: int | None = None,
    platform: Platform = "cpu",
    keep_draws: int = 0,
    quiet: bool = False,
) -> Run:
    """Run a study into a folder, or go on with the run that is there.

    Args:
        study: the study.
        out: run folder, by default ``runs/<name>``.
        replicates: instead of the study's own number.
        workers: worker processes, by default one per core; 0 computes in this process.
        platform: ``cpu`` or ``gpu``.
        keep_draws: the first this many replicates of each scenario keep their draws, under ``draws/``.
        quiet: no progress.

    Returns:
        The finished run.

    Raises:
        RunError: the folder holds another study or is being written, or the platform is not there.
    """
    if replicates is not None:
        study = study.with_replicates(replicates)
    folder = Path(out) if out is not None else Path("runs") / study.name
    where = Where(platform=platform, workers=workers)
    with RunWriter.create_or_continue(folder, study.canonical) as writer:
        for notice in writer.notices:
            print(notice, file=sys.stderr)
        writer.write_scenarios(pd.DataFrame(study.scenario_rows()))
        writer.write_methods(pd.DataFrame(study.method_rows()))
        blocks = plan_blocks(study, writer.stored_fits(), keep_draws=keep_draws)
        with session(folder, command=sys.argv, seed=study.section.seed):
            _fit(blocks, writer, where, stored=_n_stored(writer), quiet=quiet)
    return Run.open(folder)


def _fit(blocks: list[Block], writer: RunWriter, where: Where, *, stored: int, quiet: bool) -> None:
    """Send the blocks off and write their rows as they come."""
    if not blocks:
        return
    window = BLOCKS_PER_WORKER * where.n_workers
    finished = run_blocks(fit_block, blocks, executor_factory=where.executor, window=window, split=Block.split)
    with RunProgress(sum(len(b.fits) for b in blocks), stored=stored, quiet=quiet) as progress:
        for block, result in finished:
            rows = _unfinished(block, result) if isinstance(result, BlockFailure) else result
            _write(writer, rows)
            progress.advance(len(block.fits), bad=int(np.sum(rows.fits["status"] != "ok")))


def _unfinished(block: Block, failure: BlockFailure) -> BlockRows:
    return failed_rows(block, failure.reason, clock=Clock(started=datetime.now(UTC)))


def _write(writer: RunWriter, rows: BlockRows) -> None:
    for draws in rows.kept:
        write_kept(writer.folder, draws)
    writer.write_block(
        rows.batch,
        fits=rows.fits,
        chains=rows.chains or None,
        estimates=rows.estimates or None,
        groups=rows.groups or None,
        timings=rows.timings,
    )


def _n_stored(writer: RunWriter) -> int:
    return sum(len(replicates) for replicates in writer.stored_fits().values())


def _n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _require_gpu() -> None:
    import jax

    try:
        jax.devices("gpu")
    except RuntimeError as error:
        raise RunError(
            "--platform gpu: JAX sees no GPU on this machine; install JAX for your device (https://docs.jax.dev), or "
            "use --platform cpu"
        ) from error
