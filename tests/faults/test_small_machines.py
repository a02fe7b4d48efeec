"""Little of everything: one core, few files, little memory, a sandbox. A run ends well, or says why in a sentence."""

import os
import subprocess
import sys

import pandas as pd
import pytest

from simstudy.store import Run
from tests.faults.study import HEEDING, PATIENCE_SECONDS, STUDY
from tests.running.test_runner import KEYS

N_REPLICATES = 2
FULL = pytest.mark.faults(full=True)

ONE_CORE = "os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])"
FEW_FILES = "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))"
VERY_FEW_FILES = "resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))"
LITTLE_MEMORY = "resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))"
ENOUGH_MEMORY = "resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))"
# Read by every Python process that starts with it, workers included.
SANDBOX = """
import os
def refuse(*arguments):
    raise PermissionError(1, "Operation not permitted")
os.sched_setaffinity = refuse
"""

MACHINES = {
    "one core": (ONE_CORE, ()),
    "40 files": (FEW_FILES, ("--workers", "2")),
    "40 files, in process": (FEW_FILES, ("--workers", "0")),
    "12 files": (VERY_FEW_FILES, ("--workers", "2")),
    "1.5 GB of addresses": (LITTLE_MEMORY, ("--workers", "1")),
    "1.5 GB of addresses, in process": (LITTLE_MEMORY, ("--workers", "0")),
    "2 GB of addresses": (ENOUGH_MEMORY, ("--workers", "1")),
    "refused affinity": ("", ("--workers", "2")),
}
SHORT = {"one core"}


def run_on(tmp_path, limit, *options):
    """Run the study in a process with a limit, and return the finished process."""
    (tmp_path / "faults.toml").write_text(STUDY)
    code = f"import os, resource; {limit or 'pass'}; {HEEDING}; from simstudy.cli import main; main()"
    command = [sys.executable, "-c", code, "run", "faults.toml", "--replicates", str(N_REPLICATES), "--out", "run"]
    environment = os.environ.copy()
    if not limit:
        (tmp_path / "sandbox").mkdir()
        (tmp_path / "sandbox" / "sitecustomize.py").write_text(SANDBOX)
        environment["PYTHONPATH"] = str(tmp_path / "sandbox")
    return subprocess.run(
        [*command, *options],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


@pytest.mark.parametrize("machine", [pytest.param(name, marks=() if name in SHORT else FULL) for name in MACHINES])
def test_a_small_machine(reference, tmp_path, faults, machine):
    """The run ends with the rows of a large machine, or with a sentence: exit code 2, or 1 where fits had to fail."""
    kind = "small machine"
    faults.tried(kind)
    limit, options = MACHINES[machine]
    done = run_on(tmp_path, limit, *options)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (0, 1, 2), done.stderr
    if done.returncode:
        assert done.stderr.strip().splitlines()[-1].startswith("simstudy: "), done.stderr
    if done.returncode == 1:
        fits = Run.open(tmp_path / "run").fits
        assert fits.loc[fits["status"] != "ok", "reason"].notna().all()
    if done.returncode == 0:
        same_first_rows(Run.open(tmp_path / "run"), reference)
    faults.survived(kind)


def same_first_rows(run, reference):
    """Assert that a run of few replicates holds the rows that the reference has of them."""
    assert len(run.fits) == 8 * N_REPLICATES
    for name in KEYS:
        first, second = (getattr(each, name).drop(columns="batch", errors="ignore") for each in (run, reference))
        if "replicate" in second:
            second = second[second["replicate"] < N_REPLICATES].reset_index(drop=True)
        pd.testing.assert_frame_equal(first, second, check_categorical=False, check_exact=True, obj=name)
