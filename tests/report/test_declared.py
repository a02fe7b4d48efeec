"""A report speaks of a run in the run's own words, whoever declared them; it knows no estimand and no family."""

from dataclasses import replace

import pandas as pd
import pytest

import simstudy
from simstudy.measures import performance
from simstudy.report import preregistration
from simstudy.report.comparing import comparison_part
from simstudy.report.comparing.sentences import answers
from simstudy.report.evidence import Evidence
from simstudy.report.parts import make_part
from simstudy.report.reading.before import names_of
from simstudy.report.reading.vocabulary import declared, effects, speaking
from simstudy.report.sections.ademp import ademp_section
from simstudy.report.sections.recovery import recovery_section
from tests.fakes import FakeStudy, fake_run, with_own_names, without_declarations

SYMBOLS = {"tract": "α", "mid": "γ", "sway": "δ", "sigma": "ε"}
WORDS = {"tract": "the yields of the plots α", "mid": "the yield of the field γ", "sway": "the sd between plots δ"}
GREEK = str.maketrans("θμτσ", "αγδε")


@pytest.fixture(scope="module")
def run():
    """A design with tau = 0 and unequal groups, an exact method, and divergences: every section has something."""
    return fake_run(
        groups=(8,),
        group_size=(2,),
        sizes=[(1, 2, 5, 40)],
        tau=(0.0, 2.0),
        replicates=24,
        methods=("complete", "none", "partial, centered", "partial, noncentered", "partial, exact"),
    )


@pytest.fixture(scope="module")
def part(run):
    """What its report says."""
    return part_of(run)


@pytest.fixture(scope="module")
def own(run):
    """The run of a user's model: other names, letters and words, the same roles, centers and spreads."""
    own = with_own_names(run)
    estimand = own.estimands["estimand"]
    symbols = estimand.map(SYMBOLS).fillna(own.estimands["symbol"].str.translate(GREEK))
    words = estimand.map(WORDS).fillna(own.estimands["words"].str.translate(GREEK))
    return replace(own, estimands=own.estimands.assign(symbol=symbols, words=words))


@pytest.fixture(scope="module")
def own_part(own):
    """What the report of the user's run says."""
    return part_of(own)


def part_of(run):
    return make_part(Evidence(run=run, performance=performance(run)))


def section_of(run, make):
    """Return one section of the report of a run."""
    evidence = Evidence(run=run, performance=performance(run))
    with speaking(evidence.description.vocabulary):
        return make(evidence)


def told(part):
    """Return every text of a part that a reader sees, but for tables' cells, pictures, and the digest of the study."""
    sections = [section for section in part.sections if section.name != "provenance"]
    pictures = [part.picture, *(picture for section in sections for picture in section.pictures)]
    return {
        "answers": part.answers,
        "about": [part.kind, part.title, part.aim, *part.facts, part.remark],
        "pictures": [(p.title, p.caption) for p in pictures],
        "paragraphs": [section.paragraphs for section in sections],
        "terms": [(term, sorted(lines)) for section in sections for term, lines in section.terms],
        "tables": [(t.title, t.note, [c.head for c in t.columns]) for section in sections for t in section.tables],
    }


def test_names_are_nothing_to_a_report(run, part):
    """Estimands of other names that declare the same letters and words are spoken of in the same text."""
    assert told(part_of(with_own_names(run))) == told(part)


def test_a_run_made_before_has_the_same_text(run, part):
    """Without declarations and description, the study is made again to say them."""
    before = without_declarations(run)
    assert told(part_of(before)) == told(part)


def test_a_run_that_cannot_be_described_is_told_by_names(run):
    """Where the mechanism is not there any more, nothing can be made again: a report says names."""
    study = {**run.study, "mechanism": {**run.study["mechanism"], "kind": "gone"}}
    design = section_of(replace(without_declarations(run), study=study), ademp_section)
    assert dict(design.terms)["Data-generating mechanisms"][:2] == ["gone", "normal"]
    models = design.tables[0].frame["model"].tolist()
    assert models[0] == "structure complete, likelihood normal, sigma_by shared"


def test_an_unregistered_model_leaves_the_others_their_words(run, part):
    """One method whose model is not registered is told by its name, the others as ever."""
    gone = {**run.study["methods"][0], "name": "own", "model": "gone", "structure": None, "source": "0"}
    study = {**run.study, "methods": [*run.study["methods"], gone]}
    design = section_of(replace(without_declarations(run), study=study), ademp_section)
    before = next(s for s in part.sections if s.name == "design")
    assert design.tables[0].frame["model"].tolist() == [*before.tables[0].frame["model"], "model gone"]
    assert dict(design.terms)["Data-generating mechanisms"] == dict(before.terms)["Data-generating mechanisms"]


def test_symbols_and_words_are_those_that_are_declared(own_part, part):
    """Sentences, captions and terms have the letters of the user's estimands where they had those of the package."""
    found, before = told(own_part), told(part)
    for kind in ("pictures", "paragraphs", "tables"):
        expected = str(before[kind]).translate(GREEK)
        for name, words in (("group effects", "yields of the plots"), ("mean of the groups", "yield of the field")):
            expected = expected.replace(f"the {name} ", f"the {words} ").replace(f"The {name} ", f"The {words} ")
        expected = expected.replace("the sd between groups δ", WORDS["sway"])
        assert str(found[kind]) == expected
    text = str(found["answers"])
    assert "δ = 2" in text
    assert "the yields of the plots α" in text
    assert not set("θμτ") & set(text)


def test_letters_are_those_of_one_run_only(own, own_part):
    """After a report of a user's run, and after one that failed, names are spoken of as before."""
    assert (effects().name, declared()["tract"].symbol) == ("theta", "")
    with pytest.raises(KeyError):
        make_part(Evidence(run=own, performance=pd.DataFrame()))
    assert (effects().name, declared()["tract"].symbol) == ("theta", "")


def test_recovery_shows_what_a_model_declares_as_a_parameter(run):
    """A correlation that only a user's model has gets its own place in the recovery, beside the groups' effects."""
    rows = run.estimates[run.estimates["estimand"] == "mu"].assign(estimand="rho")
    estimates = pd.concat([run.estimates.astype({"estimand": object}), rows.astype({"estimand": object})])
    own = replace(run, estimates=estimates.astype({"estimand": "category"}))
    said = {"method": "none", "estimand": "rho", "role": "correlation", "symbol": "ρ", "words": "the correlation ρ"}
    estimands = pd.concat([run.estimands, pd.DataFrame([said])], ignore_index=True)
    titles = [
        [p.title for p in section_of(one, recovery_section).pictures]
        for one in (own, replace(own, estimands=estimands))
    ]
    assert "Recovery of the correlation ρ" in titles[1]
    assert [title for title in titles[1] if "ρ" not in title] == titles[0]


def test_a_protocol_speaks_the_words_of_the_study(own):
    """Before there is a number the declared estimands, letters and words stand in the protocol."""
    text = preregistration(FakeStudy(run=own))
    assert "- α: the yields of the plots" in text
    assert "slope of the error of α_j on α_j − γ" in text
    assert "effective draws of (γ, δ) per leapfrog step" in text
    assert "an oracle that knows δ and ε" in text
    assert not set("θμτσ") & set(text.partition("## Data-generating")[0] + text.partition("## Number of")[2])


def test_a_comparison_speaks_the_words_of_its_runs(own):
    """Sentences and tables of a comparison have the letters that the runs declare."""
    shifted = own.estimates["mean"].where(own.estimates["estimand"] != "mid", own.estimates["mean"] + 1.0)
    comparison = simstudy.compare(own, replace(own, estimates=own.estimates.assign(mean=shifted)))
    assert "of γ" in str(answers(comparison)["Is anything worse"])
    symbols = set(comparison_part(comparison).sections[0].tables[0].frame["symbol"])
    assert "γ" in symbols
    assert "mid" not in symbols


def test_names_stand_in_for_words_of_families():
    """What is known of a study without its parts: kinds by name, options as they are written."""
    method = {"name": "a", "structure": "partial", "likelihood": "normal", "sampler": {"kind": "nuts", "draws": 9}}
    words = names_of({"mechanism": {"kind": "mine"}, "methods": [method, {"name": "b", "model": "own"}]})
    assert words["mechanism"] == {"words": "mine", "likelihood": ""}
    assert words["methods"]["b"] == {"model": "model own", "sampler": ""}
