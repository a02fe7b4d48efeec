"""Where each parameterization of partial pooling fails (Betancourt & Girolami 2015)."""

import pytest

import simstudy


def study(group_size: int, tau: float, *, replicates: int) -> simstudy.Study:
    return simstudy.Study.from_dict(
        {
            "study": {"name": "parameterization", "seed": 8, "replicates": replicates},
            "mechanism": {"kind": "exchangeable", "groups": 8, "group_size": group_size, "tau": tau},
            "method": [{"name": "p", "structure": "partial", "parameterization": ["centered", "noncentered"]}],
            "sampler": {"kind": "nuts"},
        }
    )


@pytest.mark.parametrize("replicates", [pytest.param(200, marks=pytest.mark.statistical), 24])
def test_each_parameterization_has_its_regime(tmp_path, replicates):
    """Little data: centered diverges at least 10 times as often. Much data: it has 3 times the ESS per leapfrog."""
    centered, noncentered = "p [parameterization=centered]", "p [parameterization=noncentered]"
    values = {}
    for group_size, tau in ((2, 0.5), (10, 2.0)):
        out = tmp_path / f"{group_size}"
        run = simstudy.run(study(group_size, tau, replicates=replicates), out=out, workers=0, quiet=True)
        table = simstudy.performance(run)
        for measure in ("divergence_rate", "ess_per_leapfrog"):
            for method in (centered, noncentered):
                rows = table.query("measure == @measure and method == @method")
                values[group_size, measure, method] = rows["value"].iloc[0]
    assert values[2, "divergence_rate", centered] > 10 * values[2, "divergence_rate", noncentered]
    assert values[10, "ess_per_leapfrog", centered] > 3 * values[10, "ess_per_leapfrog", noncentered]
