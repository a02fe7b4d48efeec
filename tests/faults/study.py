"""The study that faults befall: sixteen small blocks of two programs; and its run, in processes of its own."""

import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

import simstudy
from simstudy.store import Run
from simstudy.study.study import Study
from tests.running.test_runner import KEYS, same_tables

PATIENCE_SECONDS = 240
N_FITS = 800

STUDY = """
[study]
name = "faults"
seed = 11
replicates = 100
[mechanism]
kind = "exchangeable"
groups = [9, 10, 11, 12]
group_size = 3
[[method]]
name = "complete"
structure = "complete"
[[method]]
name = "none"
structure = "none"
[sampler]
kind = "nuts"
chains = 4
warmup = 60
draws = 60
"""


# Processes heed Ctrl-C even where these tests run in the background, whose processes inherit that they ignore it.
HEEDING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
SIMSTUDY = [sys.executable, "-c", f"{HEEDING}; from simstudy.cli import main; main()"]


def start(folder: Path, *options: str, study: Path | None = None) -> subprocess.Popen:
    """Start a run in a process group of its own, as a shell does; the study's file is written beside its folder."""
    study = study or folder.with_name("faults.toml")
    study.write_text(STUDY)
    command = [*SIMSTUDY, "run", str(study), "--out", str(folder), *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, start_new_session=True, **pipes)


def refusal(process: subprocess.Popen) -> str:
    """Return the one message of a process that ends by refusing: exit code 2, no traceback."""
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (2, ""), err
    assert "Traceback" not in err, err
    assert "Logging error" not in err
    return err


def go_on(folder: Path, **options: Any) -> Run:
    """Run the study in this process, or go on with it, to its end."""
    return simstudy.run(Study.from_dict(tomllib.loads(STUDY)), out=folder, quiet=True, **{"workers": 0} | options)


def wait_for(condition: Callable[[], Any]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def n_blocks(folder: Path) -> int:
    """Return the blocks that are stored."""
    return len(list(folder.glob("fits/*.parquet")))


def assert_survived(folder: Path, reference: Run) -> None:
    """Assert that a run holds what the undisturbed one holds, bit for bit, and reads as plain Parquet folders."""
    same_tables(Run.open(folder), reference)
    for table in KEYS:
        assert len(pd.read_parquet(folder / table)) == len(getattr(reference, table))


def n_fits(folder: Path) -> int:
    """Return the fits that are stored, having read every table: a damaged part would raise."""
    if not list(folder.glob("fits/*.parquet")):
        return 0
    run = Run.open(folder)
    assert len(run.chains) == 4 * len(run.fits)
    assert run.timings["n_fits"].sum() == len(run.fits)
    assert not run.estimates.empty
    return len(run.fits)
