"""The log density of every model against one written with scipy, observation by observation."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from scipy import stats

from simstudy.errors import StudyError
from simstudy.models.density import density_of
from simstudy.models.likelihoods import Normal
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
        priors=tuple((n, parse_prior(2.0, n) if n == "tau" else p) for n, p in full.priors),
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
