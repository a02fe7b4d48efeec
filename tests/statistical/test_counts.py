"""NUTS against exact posteriors of counts: its errors are what its Monte Carlo errors say."""

import numpy as np
import pytest

import simstudy

pytestmark = pytest.mark.statistical


def z_of(likelihood, tmp_path, replicates):
    """Return errors of NUTS's means of mu, tau and theta in their own Monte Carlo errors, of fits without a flag."""
    study = simstudy.Study.from_dict(
        {
            "study": {"name": likelihood, "seed": 3, "replicates": replicates},
            "mechanism": {
                "kind": "multilevel",
                "likelihood": likelihood,
                "mu": 0.5,
                "per_cell": 5,
                "terms": {"school": {"levels": 8, "tau": 0.6}},
            },
            "method": [
                {"name": "exact", "pooling": "partial", "sampler": {"kind": "exact", "draws": 100}},
                {"name": "nuts", "pooling": "partial"},
            ],
            "sampler": {"kind": "nuts", "warmup": 500, "draws": 1000},
        }
    )
    run = simstudy.run(study, out=tmp_path / "run", workers=0, quiet=True)
    assert (run.fits["status"] == "ok").all()
    rows = run.estimates[run.estimates["estimand"].isin(["mu", "tau", "theta"])].copy()
    rows["group"] = rows["group"].fillna(-1)
    key = ["replicate", "estimand", "group"]
    each = {name: of.set_index(key) for name, of in rows.groupby("method", observed=True)}
    good = each["nuts"][each["nuts"]["ess_bulk"] > 400]
    return ((good["mean"] - each["exact"]["mean"].reindex(good.index)) / good["mcse_mean"]).dropna()


@pytest.mark.parametrize("likelihood", ["poisson", "bernoulli", "negative_binomial"])
def test_errors_of_nuts_are_its_monte_carlo_errors(likelihood, tmp_path):
    """Their root mean square is 1: .93 to 1.07."""
    z = z_of(likelihood, tmp_path, 100)
    assert len(z) > 500
    assert 0.93 < np.sqrt((z**2).mean()) < 1.07
    assert abs(z.mean()) < 4 / np.sqrt(len(z)) * 3  # errors of the groups of a fit are correlated
