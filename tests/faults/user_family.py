"""A user's mechanism and model, as a file given to --load."""

import jax
import numpyro
import numpyro.distributions as dist

import simstudy


def simulate(key, scenario):
    """Waiting times of a rate."""
    return {"y": jax.random.exponential(key, (12,)) / scenario["rate"]}, {"rate": scenario["rate"]}


def program(data):
    """Exponential waiting times."""
    rate = numpyro.sample("rate", dist.Gamma(1.0, 1.0))
    numpyro.sample("y", dist.Exponential(rate).expand([12]), obs=data["y"])


def estimands(posterior):
    """The rate."""
    return {"rate": posterior["rate"]}


simstudy.register_mechanism("determinism_waiting", simulate)
simstudy.register_model("determinism_exponential", program, estimands=estimands)
