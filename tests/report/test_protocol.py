"""The protocol of a study: complete, from the study alone, bound to the run by a digest."""

import copy
import hashlib
import re
from dataclasses import replace

import pytest

from simstudy.cli.parts import built_in_studies
from simstudy.report import preregistration
from simstudy.report.ademp import n_scenarios
from simstudy.store import RunWriter
from simstudy.study.study import Study
from tests.fakes import FakeStudy, fake_run

PARTS = [
    "Aims",
    "Data-generating mechanisms",
    "Estimands",
    "Methods",
    "Performance measures",
    "Number of replicates",
    "Fits that fail or are doubtful",
    "What will be claimed",
    "Deviations",
    "Software",
]
BUILT_IN = built_in_studies()


def parts(text):
    """Return heading -> what stands below it."""
    headings = re.split(r"^## (.*)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(headings[::2], headings[1::2], strict=True))


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_study_has_a_whole_protocol(name):
    """Every part has a text; every method stands with every prior and the scenarios are counted as they will be run."""
    study = Study.from_toml(BUILT_IN[name])
    text = preregistration(study)
    found = parts(text)
    assert list(found) == PARTS
    assert all(body.strip() for body in found.values())
    assert not re.search(r"\b(None|nan|True|False)\b", text)
    assert str(study.canonical["study"]["aim"]) in found["Aims"]
    methods = found["Methods"].replace("\\", "")
    for method in study.canonical["methods"]:
        assert method["name"] in methods
        assert all(str(prior) in methods for prior in method["priors"].values())
    assert n_scenarios(study.canonical) == len(study.scenarios)
    assert f"{len(study.scenarios)} scenario" in found["Data-generating mechanisms"]
    assert f"{study.canonical['study']['replicates']} replicates" in found["Number of replicates"]


def test_real_data_promise_nothing_that_needs_new_data():
    """A study on fixed data announces no RMSE over replicates and no coverage, and says why."""
    measures = parts(preregistration(Study.from_toml(BUILT_IN["lecture"])))["Performance measures"]
    assert "primary: RMSE" not in measures
    assert "not assessed, since it needs new data: coverage" in measures


META = {
    "study": {"name": "meta", "replicates": 4},
    "mechanism": {
        "kind": "exchangeable",
        "likelihood": "normal_known_se",
        "standard_errors": [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3, 0.4]],
    },
    "method": [{"name": "RE", "structure": "partial", "priors": {"tau": ["HalfNormal(1)", "HalfCauchy(1)"]}}],
    "sampler": {"kind": "exact"},
}


def test_a_meta_analysis_promises_what_it_will_have():
    """Known standard errors are no sigma, no design of them is balanced, and independent draws do not diverge."""
    found = parts(preregistration(Study.from_dict(META)))
    assert "weight of a group against that of an oracle that knows τ\n" in found["Performance measures"]
    assert "σ" not in found["Performance measures"]
    assert "2 scenarios: designs, each crossed with all other factors" in found["Data-generating mechanisms"]
    assert "none diverges" in found["Performance measures"]
    assert "leapfrog" not in found["Performance measures"]
    assert "diverge" not in found["Fits that fail or are doubtful"]


def test_regret_is_promised_where_there_are_parts_to_compare():
    """Of terms the best is sought among no, complete and partial pooling: two of them at least, and those named."""
    terms = {"school": {"levels": 4}, "class": {"levels": 2, "within": "school"}}
    study = {
        "study": {"name": "nested", "replicates": 2},
        "mechanism": {"kind": "multilevel", "per_cell": 3, "terms": terms},
        "sampler": {"kind": "nuts"},
    }
    both = {"name": "both", "pooling": "partial"}
    for others, said in (
        ([{"name": "left out", "terms": {"class": "complete"}}], ""),
        ([{"name": "one", "pooling": "complete"}], "complete and partial"),
    ):
        found = parts(preregistration(Study.from_dict({**study, "method": [both, *others]})))["Performance measures"]
        assert (f"the methods of {said} pooling" in found) == bool(said)
        assert ("regret" in found) == bool(said)


def test_counts_have_no_rivals_in_closed_form():
    """Regret is that of normal means, and not promised of proportions."""
    study = {**META, "mechanism": {"kind": "exchangeable", "likelihood": "binomial", "groups": 3, "group_size": 5}}
    methods = [{"name": name, "structure": name} for name in ("none", "partial")]
    found = parts(preregistration(Study.from_dict({**study, "method": methods, "sampler": {"kind": "nuts"}})))
    assert "regret" not in found["Performance measures"]
    assert "MSE ratio" in found["Performance measures"]


def test_a_calibration_study_promises_ranks(run):
    """A calibration study announces ranks, Holm's procedure, and that no fit is left out."""
    study = {**run.study, "study": {**run.study["study"], "kind": "calibration"}}
    found = parts(preregistration(FakeStudy(run=replace(run, study=study))))
    assert "primary: rank of the truth" in found["Performance measures"]
    assert "Holm" in found["What will be claimed"]
    assert "every fit counts" in found["Fits that fail or are doubtful"]


def test_what_no_method_can_give_is_not_promised():
    """Without no pooling there is no ratio to it; without partial pooling no shrinkage weight and no tau."""
    found = parts(preregistration(FakeStudy(run=fake_run(replicates=2, methods=("complete",)))))
    assert "ratio" not in found["Performance measures"]
    assert "shrinkage weight" not in found["Performance measures"] + found["Estimands"]
    assert "τ" not in found["Estimands"]


def test_the_digest_is_that_of_the_runs_file(tmp_path):
    """The SHA-256 in the protocol is that of study.json, byte for byte, of a run of the study."""
    study = Study.from_toml(BUILT_IN["pooling"])
    with RunWriter.create_or_continue(tmp_path / "run", study.canonical):
        stored = (tmp_path / "run" / "study.json").read_bytes()
    assert hashlib.sha256(stored).hexdigest() in preregistration(study)


def test_markdown_of_names_is_escaped(run):
    """A method's name cannot add a heading, a link, HTML, or a cell to a table."""
    study = copy.deepcopy(dict(run.study))
    study["methods"][0]["name"] = "# [x](y) <b> | z"
    assert "| \\# \\[x\\](y) \\<b\\> \\| z |" in preregistration(FakeStudy(run=replace(run, study=study)))


def test_samplers_that_differ_are_told_by_method(run):
    """One sampler for all is said once; of two, each stands with its method."""
    assert preregistration(FakeStudy(run=run)).count("4 chains of 500 warm-up and 500 draws") == 1
    description = copy.deepcopy(dict(run.description))
    description["methods"]["none"]["sampler"] = "NUTS of NumPyro: 1 chain of 500 draws"
    text = parts(preregistration(FakeStudy(run=replace(run, description=description))))["Methods"]
    assert text.count("4 chains of") == len(run.methods) - 1
    assert text.count("1 chain of") == 1


def test_a_primary_measure_is_named_once_and_first():
    """What the study says that it is about leads, and the measure that leads without it is one among others."""
    told = {}
    for primary in (None, "coverage:tau"):
        contents = {
            "study": {"name": "p", "replicates": 2, **({"primary": primary} if primary else {})},
            "mechanism": {"kind": "exchangeable", "groups": 4, "group_size": 3, "tau": 0.5},
            "method": [{"name": "partial", "structure": "partial"}],
            "sampler": {"kind": "nuts"},
        }
        text = preregistration(Study.from_dict(contents))
        told[primary] = [line for line in text.splitlines() if "primary: " in line]
    assert [len(lines) for lines in told.values()] == [1, 1]
    assert told["coverage:tau"] == ["- primary: coverage of the sd between groups τ"]
