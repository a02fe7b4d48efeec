"""The log density of every model against one written with scipy, observation by observation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro.infer.util import constrain_fn, potential_energy
from scipy import stats

from simstudy.errors import StudyError
from simstudy.models.density import density_of
from simstudy.models.estimands import TAU
from simstudy.models.likelihoods import Normal
from simstudy.models.model import Model
from simstudy.models.priors import parse_prior
from simstudy.models.structures import Partial
from simstudy.models.user import UserModel
from tests.user_models import combinations, model_of, name_of, random_data

PRIORS = {
    "mu": stats.norm(0, 10),
    "theta": stats.norm(0, 10),
    "sigma": stats.expon(),
    "omega": stats.halfnorm(0, 1),
}


def written_with_scipy(structure, likelihood, data, sites):
    """Return the log density at unconstrained values of the sites; positive parameters are given as logarithms."""
    tau_prior = stats.halfnorm(0, 1 if likelihood.kind == "binomial" else 5)
    total, value = 0.0, {}
    for name, u in sites.items():
        if name in ("tau", "sigma", "sigma_median", "omega"):
            value[name] = np.exp(u)
            prior = tau_prior if name == "tau" else PRIORS[name.removesuffix("_median")]
            total += np.sum(prior.logpdf(value[name]) + u)
        elif name in ("mu", "theta") and not (name == "theta" and structure.kind == "partial"):
            value[name] = u
            total += np.sum(PRIORS[name].logpdf(u))
        elif name == "theta":
            value[name] = u
            total += stats.norm(value["mu"], value["tau"]).logpdf(u).sum()
        else:
            value[name] = u
            total += stats.norm.logpdf(u).sum()
    theta = value.get("theta", value.get("mu"))
    if "theta_decentered" in value:
        theta = value["mu"] + value["tau"] * value["theta_decentered"]
    theta = np.broadcast_to(theta, data.n_groups)
    sigma = value.get("sigma")
    if "log_sigma_decentered" in value:
        sigma = value["sigma_median"] * np.exp(value["omega"] * value["log_sigma_decentered"])
    if likelihood.kind == "normal":
        sigma = np.broadcast_to(sigma, data.n_groups)
        return total + sum(stats.norm(theta[j], sigma[j]).logpdf(y) for y, j in zip(data.y, data.group_of, strict=True))
    if likelihood.kind == "normal_known_se":
        return total + stats.norm(theta, data.known_se).logpdf(data.y).sum()
    return total + stats.binom(data.n_obs, 1 / (1 + np.exp(-theta))).logpmf(np.rint(data.n_obs * data.y_mean)).sum()


@pytest.mark.parametrize(("structure", "likelihood"), list(combinations()), ids=name_of)
def test_log_density_equals_scipys(structure, likelihood):
    """On random data and parameters, in float64, every combination has the density that its words say."""
    rng = np.random.default_rng(7)
    model = model_of(structure, likelihood)
    data = [random_data(rng, likelihood) for _ in range(3)]
    with jax.enable_x64(True):
        arrays = model.arrays(data)
        density = density_of(model, jax.tree.map(lambda leaf: leaf[0], arrays))
        q = rng.normal(size=(density.n_dims, len(data)))
        found = density.log_density(jnp.asarray(q), jax.tree.map(lambda leaf: np.moveaxis(leaf, 0, -1), arrays))
    for i, d in enumerate(data):
        # Scalars first: a positive scale has to be known before the effects that it scales.
        sites = {s.name: q[s.dims, i].reshape(s.shape) for s in density.sites}
        np.testing.assert_allclose(found[i], written_with_scipy(structure, likelihood, d, sites), rtol=1e-10)


def test_a_constant_prior_takes_the_parameter_out():
    """A parameter fixed at a number has no dimension, and the density is that of the full model at the number."""
    rng = np.random.default_rng(1)
    full = model_of(Partial(), Normal())
    fixed = type(full)(
        structure=full.structure,
        likelihood=full.likelihood,
        priors=tuple((n, parse_prior(2.0, TAU) if n == "tau" else p) for n, p in full.priors),
    )
    data = random_data(rng, Normal())
    with jax.enable_x64(True):
        arrays = jax.tree.map(lambda leaf: leaf[0], full.arrays([data]))
        d_full, d_fixed = density_of(full, arrays), density_of(fixed, arrays)
        lanes = jax.tree.map(lambda leaf: np.asarray(leaf)[..., None], arrays)
        q = {s.name: rng.normal(size=s.shape) for s in d_full.sites} | {"tau": np.log(2.0)}
        pack = lambda density: np.concatenate([np.ravel(q[s.name]) for s in density.sites])[:, None]  # noqa: E731
        difference = d_full.log_density(pack(d_full), lanes) - d_fixed.log_density(pack(d_fixed), lanes)
    assert d_fixed.n_dims == d_full.n_dims - 1
    np.testing.assert_allclose(difference, stats.halfnorm(0, 5).logpdf(2.0) + np.log(2.0), rtol=1e-9)


def test_any_numpyro_model_has_a_density():
    """A user's model goes through vmap and gives NumPyro's own log density, with lanes last."""

    def program(data):
        scale = numpyro.sample("scale", dist.LogNormal(0.0, 1.0))
        numpyro.sample("y", dist.Normal(0.0, scale).expand([4]), obs=data["y"])

    model = UserModel(name="mine", program=program, posterior_estimands=dict)
    y = np.random.default_rng(3).normal(size=(2, 4))
    with jax.enable_x64(True):
        density = density_of(model, {"y": y[0]})
        q = np.array([[0.3, -0.2]])
        found = density.log_density(q, {"y": y.T})
    prior = stats.norm(0, 1).logpdf(q[0])  # log scale is standard normal
    np.testing.assert_allclose(found, prior + stats.norm(0, np.exp(q[0])).logpdf(y.T).sum(0), rtol=1e-10)


def test_discrete_latent_sites_are_refused():
    """A discrete parameter is named, with what to do about it."""

    def program(data):
        numpyro.sample("kind", dist.Bernoulli(0.5))

    model = UserModel(name="mixture", program=program, posterior_estimands=dict)
    with pytest.raises(StudyError, match="latent site 'kind' is discrete"):
        density_of(model, {"y": np.zeros(2)})


@dataclass(frozen=True)
class LanesLast(Model):
    """A program that broadcasts over lanes where its sites are single numbers, and says that it always does."""

    program: Callable[[Any], None]
    lanes_last = True
    words = "a program for lanes"

    def __call__(self, data):
        self.program(data)

    def arrays(self, data):
        return {"y": np.stack([one["y"] for one in data])}

    def shape(self, data):
        return np.shape(data["y"])

    def estimands(self, sites, data, keys):
        return dict(sites)


def correlated(data):
    """Three correlated numbers of unknown scale; LKJCholesky has 9 numbers of which 3 are free."""
    scale = numpyro.sample("scale", dist.HalfNormal(2).expand([3]).to_event(1))
    factor = numpyro.sample("factor", dist.LKJCholesky(3, 2.0))
    numpyro.sample("y", dist.MultivariateNormal(0, scale_tril=scale[:, None] * factor), obs=data["y"])


def simplex(data):
    share = numpyro.sample("share", dist.Dirichlet(np.array([1.0, 2.0, 3.0])))
    numpyro.sample("y", dist.Normal(share, 1), obs=data["y"])


def bounded_by_another(data):
    top = numpyro.sample("top", dist.HalfNormal(3))
    below = numpyro.sample("below", dist.Uniform(0, top))
    numpyro.sample("y", dist.Normal(below, 1), obs=data["y"])


def bounded_by_data(data):
    late = numpyro.sample("late", dist.Uniform(data["y"].max(0), 10 + data["y"].max(0)))
    numpyro.sample("y", dist.Normal(late, 1), obs=data["y"])


@pytest.mark.parametrize(
    "program", [correlated, simplex, bounded_by_another, bounded_by_data], ids=lambda p: p.__name__
)
def test_programs_for_lanes_whose_sites_are_not_elementwise(program):
    """Where a site has an event, or a support that moves, the density in each lane is NumPyro's for its data alone.

    So are the constrained values, from NumPyro's own transforms of the same free numbers.
    """
    rng = np.random.default_rng(2)
    model, data = LanesLast(program), [{"y": rng.normal(size=3)} for _ in range(4)]
    with jax.enable_x64(True):
        arrays = model.arrays(data)
        density = density_of(model, data[0])
        q = rng.normal(size=(density.n_dims, len(data)))
        found = density.log_density(jnp.asarray(q), {"y": arrays["y"].T})
        values = density.constrain(q.T[:, None, None], arrays)
        for i, one in enumerate(data):
            free = {site.name: jnp.asarray(q[site.dims, i]).reshape(site.shape) for site in density.sites}
            np.testing.assert_allclose(found[i], -potential_energy(model, (one,), {}, free), rtol=1e-10)
            for name, expected in constrain_fn(model, (one,), {}, free).items():
                np.testing.assert_allclose(values[name][i, 0, 0], expected, rtol=1e-10)


def test_free_and_constrained_shapes_are_told_apart():
    """A Cholesky factor of three correlations has three dimensions and the shape of a matrix."""
    sites = {site.name: site for site in density_of(LanesLast(correlated), {"y": np.zeros(3)}).sites}
    assert (sites["factor"].shape, sites["factor"].value_shape) == ((3,), (3, 3))
    assert (sites["scale"].shape, sites["scale"].value_shape) == ((3,), (3,))
