"""A calibration study ranks the log density of the observations for users' models, without their doing."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from scipy import stats

import simstudy
from simstudy.fitting.log_density import log_density
from simstudy.measures import performance
from simstudy.measures.calibration import calibration, worst_groups
from simstudy.mechanisms.user import UserMechanism
from simstudy.report.evidence import Evidence
from simstudy.report.sections.calibration import calibration_section, partial_sentences, verdicts
from simstudy.types import GroupedData, Replicate
from tests.fakes import FakeRun

SIZES = np.array([2, 3, 4, 5, 30])
GROUP = np.repeat(np.arange(5), SIZES)
LARGEST = 4


def simulate(key, scenario):
    """Five groups, the largest of which has more observations than all others."""
    keys = jax.random.split(key, 4)
    mu, tau = jax.random.normal(keys[0]), jnp.abs(jax.random.normal(keys[1]))
    theta = mu + tau * jax.random.normal(keys[2], (5,))
    y = theta[GROUP] + jax.random.normal(keys[3], (GROUP.size,))
    return {"y": y, "group": GROUP}, {"mu": mu, "tau": tau, "theta": theta}


def effects():
    mu = numpyro.sample("mu", dist.Normal(0, 1))
    tau = numpyro.sample("tau", dist.HalfNormal(1))
    z = numpyro.sample("z", dist.Normal(0, 1).expand([5]))
    return numpyro.deterministic("theta", mu + tau * z)


def whole(data):
    theta = effects()
    numpyro.sample("y", dist.Normal(theta[data["group"]], 1), obs=data["y"])


def without_largest(data):
    theta = effects()
    with numpyro.handlers.mask(mask=data["group"] < LARGEST):
        numpyro.sample("y", dist.Normal(theta[data["group"]], 1), obs=data["y"])


def named(posterior):
    return {name: posterior[name] for name in ("mu", "tau", "theta")}


def study_of(*programs, estimands=named, **sections):
    mechanism = simstudy.register_mechanism("five_groups", simulate)
    models = [simstudy.register_model(program.__name__, program, estimands=estimands) for program in programs]
    return simstudy.Study.from_dict(
        {
            "study": {"name": "five", "kind": "calibration", "seed": 2, "replicates": 120},
            "mechanism": {"kind": mechanism},
            "method": [{"name": model.name, "model": model} for model in models],
            "sampler": {"kind": "nuts", "chains": 2, "warmup": 200, "draws": 200},
            **sections,
        }
    )


def given(program, replicates, sites, estimands=None):
    """Return what is ranked for a program on some data."""
    (method,) = study_of(program).methods
    mechanism = UserMechanism(name="five_groups", function=simulate)
    return log_density(mechanism, method, replicates, sites, sites if estimands is None else estimands)


def replicate(seed=0, **truth):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=5)
    data = {"y": theta[GROUP] + rng.normal(size=GROUP.size), "group": GROUP}
    return Replicate(data=data, truth={"theta": theta, **truth})


def draws(seed=1):
    """(1 fit, 2 chains, 3 draws) of the sites."""
    return {"theta": np.random.default_rng(seed).normal(size=(1, 2, 3, 5)).astype(np.float32)}


@pytest.mark.parametrize("program", [whole, without_largest])
def test_it_is_that_of_all_observations(program):
    """Also where the program masks some, at draws and at the truth: SciPy's normal log densities, summed."""
    one, sites = replicate(), draws()
    at_draws, at_truth = given(program, [one], sites)
    expected = stats.norm.logpdf(one.data["y"], sites["theta"][..., GROUP]).sum(-1)
    np.testing.assert_allclose(at_draws, expected, rtol=1e-5)
    np.testing.assert_allclose(at_truth, stats.norm.logpdf(one.data["y"], one.truth["theta"][GROUP]).sum(), rtol=1e-5)


def test_missing_observations_that_are_masked_add_nothing():
    """Where a masked observation is NaN its density is no number, and the others' is what counts."""

    def with_missing(data):
        theta = effects()
        with numpyro.handlers.mask(mask=~jnp.isnan(data["y"])):
            numpyro.sample("y", dist.Normal(theta[data["group"]], 1), obs=data["y"])

    one, sites = replicate(), draws()
    y = np.where(GROUP == 0, np.nan, one.data["y"])
    at_draws, _ = given(with_missing, [replace(one, data={**one.data, "y": y})], sites)
    kept = GROUP > 0
    np.testing.assert_allclose(
        at_draws, stats.norm.logpdf(y[kept], sites["theta"][..., GROUP[kept]]).sum(-1), rtol=1e-5
    )


def test_a_truth_that_is_not_the_sites_is_not_taken_for_it():
    """An estimand of the site's name that is something else has the truth of that; one without theta says nothing."""
    one, sites = replicate(), draws()
    assert given(whole, [one], sites, {"theta": -sites["theta"]}) is None
    assert given(whole, [replace(one, truth={"mu": np.array(0.0)})], sites) is None
    assert given(whole, [replace(one, truth={"theta": np.zeros(4)})], sites) is None


def test_what_the_user_ranks_is_left_to_the_user():
    """Where estimands and truth have a log likelihood, nothing is added."""
    one, sites = replicate(log_lik=np.array(-3.0)), draws()
    assert given(whole, [one], sites, {**sites, "log_lik": np.zeros((1, 2, 3))}) is None


def test_built_in_data_have_their_own_likelihood():
    """The log density of a user's model on built-in data is that of all groups, whatever the program observes."""
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "own", "kind": "calibration"},
            "mechanism": {"kind": "exchangeable", "sizes": [[1, 2, 6]], "mu": "Normal(0, 1)", "tau": "HalfNormal(1)"},
            "method": [{"name": "silent", "model": simstudy.register_model("silent", whole, estimands=named)}],
            "sampler": {"kind": "nuts"},
        }
    )
    mechanism, rng = study.scenarios[0].mechanism, np.random.default_rng(3)
    y, group = rng.normal(size=9), np.repeat(np.arange(3), [1, 2, 6])
    each = [y[group == j] for j in range(3)]
    data = GroupedData(
        n_obs=np.array([1, 2, 6]),
        y_mean=np.array([one.mean() for one in each]),
        y_ss=np.array([((one - one.mean()) ** 2).sum() for one in each]),
    )
    one = Replicate(data=data, truth={"theta": np.zeros(3), "sigma": np.array(2.0)})
    estimands = {"theta": rng.normal(size=(1, 2, 3, 3)), "mu": np.zeros((1, 2, 3))}
    at_draws, at_truth = log_density(mechanism, study.methods[0], [one], {}, estimands)
    expected = stats.norm.logpdf(y, estimands["theta"][..., group], 2.0).sum(-1)
    apart = (at_draws - at_truth) - (expected - stats.norm.logpdf(y, 0, 2.0).sum())
    np.testing.assert_allclose(apart, 0, atol=1e-9)


def test_built_in_data_have_forms_that_need_not_be_used():
    """A program of sufficient statistics makes nothing of raw observations, and leaves nothing out."""

    def of_means(data):
        mu = numpyro.sample("mu", dist.Normal(0, 1))
        numpyro.sample("y", dist.Normal(mu, 1 / jnp.sqrt(data["n_obs"])), obs=data["y_mean"])

    model = simstudy.register_model("of_means", of_means, estimands=lambda posterior: {"mu": posterior["mu"]})
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "means", "kind": "calibration"},
            "mechanism": {"kind": "exchangeable", "groups": 3, "group_size": 4, "mu": "Normal(0, 1)", "tau": 0.0},
            "method": [{"name": "means", "model": model}],
            "sampler": {"kind": "nuts"},
        }
    )
    assert study.ranks_log_density
    assert study.simulated["programs"]["means"]["unused"] == []
    assert "unused" not in study.description["methods"]["means"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "five"
    return simstudy.run(study_of(without_largest), out=out, workers=0, quiet=True)


def test_a_model_that_ignores_the_largest_group_is_caught(run):
    """Its parameters are calibrated, rightly: it has the posterior given four groups. Its log density is not."""
    judged = worst_groups(calibration(run)).set_index("estimand")["verdict"]
    assert judged.to_dict() == {
        "mu": "calibrated",
        "tau": "calibrated",
        "theta": "calibrated",
        "log_density": "not calibrated",
    }
    evidence = Evidence(run=run, performance=performance(run))
    assert verdicts(evidence)[1:] == ["The program of “without_largest” makes nothing of 30 of the 44 numbers of y."]
    (told,) = partial_sentences(worst_groups(calibration(run)))
    assert told.startswith("Of “without_largest” the log density alone is not uniform")
    assert told in calibration_section(evidence).paragraphs


def test_what_ranks_nothing_of_all_data_is_told(run):
    """Without the log density the method is calibrated, and the first screen says what that cannot mean."""
    blind = run.estimates.query("estimand != 'log_density'")
    tables = dict(study=run.study, scenarios=run.scenarios, methods=run.methods, estimands=run.estimands)
    tables |= dict(description=run.description, provenance={}, groups=run.groups, fits=run.fits, chains=run.chains)
    evidence = Evidence(run=FakeRun(**tables, estimates=blind, timings=run.timings), performance=performance(run))
    first, *others = verdicts(evidence)
    assert first.startswith("“without_largest” is calibrated for all 3 estimands")
    assert "“without_largest” ranks no log density, so that data which it leaves out would pass unnoticed." in others


def test_runs_made_before_are_refitted_as_they_were(run):
    """A canonical study that says nothing of a log density ranks none, and is the study that it was."""
    assert run.study["summary"]["log_density"] is True
    before = {**run.study, "summary": {"levels": run.study["summary"]["levels"]}}
    study = simstudy.Study.from_canonical(before)
    assert not study.ranks_log_density
    assert study.canonical == before
    assert study_of(whole, summary={"log_density": False}).canonical["summary"] == before["summary"]
    simulation = study_of(whole, study={"name": "five"})
    assert not simulation.ranks_log_density
