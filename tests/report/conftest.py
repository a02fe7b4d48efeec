"""Runs and pages that several modules look at; made once."""

from dataclasses import replace

import pytest

from simstudy.measures import performance
from simstudy.report import write_report
from simstudy.report.evidence import Evidence
from tests.fakes import fake_run

UNBALANCED = (1, 2, 5, 40)
EVIL = '<b>"evil" & =1+1</b></script> $\\frac{$ 方'


@pytest.fixture(scope="session")
def run():
    """A simulated run with a balanced and an unbalanced design."""
    return fake_run(groups=(8,), group_size=(2,), sizes=[UNBALANCED], tau=(0.0, 0.5, 2.0), replicates=60)


@pytest.fixture(scope="session")
def table(run):
    """Its performance table."""
    return performance(run)


@pytest.fixture(scope="session")
def evidence(run, table):
    """Both together."""
    return Evidence(run=run, performance=table)


@pytest.fixture(scope="session")
def page(run, table, tmp_path_factory):
    """Its report, as text."""
    return write_report(run, table, tmp_path_factory.mktemp("report") / "report.html").read_text("utf-8")


@pytest.fixture(scope="session")
def dataset_run():
    """A run on the lecture's data."""
    return fake_run(replication="sampler", replicates=30)


@pytest.fixture(scope="session")
def dataset_page(dataset_run, tmp_path_factory):
    """Its report, as text."""
    path = tmp_path_factory.mktemp("dataset") / "report.html"
    return write_report(dataset_run, performance(dataset_run), path).read_text("utf-8")


@pytest.fixture(scope="session")
def evil_page(tmp_path_factory):
    """The report of a run whose names try to break out of the page."""
    run = fake_run(groups=(4,), group_size=(2,), tau=(0.5,), replicates=12, methods=("none", "partial, centered"))
    rename = {"none": EVIL}
    tables = {
        name: getattr(run, name).assign(method=lambda t: t["method"].astype(str).replace(rename))
        for name in ("methods", "fits", "chains", "estimates", "timings")
    }
    study = {**run.study, "study": {**run.study["study"], "name": "evil", "aim": EVIL}}
    study["methods"] = [{**m, "name": rename.get(m["name"], m["name"])} for m in run.study["methods"]]
    run = replace(run, study=study, **tables)
    path = tmp_path_factory.mktemp("evil") / "report.html"
    return write_report(run, performance(run), path).read_text("utf-8")
