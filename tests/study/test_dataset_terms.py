"""Data sets with terms in a study: sections, messages, what a run keeps, default priors and units."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from simstudy.errors import StudyError
from simstudy.models.standardized import StandardizedModel
from simstudy.study.study import Study
from simstudy.tables import as_table

RNG = np.random.default_rng(5)
FRAME = pd.DataFrame(
    {
        "batch": np.repeat(["A", "B", "C"], 8),
        "cask": np.tile(np.repeat(["a", "b"], 4), 3),
        "day": np.tile([0.0, 1.0, 2.0, 5.0], 6),
        "y": 20 + RNG.normal(size=24),
    }
)
NESTED = {"batch": {}, "cask": {"within": "batch"}}


def study_of(mechanism, folder=None, *, method=None, **sections):
    """Return a study of a data set."""
    return Study.from_dict(
        {
            "study": {"name": "s", "seed": 1, "replicates": 1},
            "mechanism": {"kind": "dataset", **mechanism},
            "method": [{"name": "m", "pooling": "partial", **(method or {})}],
            "sampler": {"kind": "nuts"},
            **sections,
        },
        folder=folder,
    )


def priors_of(study):
    """Return the priors of the first method."""
    return dict(study.methods[0].options)["priors"]


def test_a_run_needs_no_file(tmp_path):
    """What ``study.json`` and the kept rows make is the study again: its data, its design with the graph, its keys."""
    FRAME.assign(unused="z").to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "e.csv").write_text("one,other\nA,B\nC,B\n")
    terms = {"batch": {"structure": "icar", "graph": {"edges": "e.csv"}}, "cask": {"within": "batch"}}
    covariates = {"time": {"column": "day"}}
    study = study_of({"data": "d.csv", "value": "y", "terms": terms, "covariates": covariates}, tmp_path)
    assert study.data.column_names == ["batch", "cask", "day", "y"]
    again = Study.from_canonical(study.canonical, rows=as_table(study.data))
    assert again.canonical == study.canonical
    assert again.scenarios[0].identity == study.scenarios[0].identity
    assert again.scenarios[0].mechanism.design == study.scenarios[0].mechanism.design
    assert [m.identity for m in again.methods] == [m.identity for m in study.methods]
    with pytest.raises(StudyError, match=r"the study reads the file 'd.csv'; name the folder"):
        Study.from_canonical(study.canonical)


def test_a_frame_is_data():
    """A frame in Python is what its file is, but for the name."""
    study = study_of({"data": FRAME, "value": "y", "terms": NESTED})
    mechanism = study.scenarios[0].mechanism
    assert [f.n_levels for f in mechanism.design.factors] == [3, 6]
    assert mechanism.name == "a table of 24 rows (batch, cask, day, y)"
    assert Study.from_canonical(study.canonical, rows=as_table(study.data)).canonical == study.canonical


def test_what_a_study_says_stands_over_a_built_in_set():
    """Keys of a term or covariate that are given change that term alone; nothing is kept of rows that are built in."""
    study = study_of({"data": "pastes", "terms": {"batch": {"structure": "exchangeable"}}})
    assert [t.factor for t in study.scenarios[0].mechanism.assumed_terms] == ["batch", "cask"]
    slopes = {"county": {"structure": "slopes", "covariate": "floor", "correlated": False}}
    (term,) = study_of({"data": "radon", "terms": slopes}).scenarios[0].mechanism.assumed_terms
    assert (term.structure.kind, term.structure.covariates, term.structure.correlated) == ("slopes", ("floor",), False)
    assert study.data is None
    assert Study.from_canonical(study.canonical).canonical == study.canonical


def test_other_rows_or_factors_are_another_scenario():
    """A changed value, a changed nesting or another covariate is another identity."""
    changed = FRAME.assign(y=FRAME["y"].where(FRAME.index != 3, 99.0))
    mechanisms = [
        {"data": FRAME, "value": "y", "terms": NESTED},
        {"data": changed, "value": "y", "terms": NESTED},
        {"data": FRAME, "value": "y", "terms": {"batch": {}, "cask": {}}},
        {"data": FRAME, "value": "y", "terms": NESTED, "covariates": {"day": {}}},
    ]
    assert len({study_of(m).scenarios[0].identity for m in mechanisms}) == 4


@pytest.mark.parametrize(
    ("mechanism", "words"),
    [
        ({"group": "batch", "terms": {}}, r"\[mechanism\] group: data with terms have factors; give .*terms.batch"),
        ({"terms": {}, "covariates": {"day": {}}}, r"\[mechanism\] terms: data with covariates need at least one"),
        ({"terms": {"batch": {"tau": 1.0}}}, r"\[mechanism.terms.batch\] tau: unknown key"),
        ({"terms": {"batch": {"structure": "slops"}}}, r"terms.batch\] structure: expected .*did you mean 'slopes'"),
        ({"terms": {"batch": {"structure": "slopes"}}}, r"covariate: the structure 'slopes' needs one"),
        ({"terms": {"batch": {"covariate": "day"}}}, r"covariate: the structure 'exchangeable' has none"),
        ({"terms": {"batch": {"structure": "icar"}}}, r"graph: the structure 'icar' needs it; give graph = "),
        ({"terms": {"batch": {"graph": {"ring": 3}}}}, r"graph: expected a table such as { edges = "),
        ({"terms": {"batch": {"graph": {"edges": [["A"]]}}}}, r"graph.edges: expected pairs of names of levels"),
        ({"terms": {"batch": {"graph": {"edges": [["A", "Q"]]}}}}, r"'Q' of the graph is in no row .*\(data: d.csv\)"),
        (
            {"terms": {"batch": {"structure": "icar", "graph": {"edges": [["A", "A"]]}}}},
            r"\[mechanism.terms.batch\] the graph of 'batch': 'A' is its own neighbor",
        ),
        ({"terms": {"batch": {"structure": "gaussian_process"}}}, r"points: the structure 'gaussian_process' needs"),
        ({"terms": {"batch": {"points": {"columns": ["a", "b", "c"]}}}}, r"points: expected a table such as"),
        (
            {"terms": {"batch": {"structure": "random_walk"}}},
            r"got 'A' in row 1 of 24 \(line 2\); these levels follow one another",
        ),
        (
            {"terms": {"batch": {}}, "covariates": {"day": {"of": "bach"}}},
            r"of: no factor 'bach'; did you mean 'batch'",
        ),
        ({"terms": {"cask": {"within": "batches"}}}, r"terms.cask\] within: no factor 'batches'"),
        ({"terms": {"a b": {}}}, r"\[mechanism\] terms: the name 'a b' is no word"),
        ({"terms": {"batch": {}}, "data": "lecture"}, r"'lecture' has one factor, its groups"),
        ({"terms": {"batch": {}}, "data": "penicilin"}, r"no data set 'penicilin'; did you mean 'penicillin'"),
        ({"data": "penicillin"}, r"value: the data set 'penicillin' has its own columns"),
        ({"terms": {"batch": {}}, "data": None}, r"\[mechanism\] data: the key is missing"),
        ({"terms": {"batch": {}}, "data": "no.csv"}, r"\[mechanism\] data: no file 'no.csv'"),
        ({"terms": {"batch": {}}, "value": "cask"}, r"\[mechanism\] value: expected numbers .*\(data: d.csv\)"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, mechanism, words):
    """One message names section, key, value and the data."""
    FRAME.to_csv(tmp_path / "d.csv", index=False)
    with pytest.raises(StudyError, match=words):
        study_of({"data": "d.csv", "value": "y", **mechanism}, tmp_path)


def test_default_priors_are_in_the_unit_of_the_data():
    """rstanarm's rule in the sd of single observations, and s / s_x for what a covariate multiplies."""
    frame = FRAME.assign(row=[f"r{i}" for i in range(24)])
    terms = {"row": {}, "batch": {"structure": "slopes", "covariate": "day"}}
    study = study_of({"data": frame, "value": "y", "terms": terms})
    s, s_x = FRAME["y"].std(ddof=1), FRAME["day"].std(ddof=0)
    s_0 = s * np.hypot(1, FRAME["day"].mean() / s_x)
    priors = priors_of(study)
    for name, spread in {
        "mu": 2.5 * s_0,
        "beta[day]": 2.5 * s / s_x,
        "tau[row]": s,
        "tau[batch]": s_0,
        "tau_slope[batch]": s / s_x,
        "sigma": 1 / s,
    }.items():
        assert float(priors[name].rstrip(")").split("(")[1].split(", ")[-1]) == pytest.approx(spread, rel=1e-3)
    told = study.priors_of_data["m"]
    assert told.formulas["tau_slope[batch]"] == "HalfNormal(s/s_day)"
    assert f"s_day = {s_x:.4g} is the sd of day over cells" in told.words
    assert "cells’ means" in told.words
    assert "rho" not in " ".join(told.formulas)


def test_default_priors_follow_the_data():
    """Another origin and unit of the observations or of a covariate gives the same model in that unit."""
    priors = priors_of(study_of({"data": FRAME, "value": "y", "terms": NESTED, "covariates": {"day": {}}}))
    moved = FRAME.assign(y=1000 * FRAME["y"] - 7000, day=60 * FRAME["day"] + 1990)
    others = priors_of(study_of({"data": moved, "value": "y", "terms": NESTED, "covariates": {"day": {}}}))

    def spread(priors, name):
        return float(priors[name].rstrip(")").split("(")[1].split(", ")[-1])

    for name, factor in {"tau[batch]": 1000, "tau[cask]": 1000, "sigma": 1 / 1000, "beta[day]": 1000 / 60}.items():
        assert spread(others, name) == pytest.approx(factor * spread(priors, name), rel=2e-3)
    # At year 0 the intercept is where a slope of s / s_x leads in that time.
    far = 1000 * FRAME["y"].std() * (60 * FRAME["day"].mean() + 1990) / (60 * FRAME["day"].std(ddof=0))
    assert spread(others, "mu") == pytest.approx(2.5 * far, rel=0.05)


def test_given_priors_stay_and_are_not_said_to_be_of_the_data():
    """A prior that is given stands; what is told names the others."""
    study = study_of({"data": FRAME, "value": "y", "terms": NESTED}, method={"priors": {"tau[cask]": "HalfCauchy(3)"}})
    assert priors_of(study)["tau[cask]"] == "HalfCauchy(3)"
    assert "tau[cask]" not in study.priors_of_data["m"].priors
    assert "tau[batch] ~ HalfNormal(" in study.priors_of_data["m"].text


def test_no_pooling_has_a_fixed_spread_of_the_data():
    """The effects' own sd is 2.5 s, a number, and is said as one."""
    study = study_of({"data": FRAME, "value": "y", "terms": {"batch": {}}}, method={"pooling": "none"})
    assert float(priors_of(study)["spread"]) == pytest.approx(2.5 * study.priors_of_data["m"].unit.spread, rel=1e-3)
    assert "spread = " in study.priors_of_data["m"].text


@pytest.mark.parametrize(("center", "spread"), [(0.0, 1e-6), (1e6, 1.0), (-3e9, 1e7)])
def test_far_data_are_sampled_in_a_unit_of_their_own(center, spread):
    """Programs see standardized data; estimands come back in the data's unit, as their likelihood there shows."""
    frame = FRAME.assign(y=center + spread * (FRAME["y"] - 20))
    terms = {"cask": {}, "batch": {"structure": "slopes", "covariate": "day"}}
    study = study_of({"data": frame, "value": "y", "terms": terms})
    model, (replicate,) = study.methods[0].model, study.scenarios[0].mechanism.simulate(np.zeros((1, 2), np.uint32))
    assert isinstance(model, StandardizedModel)
    sampled = model.arrays([replicate.data])
    bound = model.bound(replicate.data)
    assert all(np.isfinite(leaf).all() and np.abs(leaf).max() < 1e3 for leaf in sampled.values())
    n = {"cask": 2, "batch": 3}
    rng = np.random.default_rng(0)
    sites = {
        "mu_at_means": rng.normal(size=(1, 2, 3)),
        "beta[day]_standardized": rng.normal(size=(1, 2, 3)),
        **{name: rng.uniform(0.5, 1, (1, 2, 3)) for name in ("tau[cask]", "tau[batch]", "tau_slope[batch]", "sigma")},
        "rho[batch]": rng.uniform(-0.5, 0.5, (1, 2, 3)),
        "z[cask]": rng.normal(size=(1, 2, 3, n["cask"])),
        "z0[batch]": rng.normal(size=(1, 2, 3, n["batch"])),
        "z1[batch]": rng.normal(size=(1, 2, 3, n["batch"])),
    }
    found = bound.estimands(sites, [replicate.data], np.zeros((1, 2), np.uint32))
    data = replicate.data
    theta = found["theta"][0][..., data.group_of]
    by_scipy = norm(theta, found["sigma"][0][..., None]).logpdf(data.y).sum(-1)
    np.testing.assert_allclose(found["log_lik"][0], by_scipy, rtol=1e-6, atol=1e-4)
    batch, day = data.design.factor("batch"), data.covariate("day")
    eta = found["mu"][..., None] + found["beta[day]"][..., None] * day
    eta = eta + found["effect[cask]"][..., data.design.factor("cask").level] + found["effect[batch]"][..., batch.level]
    eta = eta + found["slope[batch]"][..., batch.level] * day
    np.testing.assert_allclose((found["theta"] - eta) / spread, 0, atol=1e-5)


def test_data_at_home_are_sampled_as_they_are():
    """Near 0 and 1 nothing is standardized."""
    model = study_of({"data": FRAME, "value": "y", "terms": NESTED}).methods[0].model
    assert not isinstance(model, StandardizedModel)
