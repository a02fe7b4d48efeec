"""Posteriors of built-in data sets with terms, held to published ones.

Published means stand with their Monte Carlo errors where the source gives them, and else with 2 % of the posterior
standard deviation, that of 2,500 independent draws. A Gamma(0.001, 0.001) prior of a precision has, as a prior of the
standard deviation, the density of 1/sigma cut below about sqrt(0.001 exp(0.577)) = 0.042, which leaves its mass as it
is; the improper ones of the originals are wide here.
"""

import math

import numpy as np
import pytest
import xarray

import simstudy

WITHIN = 4  # combined Monte Carlo standard errors
UNKNOWN = 0.02  # of a standard deviation
WIDE = "Normal(0, 1000)"
VAGUE, VAGUE_ON_LINK = "LogUniform(0.0422, 1000)", "LogUniform(0.0422, 10)"

# parameter -> published mean, sd, and the Monte Carlo error of the mean, None where the source does not say.
SEEDS = {
    "mu": (-0.5484, 0.2143, 0.0026),
    "beta[seed]": (0.0600, 0.3478, 0.0041),
    "beta[extract]": (1.36, 0.3077, 0.0040),
    "beta[seed_extract]": (-0.8343, 0.4845, 0.0059),
    "tau": (0.3543, 0.1491, 0.0032),
}
RATS = {"beta[weeks]": (7 * 6.186, 7 * 0.1089, None), "sigma": (6.093, 0.464, None)}
BLOCKERS = {"beta[treated]": (-0.2502, 0.0614, None), "tau_slope": (0.1134, 0.0674, None)}
SALM = {
    "mu": (2.169, 0.362, 0.0065),
    "beta[log_dose]": (0.3112, 0.0993, 0.0019),
    "beta[dose]": (-9.71e-4, 4.455e-4, 8.8e-6),
    "tau": (0.2601, 0.0802, 0.0015),
}
# The chains of the source mix slowly in the intercept and the age, whose error it does not state.
EPIL = {"tau[visit]": (0.3629, 0.044, None), "tau[patient]": (0.4995, 0.071, None)}
SCOTLAND = {"mu": (-0.2216, 0.1265, None), "beta[agriculture]": (0.3707, 0.1320, None)}
OF_EPIL = ("log_base", "treatment", "base_treatment", "log_age", "fourth")

CASES = {
    # BUGS examples vol. 1, by MultiBUGS; sigma ~ Uniform(0, 10).
    "seeds": ({}, {**dict.fromkeys([*SEEDS], WIDE), "tau": "Uniform(0, 10)"}, {}, SEEDS),
    # BUGS examples vol. 1, as the Stan example models have it.
    "rats": (
        {"terms": {"rat": {"correlated": False}}},
        {"mu": WIDE, "beta[weeks]": WIDE, "tau": VAGUE, "tau_slope": VAGUE, "sigma": VAGUE},
        {},
        RATS,
    ),
    # BUGS examples vol. 1: every trial has an intercept of its own, Normal(0, 316).
    "blockers": (
        {"terms": {"trial": {"correlated": False}}},
        {"mu": 0, "tau": 316, "beta[treated]": WIDE, "tau_slope": VAGUE_ON_LINK},
        {"parameterization": "partial"},
        BLOCKERS,
    ),
    # BUGS examples vol. 1, by MultiBUGS.
    "salm": ({}, {**dict.fromkeys([*SALM], WIDE), "tau": VAGUE_ON_LINK}, {}, SALM),
    # BUGS examples vol. 1.
    "epil": (
        {},
        {
            "mu": WIDE,
            **{f"beta[{x}]": "Normal(0, 100)" for x in OF_EPIL},
            "tau[visit]": VAGUE_ON_LINK,
            "tau[patient]": VAGUE_ON_LINK,
        },
        {},
        EPIL,
    ),
    # Morris et al. (2019), by INLA.
    "scotland": (
        {},
        {"mu": "Normal(0, 5)", "beta[agriculture]": "Normal(0, 5)", "tau": "HalfNormal(5)", "share": "Beta(0.5, 0.5)"},
        {},
        SCOTLAND,
    ),
}


def fitted(name, folder, *, draws):
    """Return parameter -> row of estimates of a built-in set under the published priors."""
    mechanism, priors, method, published = CASES[name]
    study = simstudy.Study.from_dict(
        {
            "study": {"name": name, "seed": 3, "replicates": 1},
            "mechanism": {"kind": "dataset", "data": name, **mechanism},
            "method": [{"name": "m", "pooling": "partial", "priors": priors, **method}],
            "sampler": {"kind": "nuts", "chains": 4, "warmup": 1000, "draws": draws},
        }
    )
    run = simstudy.run(study, out=folder / "run", workers=0, quiet=True)
    assert run.fits["status"].astype(str).tolist() == ["ok"]
    return run.estimates.set_index("estimand").loc[list(published)]


def check(name, rows):
    """Check means and standard deviations of a fit against the published ones."""
    for parameter, (mean, sd, error) in CASES[name][3].items():
        row = rows.loc[parameter]
        assert row["ess_bulk"] > 400
        combined = math.hypot(row["mcse_mean"], UNKNOWN * sd if error is None else error)
        assert abs(row["mean"] - mean) < WITHIN * combined, parameter
        of_sd = math.hypot(1 / math.sqrt(2 * row["ess_tail"]), UNKNOWN)
        assert abs(row["sd"] / sd - 1) < WITHIN * of_sd, parameter


@pytest.mark.statistical
@pytest.mark.parametrize("name", CASES)
def test_the_published_posterior_is_found(tmp_path, name):
    """Means within 4 combined Monte Carlo errors, standard deviations likewise."""
    check(name, fitted(name, tmp_path, draws=5000))


def test_the_seeds_have_their_published_posterior(tmp_path):
    """The same, of the smallest set, with fewer draws."""
    check("seeds", fitted("seeds", tmp_path, draws=1000))


@pytest.mark.statistical
def test_radon_has_the_published_estimates(tmp_path):
    """Gelman & Hill (2007), p. 266: coefficients 1.47, -0.67, 0.72 and sds 0.16 and 0.76, rounded to 2 digits."""
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "radon", "seed": 3, "replicates": 1},
            "mechanism": {"kind": "dataset", "data": "radon"},
            "method": [{"name": "m", "pooling": "partial"}],
            "sampler": {"kind": "nuts", "draws": 2000},
        }
    )
    rows = simstudy.run(study, out=tmp_path / "run", workers=0, quiet=True).estimates.set_index("estimand")
    published = {"mu": 1.47, "beta[floor]": -0.67, "beta[log_uranium]": 0.72, "tau": 0.16, "sigma": 0.76}
    for name, value in published.items():
        # REML estimates; a posterior mean differs by less than a tenth of its sd here, and by rounding.
        slack = 0.005 + 0.1 * rows.loc[name, "sd"] + WITHIN * rows.loc[name, "mcse_mean"]
        assert rows.loc[name, "mean"] == pytest.approx(value, abs=slack), name


# posteriordb, gp_pois_regr-gp_regr (BSD-3): data, and means with their Monte Carlo errors.
OVER_X = (4.75906, 1.59423, 2.99548, 5.27501, 1.66472, 2.24347, 2.8914, 4.08681, 4.60588, 0.802364, 3.92136)
PROCESS = {"length": (6.8743, 0.0128), "eta": (2.4424, 0.0078), "sigma": (1.8287, 0.0050)}


@pytest.mark.statistical
@pytest.mark.parametrize("basis", [0, 25], ids=["exact", "basis"])
def test_the_published_posterior_of_a_gaussian_process_is_found(tmp_path, basis):
    """Of a regression on a line, by the exact covariance and by a basis, within 4 combined Monte Carlo errors.

    The source has sigma for the variance of the noise, Normal(0, 1) above 0: draws under HalfNormal(1) of the standard
    deviation s are weighted by the ratio of the priors, 2 s exp(-s^4 / 2) over exp(-s^2 / 2).
    """
    rows = [f"{2 * i - 10},{y}" for i, y in enumerate(OVER_X)]
    (tmp_path / "regression.csv").write_text("\n".join(["x,y", *rows]))
    priors = {"mu": 0, "eta": "HalfNormal(2)", "length": "Gamma(25, 4)", "sigma": "HalfNormal(1)"}
    own = {"structure": "gaussian_process", "basis": basis}
    site = {"column": "x", "points": {"columns": ["x"]}, **own}
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "regression", "seed": 3, "replicates": 1},
            "mechanism": {"kind": "dataset", "data": "regression.csv", "value": "y", "terms": {"site": site}},
            "method": [{"name": "m", "pooling": "partial", "priors": priors}],
            "sampler": {"kind": "nuts", "warmup": 1000, "draws": 5000},
        },
        folder=tmp_path,
    )
    run = simstudy.run(study, out=tmp_path / "run", workers=0, quiet=True, keep_draws=1)
    draws = xarray.open_dataset(next(run.folder.glob("draws/*/m/0.posterior.nc")))
    s = draws["sigma"].to_numpy().ravel()
    weight = s * np.exp(-(s**4) / 2 + s**2 / 2)
    of_weights = weight.sum() ** 2 / (weight**2).sum() / len(weight)
    ess = run.estimates.set_index("estimand")["ess_bulk"]
    for parameter, (mean, error) in PROCESS.items():
        x = s**2 if parameter == "sigma" else draws[parameter].to_numpy().ravel()
        found = np.average(x, weights=weight)
        size = of_weights * ess[parameter]
        assert size > 400
        own_error = math.sqrt(np.average((x - found) ** 2, weights=weight) / size)
        assert abs(found - mean) < WITHIN * math.hypot(own_error, error), parameter
