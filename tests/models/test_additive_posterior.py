"""Draws of additive models held to their Gaussian posteriors, which are known where variances are."""

import jax
import numpy as np
import pytest

from simstudy.samplers import NUTS
from tests.models.additive_models import CROSSED, NESTED, X, data_of, exchangeable, model_with
from tests.models.test_lines import DAYS
from tests.models.test_lines import DESIGN as LINES

N_FITS = 40
DRAWS = 250
SIGMA, MU_SD, BETA_SD = 0.8, 10.0, 2.0
TAU = {"school": 1.5, "class": 0.7, "row": 1.5, "item": 0.7, "subject": 1.5, "arm": 0.7}


def gaussian_posterior(data, x):
    """Return mean and covariance of the cells' predictor: y = theta + noise, theta ~ N(0, K), dense."""
    n_cells = data.design.n_cells
    k = np.full((n_cells, n_cells), MU_SD**2)
    for factor in data.design.factors:
        k += TAU[factor.name] ** 2 * (factor.level[:, None] == factor.level)
    if x is not None:
        k += BETA_SD**2 * np.outer(x, x)
    seen = np.eye(n_cells)[data.group_of]
    gain = k @ seen.T @ np.linalg.inv(seen @ k @ seen.T + SIGMA**2 * np.eye(len(data.y)))
    return gain @ data.y, k - gain @ seen @ k


@pytest.mark.parametrize(
    ("design", "parameterization"),
    [(NESTED, "noncentered"), (NESTED, "centered"), (CROSSED, "partial"), (LINES, "noncentered")],
    ids=["nested", "nested, centered", "crossed, partial", "lines"],
)
def test_draws_have_the_moments_of_the_posterior(design, parameterization):
    """Errors of means over their Monte Carlo errors have variance 1; variances agree on average."""
    x = {id(CROSSED): X, id(LINES): DAYS}.get(id(design))
    data = [data_of(design, seed=seed, x=x) for seed in range(N_FITS)]
    names = {f"tau[{f}]": TAU[f] for f in design.names} | {"sigma": SIGMA, "mu": f"Normal(0, {MU_SD})"}
    if x is not None:
        names["beta[x]"] = f"Normal(0, {BETA_SD})"
    terms = exchangeable(*design.names, parameterization=parameterization)
    model = model_with(terms, covariates=() if x is None else ("x",), priors=names)
    arrays = model.arrays(data)
    example = jax.tree.map(lambda leaf: leaf[0], arrays)
    program = NUTS(chains=2, warmup=200, draws=DRAWS).compile(model.bound(data[0]), example)
    keys = np.stack([np.arange(N_FITS), np.zeros(N_FITS)], 1).astype(np.uint32)
    theta = model.estimands(program.sample(arrays, keys).sites, data, keys)["theta"].astype(float)
    truth = [gaussian_posterior(d, x) for d in data]
    means, variances = np.stack([m for m, _ in truth]), np.stack([np.diag(v) for _, v in truth])
    z = (theta.mean((1, 2)) - means) / np.sqrt(variances)
    # Draws of theta hang together a little: their means scatter by 1 to 3 times the error of independent ones.
    scale = np.sqrt((z**2).mean() * 2 * DRAWS)
    assert 0.5 < scale < 2.5
    assert abs(z.mean()) < 4 * scale / np.sqrt(2 * DRAWS * N_FITS)
    ratio = theta.var((1, 2), ddof=1) / variances
    assert abs(ratio.mean() - 1) < 0.04
