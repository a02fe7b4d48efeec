"""The same study gives the same rows, bit for bit, whatever way it is run."""

import copy
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import simstudy
from simstudy.store import Run
from simstudy.study.registry import load_file
from simstudy.study.study import Study
from tests.faults.study import PATIENCE_SECONDS
from tests.running.test_runner import KEYS, Interrupting, same_tables

FULL = pytest.mark.faults(full=True)
KIND = "bit-equal rows"
SHARE_OK = 0.8  # chains this short may get stuck, which has to be the same too
USERS = Path(__file__).parent / "user_family.py"


def study(mechanism, *methods, **sampler):
    """The contents of a study of three replicates."""
    sampler = {"kind": "nuts", "chains": 2, "warmup": 30, "draws": 30} | sampler
    methods = methods or ({"name": "none", "structure": "none"}, {"name": "partial", "structure": "partial"})
    return {
        "study": {"name": "same", "seed": 5, "replicates": 3},
        "mechanism": {"kind": "exchangeable", "group_size": 3} | mechanism,
        "method": list(methods),
        "sampler": sampler,
    }


TWO_TAUS = {"groups": 3, "tau": [0.5, 1.0]}
STUDIES = {
    "pads": study({"groups": [4, 5, 8, 9]}),
    "nuts": study(TWO_TAUS),
    "unbalanced": study({"groups": [], "group_size": [], "sizes": [[1, 2, 7, 30], [2, 2, 2, 2, 5]]}),
    "float64": study(TWO_TAUS, precision="float64"),
    "numpyro": study(TWO_TAUS, kind="numpyro"),
    "exact": study(TWO_TAUS, kind="exact", warmup=0),
    "users": {
        **study({}, {"name": "users", "model": "determinism_exponential"}),
        "mechanism": {"kind": "determinism_waiting", "rate": [1.0, 3.0]},
    },
}
# The one list of each study's mechanism that its scenarios are crossed of.
FACTOR = {"pads": "groups", "unbalanced": "sizes", "users": "rate"}

SCRIPT = """
import json, sys
import simstudy
from simstudy.study.registry import load_file
contents, out, workers, users = json.loads(sys.argv[1])
load_file(users)
simstudy.run(simstudy.Study.from_dict(contents), out=out, workers=workers, quiet=True)
"""


def contents_of(name):
    """The study's contents, a copy to be changed."""
    contents = copy.deepcopy(STUDIES[name])
    if name == "unbalanced":
        del contents["mechanism"]["groups"], contents["mechanism"]["group_size"]
    return contents


def run_here(contents, folder, **options):
    """Run in this process."""
    return simstudy.run(Study.from_dict(contents), out=folder, quiet=True, **{"workers": 0} | options)


def run_elsewhere(contents, folder, *, workers, hash_seed="0"):
    """Run in a process of its own, with worker processes or none."""
    arguments = json.dumps([contents, str(folder), workers, str(USERS)])
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", SCRIPT, arguments]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return Run.open(folder)


def reordered(name, folder):
    """Every list the other way round: other blocks, lanes and neighbors."""
    contents = contents_of(name)
    contents["method"].reverse()
    contents["mechanism"][FACTOR.get(name, "tau")].reverse()
    return run_here(contents, folder)


def resumed(name, folder):
    """Interrupted after every block."""
    for _ in range(100):
        try:
            return run_here(contents_of(name), folder, executor=Interrupting(signal.SIGINT), workers=1)
        except KeyboardInterrupt:
            continue
    raise AssertionError("the run never ended")


def extended(name, folder, smaller):
    """Run a smaller study first."""
    contents = contents_of(name)
    smaller(contents)
    run_here(contents, folder)
    return run_here(contents_of(name), folder)


def fewer_replicates(contents):
    contents["study"]["replicates"] = 1


def fewer_methods(contents):
    del contents["method"][1:]


def fewer_scenarios(name):
    factor = FACTOR.get(name, "tau")

    def smaller(contents):
        contents["mechanism"][factor] = contents["mechanism"][factor][:1]

    return smaller


WAYS = {
    "two workers": lambda name, folder: run_elsewhere(contents_of(name), folder, workers=2, hash_seed="1"),
    "one worker": lambda name, folder: run_elsewhere(contents_of(name), folder, workers=1, hash_seed="2"),
    "another hash seed": lambda name, folder: run_elsewhere(contents_of(name), folder, workers=0, hash_seed="12345"),
    "another order": reordered,
    "resumed": resumed,
    "more replicates": lambda name, folder: extended(name, folder, fewer_replicates),
    "more methods": lambda name, folder: extended(name, folder, fewer_methods),
    "more scenarios": lambda name, folder: extended(name, folder, fewer_scenarios(name)),
}
SHORT = {("nuts", way) for way in ("two workers", "another order", "resumed", "more scenarios")}
CASES = [
    pytest.param(name, way, marks=() if (name, way) in SHORT else FULL, id=f"{name}-{way}")
    for name in STUDIES
    for way in WAYS
]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The run of each study in this process in one go, made once."""
    load_file(USERS)
    runs = {}

    def made(name):
        if name not in runs:
            runs[name] = run_here(contents_of(name), tmp_path_factory.mktemp("once") / "run")
            assert (runs[name].fits["status"] == "ok").mean() > SHARE_OK, runs[name].fits["reason"].dropna().unique()
        return runs[name]

    return made


def same_rows(run, other):
    """Assert equal rows of both runs, in whatever order their studies list scenarios and methods."""
    for name, keys in KEYS.items():
        tables = (getattr(each, name).drop(columns="batch", errors="ignore") for each in (run, other))
        first, second = (
            table.astype(dict.fromkeys(keys, str)).sort_values(keys, ignore_index=True) for table in tables
        )
        pd.testing.assert_frame_equal(
            first, second, check_categorical=False, check_like=True, check_exact=True, obj=name
        )


@pytest.mark.parametrize(("name", "way"), CASES)
def test_bit_equal_rows(undisturbed, tmp_path, faults, name, way):
    """Rows of fits, chains, estimates and groups are those of the undisturbed run, whatever the way."""
    expected = undisturbed(name)
    faults.tried(KIND)
    run = WAYS[way](name, tmp_path / "run")
    assert len(run.fits) == len(expected.fits) > 0
    (same_rows if way == "another order" else same_tables)(run, expected)
    faults.survived(KIND)


@FULL
@pytest.mark.parametrize("name", STUDIES)
def test_on_a_cluster(undisturbed, determinism_cluster, tmp_path, faults, name):
    """Rows that traveled from a worker of a cluster are those that were made here."""
    expected = undisturbed(name)
    faults.tried(KIND)
    same_tables(run_here(contents_of(name), tmp_path / "run", executor=determinism_cluster, workers=None), expected)
    faults.survived(KIND)


@pytest.fixture(scope="module")
def determinism_cluster(tmp_path_factory):
    """The address of a cluster with one worker."""
    pytest.importorskip("distributed")
    from tests.faults.test_dask import start_cluster

    with start_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.add_worker()
        yield cluster.address
