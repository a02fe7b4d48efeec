"""Every family: the batched sampler against NumPyro's NUTS on the same program, and programs shared by sizes.

With z the difference of two posterior means over their combined errors, z^2 averages to 1. Estimands of one data set
are dependent, so the standard error of that average is taken over data sets: about .015 to .07 with 100 of them, .04 to
.17 with 16. The average has to be within three of them of .9 to 1.1; so has the ratio of leapfrogs of .95 to 1.05.
"""

import numpy as np
import pytest

import simstudy
from simstudy.fitting.blocks import plan_blocks
from tests.statistical.families import MECHANISMS, SIZES, paired, study_of_both, study_of_sizes

MIN_ESS = 400
STANDARD_ERRORS = 3
FIT = ["scenario", "replicate"]


def within(values: np.ndarray, low: float, high: float) -> bool:
    """Whether the mean of one value a data set is in an interval, but for three of its standard errors."""
    margin = STANDARD_ERRORS * values.std(ddof=1) / np.sqrt(len(values))
    return low - margin < values.mean() < high + margin


def agree(family: str, folder, *, replicates: int) -> None:
    run = simstudy.run(study_of_both(family, replicates=replicates), out=folder, workers=2, quiet=True)
    assert (run.fits["status"] == "ok").all()
    both = paired(run.estimates, [*FIT, "estimand", "group"])
    both = both[(both["ess_bulk"] >= MIN_ESS) & (both["ess_bulk_numpyro"] >= MIN_ESS)]
    errors = np.hypot(both["mcse_mean"], both["mcse_mean_numpyro"])
    both = both[errors > 0].assign(z2=((both["mean"] - both["mean_numpyro"]) / errors) ** 2)
    per_fit = both.groupby("replicate", observed=True)["z2"].mean()
    assert len(per_fit) >= 0.9 * replicates
    named = both.groupby("estimand", observed=True)["z2"].mean().round(2).to_dict()
    assert within(per_fit.to_numpy(), 0.9, 1.1), (per_fit.mean(), named)
    steps = paired(run.fits, FIT)
    ratio = steps["n_leapfrog"] / steps["n_leapfrog_numpyro"].mean()
    lead = ratio - (steps["n_leapfrog_numpyro"] / steps["n_leapfrog_numpyro"].mean() - 1)
    assert within(lead.to_numpy(float), 0.95, 1.05), lead.mean()


@pytest.mark.statistical
@pytest.mark.parametrize("family", list(MECHANISMS))
def test_both_samplers_agree(family, tmp_path):
    """100 data sets of each family: z^2 averages to .9 to 1.1, and the leapfrogs are those of NumPyro within 5 %."""
    agree(family, tmp_path / "run", replicates=100)


def test_both_samplers_agree_on_a_walk(tmp_path):
    """The same for 16 data sets of one family."""
    agree("random_walk", tmp_path / "run", replicates=16)


@pytest.mark.parametrize("family", list(SIZES))
def test_twelve_scenarios_of_three_sizes_share_programs(family):
    """A program for each design, whatever the values of its parameters: at most 4 a method."""
    study = study_of_sizes(family)
    assert len(study.scenarios) == 12
    assert len({block.program for block in plan_blocks(study, {})}) <= 4
