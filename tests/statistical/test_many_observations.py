"""A million observations in float32, against the exact posterior in float64."""

import numpy as np

import simstudy
from simstudy.samplers.exact import exact_posterior

FITS, GROUPS, GROUP_SIZE = 32, 8, 125_000


def test_posterior_means_stay_right_at_a_million_observations(tmp_path):
    """No divergence, and squared errors of the posterior means are those that mcse_mean promises, within 4 of theirs.

    The mean of z^2 over independent fits is 1, with a standard error of about sqrt(2 / fits).
    """
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "many", "seed": 5, "replicates": FITS},
            "mechanism": {"kind": "exchangeable", "groups": GROUPS, "group_size": GROUP_SIZE, "tau": 1.0},
            "method": [{"name": "centered", "structure": "partial", "parameterization": "centered"}],
            "sampler": {"kind": "nuts"},
        }
    )
    run = simstudy.run(study, out=tmp_path / "run", workers=0, quiet=True)
    assert run.fits["n_divergent"].sum() == 0
    method, (scenario,) = study.methods[0], study.scenarios
    data = scenario.mechanism.simulate(np.stack([study.data_key(scenario, r) for r in range(FITS)]))
    exact = exact_posterior(method.model, method.model.arrays([one.data for one in data]))
    for estimand in ("mu", "tau", "sigma", "theta"):
        rows = run.estimates.query("estimand == @estimand").sort_values(["replicate", "group"])
        mean, mcse = (rows[name].to_numpy(float).reshape(FITS, -1) for name in ("mean", "mcse_mean"))
        z = (mean - exact.mean[estimand].reshape(FITS, -1)) / mcse
        each = (z**2).mean(axis=1)
        assert abs(each.mean() - 1) < 4 * np.sqrt(2 / FITS), (estimand, each.mean())
