"""Study files with terms: the cells and methods that they make, and what they are told when they are wrong."""

import copy
import json

import pytest

from simstudy.errors import StudyError
from simstudy.study.study import Study

STUDY = {
    "study": {"name": "nested", "seed": 3, "replicates": 5},
    "mechanism": {
        "kind": "multilevel",
        "per_cell": [2, 4],
        "terms": {
            "school": {"levels": [3, 6], "tau": [0.0, 1.0]},
            "class": {"within": "school", "levels": 2, "tau": 0.5},
        },
        "covariates": {"x": {"of": "class", "draw": "normal", "beta": 0.7}},
    },
    "method": [
        {"name": "both", "pooling": "partial", "parameterization": ["noncentered", "centered"]},
        {"name": "schools", "terms": {"class": "complete"}, "covariates": []},
        {"name": "one mean", "pooling": "complete", "priors": {"mu": "Normal(0, 3)"}},
    ],
    "sampler": {"kind": "nuts"},
}


def changed(**paths):
    """Return the contents of the study with some values changed; '__' stands for a step into a table."""
    contents = copy.deepcopy(STUDY)
    for path, value in paths.items():
        *steps, last = path.split("__")
        table = contents
        for step in steps:
            table = table[int(step)] if step.isdecimal() else table.setdefault(step, {})
        if value is None:
            table.pop(last, None)
        else:
            table[last] = value
    return contents


def test_lists_are_factors_of_the_design():
    """Every combination is a scenario, labelled by what varies; a design is shared by all values of parameters."""
    study = Study.from_dict(STUDY)
    assert len(study.scenarios) == 2 * 2 * 2
    assert study.scenarios[0].label == "levels[class]=6, levels[school]=3, cells=6, per_cell=2, tau[school]=0.0"
    factors = [dict(scenario.factors) for scenario in study.scenarios]
    assert {f["tau[school]"] for f in factors} == {0.0, 1.0}
    assert {(f["levels[school]"], f["levels[class]"]) for f in factors} == {(3, 6), (6, 12)}
    designs = {scenario.mechanism.design.digest for scenario in study.scenarios}
    assert len(designs) == 2
    for method in study.methods:
        shapes = {method.model.known_shape(scenario.mechanism.shape) for scenario in study.scenarios}
        assert len(shapes) == 2  # one program a design, whatever the values and the sizes


def test_methods_say_what_they_make_of_each_term():
    """By pooling for all, by terms for single ones; with every default spelled out."""
    methods = {m.name: m for m in Study.from_dict(STUDY).methods}
    assert list(methods) == [
        "both [parameterization=noncentered]",
        "both [parameterization=centered]",
        "schools",
        "one mean",
    ]
    assert [t.factor for t in methods["schools"].model.terms] == ["school"]
    assert methods["one mean"].model.terms == ()
    assert methods["one mean"].model.pooling == "complete"
    assert methods["both [parameterization=centered]"].model.terms[1].parameterization == "centered"
    priors = dict(methods["one mean"].model.priors)
    assert priors["mu"].text == "Normal(0, 3)"
    assert set(priors) == {"mu", "beta[x]", "sigma"}
    assert methods["schools"].model.location.covariates == ()
    assert len({m.identity for m in methods.values()}) == 4


def test_a_run_makes_the_study_again():
    """study.json, read back, is the same study: scenarios, methods, keys."""
    study = Study.from_dict(STUDY)
    again = Study.from_canonical(json.loads(json.dumps(study.canonical, sort_keys=True)))
    assert [s.identity for s in again.scenarios] == [s.identity for s in study.scenarios]
    assert [m.identity for m in again.methods] == [m.identity for m in study.methods]
    assert again.canonical == study.canonical


def test_neighbors_in_a_file_are_kept_in_the_study(tmp_path):
    """A run needs no file of edges: its study holds the pairs."""
    (tmp_path / "edges.csv").write_text("from,to\na,b\nb,c\n")
    term = {"graph": {"edges": "edges.csv"}, "tau": 0.5}
    contents = changed(mechanism__terms={"area": term}, mechanism__covariates=None)
    contents["method"] = [{"name": "partial", "pooling": "partial"}]
    study = Study.from_dict(contents, folder=tmp_path)
    assert study.scenarios[0].mechanism.design.factor("area").labels == ("a", "b", "c")
    again = Study.from_canonical(json.loads(json.dumps(study.canonical, sort_keys=True)))
    assert again.scenarios[0].identity == study.scenarios[0].identity


def test_a_list_of_graphs_is_a_factor():
    """Each graph has a scenario of its own, told apart where they have as many areas; a run makes it again."""
    graphs = [{"lattice": [3, 3]}, {"ring": 9}, {"edges": [[0, 1], [1, 2]]}]
    contents = changed(mechanism__terms={"area": {"graph": graphs, "tau": 0.5}}, mechanism__covariates=None)
    contents["method"] = [{"name": "partial", "pooling": "partial"}]
    study = Study.from_dict(contents)
    n_edges = {dict(s.factors)["graph[area]"]: len(s.mechanism.design.factor("area").edges) for s in study.scenarios}
    assert n_edges == {"lattice 3 x 3": 12, "ring 9": 9, "2 pairs": 2}
    again = Study.from_canonical(json.loads(json.dumps(study.canonical, sort_keys=True)))
    assert [s.identity for s in again.scenarios] == [s.identity for s in study.scenarios]


def test_a_single_term_has_parameters_without_brackets():
    """tau, as in studies of one grouping; a prior may be given with the factor behind, but not twice."""
    contents = changed(mechanism__terms={"school": {"levels": 3, "tau": 2.0}}, mechanism__covariates=None)
    contents["method"] = [{"name": "partial", "pooling": "partial", "priors": {"tau": "HalfNormal(3)"}}]
    study = Study.from_dict(contents)
    assert dict(study.methods[0].model.priors)["tau"].text == "HalfNormal(3)"
    assert dict(study.scenarios[0].factors)["tau"] == 2.0
    contents["method"][0]["priors"] = {"tau[school]": "HalfNormal(3)"}
    assert Study.from_dict(contents).methods[0].identity == study.methods[0].identity
    contents["method"][0]["priors"] |= {"tau": "HalfNormal(2)"}
    with pytest.raises(StudyError, match=r"tau\[school\] and tau are the same prior"):
        Study.from_dict(contents)


WRONG = {
    "mechanism__terms__school__levls": (8, "did you mean 'levels'"),
    "mechanism__terms__school__levels": (0, "at least 1"),
    "mechanism__terms__school__tau": (-1.0, r"tau\[school\]: -1.0 is out of range"),
    "mechanism__terms__school__structure": ("exchangable", "did you mean 'exchangeable'"),
    "mechanism__terms__school__slope": (1.0, "only a term with a covariate"),
    "mechanism__terms__class__within": ("scool", "did you mean 'school'"),
    "mechanism__terms__school__within": (["class", "class"], "nested in one other, got"),
    "mechanism__terms__class__noise": ({"kind": "student_t", "df": 1.0}, r"noise df: expected a number above 2"),
    "mechanism__terms": ({}, "needs at least one"),
    "mechanism__terms__my school": ({"levels": 3}, "no word of letters"),
    "mechanism__covariates__x__of": ("klass", "did you mean 'class'"),
    "mechanism__covariates__x__draw": ("uniform", "expected 'normal'"),
    "mechanism__covariates__y": ({"values": [1.0, 1.0]}, "at least two different"),
    "mechanism__sizes": ([[1, 2]], "either sizes"),
    "mechanism__likelihood": ("normal_known_se", "no known standard errors"),
    "mechanism__exposure": (2.0, "only counts have one"),
    "mechanism__covariates": (
        {"x": {"of": "school", "values": [1, 2, 4]}, "z": {"of": "school", "values": [2, 4, 8], "beta": 1.0}},
        "x, z are not apart: each is a linear combination",
    ),
    "mechanism__sgima": (1.0, "did you mean 'sigma'"),
    "method__0__pooling": ("partly", "did you mean 'partial'"),
    "method__1__terms__clas": ("complete", "did you mean 'class'"),
    "method__1__terms__class": ("exchangable", "did you mean 'exchangeable'"),
    "method__1__covariates": (["y"], "no covariate 'y'"),
    "method__2__priors__tau": ("HalfNormal(1)", "unknown key"),
    "method__2__pooling": (None, "the key is missing"),
    "method__2__structure": ("partial", "unknown key"),
}


@pytest.mark.parametrize("path", WRONG)
def test_what_is_wrong_is_told(path):
    """One message, with the section, the key and what is expected."""
    value, told = WRONG[path]
    with pytest.raises(StudyError, match=told) as error:
        Study.from_dict(changed(**{path: value}))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(("[mechanism", "[[method]]"))


CALIBRATION = {
    "study": {"name": "sbc", "kind": "calibration", "replicates": 5},
    "mechanism": {
        "kind": "multilevel",
        "mu": "Normal(0, 1)",
        "sigma": "LogNormal(0, 0.3)",
        "terms": {"school": {"levels": 3, "tau": "HalfNormal(1)"}, "item": {"levels": 2, "tau": 0.0}},
        "covariates": {"x": {"of": "school", "draw": "normal", "beta": "Normal(0, 1)"}},
    },
    "method": [
        {
            "name": "school",
            "terms": {"item": "complete"},
            "priors": {
                "mu": "Normal(0, 1)",
                "tau[school]": "HalfNormal(1)",
                "beta[x]": "Normal(0, 1)",
                "sigma": "LogNormal(0, 0.3)",
            },
        }
    ],
    "sampler": {"kind": "nuts"},
}


def test_a_calibration_study_needs_the_terms_and_priors_of_the_truth():
    """A term without spread may be left out; others may not, nor may priors or structures differ."""
    Study.from_dict(CALIBRATION)
    wrong = {
        "the prior": ({"method__0__priors__mu": "Normal(0, 2)"}, r"priors.mu is Normal\(0, 2\), but"),
        "a term": ({"method__0__terms": {"school": "complete", "item": "complete"}}, "'school' is left out"),
        "a covariate": ({"method__0__covariates": []}, "'x' is left out"),
        "the noise": ({"mechanism__terms__school__noise": "skewed"}, "with normal noise"),
        "fixed effects": ({"mechanism__terms__school__effects": "fixed"}, "random effects"),
    }
    for what, (changes, told) in wrong.items():
        contents = copy.deepcopy(CALIBRATION)
        for path, value in changes.items():
            *steps, last = path.split("__")
            table = contents
            for step in steps:
                table = table[int(step)] if step.isdecimal() else table[step]
            table[last] = value
        if what == "a term":
            del contents["method"][0]["priors"]["tau[school]"]
        if what == "a covariate":
            del contents["method"][0]["priors"]["beta[x]"]
        with pytest.raises(StudyError, match=told):
            Study.from_dict(contents)


def test_values_that_a_study_leaves_out_are_told():
    """A pre-registration has the truth of every parameter: those that are defaults are named, and no other."""
    terms = {
        "subject": {"structure": "slopes", "levels": 4, "covariate": {"name": "day", "values": [0, 1]}, "rho": 0.2}
    }
    contents = changed(mechanism__terms=terms, mechanism__covariates=None, mechanism__sigma=[0.5, 1.0])
    contents["method"] = [{"name": "partial", "pooling": "partial"}]
    told = Study.from_dict(contents).description["mechanism"]["defaults"]
    assert told == {"mu": 0.0, "beta[day]": 0.0, "tau": 1.0, "tau_slope": 1.0}
    assert (
        "defaults"
        not in Study.from_dict(
            {
                **contents,
                "mechanism": {
                    **contents["mechanism"],
                    "mu": 1.0,
                    "terms": {"subject": {**terms["subject"], "tau": 1.0, "tau_slope": 1.0, "slope": 0.0}},
                },
            }
        ).description["mechanism"]
    )


@pytest.mark.parametrize("terms", [("school",), ("school", "class")], ids=["one term", "two terms"])
@pytest.mark.parametrize("likelihood", ["normal", "student_t", "binomial", "bernoulli", "poisson", "negative_binomial"])
def test_what_is_declared_is_what_there_is(likelihood, terms):
    """Every estimand that a model declares has a truth, but for a new observation, and no other has one."""
    of_terms = {"school": {"levels": 3, "tau": 1.0}, "class": {"within": "school", "levels": 2, "tau": 0.5}}
    study = Study.from_dict(
        {
            "study": {"name": "declared", "replicates": 1},
            "mechanism": {"kind": "multilevel", "likelihood": likelihood, "terms": {n: of_terms[n] for n in terms}},
            "method": [{"name": "all", "pooling": "partial"}],
            "sampler": {"kind": "nuts"},
        }
    )
    (replicate,) = study.scenarios[0].mechanism.simulate(study.data_key(study.scenarios[0], 0)[None])
    declared = {estimand.name for estimand in study.methods[0].model.described}
    assert declared - {"y_new"} == set(replicate.truth)
