"""The sampler's own error against exact posteriors: closed forms, planted errors, and the split of the MSE."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from simstudy.measures import MEASURES, judge_divergent_fits, performance
from simstudy.measures.sampler_error import exact_methods
from simstudy.store.traits import exact_samplers
from tests.fakes import EXACT, METHODS, fake_repeats, fake_run

OF_SAMPLER = [name for name, measure in MEASURES.items() if measure.rows == "sampler_errors"]
ONE_SCENARIO = {"groups": (4,), "group_size": (2,), "tau": (1.0,), "levels": (0.9,)}
SAMPLER, CENTERED, REFERENCE = "partial, noncentered", "partial, centered", "partial, exact"
# Of y_j ~ Normal(theta_j, s2 = 1/2), theta_j ~ Normal(mu, 1), flat mu, 4 groups: the posterior variance of mu.
MU_VARIANCE = 1.5 / 4
# Fake samplers have an ESS uniform in 900 to 2,000, so E[d^2] / V = E[1 / ESS] = log(2000 / 900) / 1100.
ESS_BY_ERROR = 1100 / np.log(2000 / 900)


def located(run):
    """Return the run with the estimands whose posterior the fakes know, which the exact method shares."""
    return dataclasses.replace(run, estimates=run.estimates[run.estimates["estimand"].isin(["theta", "mu"])])


def changed(run, **columns):
    """Return the run with other columns in its estimates."""
    return dataclasses.replace(run, estimates=run.estimates.assign(**columns))


def divergent_replicates(run):
    """Return the replicates in which the centered sampler has divergent draws."""
    return run.fits[(run.fits["method"] == CENTERED) & (run.fits["n_divergent"] > 0)]["replicate"]


def scores(run, *, method=SAMPLER, estimand="mu", bin_=None):
    """Return the sampler's measures of a method and estimand, one row per measure."""
    table = performance(run)
    here = table[(table["method"] == method) & (table["estimand"] == estimand) & table["measure"].isin(OF_SAMPLER)]
    return here[here["bin"].isna() if bin_ is None else here["bin"] == bin_].set_index("measure")


@pytest.fixture(scope="module")
def run():
    """Two samplers with the error that they claim, and the exact method, on 1,500 data sets."""
    methods = (SAMPLER, CENTERED, REFERENCE)
    return located(fake_run(replicates=1500, methods=methods, failure_rate=0, seed=1, **ONE_SCENARIO))


@pytest.mark.parametrize("estimand", ["mu", "theta"])
def test_a_sampler_that_knows_its_error_has_standard_normal_z(run, estimand):
    """Mean z^2 is 1, |z| > 3 in .0027 of the cases and the bias 0, within 4 MCSE, the exact draws' own error in z."""
    found = scores(run, estimand=estimand)
    for measure, expected in (("sampler_z_square", 1), ("sampler_z_beyond_3", 0.0027), ("sampler_bias", 0)):
        row = found.loc[measure]
        assert abs(row["value"] - expected) < 4 * row["mcse"]
    assert found.loc["sampler_z_square", "mcse"] < 0.05


@pytest.mark.parametrize("estimand", ["mu", "theta"])
def test_draws_by_error_are_the_ess_of_the_sampler(run, estimand):
    """ESS_err is the harmonic mean ESS, within 4 MCSE: the errors of 2,000 exact draws do not lower it."""
    row = scores(run, estimand=estimand).loc["error_ess"]
    assert abs(row["value"] - ESS_BY_ERROR) < 4 * row["mcse"]
    assert row["mcse"] < 0.1 * ESS_BY_ERROR


def test_efficiency_is_per_leapfrog_with_warmup(run):
    """error_efficiency is ESS_err over the mean leapfrogs of a fit, those of the warm-up included."""
    found = scores(run)
    fits = run.fits[run.fits["method"] == SAMPLER]
    leapfrogs = (fits["n_leapfrog"] + fits["n_leapfrog_warmup"]).mean()
    assert found.loc["error_efficiency", "value"] == pytest.approx(found.loc["error_ess", "value"] / leapfrogs)


def test_the_mse_is_split(run):
    """Model part and sampler part add up to the MSE; the model's is the posterior variance, the sampler's V / ESS."""
    found = scores(run)
    table = performance(run)
    mse = table[(table["measure"] == "mse") & (table["method"] == SAMPLER) & (table["estimand"] == "mu")][
        "value"
    ].item()
    assert found.loc["mse_model", "value"] + found.loc["mse_sampler", "value"] == pytest.approx(mse, rel=1e-12)
    model, sampler = found.loc["mse_model"], found.loc["mse_sampler"]
    assert abs(model["value"] - MU_VARIANCE) < 4 * model["mcse"]
    assert abs(sampler["value"] - MU_VARIANCE / ESS_BY_ERROR) < 4 * sampler["mcse"]


def test_exact_means_need_no_correction(run):
    """Where the exact method states no error of its means, z and ESS_err are those of the sampler's error alone."""
    is_exact = run.estimates["method"] == REFERENCE
    exact_mu = run.estimates[is_exact & (run.estimates["estimand"] == "mu")].set_index("replicate")["mean"]
    own = run.estimates[(run.estimates["method"] == SAMPLER) & (run.estimates["estimand"] == "mu")]
    d = own["mean"].to_numpy() - exact_mu.loc[own["replicate"]].to_numpy()
    found = scores(changed(run, mcse_mean=run.estimates["mcse_mean"].where(~is_exact)))
    z2 = d**2 / own["mcse_mean"].to_numpy() ** 2
    assert found.loc["sampler_z_square", "value"] == pytest.approx(z2.mean())
    assert found.loc["error_ess", "value"] == pytest.approx(MU_VARIANCE / np.mean(d**2))


def test_a_bias_of_divergent_fits_is_seen_among_them_alone(run):
    """Means that are off by half a posterior sd in the fits with divergences show there, and in the others do not."""
    divergent = divergent_replicates(run)
    own = (run.estimates["method"] == CENTERED) & run.estimates["replicate"].isin(divergent)
    biased = changed(run, mean=run.estimates["mean"] + 0.5 * run.estimates["sd"] * own)
    some, none, every = (
        scores(biased, method=CENTERED, bin_=bin_) for bin_ in ("divergences=some", "divergences=none", None)
    )
    share = len(divergent) / 1500
    assert 0.1 < share < 0.9
    for found, expected in ((some, 0.5), (none, 0.0), (every, 0.5 * share)):
        assert abs(found.loc["sampler_bias", "value"] - expected) < 4 * found.loc["sampler_bias", "mcse"]
    assert some.loc["sampler_bias", "n_used"] == len(divergent)
    assert some.loc["sampler_z_square", "value"] > 20 > none.loc["sampler_z_square", "value"]
    assert some.loc["error_ess", "value"] < 5


def test_fits_with_divergences_are_judged(run):
    """Half a posterior sd of bias in them is found; without it they are harmless; two of them tell nothing."""
    own = (run.estimates["method"] == CENTERED) & run.estimates["replicate"].isin(divergent_replicates(run))
    biased = changed(run, mean=run.estimates["mean"] + 0.5 * run.estimates["sd"] * own)
    few = dataclasses.replace(run, fits=run.fits.assign(n_divergent=run.fits["replicate"].lt(2).astype("Int64")))
    found = [judge_divergent_fits(performance(r)).set_index(["method", "estimand"]) for r in (biased, run, few)]
    assert [table.loc[(CENTERED, "mu"), "verdict"] for table in found] == ["biased", "harmless", "cannot tell"]
    assert (
        abs(found[0].loc[(CENTERED, "theta"), "bias"] - 0.5)
        < 0.05
        > abs(found[0].loc[(CENTERED, "theta"), "other_bias"])
    )
    assert found[2].loc[(CENTERED, "mu"), "n_used"] == 2


def test_nothing_is_judged_without_an_exact_method():
    """Without sampler errors there is no verdict: a table of its columns without rows."""
    judged = judge_divergent_fits(performance(fake_run(replicates=5, **ONE_SCENARIO)))
    assert judged.empty
    assert "verdict" in judged


def test_the_exact_method_is_named_and_not_scored_itself(run):
    """Rows of the sampler's error name the exact method; that method has none of its own."""
    table = performance(run)
    rows = table[table["measure"].isin(OF_SAMPLER)]
    assert set(rows["method"]) == {SAMPLER, CENTERED}
    assert set(rows["reference"]) == {REFERENCE}


def test_without_an_exact_method_there_is_no_error_of_the_sampler():
    """A study that does not ask for the exact posterior has no such rows."""
    table = performance(fake_run(replicates=20, **ONE_SCENARIO))
    assert not set(OF_SAMPLER) & set(table["measure"])


def test_replicates_whose_exact_fit_failed_are_left_out():
    """Only data sets that both methods fitted are compared, and the others are counted as left out."""
    run = fake_run(replicates=100, methods=(SAMPLER, REFERENCE), failure_rate=0.1, seed=2, **ONE_SCENARIO)
    both = (run.fits["status"] == "ok").groupby(run.fits["replicate"]).all()
    row = scores(run).loc["sampler_bias"]
    assert row["n_used"] == both.sum() < 90
    assert row["n_used"] + row["n_excluded"] == row["n_replicates"] == 100


def method(name, kind, **options):
    """Return a method of a study."""
    model = {"structure": "partial", "likelihood": "normal", "sigma_by": "shared", "priors": {"tau": "HalfNormal(5)"}}
    return {"name": name, **model, **options, "sampler": {"kind": kind}}


def test_only_the_same_model_is_compared():
    """The parameterization does not matter; structure, priors, likelihood, sigma_by and a user's model do."""
    methods = [
        method("exact", "exact"),
        method("second exact", "exact"),
        method("centered", "nuts", parameterization="centered"),
        method("other prior", "nuts", priors={"tau": "HalfNormal(1)"}),
        method("none", "nuts", structure="none"),
        method("by group", "nuts", sigma_by="group"),
        method("known", "nuts", likelihood="normal_known_se"),
        method("own", "nuts", model="own"),
    ]
    assert exact_methods(methods, {"exact", "second exact"}) == {"centered": "exact"}


def ratios_of_repeats(*, repeats, replicates, seeds):
    """Return the root mean square MCSE over the spread of the measures, by measure and estimand."""
    tables = []
    for seed in seeds:
        options = {"methods": (SAMPLER, REFERENCE), "failure_rate": 0.02, "seed": seed, **ONE_SCENARIO}
        table = performance(located(fake_repeats(repeats=repeats, replicates=replicates, **options)))
        tables.append(table[table["measure"].isin(OF_SAMPLER) & table["bin"].isna()])
    cells = pd.concat(tables).groupby(["measure", "estimand"])
    return np.sqrt(cells["mcse"].agg(lambda mcse: np.mean(mcse**2))) / cells["value"].std()


def test_mcse_is_the_spread_over_repeated_studies():
    """For every measure the MCSE lies within 20 % of the spread over 120 studies, 3 times its own error of 6.5 %."""
    by_measure = ratios_of_repeats(repeats=120, replicates=100, seeds=[3]).groupby("measure").median()
    assert set(by_measure.index) == set(OF_SAMPLER)
    assert by_measure.between(0.8, 1.2).all(), by_measure


@pytest.mark.statistical
def test_mcse_is_the_spread_over_many_studies_of_200_replicates():
    """Over 2,000 studies of 200 replicates the ratio lies in 0.93 to 1.07 (its own error is 1.6 to 2.2 %)."""
    ratios = ratios_of_repeats(repeats=200, replicates=200, seeds=range(10))
    assert len(ratios) == 2 * len(OF_SAMPLER)
    assert ratios.between(0.93, 1.07).all(), ratios


def test_the_fakes_share_one_model():
    """The exact method of the fakes stands for partial pooling in both parameterizations, and for nothing else."""
    run = fake_run(replicates=1, methods=(*METHODS, *EXACT), **ONE_SCENARIO)
    assert exact_methods(run.study["methods"], exact_samplers(run)) == {SAMPLER: REFERENCE, CENTERED: REFERENCE}
