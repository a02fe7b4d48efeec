"""Study files: the factorial design, the methods, identities, and what is refused with which words."""

import copy
import json

import numpy as np
import pytest

from simstudy.errors import StudyError
from simstudy.mechanisms import Exchangeable
from simstudy.models.structures import Partial
from simstudy.store.schema import estimates_schema, interval_columns
from simstudy.study.registry import register_mechanism, register_model
from simstudy.study.study import Study

STUDY = {
    "study": {"name": "small", "seed": 3, "replicates": 2},
    "mechanism": {"kind": "exchangeable", "groups": [4, 8], "group_size": [2, 10], "tau": [0.0, 0.5]},
    "method": [
        {"name": "none", "structure": "none"},
        {"name": "partial", "structure": "partial", "parameterization": ["centered", "noncentered"]},
    ],
    "sampler": {"kind": "numpyro"},
}


def study(**changes):
    """Return the study with some keys of its sections changed; None removes a key."""
    contents = copy.deepcopy(STUDY)
    for place, value in changes.items():
        section, _, key = place.partition("__")
        if not key:
            contents[section] = value
        elif value is None:
            contents[section].pop(key)
        else:
            contents[section][key] = value
    return Study.from_dict(contents)


def test_lists_are_crossed():
    """Every combination of the mechanism's lists is a scenario, labelled by what varies."""
    s = study()
    assert len(s.scenarios) == 8
    assert s.scenarios[0].label == "groups=4, group_size=2, tau=0.0"
    assert s.scenarios[0].mechanism == Exchangeable(sizes=(2, 2, 2, 2), tau=s.scenarios[0].mechanism.tau)


def test_unequal_sizes_are_designs_of_their_own():
    """Each inner list of sizes is one more design, beside groups x group_size."""
    s = study(mechanism__sizes=[[1, 2, 30]])
    assert [sc.mechanism.shape for sc in s.scenarios][-2:] == [(1, 2, 30)] * 2
    assert dict(s.scenarios[-1].factors)["sizes"] == "1,2,30"


def test_a_list_in_a_method_makes_one_method_per_value():
    """Methods from lists carry key and value in their names."""
    s = study(method=[{"name": "p", "structure": "partial", "priors": {"tau": ["HalfNormal(1)", 2.0]}}])
    assert [m.name for m in s.methods] == ["p [tau=HalfNormal(1)]", "p [tau=2.0]"]
    assert [m.name for m in study().methods][1:] == [
        "partial [parameterization=centered]",
        "partial [parameterization=noncentered]",
    ]
    s = study(sampler__precision=["float32", "float64"], method=[{"name": "c", "structure": "complete"}])
    assert [m.sampler.precision for m in s.methods] == ["float32", "float64"]


def test_a_method_overrides_the_sampler():
    """A method's own sampler options win over the shared ones."""
    s = study(method=[{"name": "p", "structure": "partial", "sampler": {"chains": 2}}])
    assert s.methods[0].sampler.chains == 2
    assert s.methods[0].sampler.draws == 500


def test_identities_leave_out_defaults_and_names():
    """Spelling a default out, or renaming a method, changes no seed; another value does."""
    plain, spelled = study(), study(mechanism__mu=0.0, mechanism__effects="random", sampler__chains=4)
    assert [s.identity for s in plain.scenarios] == [s.identity for s in spelled.scenarios]
    assert [m.identity for m in plain.methods] == [m.identity for m in spelled.methods]
    renamed = study(method=[{"name": "other", "structure": "none"}])
    assert renamed.methods[0].identity == plain.methods[0].identity
    assert study(sampler__draws=600).methods[0].identity != plain.methods[0].identity
    assert study(mechanism__mu=1.0).scenarios[0].identity != plain.scenarios[0].identity


def test_more_scenarios_methods_and_replicates_move_no_key():
    """Keys of what was there stay the same when a study grows."""
    small, large = study(), study(mechanism__tau=[0.0, 0.5, 2.0], study__replicates=50, mechanism__groups=[4, 8, 16])
    old, same = small.scenarios[0], large.scenarios[0]
    assert np.array_equal(small.data_key(old, 1), large.data_key(same, 1))
    assert np.array_equal(small.sampler_key(old, 1, small.methods[0]), large.sampler_key(same, 1, large.methods[0]))


def test_common_random_numbers_leave_the_scenario_out():
    """With common random numbers all scenarios of one shape see the same noise."""
    s = study(study__common_random_numbers=True)
    assert np.array_equal(s.data_key(s.scenarios[0], 1), s.data_key(s.scenarios[1], 1))
    assert not np.array_equal(study().data_key(s.scenarios[0], 1), study().data_key(s.scenarios[1], 1))


def test_no_pooling_takes_mu_as_the_prior_of_theta():
    """Under no pooling mu's prior is theta's."""
    s = study(method=[{"name": "n", "structure": "none", "priors": {"mu": "Normal(1, 2)"}}])
    assert dict(s.methods[0].options)["priors"]["theta"] == "Normal(1, 2)"


def test_noncentered_is_the_default_parameterization():
    """Partial pooling is non-centered unless a study says otherwise."""
    s = study(method=[{"name": "p", "structure": "partial"}])
    assert s.methods[0].model.structure == Partial(parameterization="noncentered")


def test_the_lectures_models_can_be_written():
    """The lecture's three models: own sigmas, one sigma, and sigmas that share a distribution."""
    s = Study.from_dict(
        {
            "study": {"name": "lecture"},
            "mechanism": {"kind": "dataset", "data": "lecture"},
            "method": [
                {"name": "none", "structure": "none", "sigma_by": "group"},
                {"name": "complete", "structure": "complete"},
                {"name": "partial", "structure": "partial", "sigma_by": "hierarchical"},
            ],
            "sampler": {"kind": "numpyro", "chains": 1, "draws": 1000},
        }
    )
    # The five numbers have the mean 10 and the variance 2.5.
    assert dict(s.methods[0].options)["priors"] == {"theta": "Normal(10, 3.953)", "sigma": "Exponential(0.6325)"}
    assert s.methods[2].model.likelihood.sigma_by == "hierarchical"


def test_a_file_and_a_mapping_give_the_same_study(tmp_path):
    """TOML and Python are two ways to write one study."""
    path = tmp_path / "s.toml"
    path.write_text(
        '[study]\nname = "small"\nseed = 3\nreplicates = 2\n'
        '[mechanism]\nkind = "exchangeable"\ngroups = [4, 8]\ngroup_size = [2, 10]\ntau = [0.0, 0.5]\n'
        '[[method]]\nname = "none"\nstructure = "none"\n'
        '[[method]]\nname = "partial"\nstructure = "partial"\nparameterization = ["centered", "noncentered"]\n'
        '[sampler]\nkind = "numpyro"\n'
    )
    assert Study.from_toml(path).canonical == study().canonical


REFUSED = [
    (dict(study__replicate=5), "[study] replicate: unknown key; did you mean 'replicates'"),
    (dict(study__replicates=0), "[study] replicates: expected a number of at least 1, got 0"),
    (dict(study__replicates="many"), "[study] replicates: expected a whole number, got 'many'"),
    (dict(study__name="../x"), "[study] name:"),
    (dict(study__seed=-1), "[study] seed:"),
    (dict(study__kind="calibrations"), "[study] kind: expected 'simulation' or 'calibration', got 'calibrations'"),
    (dict(study__kind="calibration"), "with tau = 0 only complete pooling is calibrated"),
    (
        dict(study__kind="calibration", mechanism__tau=1.0, mechanism__kind="student_t"),
        "needs the mechanism 'exchangeable'",
    ),
    (
        dict(study__kind="calibration", mechanism__tau=1.0),
        "priors.theta is Normal(0, 10), but the truth is drawn from Normal(0, 1)",
    ),
    (
        dict(study__kind="calibration", mechanism__tau="HalfNormal(5)", mechanism__sigma="Exponential(1)"),
        "no pooling is calibrated where mu and tau are numbers",
    ),
    (dict(stduy={}), "[stduy]: no such section; did you mean 'study'"),
    (dict(mechanism__kind="exchangable"), "did you mean 'exchangeable'"),
    (dict(mechanism__tua=1.0), "[mechanism] tua: unknown key; did you mean 'tau'"),
    (dict(mechanism__tau=-1.0), "[mechanism] tau: -1.0 is out of range"),
    (dict(mechanism__tau="HalfNormal(5"), "[mechanism] tau: expected a prior"),
    (dict(mechanism__sigma=0.0), "[mechanism] sigma: 0.0 is out of range"),
    (dict(mechanism__groups=None), "[mechanism] groups: the key is missing; groups and group_size need each other"),
    (dict(mechanism__groups=0), "[mechanism] groups: expected a number of at least 1, got 0"),
    (dict(mechanism__group_size=2.5), "[mechanism] group_size:"),
    (dict(mechanism__sizes=[3, 5]), "[mechanism] sizes: expected a list of lists"),
    (dict(mechanism__tau=[0.5, 0.5]), "stands twice in the design"),
    (dict(mechanism__df=3.0), "has no such parameter"),
    (
        dict(mechanism__likelihood="poison"),
        "did you mean 'poisson'",
    ),
    (dict(mechanism__likelihood="binomial", mechanism__sigma=1.0), "has no such parameter"),
    (dict(mechanism__likelihood="normal_known_se"), "[mechanism] standard_error:"),
    (dict(mechanism__standard_error=1.0), "only the likelihood 'normal_known_se'"),
    (dict(method=[]), "[[method]]: expected at least one method"),
    (dict(method=[{"structure": "none"}]), "name: the key is missing"),
    (dict(method=[{"name": "x"}]), "structure: the key is missing"),
    (dict(method=[{"name": "x", "structure": "partially"}]), "[[method]] 'x' structure: expected"),
    (dict(method=[{"name": "x", "structure": "none", "parameterization": "centered"}]), "only the structure 'partial'"),
    (dict(method=[{"name": "x", "structure": "none", "priors": {"tau": 1.0}}]), "priors.tau: unknown key"),
    (dict(method=[{"name": "x", "structure": "partial", "priors": {"tau": 0.0}}]), "priors.tau: 0 is out of range"),
    (dict(method=[{"name": "x", "structure": "partial", "priors": {"tau": "Normal(0, 1)"}}]), "reaches below 0"),
    (dict(method=[{"name": "x", "structure": "none", "likelihood": "binomial"}]), "cannot be fitted"),
    (dict(method=[{"name": "x", "structure": "none", "model": "mine"}]), "no model 'mine' is registered"),
    (dict(method=[{"name": "x", "structure": "none"}] * 2), "'x' stands twice"),
    (dict(method=[{"name": a, "structure": "none"} for a in "xy"]), "have the same options"),
    (dict(sampler={}), "[[method]] 'none' sampler kind: the key is missing"),
    (
        dict(sampler__kind="exact", method=[{"name": "x", "structure": "partial", "sigma_by": "group"}]),
        "[[method]] 'x' sampler: ",
    ),
    (dict(sampler__kind="numpiro"), "no sampler 'numpiro'; did you mean 'numpyro'"),
    (dict(sampler__chains=0), "[sampler] chains: expected a number of at least 1, got 0"),
    (dict(sampler__target_accept=1.0), "[sampler] target_accept: expected a number below 1, got 1.0"),
    (dict(sampler__precision="float16"), "[sampler] precision: expected 'float32' or 'float64', got 'float16'"),
    (dict(summary={"levels": [0.5, 1.5]}), "[summary] levels: expected a number below 1, got 1.5"),
    (dict(diagnostics={"max_rhat": 0.9}), "[diagnostics] max_rhat:"),
]


def test_a_calibration_study_has_the_priors_of_its_mechanism():
    """Each structure has a mechanism that is its model: priors for partial, tau = 0 for complete, numbers for none."""
    for structure, tau, priors in (
        ("partial", "HalfNormal(5)", {"mu": "Normal(0, 1)", "tau": "HalfNormal(5)"}),
        ("complete", 0.0, {"mu": "Normal(0, 1)"}),
        ("none", 2.0, {"theta": "Normal(3, 2)"}),
    ):
        mechanism = {"kind": "exchangeable", "groups": 3, "group_size": 3, "tau": tau, "sigma": "Exponential(1)"}
        mechanism["mu"] = 3.0 if structure == "none" else "Normal(0, 1)"
        method = [{"name": "m", "structure": structure, "priors": priors}]
        s = study(study__kind="calibration", mechanism=mechanism, method=method)
        assert s.canonical["study"]["kind"] == "calibration"


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=[w[:40] for _, w in REFUSED])
def test_malformed_studies_are_refused(changes, words):
    """The message names section, key, value and what is allowed."""
    with pytest.raises(StudyError) as error:
        study(**changes)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"[study\n", "expected a TOML file"), (b"\xff\xfe", "bytes that are no text"), (None, "cannot read")],
)
def test_files_that_are_no_study_are_refused(tmp_path, content, words):
    """The message names the file."""
    path = tmp_path / "broken.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StudyError, match=r"broken\.toml") as error:
        Study.from_toml(path)
    assert words in str(error.value)


@pytest.mark.parametrize("levels", [[0.5, 0.95], [0.001], [0.999999], [1e-4, 0.99, 0.9999]])
def test_levels_have_columns_of_their_own(levels):
    """Levels that are read can be stored: both ends of each have a column of the estimates, which is no other's."""
    names = estimates_schema(study(summary={"levels": levels}).levels).names
    assert len(set(names)) == len(names)
    assert {column for level in levels for column in interval_columns(level)} <= set(names)


def test_labels_from_numbers_are_apart():
    """Numbers that six digits do not tell apart stand in labels with all of theirs."""
    s = study(mechanism__sizes=[[1000001, 2], [1000002, 2]])
    assert len({scenario.label for scenario in s.scenarios}) == len(s.scenarios)
    assert s.scenarios[-1].label == "groups=2, sizes=1000002,2, tau=0.5"


def test_labels_that_are_the_same_are_refused():
    """Factors of a user's mechanism whose texts are the same would give two scenarios one label."""
    kind = register_mechanism("labels", lambda key, scenario: ({}, {}))
    model = register_model("labels", lambda data: None, estimands=dict)
    contents = {**STUDY, "method": [{"name": "m", "model": model}]}
    with pytest.raises(StudyError, match="two scenarios have the label 'x=1'; give values whose texts differ"):
        Study.from_dict({**contents, "mechanism": {"kind": kind, "x": [1, "1"]}})


def test_a_received_study_reads_no_file_unasked(tmp_path, monkeypatch):
    """The study of a run opens a data file in the folder that is named for it alone, not in the working folder."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work/d.csv").write_text("g,v\na,1\nb,2\nb,3\n")
    (tmp_path / "outside.csv").write_text("g,v\na,1\nb,2\n")
    (tmp_path / "work/link.csv").symlink_to(tmp_path / "outside.csv")
    monkeypatch.chdir(tmp_path / "work")
    mechanism = {"kind": "dataset", "data": "d.csv", "group": "g", "value": "v"}
    canonical = Study.from_dict({**STUDY, "mechanism": mechanism}).canonical
    with pytest.raises(StudyError, match=r"data: the study reads the file 'd\.csv'; name the folder where it lies"):
        Study.from_canonical(canonical)
    assert Study.from_canonical(canonical, folder=tmp_path / "work").canonical == canonical
    for data in ("../outside.csv", "link.csv", str(tmp_path / "outside.csv")):
        with pytest.raises(StudyError, match="lies outside the study's folder"):
            Study.from_canonical({**canonical, "mechanism": {**mechanism, "data": data}}, folder=tmp_path / "work")


def samplers_of(shared, *own):
    """Return the samplers of a study, and those of the study that its run stores."""
    methods = [{"name": f"m{i}", "structure": "partial", "sampler": sampler} for i, sampler in enumerate(own)]
    made = Study.from_dict({**STUDY, "method": methods, "sampler": shared})
    again = Study.from_canonical(json.loads(json.dumps(made.canonical)))
    assert [m.identity for m in again.methods] == [m.identity for m in made.methods]
    assert [m.sampler for m in again.methods] == [m.sampler for m in made.methods]
    return [m.sampler for m in made.methods]


def test_a_method_of_a_run_has_its_own_sampler_and_nothing_of_another():
    """Options that stand only where they are changed, and those of one kind, do not go from the first to the others."""
    first, second, third = samplers_of({"kind": "nuts"}, {"thinning": 4}, {"kind": "numpyro"}, {"kind": "exact"})
    assert (first.thinning, second.thinning) == (4, 1)
    assert third.kind == "exact"


def test_shared_options_are_those_of_the_kinds_that_have_them():
    """A method of another kind goes without what its kind does not have, and keeps what it has."""
    shared = {"kind": "nuts", "thinning": 4, "draws": 60}
    nuts, exact, numpyro = samplers_of(shared, {}, {"kind": "exact"}, {"kind": "numpyro"})
    assert (nuts.thinning, numpyro.thinning) == (4, 4)
    assert (nuts.draws, exact.draws, numpyro.draws) == (60, 60, 60)


@pytest.mark.parametrize(
    ("shared", "own"), [({"thining": 4}, {"kind": "exact"}), ({}, {"kind": "exact", "thinning": 4})]
)
def test_options_that_no_kind_has_are_refused(shared, own):
    """A shared key that its own kind does not know, and an own key of another kind, are mistakes."""
    with pytest.raises(StudyError, match=r"thin+ing: unknown key"):
        samplers_of({"kind": "nuts", **shared}, own)


def test_another_sampler_or_precision_takes_what_single_precision_does_not():
    """What is refused for nuts in float32 is a study in float64, or where the posterior is exact."""
    priors = {"mu": "Normal(0, 1e39)", "tau": "HalfNormal(1)", "sigma": "HalfNormal(1)"}
    for sampler in ({"kind": "nuts", "precision": "float64"}, {"kind": "exact"}):
        method = {"name": "m", "structure": "partial", "priors": priors, "sampler": sampler}
        assert study(method=[method]).methods[0].model.priors[0][1].text == "Normal(0, 1e+39)"


@pytest.mark.parametrize("unit", [1e12, 1e15])
def test_the_exact_posterior_takes_every_unit(unit):
    """Data that the priors lie too far from for a sampler with trajectories are refused for it alone."""
    mechanism = {"kind": "exchangeable", "groups": 4, "group_size": 3, "tau": unit, "sigma": unit}
    methods = [{"name": "m", "structure": "partial"}]
    assert study(mechanism=mechanism, method=methods, sampler={"kind": "exact"}).methods
    for sampler in ({"kind": "nuts"}, {"kind": "nuts", "precision": "float64"}, {"kind": "numpyro"}):
        with pytest.raises(StudyError, match=r"'m' in scenario 'exchangeable': the data have a standard deviation of"):
            study(mechanism=mechanism, method=methods, sampler=sampler)
