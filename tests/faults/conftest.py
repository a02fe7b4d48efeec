"""Faults are counted by kind, and a table of those that were tried and survived ends the session."""

from collections import Counter

import pytest

from tests.faults.study import N_FITS, go_on

TRIED = pytest.StashKey[Counter]()
SURVIVED = pytest.StashKey[Counter]()


def pytest_configure(config):
    config.stash[TRIED], config.stash[SURVIVED] = Counter(), Counter()


def pytest_collection_modifyitems(config, items):
    """Mark all as faults; the short form leaves out those that are marked as of the full one."""
    left_out = []
    for item in items:
        if "faults" in item.path.parts:
            full = any(mark.kwargs.get("full") for mark in item.iter_markers("faults"))
            item.add_marker(pytest.mark.faults)
            left_out += [item] if full and config.getoption("--short") else []
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


class Faults:
    """Faults of one kind: tried at once, survived once what follows was found as it should be."""

    def __init__(self, config):
        self._config = config

    def tried(self, kind, n=1):
        self._config.stash[TRIED][kind] += n

    def survived(self, kind, n=1):
        self._config.stash[SURVIVED][kind] += n


@pytest.fixture
def faults(request):
    """Counts faults for the table."""
    return Faults(request.config)


@pytest.fixture(scope="session")
def n_kills(request):
    """How many times a process is killed at a random moment: 50, or 2 in the short form."""
    return 2 if request.config.getoption("--short") else 50


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    """The run of the study that nothing befell."""
    run = go_on(tmp_path_factory.mktemp("undisturbed") / "run")
    assert len(run.fits) == N_FITS
    assert len(run.batches) == 16
    return run


def pytest_terminal_summary(terminalreporter, config):
    tried, survived = config.stash[TRIED], config.stash[SURVIVED]
    if not tried:
        return
    width = max(map(len, tried))
    terminalreporter.section("faults")
    terminalreporter.line(f"{'fault':<{width}}  tried  survived")
    for kind, n in tried.items():
        terminalreporter.line(f"{kind:<{width}}  {n:>5}  {survived[kind]:>8}")
