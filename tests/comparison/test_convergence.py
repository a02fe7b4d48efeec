"""A sampler that does not converge is red, and so is a candidate that lost a method or a scenario."""

import dataclasses

import numpy as np
import pytest

import simstudy
from simstudy.comparison.compare import SOMETHING_WORSE
from simstudy.report.comparing.sentences import headline
from tests.comparison.runs import METHODS, small_run, with_fits
from tests.fakes import fake_run

LIMITS = {"max_rhat": 1.5, "min_ess": 1, "max_divergence_rate": 1.0}


def lax(run):
    """Return the run with thresholds that none of its fits passes."""
    return dataclasses.replace(run, study={**run.study, "diagnostics": LIMITS})


@pytest.fixture(scope="module")
def run():
    """Two scenarios of 40 replicates under two methods, all converged."""
    return lax(small_run())


def stuck(run, method, *, replicates=np.inf):
    """Return the run with an R-hat of 3 in the first fits of a method."""
    is_its = (run.fits["method"] == method) & (run.fits["replicate"] < replicates)
    return dataclasses.replace(run, fits=run.fits.assign(max_rhat=run.fits["max_rhat"].mask(is_its, 3.0)))


def test_a_sampler_that_converges_in_no_fit_is_red(run):
    """Compared with itself, bit for bit the same, it is red and said first, until one fit converges."""
    spoiled = stuck(run, METHODS[1])
    found = simstudy.compare(spoiled, spoiled)
    usable = ((run.fits["method"] == METHODS[1]) & (run.fits["status"] == "ok")).sum()
    assert found.unconverged == {METHODS[1]: usable}
    assert found.exit_code == SOMETHING_WORSE
    assert headline(found).startswith(f"“{METHODS[1]}” converged in none of its {usable} fits in the candidate.")
    assert found.to_json()["unconverged"] == {METHODS[1]: usable}
    assert simstudy.compare(run, run).exit_code == 0
    assert simstudy.compare(run, stuck(run, METHODS[1], replicates=39)).unconverged == {}


def test_flags_rhat_and_ess_are_compared(run):
    """The shares, means and sizes are those of the fits, and a run in which they grow is worse in each."""
    worse = stuck(run, METHODS[1], replicates=20)
    worse = with_fits(worse, min_ess_bulk=lambda fits: fits["min_ess_bulk"] / 2)
    table = simstudy.compare(run, worse).table
    rows = table[(table["method"] == METHODS[1])].set_index("measure")
    fits = worse.fits[(worse.fits["method"] == METHODS[1]) & (worse.fits["status"] == "ok")]
    one = fits[fits["scenario"] == rows["scenario"].iloc[0]]
    rhat, flagged, ess = (rows.loc[[name]].iloc[0]["candidate"] for name in ("rhat", "flagged_rate", "ess"))
    assert rhat == pytest.approx(one["max_rhat"].mean())
    assert flagged == pytest.approx((one["max_rhat"] > 1.5).mean())
    assert ess == pytest.approx(one[["min_ess_bulk", "min_ess_tail"]].min(axis=1).mean())
    for measure in ("rhat", "flagged_rate", "ess"):
        assert (rows.loc[[measure], "direction"] == "worse").all(), measure


def test_the_thresholds_are_those_of_the_baseline(run):
    """A candidate that calls nothing a flag has those of the baseline."""
    strict = {**run.study, "diagnostics": {"max_rhat": 1.0, "min_ess": 400, "max_divergence_rate": 0.0}}
    table = simstudy.compare(dataclasses.replace(run, study=strict), run).table
    flagged = table[table["measure"] == "flagged_rate"]
    assert (flagged["candidate"] > 0.5).all()


def test_independent_draws_have_no_chains_to_compare():
    """Against an exact method neither R-hat nor ESS is compared: its draws are independent by design."""
    options = {"groups": (4,), "group_size": (5,), "tau": (0.5,), "replicates": 20}
    run = fake_run(**options, methods=("partial, noncentered", "partial, exact"))
    named = {"baseline_method": "partial, exact", "candidate_method": "partial, noncentered"}
    assert not {"rhat", "ess", "flagged_rate"} & set(simstudy.compare(run, run, **named).table["measure"])
    assert {"rhat", "ess", "flagged_rate"} <= set(simstudy.compare(run, run).table["measure"])


def test_the_sampler_s_own_error_is_compared_where_there_is_an_oracle():
    """Means moved by half a posterior sd against the exact ones have a squared error of a quarter, and are worse."""
    options = {"groups": (4,), "group_size": (5,), "tau": (0.5,), "replicates": 60, "sampler_noise": 0.0}
    run = lax(fake_run(**options, methods=("partial, noncentered", "partial, exact")))
    its = ((run.estimates["method"] == "partial, noncentered") & (run.estimates["estimand"] == "mu")).to_numpy()
    mean = run.estimates["mean"].to_numpy(float) + np.where(its, 0.5 * run.estimates["sd"].to_numpy(float), 0.0)
    other = dataclasses.replace(run, estimates=run.estimates.assign(mean=mean))
    named = {"baseline_method": "partial, noncentered", "candidate_method": "partial, noncentered"}
    for table in (simstudy.compare(run, other).table, simstudy.compare(run, other, **named).table):
        row = table[(table["measure"] == "sampler_error") & (table["estimand"] == "mu")].iloc[0]
        assert row["baseline"] == pytest.approx(0, abs=0.01)
        assert row["candidate"] == pytest.approx(0.25, abs=0.01)
        assert row["direction"] == "worse"


@pytest.mark.parametrize(("what", "column"), [("method", "method"), ("scenario", "label")])
def test_what_the_candidate_lost_is_red_unless_allowed(run, what, column):
    """A candidate without a method or a scenario of the baseline is red and says which; the other way round is not."""
    names = getattr(run, f"{what}s")
    tables = {
        n: getattr(run, n)[getattr(run, n)[what] == names[what].iloc[0]] for n in (f"{what}s", "fits", "estimates")
    }
    fewer = dataclasses.replace(run, **tables)
    found = simstudy.compare(run, fewer)
    assert found.exit_code == SOMETHING_WORSE
    assert headline(found).startswith(f"The candidate has lost 1 {what} of the baseline: {names[column].iloc[1]}.")
    assert simstudy.compare(run, fewer, allow_missing=True).exit_code == 0
    assert simstudy.compare(fewer, run).exit_code == 0


def test_a_sampler_of_one_s_own_that_does_not_converge(walk, tmp_path):
    """A random walk with steps that are too small, run as a study: red in comparisons, first in the report."""
    run = walk
    assert simstudy.compare(run, run).exit_code == SOMETHING_WORSE
    against = simstudy.compare(run, run, baseline_method="NUTS", candidate_method="walk")
    assert list(against.unconverged) == ["walk against NUTS"]
    assert against.exit_code == SOMETHING_WORSE
    worse = against.table[against.table["direction"] == "worse"]
    assert {"rhat", "ess"} <= set(worse["measure"])
    errors = against.table[against.table["measure"] == "sampler_error"]
    assert (errors["candidate"] > 10 * errors["baseline"].abs()).mean() > 0.5
    page = simstudy.report(run, tmp_path / "report.html").read_text("utf-8")
    lead = page[page.index('class="lead-in"') :]
    assert lead.index("did not converge in 12 of 12 fits") < 400
    assert "adds nothing" not in page
    assert "their number is not known, not 0" in page
