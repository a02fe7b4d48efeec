"""What a program samples is read without drawing from its priors, and what else is random is refused by name."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro import handlers
from numpyro.contrib.control_flow import scan
from numpyro.distributions import constraints

from simstudy.errors import StudyError
from simstudy.models.density import density_of
from simstudy.models.latent import latent_sites, moving_supports
from simstudy.models.user import UserModel
from simstudy.samplers import NUTS, NumPyro

Y = np.random.default_rng(5).normal(size=8)
SHORT = {"chains": 1, "warmup": 10, "draws": 10}


def model_of(program):
    return UserModel(name=program.__name__, program=program, posterior_estimands=dict)


class Heavy(dist.Distribution):
    """A density and a support, and nothing to draw with."""

    support = constraints.positive

    def log_prob(self, value):
        return -2 * jnp.log1p(value)


def undrawable(data):
    scale = numpyro.sample("scale", Heavy())
    low = numpyro.sample("low", dist.ImproperUniform(constraints.real, (), ()))
    cuts = numpyro.sample("cuts", dist.ImproperUniform(constraints.ordered_vector, (), (3,)))
    numpyro.sample("y", dist.Normal(low + cuts.sum(), scale), obs=data["y"])


def test_priors_that_cannot_be_drawn_from_are_read():
    """A prior needs a density and a support: flat ones and a user's own have their sites, in their supports."""
    found = latent_sites(model_of(undrawable), {"y": Y})
    assert {name: np.shape(site["value"]) for name, site in found.items()} == {"scale": (), "low": (), "cuts": (3,)}
    assert found["scale"]["value"] > 0
    assert np.all(np.diff(found["cuts"]["value"]) > 0)


def subsampled(data):
    mean = numpyro.sample("mean", dist.Normal(0, 1))
    with numpyro.plate("some", len(Y), subsample_size=4) as chosen:
        numpyro.sample("y", dist.Normal(mean, 1), obs=data["y"][chosen])


def noisy(data):
    mean = numpyro.sample("mean", dist.Normal(0, 1))
    noise = jax.random.normal(numpyro.prng_key(), (len(Y),))
    numpyro.sample("y", dist.Normal(mean + noise, 1), obs=data["y"])


def noisy_by_name(data):
    """NumPyro's own statement of a key has no name; one sent as a message of its kind has."""
    mean = numpyro.sample("mean", dist.Normal(0, 1))
    message = {"type": "prng_key", "name": "key", "fn": lambda rng_key: rng_key, "args": (), "value": None}
    key = numpyro.primitives.apply_stack({**message, "kwargs": {"rng_key": None}})["value"]
    numpyro.sample("y", dist.Normal(mean + jax.random.normal(key), 1), obs=data["y"])


def noisy_quantity(data):
    mean = numpyro.sample("mean", dist.Normal(0, 1))
    numpyro.sample("y", dist.Normal(mean, 1), obs=data["y"])
    numpyro.deterministic("y_new", mean + jax.random.normal(numpyro.prng_key()))


def noisy_step(data):
    def step(level, y):
        level = numpyro.sample("level", dist.Normal(level, 1))
        numpyro.sample("y", dist.Normal(level + jax.random.normal(numpyro.prng_key()), 1), obs=y)
        return level, None

    scan(step, 0.0, data["y"])


def hidden(data):
    mean = numpyro.sample("mean", dist.Normal(0, 1))
    with handlers.block():
        noise = numpyro.sample("noise", dist.Normal(0, 1))
    numpyro.sample("y", dist.Normal(mean + noise, 1), obs=data["y"])


REFUSED = {
    subsampled: r"the plate 'some' takes a random subsample.*leave out subsample_size",
    noisy: r"the site 'y' depends on a random key.*of its own with numpyro.sample",
    noisy_by_name: "the site 'y' depends on a random key",
    noisy_quantity: "the site 'y_new' depends on a random key",
    noisy_step: "the site 'y' depends on a random key",
    hidden: r"the site 'y' depends on a random key \(numpyro.prng_key, or a site that a handler hides\)",
}


@pytest.mark.parametrize("program", REFUSED, ids=lambda program: program.__name__)
def test_what_else_is_random_is_refused(program):
    """A key that is no latent site's would be held fixed: the site that depends on it is named, with what to do."""
    with pytest.raises(StudyError, match=REFUSED[program]):
        density_of(model_of(program), {"y": Y})


@pytest.mark.parametrize("sampler", [NUTS(**SHORT), NumPyro(**SHORT)], ids=lambda sampler: sampler.kind)
@pytest.mark.parametrize("program", [subsampled, noisy, hidden], ids=lambda program: program.__name__)
def test_every_sampler_refuses_it(sampler, program):
    """So does the compilation of a sampler that moves through densities."""
    with pytest.raises(StudyError, match=REFUSED[program]):
        sampler.compile(model_of(program), {"y": Y})


def whole_plate(data):
    mean = numpyro.sample("mean", dist.Normal(0, 1))
    with numpyro.plate("all", len(Y)):
        numpyro.sample("y", dist.Normal(mean, 1), obs=data["y"])


def walk(data):
    def step(level, y):
        level = numpyro.sample("level", dist.Normal(level, 1))
        numpyro.sample("y", dist.Normal(level, 1), obs=y)
        return level, None

    scan(step, 0.0, data["y"])


def unused_key(data):
    numpyro.prng_key()
    whole_plate(data)


def own_key(data):
    mean = numpyro.sample("mean", dist.Normal(0, 1))
    with handlers.seed(rng_seed=1):
        shift = jax.random.normal(numpyro.prng_key())
    numpyro.sample("y", dist.Normal(mean + shift, 1), obs=data["y"])


@pytest.mark.parametrize("program", [whole_plate, walk, unused_key, own_key], ids=lambda program: program.__name__)
def test_what_is_not_random_is_read(program):
    """Plates, loops over latent sites, and keys that nothing depends on or that the program sets do no harm."""
    assert len(latent_sites(model_of(program), {"y": Y})) == 1


def test_supports_that_move_are_found():
    """A bound that is a number stays; one that is another site's value or comes with the data moves."""

    def program(data):
        top = numpyro.sample("top", dist.Uniform(1, 10))
        numpyro.sample("below", dist.Uniform(0, top))
        numpyro.sample("late", dist.Pareto(data["y"].max(), 1.0))
        numpyro.sample("scale", dist.HalfNormal(1))

    model = model_of(program)
    assert moving_supports(model, latent_sites(model, {"y": Y}), {"y": Y}) == ["below", "late"]
