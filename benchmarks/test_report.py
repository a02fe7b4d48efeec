"""The report of a large design: 200 scenarios x 6 methods, from its tables to one file."""

import dataclasses

import pandas as pd
import pytest

from simstudy.measures import performance
from simstudy.report import write_report
from tests.fakes import FakeRun, fake_run

DESIGN = {"groups": (4, 8, 16, 32, 64), "group_size": (1, 2, 5, 10, 20), "tau": (0, 0.1, 0.25, 0.5, 1, 1.5, 2, 4)}
METHODS = ("complete", "none", "partial, centered", "partial, noncentered", "partial, exact")
TWIN, OF = "partial, again", "partial, noncentered"
N_FITS = 200 * 6
LARGEST_FILE = 10e6


def with_twin(run: FakeRun) -> FakeRun:
    """Return the run with one more method, which has the numbers of another."""
    tables = {}
    for name in ("methods", "fits", "chains", "estimates", "timings"):
        table = getattr(run, name).astype({"method": str})
        tables[name] = pd.concat([table, table[table["method"] == OF].assign(method=TWIN)], ignore_index=True)
    methods = [*run.study["methods"], next({**m, "name": TWIN} for m in run.study["methods"] if m["name"] == OF)]
    return dataclasses.replace(run, study={**run.study, "methods": methods}, **tables)


@pytest.fixture(scope="module")
def run() -> FakeRun:
    """A made-up run of 200 scenarios x 6 methods."""
    return with_twin(fake_run(**DESIGN, replicates=20, methods=METHODS))


def test_report(benchmark, run, tmp_path):
    """The page of 200 x 6 stays below 10 MB, names every method and shows the whole design."""
    table = performance(run)
    path = benchmark.pedantic(write_report, args=(run, table, tmp_path / "report.html"), rounds=1)
    text = path.read_text("utf-8")
    assert len(run.scenarios) * len(run.methods) == N_FITS
    assert len(text.encode()) < LARGEST_FILE
    assert all(name in text for name in run.methods["method"])
    assert "200 scenarios" in text
    benchmark.extra_info["megabytes"] = round(len(text.encode()) / 1e6, 2)
