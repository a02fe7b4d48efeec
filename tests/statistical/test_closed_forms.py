"""Squared error and bias of shrinkage against closed forms, with sampler and pipeline in between.

Balanced normal data, tau and sigma fixed at the truth, mu ~ Normal(0, 100). With s2 = sigma^2 / n and
B = s2 / (s2 + tau^2): squared error per group s2 (none), tau^2 (1 - 1/J) + s2 / J (complete),
tau^2 s2 / (tau^2 + s2) + B^2 (tau^2 + s2) / J (partial); conditional bias 0, -(1 - 1/J), -B (1 - 1/J).
"""

import pytest

import simstudy

J, N, TAU, SIGMA = 8, 2, 0.5, 1.0
SE = 4


def study(replicates: int) -> simstudy.Study:
    fixed = {"sigma": SIGMA}
    return simstudy.Study.from_dict(
        {
            "study": {"name": "closed_forms", "seed": 5, "replicates": replicates},
            "mechanism": {"kind": "exchangeable", "groups": J, "group_size": N, "tau": TAU, "sigma": SIGMA},
            "method": [
                {"name": "none", "structure": "none", "priors": {"theta": "Normal(0, 100)", **fixed}},
                {"name": "complete", "structure": "complete", "priors": {"mu": "Normal(0, 100)", **fixed}},
                {"name": "partial", "structure": "partial", "priors": {"mu": "Normal(0, 100)", "tau": TAU, **fixed}},
            ],
            "sampler": {"kind": "nuts", "warmup": 300, "draws": 300},
        }
    )


@pytest.mark.parametrize("replicates", [pytest.param(2_000, marks=pytest.mark.statistical), 150])
def test_squared_error_and_conditional_bias_are_the_closed_forms(tmp_path, replicates):
    """Within 4 MCSE, plus the sampler's own noise of a few parts in a thousand of the posterior variance."""
    run = simstudy.run(study(replicates), out=tmp_path / "run", workers=0, quiet=True)
    table = simstudy.performance(run).query("estimand == 'theta' and group == 'average' and bin.isna()")
    s2, tau2 = SIGMA**2 / N, TAU**2
    b = s2 / (s2 + tau2)
    expected = {
        "none": (s2, 0.0),
        "complete": (tau2 * (1 - 1 / J) + s2 / J, -(1 - 1 / J)),
        "partial": (tau2 * s2 / (tau2 + s2) + b**2 * (tau2 + s2) / J, -b * (1 - 1 / J)),
    }
    for method, values in expected.items():
        for measure, value in zip(("mse", "conditional_bias"), values, strict=True):
            row = table.query("method == @method and measure == @measure").squeeze()
            # Means of about 600 effective draws: their variance is at most 1/300 of the posterior's.
            noise = s2 / 300 if measure == "mse" else 0.0
            assert abs(row["value"] - value) < SE * row["mcse"] + noise, (method, measure, row["value"], value)
