"""Units of given data, the default priors that are made of them, and what both do under shifts and scales."""

import tempfile
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from simstudy.models.estimands import MU, SIGMA, TAU, THETA
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods import Binomial, Normal, NormalKnownSE
from simstudy.models.prior_units import ANYWHERE, FROM_ZERO, in_unit
from simstudy.models.priors import Prior, parse_prior
from simstudy.models.standardized import StandardizedModel
from simstudy.models.structures import Partial
from simstudy.models.unit import Unit
from simstudy.samplers.exact import exact_posterior
from simstudy.samplers.precision import use_precision
from simstudy.study.study import Study
from simstudy.types import GroupedData

RNG = np.random.default_rng(20)
SIZES = np.array([3, 1, 6, 2, 4])
Y = np.repeat(RNG.normal(0, 0.7, len(SIZES)), SIZES) + RNG.normal(size=SIZES.sum())
MOVES = [(1e6, 1.0), (0.0, 1e-6), (1e6, 1e-3), (-1e6, 1e6), (0.0, 1e12), (1e6, 3.7e6), (12.3, 0.0417)]


def grouped(y: np.ndarray, sizes: np.ndarray = SIZES, se: np.ndarray | None = None) -> GroupedData:
    parts = np.split(y, np.cumsum(sizes)[:-1])
    return GroupedData(
        n_obs=sizes,
        y_mean=np.array([part.mean() for part in parts]),
        y_ss=np.array([((part - part.mean()) ** 2).sum() for part in parts]),
        known_se=se,
        y=y,
    )


def counts(k: np.ndarray, n: np.ndarray) -> GroupedData:
    return GroupedData(n_obs=n, y_mean=k / n, y_ss=k * (1 - k / n))


def test_the_unit_of_observations_is_that_of_an_analysis_of_variance():
    """m is the mean of the groups' means; s^2 their variance plus the residual mean square of a one-way layout."""
    data = grouped(Y)
    parts = np.split(Y, np.cumsum(SIZES)[:-1])
    f = stats.f_oneway(*parts).statistic
    # The residual mean square from F and the mean square between groups.
    between = sum(len(p) * (p.mean() - Y.mean()) ** 2 for p in parts) / (len(parts) - 1)
    means = [p.mean() for p in parts]
    unit = Normal().unit_of(data)
    assert unit.center == pytest.approx(np.mean(means))
    assert unit.spread**2 == pytest.approx(stats.tvar(means) + between / f)


@pytest.mark.parametrize(
    ("y", "sizes", "expected"),
    [
        ([4.0, 8.0], [1, 1], Unit(center=6.0, spread=np.sqrt(8))),  # no repeats: nothing within
        ([4.0, 8.0], [2], Unit(center=6.0, spread=np.sqrt(8))),  # one group: nothing between
        ([5.0, 5.0, 5.0], [1, 2], Unit(center=5.0, spread=5.0)),  # data that do not vary
        ([0.0, 0.0], [1, 1], Unit(center=0.0, spread=1.0)),
        ([-0.1, -0.1, -0.1], [3], Unit(center=-0.1, spread=0.1)),
    ],
)
def test_units_at_the_edges(y, sizes, expected):
    """Singletons, a single group and constant data have a unit too."""
    unit = Normal().unit_of(grouped(np.array(y), np.array(sizes)))
    assert (unit.center, unit.spread) == (pytest.approx(expected.center), pytest.approx(expected.spread))


def test_units_of_estimates_and_counts():
    """By hand: eight schools (variance 108.2 + 11^2 / 2 + 10^2 / 2 ...), and two groups of counts."""
    y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
    se = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    unit = NormalKnownSE().unit_of(grouped(y, np.ones(8, int), se))
    assert unit.center == 8.75
    assert unit.spread**2 == pytest.approx(np.cov(y) + 11**2)
    counted = Binomial().unit_of(counts(np.array([1, 9]), np.array([10, 10])))
    assert counted.center == pytest.approx(0, abs=1e-12)
    odds = stats.logistic.ppf((9 + 0.5) / 11)
    assert counted.spread**2 == pytest.approx(2 * odds**2 + 1 / 1.5 + 1 / 9.5)


@pytest.mark.parametrize(
    ("center", "spread", "texts"),
    [
        (298.50789, 56.36, ("Normal(298.5, 140.9)", "HalfNormal(56.36)", "Exponential(0.01774)")),
        (3.2e-7, 1.23456e-6, ("Normal(3.2e-07, 3.086e-06)", "HalfNormal(1.235e-06)", "Exponential(810000)")),
        (1e6 + 0.01234567, 1e-3, ("Normal(1000000.012346, 0.0025)", "HalfNormal(0.001)", "Exponential(1000)")),
        (-4.4e-17, 1e6, ("Normal(0, 2500000)", "HalfNormal(1000000)", "Exponential(1e-06)")),
    ],
)
def test_the_texts_of_default_priors_are_readable(center, spread, texts):
    """Four digits of a scale, and as many decimals of the center, at any size; each text is read back as it is."""
    unit = Unit(center=center, spread=spread)
    formulas = ("Normal(m, 2.5 s)", "HalfNormal(s)", "Exponential(1/s)")
    assert tuple(map(unit.prior, formulas)) == texts
    for text in texts:
        assert parse_prior(text, THETA).text == text


def study_of(y, sizes=SIZES, *, structure, se=None, **options) -> Study:
    labels = [f"g{i}" for i in np.repeat(np.arange(len(sizes)), sizes)]
    return study_of_table({"group": labels, "value": y, "standard_error": se}, structure=structure, **options)


def study_of_table(table, *, structure, **options) -> Study:
    columns = {name: values for name, values in table.items() if values is not None}
    with tempfile.TemporaryDirectory() as folder:
        pd.DataFrame(columns).to_csv(Path(folder, "d.csv"), index=False, float_format="%.17g")
        return _study(columns, Path(folder), structure=structure, **options)


def _study(columns, folder, **method) -> Study:
    return Study.from_dict(
        {
            "study": {"name": "s", "replicates": 1},
            "mechanism": {"kind": "dataset", "data": "d.csv", **{name: name for name in columns}},
            "method": [{"name": "m", **method}],
            "sampler": {"kind": "exact", "precision": "float64"},
        },
        folder=folder,
    )


def posterior(study: Study):
    """Return exact means and sds of a study's one method, in the unit of its data."""
    (method,), data = study.methods, study.scenarios[0].mechanism.replicate.data
    model = method.model.hierarchy
    known = exact_posterior(model, model.arrays([data]))
    assert not known.reasons
    return known.mean, known.sd


STRUCTURES = ("none", "complete", "partial")
EXACT = [*product(("normal", "known se"), STRUCTURES), ("by group", "none")]


@pytest.mark.parametrize(("kind", "structure"), EXACT)
@pytest.mark.parametrize(("shift", "scale"), MOVES)
def test_posteriors_move_with_the_data(structure, kind, shift, scale):
    """With default priors, exact posteriors of shifted and scaled data are the posteriors, shifted and scaled."""
    sizes = np.ones(len(Y), int) if kind == "known se" else SIZES + 1
    y = RNG.normal(size=sizes.sum()) + np.repeat(np.arange(len(sizes)) / 3, sizes)
    se = np.linspace(0.5, 1.5, len(Y)) if kind == "known se" else None
    options = {"sigma_by": "group"} if kind == "by group" else {}
    here = posterior(study_of(y, sizes, structure=structure, se=se, **options))
    there = posterior(
        study_of(shift + scale * y, sizes, structure=structure, se=None if se is None else scale * se, **options)
    )
    for name, mean in here[0].items():
        at = shift if name in ("mu", "theta", "theta_new") else 0
        assert (there[0][name] - at) / scale == pytest.approx(mean, abs=1e-3 * here[1][name].min()), name
        assert there[1][name] / scale == pytest.approx(here[1][name], rel=1e-3), name


@pytest.mark.parametrize("structure", STRUCTURES)
def test_posteriors_of_failures_mirror_those_of_successes(structure):
    """With default priors, the posterior of k <-> n - k is the mirror image on the logit scale."""
    k, n = np.array([0, 3, 7, 12]), np.array([5, 9, 8, 40])
    table = {"group": list("abcd"), "trials": n}
    here = posterior(study_of_table({**table, "successes": k}, structure=structure))
    there = posterior(study_of_table({**table, "successes": n - k}, structure=structure))
    for name, mean in here[0].items():
        mirrored = {"p": 1 - there[0]["p"], "tau": there[0].get("tau")}.get(name, -there[0][name])
        assert mirrored == pytest.approx(mean, abs=1e-3 * here[1][name].min()), name


def test_without_pooling_default_priors_leave_estimates_with_the_data():
    """Forty scores around 500 in eight schools: posterior means lie within half a posterior sd of the groups' means."""
    sizes = np.full(8, 5)
    y = 500 + 100 * (np.repeat(np.linspace(-1, 1, 8), 5) + RNG.normal(size=40))
    study = study_of(y, sizes, structure="none")
    mean, sd = posterior(study)
    data = study.scenarios[0].mechanism.replicate.data
    assert (np.abs(mean["theta"][0] - data.y_mean) < 0.5 * sd["theta"][0]).all()


def test_simulated_data_keep_their_default_priors():
    """The defaults of simulated studies are those that they have had, whatever the constants are."""
    study = Study.from_dict(
        {
            "study": {"name": "s"},
            "mechanism": {"kind": "exchangeable", "groups": 4, "group_size": 3, "mu": 50.0},
            "method": [{"name": "m", "structure": "partial"}],
            "sampler": {"kind": "exact"},
        }
    )
    assert dict(study.methods[0].options)["priors"] == {
        "mu": "Normal(0, 10)",
        "tau": "HalfNormal(5)",
        "sigma": "Exponential(1)",
    }


PRIORS = {
    "AsymmetricLaplaceQuantile": (0.5, 2.0, 0.3),
    "AsymmetricLaplace": (0.5, 2.0, 1.5),
    "StudentT": (4.0, 0.5, 2.0),
    "Uniform": (-1.0, 9.0),
    "LogUniform": (0.5, 9.0),
    "Gamma": (2.5, 0.5),
    "InverseGamma": (2.5, 1.5),
    "Weibull": (2.0, 1.5),
    "Pareto": (0.5, 2.0),
    "Exponential": (0.5,),
    "HalfNormal": (2.0,),
    "HalfCauchy": (2.0,),
    "Levy": (-1.0, 2.0),
}


@pytest.mark.parametrize("name", [*ANYWHERE, *FROM_ZERO])
def test_a_prior_in_another_unit_is_the_same_prior(name):
    """log p(x) = log p(z) - log s at x = m + s z, for every family and a few points."""
    prior = Prior(name=name, args=PRIORS.get(name, (0.5, 2.0)))
    if name.startswith("Truncated"):
        prior = Prior(name=name, args=(0.5, 2.0), kwargs=(("low", -1.0),))
    unit = Unit(center=3.0, spread=0.4)
    moves = "value" if name in ANYWHERE else "difference"
    center = unit.center if moves == "value" else 0.0
    x = np.array([0.7, 1.3, 4.0])
    moved = in_unit(prior, moves, unit)
    with use_precision("float64"):
        here = np.asarray(prior.distribution().log_prob(x))
        there = np.asarray(moved.distribution().log_prob((x - center) / unit.spread))
    assert there - np.log(unit.spread) == pytest.approx(here, rel=1e-9)


def test_what_has_no_other_unit():
    """A prior that begins at 0 cannot be shifted; a ratio keeps its prior; arguments left out count."""
    half = Prior(name="HalfNormal", args=(1.0,))
    assert in_unit(half, "value", Unit(center=1.0, spread=2.0)) is None
    assert in_unit(half, "value", Unit(center=0.0, spread=2.0)).text == "HalfNormal(0.5)"
    assert in_unit(half, "none", Unit(center=1.0, spread=2.0)) == half
    assert in_unit(half, None, Unit(center=1.0, spread=2.0)) is None
    assert in_unit(Prior(name="Kumaraswamy", args=(1.0, 2.0)), "difference", Unit(center=0.0, spread=2.0)) is None
    assert in_unit(Prior(name="Normal", args=()), "value", Unit(center=1.0, spread=2.0)).text == "Normal(-0.5, 0.5)"


@pytest.mark.parametrize(
    ("moves", "expected"),
    [("value", 11.0), ("difference", 6.0), ("variance", 18.0), ("log_density", 2 - 4 * np.log(3)), ("none", 2.0)],
)
def test_each_quantity_moves_as_it_says(moves, expected):
    """z = 2 with m = 5, s = 3 and four observations, by hand; ``standardized`` leads back."""
    unit = Unit(center=5.0, spread=3.0)
    found = unit.moved(np.array([[2.0]]), moves, n_observations=np.array([4]))
    assert found == pytest.approx(expected)
    if moves != "log_density":
        assert unit.standardized(found, moves) == pytest.approx(2.0)


def test_known_means_and_sds_move_back_each_in_its_own_power():
    """A variance of 2 with sd 0.5 at s = 3 is one of 18 with sd 4.5; a share stays what it is."""
    priors = {"mu": "Normal(0, 1)", "tau": "HalfNormal(1)", "sigma": "Exponential(1)"}
    parsed = tuple((p.name, parse_prior(priors[p.name], p)) for p in (MU, TAU, SIGMA))
    model = StandardizedModel(
        model=HierarchicalModel(structure=Partial(), likelihood=Normal(), priors=parsed),
        unit=Unit(center=5.0, spread=3.0),
    )
    names = ("mu", "tau", "theta_var", "shrinkage_weight")
    known = SimpleNamespace(mean=dict.fromkeys(names, np.array([2.0])), sd=dict.fromkeys(names, np.array([0.5])))
    moved = model.restored(known, [grouped(Y)])
    assert [moved.mean[name].item() for name in names] == [11.0, 6.0, 18.0, 2.0]
    assert [moved.sd[name].item() for name in names] == [1.5, 1.5, 4.5, 0.5]


def test_known_distributions_move_back():
    """At m = 5 and s = 3, the quantiles and intervals of mu move as values, and scores as distances of the truth."""
    priors = {"mu": "Normal(0, 1)", "tau": "HalfNormal(1)", "sigma": "Exponential(1)"}
    parsed = tuple((p.name, parse_prior(priors[p.name], p)) for p in (MU, TAU, SIGMA))
    hierarchy = HierarchicalModel(structure=Partial(), likelihood=Normal(), priors=parsed)
    known = SimpleNamespace(
        quantiles=lambda p: {"mu": np.array([p]), "tau": np.array([p])},
        hdi=lambda level: {"mu": np.array([[-level, level]]), "tau": np.array([[0.0, level]])},
        cdf=lambda values: values,
        crps=lambda values: {name: np.abs(value) for name, value in values.items()},
    )
    moved = StandardizedModel(model=hierarchy, unit=Unit(center=5.0, spread=3.0)).restored(known, [grouped(Y)])
    truth = {"mu": np.array([11.0]), "tau": np.array([6.0])}
    np.testing.assert_allclose(moved.quantiles([0.1, 0.5])["mu"], [[5.3, 6.5]])
    np.testing.assert_allclose(moved.hdi(0.9)["mu"], [[2.3, 7.7]])
    np.testing.assert_allclose(moved.hdi(0.9)["tau"], [[0.0, 2.7]])
    assert {name: value.item() for name, value in moved.cdf(truth).items()} == {"mu": 2.0, "tau": 2.0}
    assert {name: value.item() for name, value in moved.crps(truth).items()} == {"mu": 6.0, "tau": 6.0}
