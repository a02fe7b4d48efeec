"""The unit of the data: within its bounds NUTS finds the posterior that the quadrature finds, whatever the unit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.errors import StudyError
from simstudy.models.standardized import StandardizedModel

WITHIN = 5  # Monte Carlo standard errors


@pytest.mark.statistical
@pytest.mark.parametrize("precision", ["float32", pytest.param("float64", marks=pytest.mark.statistical)])
@pytest.mark.parametrize("unit", [1e-3, pytest.param(1.0, marks=pytest.mark.statistical), 1e9])
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


RNG = np.random.default_rng(7)
GROUPS, SIZE = 8, 5
Y = np.repeat(RNG.normal(size=GROUPS), SIZE) + RNG.normal(size=GROUPS * SIZE)


def study_of(folder, values, *, samplers, structure="partial", **method):
    """Return a study of given data, a method for each sampler."""
    labels = np.repeat([f"g{i}" for i in range(GROUPS)], SIZE)
    pd.DataFrame({"group": labels, "value": values}).to_csv(folder / "d.csv", index=False, float_format="%.17g")
    return simstudy.Study.from_dict(
        {
            "study": {"name": "s", "replicates": 1},
            "mechanism": {"kind": "dataset", "data": "d.csv", "group": "group", "value": "value"},
            "method": [
                {"name": name, "structure": structure, "sampler": sampler, **method}
                for name, sampler in samplers.items()
            ],
            "sampler": {"draws": 1000},
        },
        folder=folder,
    )


@pytest.mark.parametrize(
    ("shift", "scale", "is_far"),
    [(0, 1, False), (50, 1, False), (0, 0.02, False), (1e6, 1, True), (0, 1e-6, True), (0, 1e6, True), (0, 1e12, True)],
)
def test_data_far_from_home_are_sampled_in_standardized_units(tmp_path, shift, scale, is_far):
    """Ordinary data are sampled as they are; others in a unit of their own, under the same identity and priors."""
    (method,) = study_of(tmp_path, shift + scale * Y, samplers={"m": {"kind": "nuts"}}).methods
    assert isinstance(method.model, StandardizedModel) == is_far
    plain = replace(method, model=method.model.hierarchy)
    assert method.identity == plain.identity
    assert ("sampled in units of" in method.model.words) == is_far


@pytest.mark.parametrize(("value", "error", "is_far"), [(0.5, 0.1, False), (0.5, 1e-6, True), (5e6, 1.0, True)])
def test_equal_estimates_spread_as_far_as_their_standard_errors(value, error, is_far):
    """Estimates that do not differ have a unit all the same, and are sampled in it where it is far from 1."""
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "equal", "seed": 1, "replicates": 1},
            "mechanism": {"kind": "dataset", "values": [value] * 6, "standard_errors": [error] * 6},
            "method": [{"name": "m", "structure": "partial"}],
            "sampler": {"kind": "nuts"},
        }
    )
    assert isinstance(study.methods[0].model, StandardizedModel) == is_far


@pytest.mark.parametrize(
    ("shift", "scale", "sampler"),
    [
        (1e6, 1e-3, "nuts"),
        (0.0, 1e-6, "nuts"),
        pytest.param(0.0, 1e12, "nuts", marks=pytest.mark.statistical),
        pytest.param(1e6, 1e6, "numpyro", marks=pytest.mark.statistical),
    ],
)
def test_draws_far_from_home_are_those_of_the_posterior(tmp_path, shift, scale, sampler):
    """Posterior means are the exact ones within their Monte Carlo errors, and no draw diverges more than near home."""
    samplers = {"drawn": {"kind": sampler}, "exact": {"kind": "exact"}}
    run = simstudy.run(
        study_of(tmp_path, shift + scale * Y, samplers=samplers, structure="none"),
        out=tmp_path / "run",
        workers=0,
        quiet=True,
    )
    assert set(run.fits["status"].astype(str)) == {"ok"}
    assert run.fits["n_divergent"].fillna(0).max() == 0
    rows = run.estimates.set_index(["method", "estimand", "group"]).sort_index()
    drawn, exact = rows.loc["drawn"], rows.loc["exact"]
    assert drawn["ess_bulk"].dropna().min() > 100
    z = ((drawn["mean"] - exact["mean"]) / np.hypot(drawn["mcse_mean"], exact["mcse_mean"].fillna(0))).dropna()
    assert len(z) > 2 * GROUPS
    assert z.abs().max() < WITHIN
    named = ["sigma", "theta"]
    known = rows.loc["exact"].loc[named]
    assert (drawn.loc[named, "sd"] / known["sd"]).to_numpy() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    ("structure", "sigma_by"),
    [("none", "shared"), ("none", "group"), ("complete", "shared"), ("partial", "shared"), ("partial", "hierarchical")],
)
def test_a_unit_of_a_power_of_two_changes_no_bit(tmp_path, structure, sigma_by):
    """In units of 2^20 and of 2^-30 the program, its data and its priors are the same, and estimands move exactly."""
    priors = {"mu": ("Normal({}, {})", 0.5, 3.0), "theta": ("Normal({}, {})", 0.5, 3.0), "tau": ("HalfNormal({})", 2.0)}
    priors |= {"sigma": ("LogNormal({}, 1)", None), "omega": ("HalfNormal(1)",)}
    found = []
    for scale in (2.0**20, 2.0**-30):
        text = {
            name: form.format(*(np.log(scale) if a is None else a * scale for a in args))
            for name, (form, *args) in priors.items()
        }
        (probe,) = study_of(
            tmp_path, scale * Y, samplers={"m": {"kind": "nuts"}}, structure=structure, sigma_by=sigma_by
        ).methods
        own = {name: text[name] for name, _ in probe.model.hierarchy.priors}
        study = study_of(
            tmp_path,
            scale * Y,
            samplers={"m": {"kind": "nuts"}},
            structure=structure,
            sigma_by=sigma_by,
            priors=own,
        )
        found.append((scale, study.methods[0].model, study.scenarios[0].mechanism.replicate.data))
    (large, first, here), (small, second, there) = found
    for name, array in first.arrays([here]).items():
        np.testing.assert_array_equal(array, second.arrays([there])[name], err_msg=name)
    for (name, one), (_, other) in zip(first.sampled.priors, second.sampled.priors, strict=True):
        assert one.args == pytest.approx(other.args, abs=1e-12), name
    shape = {name: (1, 2, 50, *(GROUPS,) * ("group" in axes)) for name, axes in first.axes.sites.items()}
    sites = {name: np.abs(RNG.normal(size=s)).astype(np.float32) for name, s in shape.items()}
    keys = np.ones((1, 2), np.uint32)
    one, other = first.estimands(sites, [here], keys), second.estimands(sites, [there], keys)
    power = {"none": 0, "variance": 2, "value": 1, "difference": 1}
    for estimand in first.described:
        if estimand.name not in one:
            continue
        if estimand.moves == "log_density":
            n = GROUPS * SIZE
            np.testing.assert_allclose(one["log_lik"] - other["log_lik"], -n * np.log(large / small), rtol=1e-9)
        elif sigma_by == "shared" or estimand.name != "theta_new":
            ratio = (large / small) ** power[estimand.moves]
            np.testing.assert_allclose(one[estimand.name], ratio * other[estimand.name], rtol=1e-5, atol=0)


def test_what_cannot_be_standardized_is_refused_in_words(tmp_path):
    """A prior without another unit, or so far from the data that single precision loses it, is named."""
    nuts = {"m": {"kind": "nuts"}}
    with pytest.raises(StudyError, match=r"'m' in scenario .*around 1e\+06.*the prior HalfNormal\(5\) of mu has no"):
        study_of(tmp_path, 1e6 + Y, samplers=nuts, priors={"mu": "HalfNormal(5)"})
    with pytest.raises(StudyError, match=r"the prior of mu lies so far from them that float32 loses it; .*'exact'"):
        study_of(tmp_path, 1e6 + Y, samplers=nuts, priors={"mu": "Normal(0, 10)"})
    double = {"m": {"kind": "nuts", "precision": "float64"}}
    assert study_of(tmp_path, 1e6 + Y, samplers=double, priors={"mu": "Normal(0, 10)"}).methods
    exact = {"m": {"kind": "exact"}}
    assert study_of(tmp_path, 1e6 + Y, samplers=exact, priors={"mu": "Normal(0, 10)"}).methods


@pytest.mark.parametrize("mu", [1e6, -1e9])
def test_simulated_data_with_a_far_mean(mu):
    """A mechanism whose numbers say that its data are far is sampled in their unit; scenarios far apart are refused."""
    contents = {
        "study": {"name": "s", "replicates": 1},
        "mechanism": {"kind": "exchangeable", "groups": 4, "group_size": 3, "mu": mu, "tau": [1.0, 2.0]},
        "method": [{"name": "m", "structure": "partial", "priors": {"mu": f"Normal({mu}, 10)"}}],
        "sampler": {"kind": "nuts"},
    }
    (method,) = simstudy.Study.from_dict(contents).methods
    assert method.model.unit.center == mu
    apart = {**contents, "mechanism": {**contents["mechanism"], "mu": [0.0, mu]}}
    with pytest.raises(StudyError, match="its scenarios have no unit in common"):
        simstudy.Study.from_dict(apart)


def test_a_study_continues_as_it_began(tmp_path):
    """The canonical study, priors written out, gives the same methods and the same words on where priors come from."""
    study = study_of(tmp_path, 1e6 + Y, samplers={"m": {"kind": "nuts"}})
    again = simstudy.Study.from_canonical(study.canonical, folder=tmp_path)
    assert again.methods == study.methods
    assert again.description == study.description
    assert "Normal(m, 2.5 s)" in study.priors_of_data["m"].text
