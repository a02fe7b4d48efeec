"""Fits that cannot be: each is a row with a status and a reason that a person understands, and harms no other fit."""

import itertools
import os
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
import pytest

import simstudy
from simstudy.fitting.blocks import Block
from simstudy.fitting.reasons import reason_of
from simstudy.fitting.rows import improper_posteriors, stuck_chains
from simstudy.measures import performance
from simstudy.types import Draws, SamplerStats
from tests.running.test_runner import STUDY

REPLICATES = 4
SAMPLER = {"kind": "nuts", "chains": 2, "warmup": 60, "draws": 60}
numbers = itertools.count()


def simulate(key, scenario):
    return {"y": jax.random.normal(key, (5,))}, {"a": 0.0}


def normal(data):
    a = numpyro.sample("a", dist.Normal(0, 1))
    numpyro.sample("y", dist.Normal(a, 1).expand([5]), obs=data["y"])


def nan_for_some(data):
    normal(data)
    numpyro.factor("gap", jnp.where(data["y"][0] > 0, jnp.nan, 0.0))


def raises(data):
    normal(data)
    raise ValueError("no such thing\nand more")


def raises_nothing_said(data):
    raise RuntimeError


def looks_up(data):
    return data["x"]


def leaves(data):
    sys.exit(0)


def branches(data):
    if numpyro.sample("a", dist.Normal(0, 1)) > 0:
        normal(data)


def discrete(data):
    numpyro.sample("a", dist.Poisson(1))


def point(data):
    numpyro.sample("a", dist.Delta(1.0))


def nothing(data):
    return None


def wrong_scale(data):
    numpyro.sample("a", dist.Normal(0, -1.0))


def subsamples(data):
    a = numpyro.sample("a", dist.Normal(0, 1))
    with numpyro.plate("some", 5, subsample_size=2) as chosen:
        numpyro.sample("y", dist.Normal(a, 1), obs=data["y"][chosen])


def adds_noise(data):
    a = numpyro.sample("a", dist.Normal(0, 1))
    numpyro.sample("y", dist.Normal(a + jax.random.normal(numpyro.prng_key()), 1), obs=data["y"])


def asks_for_petabytes(data):
    normal(data)
    numpyro.factor("large", jnp.ones(10**15).sum())


PROGRAMS = {
    nan_for_some: ("non_finite", "the log density or its gradient was not finite at 100 random starting points"),
    raises: ("failed", "ValueError: no such thing (in raises, test_bad_fits.py line "),
    raises_nothing_said: ("failed", "RuntimeError without a message (in raises_nothing_said, test_bad_fits.py line "),
    looks_up: ("failed", "KeyError: 'x' (in looks_up, test_bad_fits.py line "),
    leaves: ("failed", "SystemExit: 0 (in leaves, test_bad_fits.py line "),
    branches: ("failed", "TracerBoolConversionError: "),
    discrete: ("failed", "the latent site 'a' is discrete: NUTS needs continuous parameters"),
    point: ("failed", "the latent site 'a' is a point mass"),
    nothing: ("failed", "the model has no latent parameter to estimate"),
    subsamples: ("failed", "the plate 'some' takes a random subsample, which a sampler would hold fixed"),
    adds_noise: ("failed", "the site 'y' depends on a random key"),
    wrong_scale: ("failed", "Normal distribution got invalid scale parameter"),
    asks_for_petabytes: ("failed", "out of memory: 3,725,290.3 GiB were asked for at once"),
}


def lookup_error(posterior):
    return {"a": posterior["b"]}


RUN_ESTIMANDS = {
    "raise": (lookup_error, "failed", "KeyError: 'b' (in lookup_error, test_bad_fits.py line "),
    "nan": (lambda p: {"a": p["a"] * np.nan}, "non_finite", "draws are not finite"),
}

# What a user's estimands may give instead of arrays (chain, draw, group).
ESTIMANDS = {
    "list": (lambda p: [p["a"]], "estimands(posterior) gave list; expected a mapping"),
    "none": (lambda p: None, "estimands(posterior) gave NoneType; expected a mapping"),
    "empty": (lambda p: {}, "estimands(posterior) gave no estimand"),
    "text": (lambda p: {"a": "x"}, "estimand 'a' is of type <U1; expected real numbers"),
    "complex": (lambda p: {"a": p["a"] * 1j}, "estimand 'a' is of type complex64; expected real numbers"),
    "mean": (lambda p: {"a": p["a"].mean()}, "estimand 'a' has shape (); expected (chain, draw)"),
}


def ragged(key, scenario):
    return {"y": np.ones(3 + int(np.asarray(jax.random.key_data(key))[0] % 4))}, {"a": 0.0}


# What a user's simulator may give instead of a pair of data and truth.
SIMULATORS = {
    "raise": (lambda key, scenario: scenario["none"], "KeyError: 'none' (in <lambda>, test_bad_fits.py line "),
    "one": (lambda key, scenario: {"y": jnp.ones(5)}, "gave dict; expected a pair (data, truth)"),
    "three": (lambda key, scenario: (1, 2, 3), "gave tuple; expected a pair (data, truth)"),
    "truth": (lambda key, scenario: ({"y": jnp.ones(5)}, [1]), "gave list as truth; expected a mapping"),
    "words": (lambda key, scenario: ({"y": jnp.ones(5)}, {"a": "x"}), "gave 'x' as the truth of 'a'; expected numbers"),
    "text": (lambda key, scenario: ({"y": "hello"}, {}), "gave str at ['y']; expected arrays of numbers"),
    "ragged": (ragged, "the data of a scenario's replicates differ in shape"),
    "memory": (lambda key, scenario: np.ones(10**16), "out of memory: "),
}


def run_of(tmp_path, methods, *, mechanism=None, replicates=REPLICATES, **where):
    kind = mechanism or simstudy.register_mechanism("five", simulate)
    contents = {
        "study": {"name": "bad", "seed": 4, "replicates": replicates},
        "mechanism": {"kind": kind},
        "method": methods,
        "sampler": SAMPLER,
    }
    where = {"workers": 0, "quiet": True} | where
    return simstudy.run(simstudy.Study.from_dict(contents), out=tmp_path / f"run{next(numbers)}", **where)


def method_of(program, estimands=lambda posterior: {"a": posterior["a"]}, name=None):
    name = name or program.__name__
    return {"name": name, "model": simstudy.register_model(name, program, estimands=estimands)}


def ended(run, method):
    """Return the fits of a method: (status, reason) of each."""
    rows = run.fits[run.fits["method"] == method]
    return list(zip(rows["status"].astype(str), rows["reason"], strict=True))


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A good model, alone in its study."""
    return run_of(tmp_path_factory.mktemp("alone"), [method_of(normal)])


@pytest.fixture(scope="module")
def among(tmp_path_factory):
    """The same among all that can go wrong."""
    methods = [method_of(program) for program in (normal, *PROGRAMS)]
    methods += [method_of(normal, estimands, name) for name, (estimands, *_) in RUN_ESTIMANDS.items()]
    return run_of(tmp_path_factory.mktemp("among"), methods)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_models_that_cannot_be_fitted(among, program):
    """A model that raises, leaves, is not finite or too large for memory is a status, with where it went wrong."""
    status, words = PROGRAMS[program]
    bad = [fit for fit in ended(among, program.__name__) if fit[0] != "ok"]
    assert {fit[0] for fit in bad} == {status}
    assert all(reason.startswith(words) or words in reason for _, reason in bad)
    assert all("\n" not in reason and len(reason) < 400 for _, reason in bad)
    assert len(bad) == REPLICATES or program is nan_for_some


@pytest.mark.parametrize("name", RUN_ESTIMANDS)
def test_estimands_that_are_no_numbers(among, name):
    """Estimands that raise, or give what is not finite, are a status."""
    _, status, words = RUN_ESTIMANDS[name]
    for found, reason in ended(among, name):
        assert found == status
        assert words in reason


@pytest.mark.parametrize("name", ESTIMANDS)
def test_estimands_that_are_no_arrays(name):
    """What a user's estimands give is checked, and said in the words of their contract."""
    estimands, words = ESTIMANDS[name]
    model = simstudy.register_model("unfitted", normal, estimands=estimands)
    with pytest.raises((TypeError, ValueError)) as error:
        model.estimands({"a": np.zeros((3, 2, 60), np.float32)}, [None] * 3, np.zeros((3, 2), np.uint32))
    assert words in str(error.value)


def test_one_impossible_data_set_spoils_no_other(among):
    """Of one block, the fits whose density is not finite are lost and the others are the good model's, bit for bit."""
    statuses = [status for status, _ in ended(among, "nan_for_some")]
    assert 0 < statuses.count("non_finite") < REPLICATES
    kept = among.estimates[among.estimates["method"] == "nan_for_some"]
    assert len(kept) == statuses.count("ok")
    assert np.isfinite(kept["mean"]).all()


def test_good_fits_are_what_they_are_alone(alone, among):
    """Rows of the good model do not depend on what fails beside it, and the run can be scored."""
    columns = ["replicate", "mean", "sd", "q2_5", "rank", "ess_bulk", "rhat"]
    good = among.estimates[among.estimates["method"] == "normal"]
    pd.testing.assert_frame_equal(good[columns].reset_index(drop=True), alone.estimates[columns].reset_index(drop=True))
    table = performance(among)
    bias = table[(table["measure"] == "bias") & (table["method"] == "normal")]
    assert bias["n_used"].tolist() == [REPLICATES]
    lost = table[(table["measure"] == "any_divergence") & (table["method"] == "raises")]
    assert lost["n_excluded"].tolist() == [REPLICATES]


@pytest.mark.parametrize("name", SIMULATORS)
def test_simulators_that_give_no_data(tmp_path, name):
    """What a user's simulator gives is checked, and said in the words of its contract."""
    function, words = SIMULATORS[name]
    mechanism = simstudy.register_mechanism(f"simulator_{name}", function)
    run = run_of(tmp_path, [method_of(normal)], mechanism=mechanism)
    for status, reason in ended(run, "normal"):
        assert status == "failed"
        assert words in reason


def test_parameters_beyond_all_numbers(tmp_path):
    """Data that overflow have no fit in their scenario, in one block with fits that stay as they are."""
    mechanism = STUDY["mechanism"] | {"groups": 3}
    runs = [
        simstudy.run(
            simstudy.Study.from_dict(STUDY | {"mechanism": mechanism | {"tau": tau}}),
            out=tmp_path / str(len(tau)),
            workers=0,
            quiet=True,
        )
        for tau in ([0.5], [0.5, "Uniform(1e307, 1e308)"])
    ]
    by_scenario = {label: rows["status"].astype(str) for label, rows in runs[1].fits.groupby("scenario", observed=True)}
    ordinary, beyond = (by_scenario[scenario] for scenario in runs[1].scenarios["scenario"])
    assert set(ordinary) == {"ok"}
    assert not {"ok"} & set(beyond)
    known = runs[1].estimates[runs[1].estimates["scenario"] == runs[0].scenarios["scenario"].iloc[0]]
    np.testing.assert_array_equal(known["mean"].to_numpy(), runs[0].estimates["mean"].to_numpy())


def test_a_program_that_ends_its_worker(tmp_path):
    """A model that takes the whole process with it fails alone, after a second try in a new process."""

    def deadly(data):
        os._exit(9)

    run = run_of(tmp_path, [method_of(deadly)], replicates=1, workers=1)
    assert ended(run, "deadly") == [("failed", "worker died")]


def stats_of(n_fits, n_chains, n_draws):
    each = np.zeros((n_fits, n_chains, n_draws))
    one = np.zeros((n_fits, n_chains))
    return SamplerStats(
        diverging=each > 0, accept_prob=each, num_steps=each, energy=each, step_size=one, n_leapfrog_warmup=one
    )


def test_chains_that_never_move_are_no_draws():
    """A fit with a chain all of whose draws, in all sites, are the same is told; one that moved once is not."""
    rng = np.random.default_rng(1)
    theta, mu = rng.normal(size=(4, 2, 10, 3)), rng.normal(size=(4, 2, 10))
    theta[1, 0], mu[1, 0] = theta[1, 0, :1], mu[1, 0, :1]
    theta[2], mu[2] = theta[2, :, :1], mu[2, :, :1]
    theta[3, 1], mu[3, 1] = theta[3, 1, :1], mu[3, 1, :1]
    mu[3, 1, 4] += 1e-6
    found = stuck_chains(Draws(sites={"theta": theta, "mu": mu}, stats=stats_of(4, 2, 10)))
    assert {fit: reason.partition(" never")[0] for fit, reason in found.items()} == {
        1: "1 of 2 chains",
        2: "2 of 2 chains",
    }
    assert stuck_chains(Draws(sites={"mu": mu})) == {}


def test_a_site_that_never_moves_is_told_where_every_site_has_to_move():
    """Of a built-in model each site moves, unless its steps are lost in rounding; a user's may hold what is fixed."""
    rng = np.random.default_rng(1)
    sites = {"mu": rng.normal(size=(3, 2, 10)), "tau": rng.normal(size=(3, 2, 10)), "theta": np.ones((3, 2, 10, 2))}
    sites["theta"][..., 1] = rng.normal(size=(3, 2, 10))
    sites["tau"][1, 0] = 2.0
    draws = Draws(sites=sites, stats=stats_of(3, 2, 10))
    assert stuck_chains(draws) == {}
    assert stuck_chains(draws, each=True) == {
        1: "1 of 2 chains never moved in tau: its steps are lost in rounding; give data in another unit or from "
        "another origin"
    }


FLAT = {"a": [2.0, 2.0, 2.0], "b": [5.0, 5.0]}
ALL_FLAT = {"a": [0.1] * 3, "b": [0.1] * 4}
VARIED = {"a": [2.0, 2.0, 2.5], "b": [5.0, 5.0]}
SINGLE = {"a": [2.0], "b": [2.0], "c": [2.0]}
HIERARCHICAL = {"sigma_by": "hierarchical"}


@pytest.mark.parametrize(
    ("data", "structure", "options", "sigma", "is_improper"),
    [
        (FLAT, "partial", {}, "Exponential(1)", True),
        (FLAT, "none", {}, "HalfCauchy(1)", True),
        (FLAT, "complete", {}, "Exponential(1)", False),  # around one mean they vary
        (ALL_FLAT, "complete", {}, "Exponential(1)", True),
        (ALL_FLAT, "partial", {}, "HalfNormal(1)", True),
        (VARIED, "partial", {}, "Exponential(1)", False),
        (VARIED, "none", {"sigma_by": "group"}, "Exponential(1)", True),  # group b has a sigma of its own
        (FLAT, "partial", {}, "LogNormal(0, 1)", False),
        (FLAT, "partial", {}, "InverseGamma(2, 1)", False),
        (FLAT, "partial", {}, "Gamma(2, 1)", True),  # N - J = 3: sigma^1 is not enough, sigma^3 is
        (FLAT, "partial", {}, "Gamma(4, 1)", False),
        (FLAT, "partial", {}, "Uniform(0.1, 1)", False),
        (FLAT, "partial", {}, 0.5, False),
        ({"a": [1.0], "b": [3.0]}, "partial", {}, "Exponential(1)", False),  # one observation tells no sigma
        (SINGLE, "partial", {}, "Exponential(1)", True),  # sigma and tau go to 0 together
        (SINGLE, "partial", {}, "LogNormal(0, 1)", False),
        (SINGLE, "none", {}, "Exponential(1)", False),
        (SINGLE, "partial", {"sigma_by": "group"}, "Exponential(1)", False),
        (FLAT, "partial", HIERARCHICAL, "Exponential(1)", True),
        (ALL_FLAT, "complete", HIERARCHICAL, "Exponential(1)", True),
        (VARIED, "partial", HIERARCHICAL, "LogNormal(0, 1)", False),  # omega ~ HalfNormal(1) outweighs one pair
    ],
)
def test_data_without_variation_have_an_improper_posterior(tmp_path, data, structure, options, sigma, is_improper):
    """Where all observations are fitted exactly, sigma goes to 0 as its prior lets it: failed, with the reason."""
    rows = [f"{group},{value}" for group, values in data.items() for value in values]
    (tmp_path / "d.csv").write_text("\n".join(["g,v", *rows]))
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "s", "replicates": 1},
            "mechanism": {"kind": "dataset", "data": "d.csv", "group": "g", "value": "v"},
            "method": [{"name": "m", "structure": structure, "priors": {"sigma": sigma}, **options}],
            "sampler": {"kind": "nuts"},
        },
        folder=tmp_path,
    )
    replicates = study.scenarios[0].mechanism.simulate(np.zeros((1, 2), np.uint32))
    found = improper_posteriors(Block(study=study, method=0, fits=((0, 0),)), replicates)
    assert bool(found) == is_improper
    if is_improper:
        assert found[0].startswith("the posterior is improper: the observations do not vary")
        assert re.search("sigma (and tau go|goes) to 0 under (its prior|their priors)", found[0])


@pytest.mark.parametrize("sampler", [SAMPLER, {"kind": "exact", "chains": 2, "draws": 60}])
def test_a_fit_of_constant_data_has_failed(tmp_path, sampler):
    """Whatever draws there are of an improper posterior, its fit is failed with the reason and has no estimates."""
    (tmp_path / "d.csv").write_text("g,v\n" + "a,3\nb,3\n" * 5)
    contents = {
        "study": {"name": "s", "replicates": 1},
        "mechanism": {"kind": "dataset", "data": "d.csv", "group": "g", "value": "v"},
        "method": [{"name": "m", "structure": "complete"}],
        "sampler": sampler,
    }
    study = simstudy.Study.from_dict(contents, folder=tmp_path)
    run = simstudy.run(study, out=tmp_path / "run", workers=0, quiet=True)
    assert run.fits["status"].tolist() == ["failed"]
    assert run.fits["reason"].str.startswith("the posterior is improper: the observations do not vary at all").all()
    assert len(run.estimates) == 0


def test_a_run_without_an_estimate_has_a_report(tmp_path):
    """Whatever methods there were: the page says that their fits failed."""
    (tmp_path / "d.csv").write_text("g,v\n" + "a,3\nb,3\n" * 5)
    contents = {
        "study": {"name": "s", "replicates": 1},
        "mechanism": {"kind": "dataset", "data": "d.csv", "group": "g", "value": "v"},
        "method": [{"name": name, "structure": name} for name in ("complete", "none", "partial")],
        "sampler": {"kind": "exact", "chains": 2, "draws": 60},
    }
    study = simstudy.Study.from_dict(contents, folder=tmp_path)
    run = simstudy.run(study, out=tmp_path / "run", workers=0, quiet=True)
    assert run.fits["status"].tolist() == ["failed"] * 3
    assert "the observations do not vary at all" in simstudy.report(run, tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "out of memory: a smaller model"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 40000000000 bytes."), "out of memory: 37.3 GiB"),
        (RuntimeError("INTERNAL: Error: Out of memory allocating 1073741824 bytes."), "out of memory: 1.0 GiB"),
        (ValueError("x" * 1000), "ValueError: xxx"),
        (ValueError("\x1b[2Jred"), "ValueError: \\x1b[2Jred"),
    ],
)
def test_reasons_are_short_and_plain(error, words):
    """Whatever says that memory is short is said in one way, and no reason is longer than a cell of a table holds."""
    reason = reason_of(error)
    assert reason.startswith(words)
    assert len(reason) <= 300
