"""Processes are killed, interrupted or terminated; the run goes on to the tables of one that nothing befell."""

import os
import random
import signal
import threading
import time

import psutil
import pytest

from simstudy.executors.blocks import TICK_SECONDS
from simstudy.store import RunWriter
from tests.faults.study import (
    N_FITS,
    PATIENCE_SECONDS,
    assert_survived,
    go_on,
    n_blocks,
    n_fits,
    refusal,
    start,
    wait_for,
)

SHARE_BEFORE_BLOCKS, STARTING_SECONDS, BLOCK_SECONDS = 0.3, 5.0, 0.3
DRIVER_KILLED = "kill -9 of the driver at a random moment"
WORKER_KILLED = "kill -9 of a worker at a random moment"


def test_driver_killed(reference, tmp_path, n_kills, faults):
    """Killed at random moments of its life, the driver leaves whole blocks, and the rest follows on the next start."""
    moments = random.Random(1)
    number = 0
    for _ in range(n_kills):
        faults.tried(DRIVER_KILLED)
        folder = tmp_path / str(number)
        before = n_blocks(folder)
        process = start(folder, "--workers", "1")
        if moments.random() < SHARE_BEFORE_BLOCKS:
            time.sleep(moments.uniform(0, STARTING_SECONDS))
        else:
            wait_for_blocks(folder, before + moments.randrange(1, 4), process)
            time.sleep(moments.uniform(0, BLOCK_SECONDS))
        process.kill()
        process.communicate()
        if n_fits(folder) == N_FITS:
            assert_survived(folder, reference)
            number += 1
        faults.survived(DRIVER_KILLED)
    go_on(tmp_path / str(number))
    assert_survived(tmp_path / str(number), reference)


def wait_for_blocks(folder, number, process):
    """Wait until so many blocks are stored, or the process has ended."""
    wait_for(lambda: n_blocks(folder) >= number or process.poll() is not None)


class Killer(threading.Thread):
    """Kills a worker of this process some time after each block that was stored, until it has killed enough."""

    def __init__(self, folder, n_kills, *, seed):
        super().__init__(daemon=True)
        self.folder, self.n_left, self.n_killed = folder, n_kills, 0
        self.run_ended = threading.Event()
        self._moments = random.Random(seed)

    def run(self):
        n_before = -1
        while self.n_left and not self.run_ended.wait(0.02):
            if (now := n_blocks(self.folder)) == n_before:
                continue
            self.run_ended.wait(self._moments.uniform(0, 1))
            workers = [child for child in psutil.Process().children() if is_worker(child)]
            if workers:
                self._moments.choice(workers).kill()
                self.n_left, self.n_killed, n_before = self.n_left - 1, self.n_killed + 1, now


def is_worker(process):
    try:
        return "simstudy" in process.cmdline()
    except psutil.Error:
        return False


def test_worker_killed(reference, tmp_path, n_kills, faults):
    """Workers killed at random moments change no row: their blocks run again."""
    n_left, number = n_kills, 0
    while n_left:
        folder = tmp_path / str(number)
        killer = Killer(folder, n_left, seed=number)
        killer.start()
        try:
            go_on(folder, workers=2)
        finally:
            killer.run_ended.set()
            killer.join()
        faults.tried(WORKER_KILLED, killer.n_killed)
        assert_survived(folder, reference)
        faults.survived(WORKER_KILLED, killer.n_killed)
        n_left, number = killer.n_left, number + 1


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.faults(full=True))],
)
def test_interrupted(reference, tmp_path, faults, number, code):
    """One signal to the whole group, as a terminal or a batch system sends it: what is in hand is stored, exit code."""
    kind = f"{number.name} to driver and workers"
    faults.tried(kind)
    process = start(tmp_path / "run", "--workers", "2")
    wait_for_blocks(tmp_path / "run", 1, process)
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code, err
    assert f"{number.name}: the parts in hand are finished and stored; once more stops at once" in err
    assert err.endswith("interrupted; what is finished is stored: run the same command again to go on\n")
    assert "Traceback" not in err
    assert out == ""
    assert 0 < n_fits(tmp_path / "run") < N_FITS
    go_on(tmp_path / "run")
    assert_survived(tmp_path / "run", reference)
    faults.survived(kind)


@pytest.mark.faults(full=True)
def test_interrupted_twice(reference, tmp_path, faults):
    """A second Ctrl-C does not wait for what is in hand, and leaves no process behind."""
    kind = "second Ctrl-C"
    faults.tried(kind)
    process = start(tmp_path / "run", "--workers", "2")
    wait_for_blocks(tmp_path / "run", 1, process)
    children = psutil.Process(process.pid).children(recursive=True)
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(TICK_SECONDS / 10)  # two signals at once are one
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert psutil.wait_procs(children, timeout=PATIENCE_SECONDS)[1] == []
    go_on(tmp_path / "run")
    assert_survived(tmp_path / "run", reference)
    faults.survived(kind)


def test_second_process(reference, tmp_path, faults):
    """While a process writes a run, another is refused with the first one's number, and the run is unharmed."""
    kind = "two processes on one folder"
    faults.tried(kind)
    with RunWriter.create_or_continue(tmp_path / "run", reference.study):
        message = refusal(start(tmp_path / "run", "--workers", "1"))
    assert f"is being written by process {os.getpid()}; wait until it ends, or give another folder" in message
    go_on(tmp_path / "run")
    assert_survived(tmp_path / "run", reference)
    faults.survived(kind)
