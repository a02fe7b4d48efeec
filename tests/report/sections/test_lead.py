"""The lead of a page answers the aim in at most three sentences, what did not converge before all else."""

import dataclasses

import numpy as np
import pytest

from simstudy.measures import performance
from simstudy.report.evidence import Evidence
from simstudy.report.sections.answer import key_picture
from simstudy.report.sections.lead import NONE_USABLE, is_about_costs, lead
from tests.fakes import fake_run, with_own_names

PAIR = ("partial, centered", "partial, noncentered")
LAX = {"max_rhat": 1.5, "min_ess": 1, "max_divergence_rate": 1.0}
SMALL = {"groups": (4,), "group_size": (5,), "tau": (0.0, 0.5, 2.0), "replicates": 60}


def evidence_of(run, *, limits=LAX, **section):
    """Return the evidence on a run with thresholds, and with keys of its study's section."""
    study = {**run.study, "diagnostics": limits, "study": {**run.study["study"], **section}}
    run = dataclasses.replace(run, study=study)
    return Evidence(run=run, performance=performance(run))


def stuck(run, method):
    """Return the run with a method all of whose fits have a large R-hat."""
    is_its = (run.fits["method"] == method).to_numpy()
    return dataclasses.replace(run, fits=run.fits.assign(max_rhat=np.where(is_its, 3.0, run.fits["max_rhat"])))


@pytest.fixture(scope="module")
def pooling():
    """Three structures."""
    return fake_run(**SMALL, methods=("complete", "none", "partial, noncentered"))


@pytest.fixture(scope="module")
def pair():
    """Two parameterizations of one model."""
    return fake_run(**SMALL, methods=PAIR)


def test_methods_of_several_models_are_led_by_accuracy(pooling):
    """The one sentence says who is best or tied, and the picture is that of the error."""
    evidence = evidence_of(pooling)
    (told,) = lead(evidence)
    assert told.startswith("“partial, noncentered” is best or tied for θ in ")
    assert "RMSE" in key_picture(evidence).title
    assert not is_about_costs(evidence)


def test_methods_of_one_posterior_are_led_by_what_they_cost(pair):
    """Where model and priors are the same, efficiency leads the sentences and is the picture."""
    evidence = evidence_of(pair)
    told = lead(evidence)
    assert is_about_costs(evidence)
    assert any("effective draws per leapfrog" in sentence for sentence in told)
    assert "leapfrog" in key_picture(evidence).title


def contradicted(run, names):
    """Return the run with priors that the truth contradicts, under some methods."""
    told = "the truth contradicts the prior mu ~ Normal(0, 1): mu = 90"
    methods = run.methods.assign(prior_conflict=[told if str(n) in names else None for n in run.methods["method"]])
    return dataclasses.replace(run, methods=methods)


def test_priors_that_the_truth_contradicts_come_before_the_answer(pooling):
    """Who is best under such priors is said of these priors."""
    told = lead(evidence_of(contradicted(pooling, {"none"})))
    assert told[0] == "The truth contradicts priors of “none”: what is said of it here is said of these priors."
    assert "is best or tied for θ" in told[1]


@pytest.mark.parametrize(("share", "names", "is_accurate"), [(0.3, (), False), (0.6, (), True), (0.6, None, False)])
def test_no_method_is_called_accurate_where_intervals_miss(pooling, share, names, is_accurate):
    """Below half of their level, or nine tenths of it where the truth contradicts every method's priors."""
    run = contradicted(pooling, set(pooling.methods["method"]) if names is None else names)
    evidence = evidence_of(run)
    is_coverage = evidence.performance["measure"] == "coverage"
    scores = evidence.performance.assign(value=evidence.performance["value"].mask(is_coverage, share))
    told = " ".join(lead(dataclasses.replace(evidence, performance=scores)))
    assert ("is best or tied for θ" in told) == is_accurate
    assert (f"intervals for θ at most {share:.0%} hold the truth".replace("%", " %") in told) != is_accurate


def test_the_primary_measure_leads(pooling, pair):
    """What the study names as its primary measure is what sentence and picture are about, whatever the methods."""
    evidence = evidence_of(pair, primary="coverage:mu")
    (told,) = lead(evidence)
    assert "coverage of μ" in told
    assert key_picture(evidence).title.startswith("Coverage of ")
    assert " for σ in " in lead(evidence_of(pooling, primary="rmse:sigma"))[0]


def test_what_did_not_converge_is_first_with_what_the_answer_becomes(pooling):
    """A method that never converged is the first word of the page, and the answer is told again without it."""
    first, answer, without = lead(evidence_of(stuck(pooling, "partial, noncentered")))
    assert first.startswith("“partial, noncentered” did not converge in ")
    assert first.endswith("; without these fits nothing is left of “partial, noncentered”.")
    assert "“partial, noncentered”" in answer
    assert without.startswith("Without these fits")
    assert "“partial, noncentered”" not in without


def test_what_a_few_fits_change_is_told(pooling):
    """Where a few fits of each method did not converge, the answer without them is told, or that it is the same."""
    rhat = pooling.fits["max_rhat"].where(pooling.fits["replicate"] >= 2, 3.0)
    told = lead(evidence_of(dataclasses.replace(pooling, fits=pooling.fits.assign(max_rhat=rhat))))
    assert len(told) == 3
    assert told[0].count(" of ") == 3
    assert told[2].startswith("Without these fits")


def test_one_method_has_no_rival():
    """The lead of a single method is its bias and its coverage."""
    (told,) = lead(evidence_of(fake_run(**SMALL, methods=("partial, noncentered",))))
    assert "intervals cover" in told


def test_no_fit_that_can_be_used_is_told(pair):
    """A run of lost fits says so and why, and nothing else."""
    fits = pair.fits.assign(status="failed", reason="no density")
    lost = dataclasses.replace(pair, fits=fits, estimates=pair.estimates.head(0))
    first, why = lead(Evidence(run=lost, performance=performance(pair)))
    assert first == NONE_USABLE
    assert why.count("failed in every fit: no density") == len(set(fits["method"]))


def test_a_method_without_a_fit_is_told_first(pooling):
    """A method that failed in every fit stands in the first sentence, though no number of it is anywhere."""
    is_lost = (pooling.fits["method"] == "complete").to_numpy()
    fits = pooling.fits.assign(
        status=np.where(is_lost, "failed", pooling.fits["status"].astype(str)),
        reason=np.where(is_lost, "no density", None),
    )
    lost = dataclasses.replace(
        pooling, fits=fits, estimates=pooling.estimates[pooling.estimates["method"] != "complete"]
    )
    assert lead(evidence_of(lost))[0] == "“complete” failed in every fit: no density."


def test_own_models_are_led_by_the_estimand_that_they_name_first(pooling):
    """Without a role to go by, the estimand that the models name first leads, not that of the alphabet."""
    names = pooling.estimands["estimand"].drop_duplicates().tolist()
    plain = dataclasses.replace(pooling, estimands=pooling.estimands.assign(role=None, center=None, spread=None))
    own = with_own_names(plain, {name: f"own_{9 - i}" for i, name in enumerate(names)})
    evidence = evidence_of(own)
    assert evidence.headline == "own_9"
    assert " for own_9 in " in lead(evidence)[0]


def test_at_most_three_sentences(pooling, pair):
    """Whatever there is to tell."""
    for run in (pooling, stuck(pooling, "none"), stuck(pair, PAIR[0])):
        assert 1 <= len(lead(evidence_of(run))) <= 3


def test_real_data_are_led_by_what_they_say():
    """Without a truth the lead is what the posteriors say, and where the sampler diverges."""
    run = fake_run(replication="sampler", replicates=20, methods=("none", "partial, centered"))
    fits = run.fits.assign(n_divergent=np.where(run.fits["method"] == "none", 0, 99 + 2 * (run.fits["replicate"] % 2)))
    told = lead(evidence_of(dataclasses.replace(run, fits=fits)))
    assert told[0].startswith("The posterior means of the groups lie between ")
    assert told[1] == "“partial, centered” diverges in 5.0 % of draws, “none” in none."
