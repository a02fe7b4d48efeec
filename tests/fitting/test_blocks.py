"""The plan of a study: which fits make up which block, and what is left of it when some are stored."""

import itertools
import pickle

import jax
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest

import simstudy
from simstudy.fitting.blocks import plan_blocks
from simstudy.study.study import Study


@pytest.fixture(scope="module")
def study():
    """Three scenarios of two shapes, two methods, 300 replicates: more than one block for each program."""
    return Study.from_dict(
        {
            "study": {"name": "plan", "replicates": 300},
            "mechanism": {"kind": "exchangeable", "sizes": [[2, 2], [2, 2, 2], [3, 3]]},
            "method": [{"name": "none", "structure": "none"}, {"name": "complete", "structure": "complete"}],
            "sampler": {"kind": "numpyro"},
        }
    )


def fits_of(blocks):
    return [(block.method, *fit) for block in blocks for fit in block.fits]


def test_every_fit_is_in_one_block(study):
    """A plan has each scenario, method and replicate once, and no block mixes shapes."""
    blocks = plan_blocks(study, {})
    assert sorted(fits_of(blocks)) == [(m, s, r) for m in range(2) for s in range(3) for r in range(300)]
    assert {frozenset(s for s, _ in block.fits) for block in blocks} == {frozenset({0, 2}), frozenset({1})}


def test_what_is_stored_is_not_planned(study):
    """Stored replicates, scattered or whole blocks of them, are left out; all others stay."""
    rng = np.random.default_rng(1)
    stored = {
        (study.scenarios[0].identity, "none"): np.sort(rng.choice(300, 40, replace=False)),
        (study.scenarios[1].identity, "complete"): np.arange(300),
    }
    index = {scenario.identity: s for s, scenario in enumerate(study.scenarios)}
    done = {(["none", "complete"].index(m), index[s], int(r)) for (s, m), rows in stored.items() for r in rows}
    assert set(fits_of(plan_blocks(study, stored))) == set(fits_of(plan_blocks(study, {}))) - done


def test_halves_of_a_block_are_the_block(study):
    """A block splits in two without losing or repeating a fit, and one fit cannot be split."""
    block = max(plan_blocks(study, {}), key=lambda b: len(b.fits))
    halves = block.split()
    assert [*halves[0].fits, *halves[1].fits] == list(block.fits)
    while (parts := block.split()) is not None:
        block = parts[0]
    assert len(block.fits) == 1


def levels(data):
    mean = numpyro.sample("mean", dist.Normal(0, 5))
    numpyro.sample("y", dist.Normal(mean, 1).expand([len(data["y"])]), obs=data["y"])


def simulate(key, scenario):
    if scenario.get("broken"):
        raise ValueError("no data today")
    return {"y": scenario.get("shift", 0) + jax.random.normal(key, (scenario["n"],))}, {"mean": 0.0}


SAMPLER = {"chains": 1, "warmup": 40, "draws": 40}


def study_of_a_user(methods=("nuts",), **factors):
    """Return a study of a user's simulator and model, two replicates of each scenario."""
    mechanism = simstudy.register_mechanism("levels", simulate)
    model = simstudy.register_model("levels", levels, estimands=lambda posterior: {"mean": posterior["mean"]})
    return Study.from_dict(
        {
            "study": {"name": "levels", "replicates": 2},
            "mechanism": {"kind": mechanism, **factors},
            "method": [{"name": kind, "model": model, "sampler": {"kind": kind}} for kind in methods],
            "sampler": {"kind": "nuts", **SAMPLER},
        }
    )


def programs_of(study):
    return {block.program for block in plan_blocks(study, {})}


def test_scenarios_of_one_shape_share_the_program_of_a_users_model():
    """One replicate tells the shape: scenarios of equal shapes have one program, others another; blocks stay apart."""
    assert len(programs_of(study_of_a_user(n=7, shift=[0.0, 1.0]))) == 1
    assert len(programs_of(study_of_a_user(n=[7, 9], shift=[0.0, 1.0]))) == 2
    blocks = plan_blocks(study_of_a_user(n=7, shift=[0.0, 1.0]), {})
    assert [{s for s, _ in block.fits} for block in blocks] == [{0}, {1}]


def test_a_scenario_is_simulated_once_for_all_methods(monkeypatch):
    """And not at all where everything is stored."""
    study, n_calls = study_of_a_user(methods=("nuts", "numpyro"), n=7, shift=[0.0, 1.0]), itertools.count()
    counted = lambda *args: (next(n_calls), simulate(*args))[1]  # noqa: E731
    for scenario in study.scenarios:
        monkeypatch.setitem(vars(scenario.mechanism), "function", counted)
    plan_blocks(study, {(s.identity, m.name): np.arange(2) for s in study.scenarios for m in study.methods})
    assert next(n_calls) == 0
    assert len({block.program for block in plan_blocks(study, {})}) == 2
    assert next(n_calls) == 3  # one more than were made: this call counts as well


def test_one_compilation_serves_all_scenarios_of_a_shape(tmp_path):
    """The timings of a run name one program, and one batch that compiled it."""
    run = simstudy.run(study_of_a_user(n=11, shift=[0.0, 1.0, 2.0]), out=tmp_path / "run", workers=0, quiet=True)
    assert run.timings["program"].nunique() == 1
    assert (run.timings["compile_seconds"] > 0).sum() == 1
    assert set(run.fits["status"]) == {"ok"}


def test_a_simulator_that_raises_fails_its_own_fits(tmp_path):
    """The plan stands, its scenario has a program of its own, and its rows say what was raised."""
    study = study_of_a_user(n=7, broken=[0, 1])
    assert len(programs_of(study)) == 2
    run = simstudy.run(study, out=tmp_path / "run", workers=0, quiet=True)
    fits = run.fits.merge(run.scenarios[["scenario", "broken"]], on="scenario")
    assert set(fits.loc[fits["broken"] == 0, "status"]) == {"ok"}
    broken = fits[fits["broken"] == 1]
    assert len(broken) == 2
    assert set(broken["status"]) == {"failed"}
    assert broken["reason"].str.startswith("ValueError: no data today").all()


def large_study(**options):
    sampler = {"kind": "nuts", "chains": 4, "warmup": 500, "draws": 500}
    return Study.from_dict(
        {
            "study": {"name": "large", "replicates": 3000},
            "mechanism": {"kind": "exchangeable", "group_size": 5, **options},
            "method": [{"name": "partial", "structure": "partial"}],
            "sampler": sampler,
        }
    )


@pytest.mark.parametrize(
    ("options", "fits_of_blocks"),
    [
        ({"groups": 60}, {64, 1024}),  # chains that fill the lanes of a program, then sixteen times as many
        ({"groups": 5000}, {6, 13}),  # 2^27 numbers of four chains of 500 draws of 5,000 effects
        ({"groups": 3, "group_size": 10**7}, {1, 2}),  # 2^26 observations
        ({"groups": 8, "group_size": 10**7}, {1}),
    ],
)
def test_blocks_of_large_data_are_small(options, fits_of_blocks):
    """What a block holds at once is bounded, and no fit is left out."""
    blocks = plan_blocks(large_study(**options), {})
    assert len(fits_of(blocks)) == len(set(fits_of(blocks))) == 3000
    assert {len(block.fits) for block in blocks[:-1]} == fits_of_blocks


def test_plans_do_not_grow_with_replicates(study):
    """Hundreds of times the replicates make more blocks, but none larger: the fits of a block are not listed."""
    few, many = (
        max(len(pickle.dumps(b.fits)) for b in plan_blocks(study.with_replicates(n), {})) for n in (300, 10**5)
    )
    assert many < few + 50
