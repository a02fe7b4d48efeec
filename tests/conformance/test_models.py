"""Models of registered parts and a user's own keep their promises, and models that do not are caught."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest

from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods import Normal
from simstudy.models.structures import Complete, Independent, Partial
from simstudy.models.user import UserModel
from simstudy.testing import ConformanceError, check_model
from tests.user_models import LIKELIHOODS, model_of, name_of, random_data

DATA = [random_data(np.random.default_rng(i), Normal()) for i in range(2)]


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=name_of)
def test_partial_pooling_conforms_with_every_likelihood(likelihood):
    """Structure and likelihood together are a model."""
    data = [random_data(np.random.default_rng(i), likelihood) for i in range(2)]
    check_model(model_of(Partial(), likelihood), data)


@pytest.mark.parametrize("structure", [Complete(), Independent(), Partial(parameterization="centered")], ids=name_of)
def test_every_structure_conforms_on_raw_observations(structure):
    """So are those on raw observations."""
    check_model(model_of(structure, Normal(), observations="raw"), DATA)


def regression(data):
    """Regress y on x, a user's model with data of its own form."""
    slope = numpyro.sample("slope", dist.Normal(0, 1).expand([2]))
    sigma = numpyro.sample("sigma", dist.HalfNormal(1))
    numpyro.sample("y", dist.Normal(data["x"] @ slope, sigma), obs=data["y"])


def tables(n):
    rng = np.random.default_rng(0)
    return [{"x": rng.normal(size=(5, 2)), "y": rng.normal(size=5)} for _ in range(n)]


def user_model(**changes):
    options = {"name": "regression", "program": regression, "posterior_estimands": dict}
    return UserModel(**{**options, **changes})


def test_a_users_model_conforms():
    """A NumPyro function of any pytree is a model on equal terms."""
    check_model(user_model(), tables(3))


@dataclass(frozen=True, kw_only=True)
class Centered(HierarchicalModel):
    """The data are centered by the mean of the block."""

    def arrays(self, data):
        arrays = super().arrays(data)
        return arrays | {"y_mean": arrays["y_mean"] - arrays["y_mean"].mean()}


@dataclass(frozen=True, kw_only=True)
class LanesMixed(HierarchicalModel):
    """Claims to broadcast over lanes, and takes a mean over them."""

    def __call__(self, data):
        super().__call__(data)
        numpyro.factor("mean", jnp.broadcast_to(jnp.mean(data["y_mean"]), jnp.shape(data["n"])[1:]))


@dataclass(frozen=True, kw_only=True)
class OfBlock(HierarchicalModel):
    """An estimand depends on the other fits of the block."""

    def estimands(self, sites, data, keys):
        return {"mu": sites["mu"] - sites["mu"].mean()}


def altered(family):
    return family(**vars(model_of(Complete(), Normal())))


BROKEN = {
    "arrays": (altered(Centered), DATA, "arrays of a fit that do not depend on the others; got .*y_mean"),
    "lanes": (altered(LanesMixed), DATA, "the log density that NumPyro gives for each data set alone"),
    "block": (altered(OfBlock), DATA, "mu of a fit that does not depend on the fits beside it"),
    "shape": (user_model(), [*tables(1), {"x": np.zeros((4, 2)), "y": np.zeros(4)}], "data of one shape"),
    "draws": (
        user_model(posterior_estimands=lambda posterior: {"slope": posterior["slope"].mean((0, 1))}),
        tables(2),
        r"expected estimands of the draws; got: estimand 'slope' has shape \(2,\)",
    ),
    "none": (
        user_model(posterior_estimands=lambda posterior: {}),
        tables(2),
        "expected estimands of the draws; got: .* no estimand",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_models_are_caught(what):
    """Each broken promise is named."""
    model, data, message = BROKEN[what]
    with pytest.raises(ConformanceError, match=message):
        check_model(model, data)
