"""Exact posteriors of sums of terms: calibrated, and what NUTS gives.

Truth and method have the same priors. z is the difference of a posterior mean of NUTS from the exact one over its Monte
Carlo error; its mean square over data sets has to be within three standard errors of .93^2 to 1.07^2.
"""

import numpy as np
import pytest

import simstudy
from simstudy.measures import calibration
from tests.statistical.calibrated import NORMAL, study_of

FIT = ["scenario", "replicate"]
MIN_ESS, STANDARD_ERRORS = 400, 3


@pytest.mark.statistical
@pytest.mark.parametrize("family", list(NORMAL))
def test_exact_posteriors_are_calibrated(family, tmp_path):
    """1,000 replicates pass for every estimand, and every fit has its posterior."""
    study = study_of(NORMAL[family], replicates=1_000, planted=False, sampler="exact")
    run = simstudy.run(study, out=tmp_path / "run", workers=2, quiet=True)
    assert (run.fits["status"] == "ok").mean() > 0.99
    table = calibration(run)
    failing = table[table["verdict"] != "calibrated"]
    assert failing.empty, failing[["estimand", "group", "verdict", "p_value", "p_holm"]].to_string()


def agree(family, folder, *, replicates):
    study = study_of(NORMAL[family], replicates=replicates, planted=False, sampler=["nuts", "exact"])
    run = simstudy.run(study, out=folder, workers=2, quiet=True)
    names = ("own [kind=nuts]", "own [kind=exact]")
    nuts, exact = (run.estimates[run.estimates["method"] == name].drop(columns="method") for name in names)
    both = nuts.merge(exact, on=[*FIT, "estimand", "group"], suffixes=("", "_exact"), validate="one_to_one")
    both = both[(both["ess_bulk"] >= MIN_ESS) & both["mcse_mean_exact"].isna() & both["mean_exact"].notna()]
    both = both[both["mcse_mean"] > 0]
    both = both.assign(z2=((both["mean"] - both["mean_exact"]) / both["mcse_mean"]) ** 2)
    per_fit = both.groupby("replicate", observed=True)["z2"].mean()
    margin = STANDARD_ERRORS * per_fit.std(ddof=1) / np.sqrt(len(per_fit))
    named = both.groupby("estimand", observed=True)["z2"].mean().round(2).to_dict()
    assert len(per_fit) >= 0.5 * replicates
    assert 0.93**2 - margin < per_fit.mean() < 1.07**2 + margin, (per_fit.mean(), margin, named)


@pytest.mark.statistical
@pytest.mark.parametrize("family", list(NORMAL))
def test_nuts_gives_the_exact_posterior(family, tmp_path):
    """The z of 100 data sets of each family are standard normal."""
    agree(family, tmp_path / "run", replicates=100)


def test_nuts_gives_the_exact_posterior_of_a_walk(tmp_path):
    """The same for 16 data sets of one family."""
    agree("random_walk", tmp_path / "run", replicates=16)
