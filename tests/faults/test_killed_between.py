"""Killed while it reports, extends, plans or recovers; and a clock that was set back: nothing is lost by any of it."""

import random
import shutil
import subprocess
import sys
import time

import pandas as pd
import pytest

import simstudy
from simstudy.store import Run
from tests.faults.study import (
    HEEDING,
    PATIENCE_SECONDS,
    SIMSTUDY,
    STUDY,
    assert_survived,
    go_on,
    n_blocks,
    start,
    wait_for,
)

FULL = pytest.mark.faults(full=True)
N_MOMENTS = 4  # of each kind, one in the short form
SECONDS_APART = 0.4
ROUNDING = 1e-10
# A process whose clock stands 400 days back, wherever the package asks for it.
CLOCK_BACK = f"""
import datetime, sys, time
{HEEDING}
import simstudy.running.runner, simstudy.cli.run
from simstudy.cli import main
BACK = datetime.timedelta(days=400)
class Earlier(datetime.datetime):
    __slots__ = ()
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.now(tz) - BACK
for name, module in list(sys.modules.items()):
    if name.startswith("simstudy") and getattr(module, "datetime", None) is datetime.datetime:
        module.datetime = Earlier
real = time.time
time.time = lambda: real() - BACK.total_seconds()
main()
"""


@pytest.fixture
def moments(request):
    """Seconds after an event, at which a process is killed."""
    number = 1 if request.config.getoption("--short") else N_MOMENTS
    chosen = random.Random(7)
    return [chosen.uniform(k, k + 1) * SECONDS_APART for k in range(number)]


@pytest.fixture
def run_copy(reference, tmp_path):
    """The undisturbed run, to be disturbed."""
    return shutil.copytree(reference.folder, tmp_path / "run")


def command(words, *, cwd):
    """Start a process of the package."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(list(map(str, words)), cwd=cwd, text=True, start_new_session=True, **pipes)


def killed(process, moment):
    """Kill a process after some seconds, or find it ended."""
    time.sleep(moment)
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)


def finished(process):
    """Wait for a process that has to end well, and return what it printed."""
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err
    return out


def is_whole(report):
    return report.read_text().rstrip().endswith("</html>")


@FULL
def test_killed_during_report(reference, run_copy, tmp_path, faults, moments):
    """Killed at any moment of its making, a report is whole or not there; made again it is whole."""
    kind = "kill -9 during a report"
    report = run_copy / "report.html"
    for moment in moments:
        faults.tried(kind)
        report.unlink(missing_ok=True)
        killed(command([*SIMSTUDY, "report", run_copy], cwd=tmp_path), 3 * moment)
        assert not report.exists() or is_whole(report)
        assert_survived(run_copy, reference)
        faults.survived(kind)
    finished(command([*SIMSTUDY, "report", run_copy], cwd=tmp_path))
    assert is_whole(report)
    go_on(run_copy)
    assert_survived(run_copy, reference)


@FULL
def test_killed_during_extension(reference, tmp_path, faults, moments):
    """Killed while a run is extended, before or after its study is the larger one: the extension ends the same."""
    kind = "kill -9 during an extension"
    small = tmp_path / "small"
    go_on(small, replicates=40)
    n_before = n_blocks(small)
    for number, moment in enumerate(moments):
        faults.tried(kind)
        folder = shutil.copytree(small, tmp_path / str(number))
        stamp = (folder / "study.json").stat().st_mtime_ns
        process = start(folder, "--workers", "0")
        wait_for(lambda: (folder / "study.json").stat().st_mtime_ns != stamp or process.poll() is not None)  # noqa: B023
        killed(process, moment)
        assert n_blocks(folder) >= n_before
        go_on(folder)
        assert_survived(folder, reference)
        faults.survived(kind)


@FULL
def test_killed_during_planning(reference, tmp_path, faults, moments):
    """Killed between the first file of a run and its first block: the same command begins and ends it."""
    kind = "kill -9 while a run is planned"
    for number, moment in enumerate(moments):
        faults.tried(kind)
        folder = tmp_path / str(number)
        process = start(folder, "--workers", "0")
        wait_for(lambda: folder.exists() or process.poll() is not None)  # noqa: B023
        killed(process, moment / 8)
        assert n_blocks(folder) == 0
        faults.survived(kind)
    go_on(folder)
    assert_survived(folder, reference)


@FULL
def test_killed_during_recovery(reference, tmp_path, faults, moments):
    """Killed while damaged blocks are set aside, twice: they are fitted again, and all others stay."""
    kind = "kill -9 during a recovery"
    for number, moment in enumerate(moments):
        faults.tried(kind)
        folder = shutil.copytree(reference.folder, tmp_path / str(number))
        for part in sorted((folder / "estimates").glob("*.parquet"))[::3]:
            part.write_bytes(part.read_bytes()[:-100])
        for _ in range(2):
            process = start(folder, "--workers", "0")
            set_aside = folder / ".simstudy" / "set_aside"
            wait_for(lambda: set_aside.exists() or process.poll() is not None)  # noqa: B023
            killed(process, moment / 20)
        go_on(folder)
        assert_survived(folder, reference)
        faults.survived(kind)


@FULL
def test_clock_set_back(reference, tmp_path, faults):
    """A second session 400 days before the first: the run ends, and scores to the same rows as ever."""
    kind = "clock set back between two sessions"
    faults.tried(kind)
    folder = tmp_path / "run"
    go_on(folder, replicates=40)
    (tmp_path / "faults.toml").write_text(STUDY)
    options = ("run", tmp_path / "faults.toml", "--out", folder, "--workers", "0", "--time-limit", "10m")
    assert "report: " in finished(command([sys.executable, "-c", CLOCK_BACK, *options], cwd=tmp_path))
    assert_survived(folder, reference)
    started = Run.open(folder).timings["started"]
    assert started.max() - started.min() > pd.Timedelta(days=399)
    scored, expected = (untimed(simstudy.performance(run)) for run in (Run.open(folder), reference))
    # Sums go over the parts in the order of their names, which are others: the last bits of a sum may be others too.
    pd.testing.assert_frame_equal(scored, expected, rtol=ROUNDING, atol=ROUNDING)
    faults.survived(kind)


def untimed(table):
    """Return a performance table without what is measured in time."""
    return table[~table["measure"].str.contains("second")].reset_index(drop=True)
