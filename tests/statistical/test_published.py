"""Real data with known answers, through the whole pipeline: the lecture, the eight schools, baseball.

The exact values of the lecture come from two-dimensional quadrature, those of the eight schools from the reference
draws of posteriordb, baseball's from Efron & Morris (1977). Tolerances are Monte Carlo errors times ``SE``.
"""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

import simstudy
from simstudy.cli.parts import built_in_studies

SE = 4
MANY_CHAINS = 50  # the lecture has one chain to a fit
DATA = Path(__file__).parent.parent / "data"

EXACT_NO_POOLING = {"theta": (9.820, 11.780, 8.839, 10.800, 7.858), "sigma": (0.998, 1.006, 0.995, 1.002, 0.993)}


def run(name: str, folder: Path, *, replicates: int, methods: int | None = None):
    """Run the first methods of a built-in study."""
    contents = tomllib.loads(built_in_studies()[name].read_text())
    contents["method"] = contents["method"][:methods]
    return simstudy.run(simstudy.Study.from_dict(contents), out=folder, replicates=replicates, workers=0, quiet=True)


def rows(run, method: str, estimand: str):
    """Return the means, sds and mcse_means of an estimand, each (replicate, group)."""
    table = run.estimates.query("method == @method and estimand == @estimand").fillna({"group": 0})
    assert len(table), (method, estimand)
    return tuple(
        table.pivot(index="replicate", columns="group", values=v).to_numpy() for v in ("mean", "sd", "mcse_mean")
    )


def pooled_error(mcse: np.ndarray) -> np.ndarray:
    """Return the Monte Carlo error of the mean of independent runs."""
    return np.sqrt((mcse**2).mean(0) / len(mcse))


@pytest.fixture(scope="module", params=[pytest.param(240, marks=pytest.mark.statistical), 12])
def lecture(request, tmp_path_factory):
    return run("lecture", tmp_path_factory.mktemp("lecture"), replicates=request.param)


def test_complete_pooling_of_the_lecture_is_exact(lecture):
    """mu 9.937 and sigma 1.686 within 4 of their Monte Carlo errors, and hardly a divergence.

    Of 4,000 chains of the batched sampler 20 had one, of 4,000 of NumPyro's 35.
    """
    for estimand, exact in (("mu", 9.937), ("sigma", 1.686)):
        mean, _, mcse = rows(lecture, "complete pooling", estimand)
        assert abs(mean.mean() - exact) < SE * pooled_error(mcse)[0] + 5e-4
    fits = lecture.fits.query("method == 'complete pooling'")
    assert fits["n_divergent"].sum() <= 1e-4 * fits["n_draws"].sum()


def test_no_pooling_of_the_lecture_diverges(lecture):
    """No chain of 1,000 draws is without divergences; over many chains their median is 80 to 150."""
    n_divergent = lecture.fits.query("method == 'no pooling'")["n_divergent"]
    assert n_divergent.min() > 0
    if len(n_divergent) >= MANY_CHAINS:
        assert 80 <= n_divergent.median() <= 150


def test_no_pooling_of_the_lecture_overestimates_sigma(lecture):
    """Divergent chains miss the narrow part of the posterior: sigma comes out too large, theta about right."""
    mean, _, _ = rows(lecture, "no pooling", "sigma")
    excess = (mean - EXACT_NO_POOLING["sigma"]).mean(1)
    if len(mean) >= MANY_CHAINS:
        assert excess.mean() > 2 * excess.std(ddof=1) / np.sqrt(len(excess))
    theta, _, _ = rows(lecture, "no pooling", "theta")
    assert np.all(np.abs(theta.mean(0) - EXACT_NO_POOLING["theta"]) < SE * theta.std(0, ddof=1) / np.sqrt(len(theta)))


def test_partial_pooling_of_the_lecture_runs(lecture):
    """The lecture's hierarchical sigmas are fitted, and shrink the effects towards each other."""
    assert (lecture.fits.query("method == 'partial pooling'")["status"] == "ok").all()
    partial, _, _ = rows(lecture, "partial pooling", "theta")
    none, _, _ = rows(lecture, "no pooling", "theta")
    assert np.ptp(partial.mean(0)) < np.ptp(none.mean(0))


def test_eight_schools_agree_with_the_published_posterior(tmp_path):
    """Means and sds of mu, tau and all effects within 4 Monte Carlo errors, theirs and ours."""
    schools = run("eight_schools", tmp_path / "run", replicates=8, methods=1)
    reference = json.loads((DATA / "eight_schools_reference.json").read_text())
    for estimand in ("mu", "tau", "theta"):
        mean, sd, mcse = rows(schools, "partial [parameterization=noncentered]", estimand)
        for j in range(mean.shape[1]):
            published = reference[f"theta[{j + 1}]" if estimand == "theta" else estimand]
            error = np.hypot(pooled_error(mcse)[j], published["sd"] / np.sqrt(published["n"]))
            assert abs(mean[:, j].mean() - published["mean"]) < SE * error, (estimand, j)
            error_sd = np.hypot(
                sd[:, j].std(ddof=1) / np.sqrt(len(sd)), published["sd"] * 1.5 / np.sqrt(2 * published["n"])
            )
            assert abs(sd[:, j].mean() - published["sd"]) < SE * error_sd, (estimand, j)


def test_baseball_is_predicted_best_by_partial_pooling(tmp_path):
    """Summed squared error on p .0212 +- .0003, below complete pooling's .0243 and no pooling's .0752."""
    baseball = run("baseball", tmp_path / "run", replicates=10)
    p = baseball.estimates.query("estimand == 'p'")
    error = (p["mean"] - p["truth"]) ** 2
    total = error.groupby([p["method"], p["replicate"]], observed=True).sum().groupby("method", observed=True).mean()
    assert total["partial"] == pytest.approx(0.0212, abs=0.0003)
    assert total["complete"] == pytest.approx(0.0243, abs=0.0002)
    assert total["none"] == pytest.approx(0.0752, abs=0.001)
