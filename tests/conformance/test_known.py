"""The packaged exact posteriors: held to published answers, to quadrature made anew, and to a sampler."""

from types import SimpleNamespace

import numpy as np
import pytest

import simstudy
from simstudy.testing import exact_posteriors
from tests.conformance.make_known import rows_of

N_REFERENCE = 10_000
"""Draws of the reference posterior of the eight schools (posteriordb)."""


def test_there_are_thirty():
    """Each of 30 posteriors has numbers with a sd above 0, and quantiles in order around the median."""
    each = exact_posteriors()
    assert len(each) == 30
    for posterior in each.values():
        table = posterior.table
        assert len(table) >= 5
        assert (table["sd"] > 0).all()
        assert (np.diff(table[["q5", "q25", "median", "q75", "q95"]].to_numpy(), axis=1) > 0).all()


@pytest.mark.parametrize("name", ["dyestuff_none", "pastes_casks", "eight_schools_partial", "baseball_partial"])
def test_the_table_is_what_quadrature_gives(name, tmp_path):
    """Made anew, a posterior has the numbers of the table."""
    posterior = exact_posteriors()[name]
    made, table = rows_of(posterior, tmp_path).reset_index(drop=True), posterior.table
    both = table.merge(made, on=["estimand", "group"], suffixes=("", "_made"))
    assert len(both) == len(table)
    for number in ("mean", "sd", "q5", "median", "q95"):
        assert (np.abs(both[number] - both[f"{number}_made"]) < 1e-4 * both["sd"]).all(), number


def test_the_eight_schools_have_their_reference_posterior():
    """Of 10,000 draws of posteriordb: mu 4.411 (3.309), tau 3.602 (3.198), within 4 Monte Carlo errors."""
    table = exact_posteriors()["eight_schools_partial"].table.set_index("estimand")
    for name, mean, sd in (("mu", 4.4105, 3.3093), ("tau", 3.6021, 3.1985)):
        assert table.loc[name, "mean"] == pytest.approx(mean, abs=4 * sd / np.sqrt(N_REFERENCE))


def test_a_sampler_is_held_to_them(tmp_path):
    """Chains on the dyestuff are near the exact posterior: errors are within 5 of their Monte Carlo errors."""
    posterior = exact_posteriors()["dyestuff_complete"]
    run = simstudy.run(posterior.study("nuts"), out=tmp_path / "run", workers=0, quiet=True)
    errors = posterior.errors(run)
    assert len(errors) == len(posterior.table)
    assert errors["z"].abs().max() < 5
    with pytest.raises(ValueError, match="no number of lecture_none"):
        exact_posteriors()["lecture_none"].errors(SimpleNamespace(estimates=run.estimates.iloc[:0]))
