"""Counts of one grouping, made by hand, and models of them."""

import numpy as np

from simstudy.models.design import CellData, Design, Factor
from tests.models.additive_models import exchangeable, model_with

PRIORS = {"mu": "Normal(0, 1.5)", "tau": "HalfNormal(1)"}


def counts(y, exposure=None):
    """Return data of groups whose observations are the lists of y, with the exposure of each group."""
    n = np.array([len(one) for one in y])
    values = np.concatenate([np.asarray(one, float) for one in y])
    of = np.repeat(np.arange(len(n)), n)
    mean = np.bincount(of, values) / n
    factor = Factor(name="group", level=np.arange(len(n)), n_levels=len(n))
    return CellData(
        n_obs=n,
        y_mean=mean,
        y_ss=np.bincount(of, (values - mean[of]) ** 2),
        y=values,
        exposure=None if exposure is None else np.asarray(exposure, float),
        design=Design(n_cells=len(n), factors=(factor,)),
    )


def simulated(likelihood, seed, *, n_groups=8, per_group=5, mu=0.5, tau=0.6, phi=3.0):
    """Return data of groups around mu, and their true effects."""
    rng = np.random.default_rng(seed)
    theta = mu + tau * rng.normal(size=n_groups)
    if likelihood.kind in ("bernoulli", "binomial"):
        return counts(rng.random((n_groups, per_group)) < 1 / (1 + np.exp(-theta[:, None]))), theta
    exposure = per_group * rng.uniform(0.5, 2, n_groups)
    mean = np.repeat((np.exp(theta) * exposure / per_group)[:, None], per_group, axis=1)
    if likelihood.kind == "negative_binomial":
        mean = mean * rng.gamma(phi, 1 / phi, mean.shape)
    return counts(rng.poisson(mean), exposure), theta


def model(likelihood, *, pooled=False, parameterization="noncentered", **priors):
    """Return a model of an intercept and, unless all groups are pooled, exchangeable effects."""
    terms = () if pooled else exchangeable("group", parameterization=parameterization)
    return model_with(terms, likelihood=likelihood, priors={**PRIORS, **priors})
