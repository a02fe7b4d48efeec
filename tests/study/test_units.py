"""The unit of the data: within its bounds NUTS finds the posterior that the quadrature finds, whatever the unit."""

import numpy as np
import pandas as pd
import pytest

import simstudy

WITHIN = 5  # Monte Carlo standard errors


@pytest.mark.statistical
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e9])
def test_nuts_finds_the_posterior_in_every_unit_it_takes(tmp_path, unit, precision):
    """Means of NUTS are those of the exact posterior, for data and priors in units of 0.001, 1 and 10^9."""
    rng = np.random.default_rng(1)
    values = unit * (np.repeat(rng.normal(size=6), 5) + 0.5 * rng.normal(size=30))
    pd.DataFrame({"g": np.repeat(list("abcdef"), 5), "v": values}).to_csv(tmp_path / "d.csv", index=False)
    priors = {"mu": f"Normal(0, {unit!r})", "tau": f"HalfNormal({unit!r})", "sigma": f"Exponential({1 / unit!r})"}
    samplers = {"nuts": {"kind": "nuts", "precision": precision, "warmup": 1000}, "exact": {"kind": "exact"}}
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "s", "replicates": 1},
            "mechanism": {"kind": "dataset", "data": "d.csv", "group": "g", "value": "v"},
            "method": [
                {"name": name, "structure": "partial", "priors": priors, "sampler": sampler}
                for name, sampler in samplers.items()
            ],
            "sampler": {"draws": 1000},
        },
        folder=tmp_path,
    )
    run = simstudy.run(study, out=tmp_path / "run", workers=0, quiet=True)
    assert set(run.fits["status"].astype(str)) == {"ok"}
    rows = run.estimates[run.estimates["estimand"].isin(["mu", "tau", "sigma"])].set_index(["method", "estimand"])
    for name in ("mu", "tau", "sigma"):
        drawn, known = rows.loc[("nuts", name)], rows.loc[("exact", name)]
        assert drawn["ess_bulk"] > 100
        assert abs(drawn["mean"] - known["mean"]) < WITHIN * drawn["mcse_mean"]
        assert drawn["sd"] == pytest.approx(known["sd"], rel=0.2)
