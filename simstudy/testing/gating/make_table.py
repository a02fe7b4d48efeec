"""Make ``posteriors.csv`` anew: ``python -m simstudy.testing.gating.make_table``.

Parameters have their moments and quantiles from quadrature. The log density has them from exact draws, with the Monte
Carlo error of its distribution function in ``cdf_error``; the bets allow for it.
"""

from pathlib import Path

import jax
import numpy as np
import pandas as pd
from scipy.special import ndtr

from simstudy.samplers.exact.posterior import exact_posterior
from simstudy.streams import random_key
from simstudy.testing.gating.posteriors import POSTERIORS, Posterior
from simstudy.testing.gating.problem import Space
from simstudy.testing.gating.table import PLACES, Quantity, rows_of

PARAMETERS = ("mu", "tau", "sigma")
POSITIVE = ("tau", "sigma")
N_DRAWS, N_PARTS = 2**18, 16
CDF_ERROR = 0.0012  # five Monte Carlo standard errors of a probability of one half
DIGITS = "%.9g"


def quantities_by_quadrature(posterior: Posterior) -> list[Quantity]:
    """Return every parameter, and the least and the largest of the effects that differ."""
    exact = exact_posterior(posterior.model, posterior.arrays)
    quantiles = exact.quantiles(ndtr(PLACES).tolist())
    known = {name: (exact.mean[name][0], exact.sd[name][0], quantiles[name][0]) for name in exact.mean}
    found = [_quantity(name, *known[name]) for name in PARAMETERS if name in known]
    if "tau" in known:
        mean, sd, of_groups = known["theta"]
        ends = (int(np.argmin(mean)), int(np.argmax(mean)))
        found += [_quantity(f"theta[{j}]", mean[j], sd[j], of_groups[j]) for j in ends]
    return found


def log_density_by_draws(posterior: Posterior) -> Quantity:
    """Return the log density of exact draws."""
    with jax.enable_x64(True):
        space = Space(posterior)
        parts = [posterior.exact_sites(N_DRAWS, random_key(posterior.name, "table", i)) for i in range(N_PARTS)]
        each = [space.values(space.positions_of(part)[None])["log_density"][0] for part in parts]
    values = np.concatenate(each)
    return _quantity(
        "log_density",
        values.mean(),
        values.std(),
        np.quantile(values, ndtr(PLACES)),
        cdf_error=CDF_ERROR,
    )


def _quantity(name: str, mean: float, sd: float, quantiles: np.ndarray, *, cdf_error: float = 0.0) -> Quantity:
    return Quantity(
        name=name,
        support="positive" if name in POSITIVE else "real",
        mean=float(mean),
        sd=float(sd),
        cdf_error=cdf_error,
        quantiles=np.asarray(quantiles),
    )


def main() -> None:
    """Write the table beside this module."""
    rows = [rows_of(p.name, [*quantities_by_quadrature(p), log_density_by_draws(p)]) for p in POSTERIORS.values()]
    pd.concat(rows).to_csv(Path(__file__).with_name("posteriors.csv"), index=False, float_format=DIGITS)


if __name__ == "__main__":
    main()
