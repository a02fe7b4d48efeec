"""Right samplers pass; wrong ones are refused early, with what is wrong, by how much, at what evidence."""

import re
from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest

from simstudy.errors import StudyError
from simstudy.samplers import NUTS
from simstudy.samplers.exact.sampler import Exact
from simstudy.testing import ConformanceError, gate
from tests.gate.planted import PLANTED, hmc
from tests.gate.rates import measure

ON_ONE = {"posteriors": ["lecture"], "start": "exact"}


def stands_still(problem, key):
    return jnp.tile(problem.position, (32, 1))


def leaves(problem, key):
    return jnp.full((32, problem.n_dims), jnp.nan)


@pytest.fixture(scope="module")
def passed():
    """The verdict on a right kernel."""
    return gate(hmc, **ON_ONE, chains=128)


@pytest.fixture(scope="module")
def refused():
    """The verdict on a density without its Jacobian."""
    return gate(PLANTED["missing Jacobian"], **ON_ONE)


def test_a_right_kernel_passes(passed):
    """It passes with all its chains, and every number lies within five standard errors of what is expected."""
    passed.check()
    assert passed.passed
    assert passed.n_chains == 128
    assert not passed.reasons
    assert str(passed).startswith("hmc passes the gate: 128 chains on each of 1 posterior, evidence 0.")
    table = passed.table[passed.table["check"].isin(["error", "calibration", "tails"])]
    assert len(table) == 9
    assert (abs(table["found"] - table["expected"]) < 5 * table["mcse"]).all()


def test_a_missing_jacobian_is_refused_early(refused):
    """Without the Jacobian of log sigma, sigma is too small; the message says so, and by how much."""
    assert not refused.passed
    assert refused.needed < 100
    with pytest.raises(
        ConformanceError, match=r"sigma of lecture: draws .* posterior sds too low \(.* of the evidence"
    ):
        refused.check()
    assert not refused.is_too_short
    assert re.search(
        r"does not pass the gate, after \d+ chains on each of 1 posterior, evidence \S+ where", str(refused)
    )
    assert "borne" not in str(refused)
    sigma = refused.table.set_index(["quantity", "check"]).loc[("sigma", "error")]
    assert sigma["found"] < -5 * sigma["mcse"]


def test_the_parts_of_the_evidence_are_those_of_the_whole(refused):
    """What the quantities and checks contribute adds up to the evidence, but for bets in the other direction."""
    parts = (10.0 ** refused.table["evidence"]).sum()
    total = np.exp(refused.log_each).mean()
    assert total / 2 < parts <= total * (1 + 1e-9)


def test_what_stands_still_is_refused():
    """A kernel that never moves keeps every distribution, and is refused for its own intervals."""
    verdict = gate(stands_still, **ON_ONE)
    assert verdict.needed < 30
    assert all("a chain's own 90 % interval holds 0% of the posterior" in reason for reason in verdict.reasons)
    assert verdict.is_too_short
    assert "; no error of its draws is shown, its chains are too short:" in str(verdict)


def test_draws_that_are_not_finite_are_refused():
    """One chain is enough."""
    verdict = gate(leaves, **ON_ONE, chains=16)
    assert verdict.reasons == ["16 of 16 chains of lecture have draws that are not finite"]


def test_independent_draws_cost_one_each():
    """Of independent exact draws every draw is an effective draw; nothing is found against them."""
    verdict = gate(Exact(chains=64, draws=50), posteriors=["lecture"])
    assert verdict.passed
    mean, mcse = verdict.cost["lecture"], np.sqrt(2 / 2 / 256)  # chi-squared of about two degrees of freedom, over two
    assert mean == pytest.approx(1, abs=5 * mcse)


def test_a_sampler_of_the_package_passes():
    """The batched NUTS, warm-up and all, from where it begins by itself."""
    verdict = gate(NUTS(chains=4, warmup=200, draws=100), posteriors=["lecture"], chains=64)
    assert verdict.passed
    assert verdict.cost["lecture"] > 1


def test_draws_may_be_sites_and_chains_may_come_one_by_one(passed):
    """Draws as sites instead of positions, chain by chain, give the same numbers."""

    def as_sites(problem, key):
        positions, cost = hmc(problem, key)
        values = [problem.constrain(position) for position in positions]
        return {site: np.stack([value[site] for value in values]) for site in values[0]}, cost

    verdict = gate(as_sites, **ON_ONE, chains=4, batch="loop")
    again = gate(hmc, **ON_ONE, chains=4)
    np.testing.assert_allclose(verdict.table["found"], again.table["found"], rtol=2e-3, atol=2e-3)


def test_efficiency_is_held_to_a_stored_baseline(passed, tmp_path):
    """A kernel passes against its own cost, and one that needs four times the gradients is refused."""
    passed.write_baseline(tmp_path / "baseline.json")

    def wasteful(problem, key):
        draws, cost = hmc(problem, key)
        return draws, 4 * cost

    assert gate(hmc, **ON_ONE, chains=64, baseline=tmp_path / "baseline.json").passed
    verdict = gate(wasteful, **ON_ONE, baseline=tmp_path / "baseline.json")
    assert verdict.needed < 200
    assert verdict.reasons[0].startswith("lecture: an effective draw costs ")


def test_seeds_fix_everything(passed):
    """The same seed gives the same verdict, another one another."""
    again = gate(hmc, **ON_ONE, chains=128)
    assert again.table.equals(passed.table)
    assert not gate(hmc, **ON_ONE, chains=128, seed=1).table.equals(passed.table)


@pytest.mark.parametrize(
    ("name", "n_runs", "fewest", "most"),
    [("hmc", 32, 0, 0), ("wrong mass matrix in the kinetic energy", 32, 32, 32)],
)
def test_rates_in_small(name, n_runs, fewest, most, tmp_path):
    """No right run of 32 is refused, and every wrong one; ``tests/statistical/test_gate.py`` has many more."""
    refused = measure(name, n_runs, folder=tmp_path, posteriors=("lecture",))
    assert fewest <= np.count_nonzero(refused) <= most


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "prior"}, "gate: start = 'prior'; allowed: 'uniform', 'exact'"),
        ({"batch": "pmap"}, "gate: batch = 'pmap'; allowed: 'vmap', 'loop'"),
        (
            {"posteriors": ["lectur"]},
            "gate: no posterior named 'lectur'; did you mean 'lecture'?; there are lecture, eight_schools, seeds, many",
        ),
        (
            {"posteriors": []},
            "gate: expected at least one posterior of lecture, eight_schools, seeds, many; got none",
        ),
        ({"tolerance": 1.5}, "gate: expected a tolerance in posterior sds from 0 to below 1; got 1.5"),
        ({"chains": 0}, "gate: expected 1 chain or more; got 0"),
        ({"slack": 0.5}, "gate: expected a slack of 1 or more; got 0.5"),
        (
            {"posteriors": ["lecture"], "baseline": {"lecture": -1}},
            "gate: expected a positive cost of an effective draw of lecture in the baseline; got -1; write it with "
            "pytest --simstudy-gate-write, or with Verdict.write_baseline",
        ),
    ],
)
def test_misuse_is_one_sentence(options, message):
    """What was expected, what came and what to do."""
    with pytest.raises(StudyError) as error:
        gate(hmc, **options)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (
            lambda problem, key: jnp.zeros((20, 7)),
            "gate: expected draws of lecture of shape (draw, 2), or a dict of its latent sites mu, sigma; got shape "
            "(20, 7)",
        ),
        (
            lambda problem, key: {"mu": jnp.zeros(20)},
            "gate: expected draws of every latent site of lecture, mu, sigma; sigma is not among mu",
        ),
        (partial(hmc, draws=3), "gate: expected chains of 10 draws or more; got 3: keep more of a chain"),
        (
            lambda problem, key: np.zeros((20, 2)) + float(problem.position[0]),
            "gate: expected a sampler that is a JAX function of the key and the position; JAX cannot trace this one "
            "(ConcretizationTypeError); give batch='loop' to call it chain by chain",
        ),
    ],
)
def test_what_is_no_draws_is_refused(sampler, message):
    """A sampler that returns something else, or cannot be traced, is told so."""
    with pytest.raises(StudyError) as error:
        gate(sampler, **ON_ONE, chains=4)
    assert str(error.value) == message
