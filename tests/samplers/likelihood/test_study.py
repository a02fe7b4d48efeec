"""Maximum likelihood in a study: rows, flags and measures, beside the exact posterior of the same model."""

import numpy as np
import pytest

import simstudy
from simstudy.measures.policies import count_fits, flag
from simstudy.report.words.losses import failure_sentence
from simstudy.store.traits import exact_samplers, without_posterior

STUDY = """
[study]
name = "beside"
seed = 3
replicates = 12

[mechanism]
kind = "exchangeable"
groups = 4
group_size = 3
tau = 0.0

[[method]]
name = "REML"
structure = "partial"
sampler = { kind = "reml" }

[[method]]
name = "ML"
structure = "partial"
priors = { tau = 0.5 }
sampler = { kind = "ml" }

[[method]]
name = "exact"
structure = "partial"

[sampler]
kind = "exact"
chains = 2
draws = 50
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run without any effect of groups, so that every other fit puts tau at 0."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / "beside.toml").write_text(STUDY)
    return simstudy.run(folder / "beside.toml", out=folder / "run", workers=1)


def test_edges_are_counted_by_fit(run):
    """``n_boundary`` is 1 where tau is 0, 0 elsewhere and where tau is held, and null for the exact posterior."""
    fits = run.fits.astype({"method": str}).set_index(["method", "replicate"])["n_boundary"]
    rows = run.estimates.astype({"method": str, "estimand": str})
    tau = rows[rows["estimand"] == "tau"].set_index(["method", "replicate"])["mean"]
    assert fits["exact"].isna().all()
    assert (fits["ML"] == 0).all()
    assert 0 < fits["REML"].sum() < 12
    assert ((tau["REML"] == 0) == (fits["REML"] == 1)).all()
    assert (run.fits["status"] == "ok").all()


def test_flags_and_measures_count_them(run):
    """A fit at an edge is used by default, is flagged, and is told in the words of a report."""
    n = int(run.fits["n_boundary"].sum())
    flags = flag(run.fits, run.study["diagnostics"])
    assert flags["boundary"].sum() == n
    assert count_fits(run.fits, {}).all()
    assert (~count_fits(run.fits, {}, policy="unflagged")).sum() == n
    told = failure_sentence(run.fits, flags[["boundary"]], {})
    assert told.endswith(f"{n} carry a flag, all for a parameter at the edge of where it can lie.")
    rates = simstudy.performance(run).query("measure == 'boundary_rate'").set_index("method")["value"]
    assert rates.dropna().to_dict() == {"REML": pytest.approx(n / 12), "ML": 0.0}


def test_rows_hold_no_chains(run):
    """Coefficients, effects and parameters have no R-hat and no error of their mean; weights have no row."""
    rows = run.estimates.astype({"method": str, "estimand": str}).query("method == 'REML'")
    assert "shrinkage_weight" not in set(rows["estimand"])
    assert "shrinkage_weight" not in set(run.estimands.query("method == 'REML'")["estimand"])
    known = rows[rows["estimand"].isin(["mu", "tau", "sigma", "theta"])]
    assert known["mcse_mean"].isna().all()
    assert np.isfinite(known["mean"]).all()
    assert np.isfinite(known.query("estimand != 'tau'")[["sd", "pit"]]).all(axis=None)


def test_the_distance_from_a_posterior_is_no_error_of_a_sampler(run):
    """Methods without a posterior are not held to the exact one, and priors that they ignore are not told."""
    assert without_posterior(run) == {"REML", "ML"}
    assert exact_samplers(run) == {"exact"}
    assert simstudy.performance(run).query("measure == 'sampler_bias'").empty
    priors = run.methods.set_index("method")["prior_tau"]
    assert priors.fillna("").to_dict() == {"REML": "", "ML": "0.5", "exact": "HalfNormal(5)"}
