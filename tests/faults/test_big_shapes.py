"""Shapes far out of the usual: each study ends with its rows, or with a sentence, in bounded time and memory."""

import json
import subprocess
import sys
import time

import pytest

from simstudy.store import Run
from tests.faults.study import HEEDING, PATIENCE_SECONDS

FULL = pytest.mark.faults(full=True)
MOST_MB = 3_000
LIMIT_SECONDS = 20

STUDY = """
[study]
name = "big"
seed = 4
replicates = {replicates}
[mechanism]
kind = "exchangeable"
groups = {groups}
group_size = {group_size}
[[method]]
name = "partial"
structure = "partial"
parameterization = "{parameterization}"
[sampler]
kind = "{kind}"
chains = {chains}
warmup = {warmup}
draws = {draws}
"""
USUAL = {"replicates": 2, "groups": 3, "group_size": 3, "parameterization": "noncentered"}
USUAL |= {"kind": "nuts", "chains": 2, "warmup": 200, "draws": 20}
MANY_GROUPS = {"groups": 5000, "warmup": 40, "draws": 5}

# Ends with the exit code of the command line, after a line that says how much memory it took.
MEASURED = f"""
{HEEDING}
import json, resource, sys
from simstudy.cli import main
try:
    main()
finally:
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), file=sys.stderr)
"""

SHAPES = {
    "5,000 groups": MANY_GROUPS,
    "5,000 groups, centered": MANY_GROUPS | {"parameterization": "centered"},
    "10^7 observations in a group": {"group_size": 10_000_000, "replicates": 10},  # raw, more than the bound
    "64 chains": {"chains": 64},
    "64 chains, numpyro": {"chains": 64, "kind": "numpyro"},
    "4 draws": {"draws": 4},
    "4 draws, exact": {"draws": 4, "kind": "exact", "warmup": 0},
    "a single draw": {"draws": 1},
}
SHORT = {"4 draws"}


def run_shape(folder, *options, **shape):
    """Run a study of a shape and return the process, its output, and the megabytes that it took."""
    (folder / "big.toml").write_text(STUDY.format(**USUAL | shape))
    command = [sys.executable, "-c", MEASURED, "run", "big.toml", "--out", "run", "--workers", "0", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    *said, megabytes = done.stderr.strip().splitlines()
    return done, said, json.loads(megabytes)


@pytest.mark.parametrize("shape", [pytest.param(name, marks=() if name in SHORT else FULL) for name in SHAPES])
def test_a_big_shape(tmp_path, faults, shape):
    """It ends with all its fits stored, or with exit code 2 and a sentence; never with a traceback, nor all memory."""
    kind = "big shape"
    faults.tried(kind)
    done, said, megabytes = run_shape(tmp_path, "--max-failed", "100%", **SHAPES[shape])
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (0, 1, 2), done.stderr
    assert megabytes < MOST_MB
    if done.returncode == 2:
        assert said[-1].startswith("simstudy: "), done.stderr
    else:
        fits = Run.open(tmp_path / "run").fits
        assert len(fits) == (USUAL | SHAPES[shape])["replicates"]
        assert fits.loc[fits["status"] != "ok", "reason"].notna().all()
    faults.survived(kind)


def test_many_groups_under_a_time_limit(tmp_path, faults):
    """Fits of 5,000 groups take minutes: what is in hand when the time is over is given up, and a sentence says so."""
    kind = "5,000 groups under a time limit"
    faults.tried(kind)
    began = time.monotonic()
    limit = ("--time-limit", f"{LIMIT_SECONDS}s", "--workers", "1")
    shape = {"groups": 5000, "chains": 4, "warmup": 500, "draws": 500, "replicates": 50}
    done, said, _ = run_shape(tmp_path, *limit, **shape)
    assert time.monotonic() - began < 3 * LIMIT_SECONDS
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
    assert any("no further block would end within the time limit" in line for line in said), said
    assert "is a run without a finished fit" in said[-1]
    faults.survived(kind)


def test_ten_million_replicates(tmp_path, faults):
    """Planned under a time limit, 10^7 replicates take no memory, and the run ends in time with a report."""
    kind = "10^7 planned replicates"
    faults.tried(kind)
    began = time.monotonic()
    limit = ("--time-limit", f"{LIMIT_SECONDS}s", "--max-failed", "100%")
    done, said, megabytes = run_shape(tmp_path, *limit, replicates=10_000_000)
    seconds = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "report: " in done.stdout
    assert any("no further block would end within the time limit" in line for line in said), said
    assert seconds < 3 * LIMIT_SECONDS
    assert megabytes < MOST_MB / 2
    assert 0 < len(Run.open(tmp_path / "run").fits) < 10_000_000
    faults.survived(kind)
