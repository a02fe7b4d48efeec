"""The additive model against densities written with scipy, today's one-grouping model, and its own invariances."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from simstudy.models.density import density_of
from simstudy.models.design import Design, Factor
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods import Normal
from simstudy.models.predictor import Term
from simstudy.models.structures import Partial
from simstudy.models.terms import ICAR, GaussianProcess, RandomWalk
from simstudy.samplers.precision import use_precision
from simstudy.types import GroupedData
from tests.models.additive_models import BINOMIAL, CROSSED, NESTED, X, data_of, exchangeable, model_with

N_LANES = 3


def at_random(model, data, seed=0):
    """Return a model's log density in float64, random points (dim, lane), and the density's values there, (lane,)."""
    with use_precision("float64"):
        bound = model.bound(data)
        arrays = bound.arrays([data])
        one = jax.tree.map(lambda leaf: leaf[0], arrays)
        density = density_of(bound, one)
        q = np.random.default_rng(seed).normal(0, 0.7, (density.n_dims, N_LANES))
        lanes = jax.tree.map(lambda leaf: np.repeat(np.moveaxis(leaf, 0, -1), N_LANES, -1), arrays)
        return density, q, np.asarray(density.log_density(jnp.asarray(q), lanes)), lanes


def by_site(density, q):
    return {site.name: q[site.dims].reshape(*site.shape, -1) for site in density.sites}


def differences(values):
    """Log densities are known up to a constant."""
    return np.asarray(values) - values[0]


@pytest.mark.parametrize("design", [NESTED, CROSSED], ids=["nested", "crossed"])
@pytest.mark.parametrize("likelihood", [None, BINOMIAL], ids=["normal", "binomial"])
def test_it_is_the_density_of_the_raw_observations(design, likelihood):
    """Written with scipy, observation by observation: priors, white noise, and every y at its cell's predictor."""
    data = data_of(design, likelihood=likelihood)
    model = model_with(exchangeable(*design.names), likelihood=likelihood)
    density, q, found, _ = at_random(model, data)
    cell_of = data.group_of
    expected = []
    for lane in range(N_LANES):
        u = {name: value[..., lane] for name, value in by_site(density, q).items()}
        eta, total = np.full(design.n_cells, u["mu"]), stats.norm(0, 10).logpdf(u["mu"])
        for factor in design.factors:
            tau, z = np.exp(u[f"tau[{factor.name}]"]), u[f"z[{factor.name}]"]
            sd = 5 if likelihood is None else 1
            total += stats.halfnorm(0, sd).logpdf(tau) + np.log(tau) + stats.norm.logpdf(z).sum()
            eta = eta + tau * z[factor.level]
        if likelihood is None:
            sigma = np.exp(u["sigma"])
            total += stats.expon.logpdf(sigma) + np.log(sigma)
            total += stats.norm(eta[cell_of], sigma).logpdf(data.y).sum()
        else:
            total += stats.bernoulli(1 / (1 + np.exp(-eta[cell_of]))).logpmf(data.y.astype(int)).sum()
        expected.append(total)
    np.testing.assert_allclose(differences(found), differences(expected), rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("parameterization", ["noncentered", "centered"])
def test_a_single_exchangeable_term_is_the_hierarchical_model(parameterization):
    """The same density as the one-grouping model's, which is written otherwise."""
    design = type(NESTED)(n_cells=5, factors=(NESTED.factors[1],))
    data = data_of(design)
    ours = model_with(exchangeable("class", parameterization=parameterization))
    density, q, found, _ = at_random(ours, data)
    theirs = HierarchicalModel(
        structure=Partial(parameterization=parameterization), likelihood=Normal(), priors=ours.priors
    )
    with use_precision("float64"):
        plain = GroupedData(n_obs=data.n_obs, y_mean=data.y_mean, y_ss=data.y_ss)
        arrays = theirs.arrays([plain])
        other = density_of(theirs, jax.tree.map(lambda leaf: leaf[0], arrays))
        assert [s.shape for s in other.sites] == [s.shape for s in density.sites]
        lanes = jax.tree.map(lambda leaf: np.repeat(np.moveaxis(leaf, 0, -1), N_LANES, -1), arrays)
        moved = q.copy()
        if parameterization == "centered":  # there the effects are around mu, here around 0
            moved[-5:] += moved[[s.name for s in density.sites].index("mu")]
        expected = np.asarray(other.log_density(jnp.asarray(moved), lanes))
    np.testing.assert_allclose(differences(found), differences(expected), rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("parameterization", ["centered", "partial"])
def test_parameterizations_have_one_posterior(parameterization):
    """Densities at points of the same effects differ by the log Jacobian of what is moved, and by nothing else."""
    data = data_of(NESTED)
    density, q, found, lanes = at_random(
        model_with(exchangeable(*NESTED.names, parameterization=parameterization)), data
    )
    other, _, _, _ = at_random(model_with(exchangeable(*NESTED.names)), data)
    sites, moved, jacobian = by_site(density, q), q.copy(), np.zeros(N_LANES)
    for factor in NESTED.factors:
        (site,) = [s for s in other.sites if s.name == f"z[{factor.name}]"]
        share = 1.0 if parameterization == "centered" else lanes[f"centered.z[{factor.name}]"]
        log_scale = share * sites[f"tau[{factor.name}]"] * np.ones((factor.n_levels, 1))
        moved[site.dims] = sites[site.name] / np.exp(log_scale)
        jacobian += log_scale.sum(0)
    with use_precision("float64"):
        expected = np.asarray(
            other.log_density(jnp.asarray(moved), {k: v for k, v in lanes.items() if "centered." not in k})
        )
    np.testing.assert_allclose(differences(found), differences(expected - jacobian), rtol=1e-9, atol=1e-8)


def test_shares_of_centering_follow_what_the_data_say():
    """Near 1 for many observations in levels that differ, near 0 for few in levels that do not."""
    few, many = data_of(NESTED), data_of(NESTED)
    n = np.full(5, 100_000)
    many = type(many)(n_obs=n, y_mean=np.arange(5.0), y_ss=n * 1.0, design=NESTED)
    few = type(few)(n_obs=np.full(5, 2), y_mean=1e-3 * np.arange(5.0), y_ss=np.full(5, 1.0), design=NESTED)
    model = model_with(exchangeable(*NESTED.names, parameterization="partial"))
    least, most = (model.arrays([d])["centered.z[class]"] for d in (few, many))
    assert np.all(most > 0.99)
    assert np.all(least < 0.05)


def test_lanes_together_are_lanes_alone():
    """To the last bit, in single precision, in every parameterization."""
    data = data_of(CROSSED, x=X)
    for parameterization in ("noncentered", "centered", "partial"):
        model = model_with(exchangeable(*CROSSED.names, parameterization=parameterization), covariates=("x",))
        bound = model.bound(data)
        arrays = bound.arrays([data])
        one = {name: leaf[0].astype(np.float32) for name, leaf in arrays.items()}
        density = density_of(bound, one)
        run = jax.jit(density.log_density)
        q = np.random.default_rng(1).normal(0, 0.5, (density.n_dims, 4)).astype(np.float32)
        lanes = {name: np.repeat(leaf[..., None], 4, -1) for name, leaf in one.items()}
        together = np.asarray(run(q, lanes))
        alone = np.asarray(run(np.repeat(q[:, 2:3], 4, 1), lanes))
        assert together[2] == alone[0] == alone[3]


def test_a_term_without_spread_is_complete_pooling():
    """The limit tau -> 0: the predictor of all cells is mu."""
    data = data_of(NESTED)
    model = model_with(exchangeable(*NESTED.names), priors={"tau[school]": 1e-12, "tau[class]": 1e-12})
    none = model_with(())
    density, q, found, _ = at_random(model, data)
    other, _, _, lanes = at_random(none, data)
    (mu, sigma) = (by_site(density, q)[name] for name in ("mu", "sigma"))
    noise = sum(stats.norm.logpdf(v).sum(0) for k, v in by_site(density, q).items() if k.startswith("z["))
    with use_precision("float64"):
        expected = np.asarray(other.log_density(jnp.asarray(np.stack([mu, sigma])), lanes)) + noise
    np.testing.assert_allclose(differences(found), differences(expected), rtol=1e-9, atol=1e-8)


def test_estimands_of_draws_are_what_the_program_has():
    """theta on the host is the predictor of the program; log_lik is that of the raw observations."""
    data = data_of(CROSSED, x=X)
    model = model_with(exchangeable(*CROSSED.names, parameterization="partial"), covariates=("x",))
    density, q, _, _ = at_random(model, data)
    with use_precision("float64"):
        arrays = model.arrays([data])
        sites = density.constrain(q.T[None, None], arrays)
    found = model.estimands(sites, [data], np.zeros((1, 2), np.uint32))
    theta = found["mu"][..., None] + found["beta[x]"][..., None] * X
    for factor in CROSSED.factors:
        theta = theta + found[f"effect[{factor.name}]"][..., factor.level]
    np.testing.assert_allclose(found["theta"], theta, rtol=1e-10)
    expected = stats.norm(theta[..., data.group_of], found["sigma"][..., None]).logpdf(data.y).sum(-1)
    np.testing.assert_allclose(found["log_lik"], expected, rtol=1e-9)
    for name in CROSSED.names:
        effects = found[f"effect[{name}]"]
        np.testing.assert_allclose(found[f"sd[{name}]"], effects.std(-1, ddof=1), rtol=1e-9)
        others = sum(found[f"tau[{other}]"] ** 2 for other in CROSSED.names)
        np.testing.assert_allclose(
            found[f"share[{name}]"], found[f"tau[{name}]"] ** 2 / (others + found["sigma"] ** 2), rtol=1e-9
        )


def test_what_it_declares_is_what_it_returns():
    """Every estimand is declared, by the names of its factors, and nothing else is."""
    data = data_of(NESTED, x=X)
    model = model_with(exchangeable(*NESTED.names), covariates=("x",))
    density, q, _, _ = at_random(model, data)
    sites = density.constrain(q.T[None, None], model.arrays([data]))
    found = model.estimands(sites, [data], np.zeros((1, 2), np.uint32))
    assert {one.name for one in model.described} == set(found)
    of_factor = {one.name: one.factor for one in model.described}
    assert of_factor["tau[school]"] == of_factor["effect[school]"] == "school"
    assert of_factor["theta"] is None


@pytest.mark.parametrize("structure", [RandomWalk(), ICAR(), GaussianProcess(basis=7)], ids=lambda s: s.kind)
def test_estimands_of_a_fit_do_not_depend_on_those_beside_it(structure):
    """To the last bit, in single precision: a block of one gives what a block of many gave."""
    factor = Factor(
        name="a",
        level=np.arange(9),
        n_levels=9,
        edges=np.stack([np.arange(8), np.arange(1, 9)], 1),
        points=np.linspace(0, 1, 9)[:, None],
    )
    design = Design(n_cells=9, factors=(factor,))
    model = model_with((Term(factor="a", structure=structure, alone=True),))
    rng = np.random.default_rng(0)
    n_fits, n_modes = 5, structure.parts(factor)["z"]
    data = [data_of(design, seed=seed) for seed in range(n_fits)]
    positive = ["sigma", *(p.name for p in model.terms[0].parameters)]
    sites = {name: np.float32(rng.gamma(5, 0.2, (n_fits, 2, 53))) for name in positive}
    sites["mu"] = np.float32(rng.normal(size=(n_fits, 2, 53)))
    sites["z[a]"] = np.float32(rng.normal(size=(n_fits, 2, 53, n_modes)))
    keys = np.stack([np.arange(n_fits), np.zeros(n_fits)], 1).astype(np.uint32)
    together = model.estimands(sites, data, keys)
    for i in range(n_fits):
        alone = model.estimands({name: site[[i]] for name, site in sites.items()}, data[i : i + 1], keys[[i]])
        for name, value in together.items():
            np.testing.assert_array_equal(value[i], alone[name][0], err_msg=name)
