"""Simulation-based calibration of every family of sums of terms, with and without an error planted in the model."""

import pytest

import simstudy
from simstudy.measures import calibration
from tests.statistical.calibrated import FAMILIES, study_of

REPLICATES, ENOUGH = 1_000, 300


def not_calibrated(family: str, folder, *, replicates: int, planted: bool):
    """Return the estimands that do not pass."""
    run = simstudy.run(study_of(family, replicates=replicates, planted=planted), out=folder, workers=2, quiet=True)
    assert (run.fits["status"] == "ok").all()
    table = calibration(run)
    return table[table["verdict"] != "calibrated"]


@pytest.mark.statistical
@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_family_is_calibrated(family, tmp_path):
    """1,000 replicates pass for every estimand."""
    failing = not_calibrated(family, tmp_path / "run", replicates=REPLICATES, planted=False)
    assert failing.empty, failing[["estimand", "group", "verdict", "p_value", "p_holm"]].to_string()


@pytest.mark.statistical
@pytest.mark.parametrize("family", list(FAMILIES))
def test_a_planted_error_is_named(family, tmp_path):
    """A wrong graph, order, place, parent, sign or likelihood: 300 replicates are enough to name what it spoils."""
    failing = not_calibrated(family, tmp_path / "run", replicates=ENOUGH, planted=True)
    named = set(failing[failing["verdict"] == "not calibrated"]["estimand"])
    assert FAMILIES[family].named & named, failing[["estimand", "group", "verdict", "p_holm"]].to_string()
