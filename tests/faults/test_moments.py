"""A run is killed before every single thing that its writer does to the disk."""

import pytest

from simstudy.store import Run
from tests import moments
from tests.store.test_manifest import folder as folder


@pytest.mark.faults(full=True)
def test_writing_and_extension(tmp_path, monkeypatch, faults):
    """Made, and extended: all that was stored is there, and the run goes on and is clean."""
    for moment, n_stored in moments.of_writing(tmp_path / "run", tmp_path, monkeypatch):
        faults.tried("killed at each moment of writing")
        moments.assert_goes_on(moment, n_stored)
        faults.survived("killed at each moment of writing")


@pytest.mark.faults(full=True)
def test_recovery(folder, tmp_path, monkeypatch, faults):
    """A damaged block is set aside: from each step the run comes back whole."""
    for moment, _ in moments.of_recovery(folder, tmp_path, monkeypatch):
        faults.tried("killed at each moment of recovery")
        moments.assert_recovers(moment, Run.open(folder))
        faults.survived("killed at each moment of recovery")
