"""Run a study: plan blocks, send them to workers, write what comes back.

The driver writes, workers compute. Running again continues; a larger study extends the run. Nothing that is stored is
fitted again.
"""

import sys
import time
from collections import Counter
from collections.abc import Hashable
from concurrent.futures import Executor
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import numpy as np
import pandas as pd
import pyarrow as pa

from simstudy.errors import RunError, TableError, shown
from simstudy.executors import BlockFailure, run_blocks
from simstudy.executors.where import LOCAL, Platform, Where, n_workers, window
from simstudy.fitting.blocks import Block, plan_blocks
from simstudy.fitting.fitting import fit_block
from simstudy.fitting.kept import write_kept
from simstudy.fitting.rows import BlockRows, Clock, failed_rows
from simstudy.logs import ON_A_BAR, log, session_log
from simstudy.running.duration import read_duration
from simstudy.running.interruption import Interruption
from simstudy.running.primary import check_primary
from simstudy.running.progress import RunProgress
from simstudy.running.received import received
from simstudy.running.regrouping import restore_groups
from simstudy.running.stopping import Stopping
from simstudy.running.tolerance import Cell, Tolerance
from simstudy.store import Run, RunWriter
from simstudy.store.atomic import writing
from simstudy.store.cards import size_words
from simstudy.store.kept import kept_fits
from simstudy.store.provenance import session
from simstudy.study.conflict import told_of
from simstudy.study.opening import StudySource, folder_of, open_study
from simstudy.study.study import Study

NO_DRAWS = (
    "%d fits of the first %d replicates are stored without their draws, and stored fits are not made again: "
    "simstudy refit gives the draws of one fit, another --out those of all"
)


def run(
    study: StudySource,
    *,
    out: str | Path | None = None,
    replicates: int | None = None,
    workers: int | None = None,
    executor: str | Executor = LOCAL,
    platform: Platform = "cpu",
    keep_draws: int = 0,
    time_limit: float | str | None = None,
    max_failed: float | None = None,
    quiet: bool = False,
    verbose: bool = False,
) -> Run:
    """Run a study into a folder, or go on with the run that is there.

    The first Ctrl-C or SIGTERM lets the blocks in hand finish, the second stops at once. Whatever ends a run, what is
    stored stays, and the same call goes on from there. What it says on its way stands in ``run.log`` in the folder.

    Args:
        study: the study, its TOML file, the name of a built-in one, a mapping, or a run of it that goes on.
        out: run folder, by default that of the run that is given, or ``runs/<name>``.
        replicates: instead of the study's own number.
        workers: worker processes, by default one per core; 0 computes in this process.
        executor: ``local``, ``dask://HOST:PORT`` or ``tls://HOST:PORT`` for the workers of a Dask cluster, or any
            ``concurrent.futures.Executor``, which is not shut down and runs ``workers`` blocks at once.
        platform: ``cpu`` or ``gpu``.
        keep_draws: the first this many replicates of each scenario keep their draws, under ``draws/``.
        time_limit: seconds, or a text such as ``30m``, after which the run stops with what is done.
        max_failed: stop once it is sure that a larger share of the fits, in [0, 1], fails or is not finite; sure is
            a chance of error below 0.001 (``tolerance``). None never stops for it.
        quiet: warnings alone on standard error.
        verbose: a line for every block.

    Returns:
        The run: finished, or as far as it came within its limits.

    Raises:
        RunError: the folder holds another study or is being written, the platform or cluster is not there, or nothing
            was finished within the time limit.
        KeyboardInterrupt: at the end of the blocks in hand, after Ctrl-C.
        SystemExit: the same after SIGTERM.
    """
    started = time.monotonic()
    folder = Path(out) if out is not None else folder_of(study)
    study = open_study(study)
    if replicates is not None:
        study = study.with_replicates(replicates)
    check_primary(study)
    folder = folder or Path("runs") / study.name
    seconds = read_duration(time_limit, option="time_limit") if isinstance(time_limit, str) else time_limit
    where = Where(platform=platform, workers=workers, executor=executor)
    with (
        _Executors(where) as executors,
        RunWriter.create_or_continue(folder, study.canonical) as writer,
        session_log(folder, quiet=quiet, verbose=verbose),
        Interruption() as interruption,
    ):
        if problem := where.without_cache:
            log.warning("%s", problem, extra={ON_A_BAR: True})  # the terminal has it since the workers started
        for notice in writer.notices:
            log.warning("%s", notice)
        _keep_data(study, writer)
        writer.write_scenarios(pd.DataFrame(study.scenario_rows()))
        writer.write_methods(pd.DataFrame(study.method_rows()))
        writer.write_estimands(pd.DataFrame(study.estimand_rows()))
        writer.write_labels(pd.DataFrame(study.label_rows()))
        writer.write_levels(pd.DataFrame(study.level_rows()), pd.DataFrame(study.cell_rows()))
        writer.write_description(study.description)
        restore_groups(study, writer)
        blocks = plan_blocks(study, writer.stored_fits(), keep_draws=keep_draws)
        log.info("%s", _plan_text(study, blocks))
        _tell_of_priors(study)
        if n_without := _without_draws(writer, study, folder=folder, keep_draws=keep_draws):
            log.warning(NO_DRAWS, n_without, keep_draws)
        stopping = Stopping(
            interruption,
            fits_per_block=max((len(block.fits) for block in blocks), default=1),
            time_limit=None if seconds is None else seconds - (time.monotonic() - started),
            tolerance=None if max_failed is None else _tolerance(max_failed, writer, blocks),
        )
        with session(
            folder,
            command=sys.argv,
            seed=study.section.seed,
            packages=study.packages,
            write=writer.write_provenance,
        ):
            _fit(blocks, writer, executors, stopping, quiet=quiet)
    return Run.open(folder)


def _keep_data(study: Study, writer: RunWriter) -> None:
    """Put a user's own data into the run folder, before anything is fitted.

    Raises:
        RunError: the folder has fits of other data.
    """
    if study.data is None:
        return
    known = {scenario.identity for scenario in study.scenarios}
    if any(scenario not in known for scenario, _ in writer.stored_fits()):
        raise RunError(
            f"{writer.folder} holds fits of other data: the rows of {shown(study.mechanism.get('data', 'values'))} are "
            "not those that were fitted; give another folder with --out, or restore the data"
        )
    writer.write_data(study.data)


def _without_draws(writer: RunWriter, study: Study, *, folder: Path, keep_draws: int) -> int:
    """Return how many of the fits whose draws are asked for are stored without them."""
    names = {method.name for method in study.methods}
    cells = {cell: fits for cell, fits in writer.stored_fits().items() if cell[1] in names} if keep_draws else {}
    asked = sum(int((replicates < keep_draws).sum()) for replicates in cells.values())
    return asked - sum(fit.replicate < keep_draws for cell in cells for fit in kept_fits(folder, *cell))


def _tell_of_priors(study: Study) -> None:
    """Log the priors of simulated data, and default ones that are made of given data; warn of those in conflict."""
    if study.scenarios[0].mechanism.replication == "data":
        for text in dict.fromkeys(method.priors_text for method in study.methods if method.priors_text):
            log.info("priors of %s: %s", ", ".join(m.name for m in study.methods if m.priors_text == text), text)
    for name, made in study.priors_of_data.items():
        log.info("%s: default priors %s", name, made.text)
    for told in told_of(study.conflicts):
        log.warning("%s", told)


def _plan_text(study: Study, blocks: list[Block]) -> str:
    n_fits, n_programs = sum(len(block.fits) for block in blocks), len({block.program for block in blocks})
    design = size_words(len(study.scenarios), len(study.methods), study.replicates)
    return f"{study.name}: {design}; fits to come: {n_fits}, programs: {n_programs}"


class _Executors:
    """The executor of the moment. The first one starts before a folder is made: where it cannot, nothing is left."""

    def __init__(self, where: Where):
        self._where, self._is_new = where, True
        self.current = where.start()

    def take(self) -> Executor:
        """Return the first executor, and later a new one each time."""
        if not self._is_new:
            self.current = self._where.start()
        self._is_new = False
        return self.current

    def __enter__(self) -> "_Executors":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.current.shutdown(wait=False)


def _fit(blocks: list[Block], writer: RunWriter, executors: _Executors, stopping: Stopping, *, quiet: bool) -> None:
    """Send the blocks off and write their rows as they come."""
    if not blocks:
        return
    fits: Counter[Hashable] = Counter()
    for block in blocks:
        fits[block.program] += len(block.fits)
    finished = run_blocks(
        fit_block,
        blocks,
        executor_factory=executors.take,
        window=window,
        split=Block.split,
        stop=stopping.is_due,
        abandon=stopping.is_over,
    )
    progress = RunProgress(fits, stored=_n_stored(writer), n_workers=lambda: n_workers(executors.current), quiet=quiet)
    with progress:
        for block, result in finished:
            rows = _stored(writer, block, received(block, result))
            _count(block, rows, progress, stopping)
    if stopping.reason and progress.done < progress.total:
        log.warning("stopped: %s", stopping.reason)


def _count(block: Block, rows: BlockRows, progress: RunProgress, stopping: Stopping) -> None:
    """Tell progress and limits what a block brought."""
    is_bad, method = np.asarray(rows.fits["status"]) != "ok", block.study.methods[block.method].name
    compiling = float(rows.timings["compile_seconds"])
    working = float(rows.timings["run_seconds"] + rows.timings["summarize_seconds"])
    log.debug("%d fits of '%s' in %.1f s, compiled in %.1f s: %s", len(is_bad), method, working, compiling, rows.batch)
    progress.advance(block.program, len(is_bad), bad=int(is_bad.sum()), seconds=working or None, compiling=compiling)
    stopping.returned(seconds=working, n_fits=len(is_bad))
    for (scenario, _), bad in zip(block.fits, is_bad, strict=True):
        stopping.count((block.study.scenarios[scenario].identity, method), bad=bool(bad))


def _tolerance(limit: float, writer: RunWriter, blocks: list[Block]) -> Tolerance:
    """Return the count of failed fits, those that are stored already included."""
    planned: Counter[Cell] = Counter({cell: len(replicates) for cell, replicates in writer.stored_fits().items()})
    for block in blocks:
        study, method = block.study, block.study.methods[block.method].name
        planned.update({(study.scenarios[s].identity, method): n for s, n in block.per_scenario().items()})
    tolerance = Tolerance(limit, planned)
    if writer.stored_fits():
        fits = Run.open(writer.folder).fits
        for scenario, method, status in zip(fits["scenario"], fits["method"], fits["status"], strict=True):
            tolerance.count((scenario, method), bad=status != "ok")
    return tolerance


def _unfinished(block: Block, failure: BlockFailure) -> BlockRows:
    return failed_rows(block, failure.reason, clock=Clock(started=datetime.now(UTC)))


def _stored(writer: RunWriter, block: Block, came: BlockRows | BlockFailure) -> BlockRows:
    """Store what came of a block and return its rows; rows that no table can hold are the failure of their fits."""
    rows = _unfinished(block, came) if isinstance(came, BlockFailure) else came
    with writing(writer.folder):
        try:
            _write(writer, rows)
        except (TableError, pa.ArrowException) as error:
            rows = _unfinished(block, BlockFailure(reason=f"rows that cannot be stored: {error}", error=error))
            _write(writer, rows)
    return rows


def _write(writer: RunWriter, rows: BlockRows) -> None:
    if files := [file for draws in rows.kept for file in write_kept(writer.folder, draws)]:
        writer.bind_draws(rows.batch, files)
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
