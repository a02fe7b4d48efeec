"""What is published of a run: whole, described by RO-Crate 1.1, and true of the run."""

import hashlib
import io
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

import simstudy
from simstudy.crate.deviations import Registered, deviations, registered_in
from simstudy.crate.losses import losses, losses_text
from simstudy.errors import RunError, StudyError
from simstudy.report.protocol import FORMS, protocol, study_digest
from tests.fakes import fake_run

BEFORE = datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)


def entities(folder):
    document = json.loads((folder / "ro-crate-metadata.json").read_text())
    return document["@context"], {entity["@id"]: entity for entity in document["@graph"]}


def test_metadata_are_those_of_a_crate(published):
    """RO-Crate 1.1: the descriptor is about the root, which has name, description, date and license, and all files."""
    context, by_id = entities(published.folder)
    assert context[0] == "https://w3id.org/ro/crate/1.1/context"
    descriptor, root = by_id["ro-crate-metadata.json"], by_id["./"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert descriptor["about"] == {"@id": "./"}
    assert root["@type"] == "Dataset"
    assert all(root[name] for name in ("name", "description", "datePublished", "license"))
    assert root["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    there = {str(path.relative_to(published.folder)) for path in published.folder.rglob("*") if path.is_file()}
    assert {part["@id"] for part in root["hasPart"]} == there - {"ro-crate-metadata.json"}
    assert published.n_files == len(there) - 1
    referred = [value for e in by_id.values() for value in e.values() if isinstance(value, dict)]
    known = {*by_id, "https://w3id.org/ro/crate/1.1"}
    assert {value["@id"] for value in referred} <= known


def test_every_file_is_described_by_its_bytes(published):
    """Size and SHA-256 of each entity are those of its file."""
    _, by_id = entities(published.folder)
    for part in by_id["./"]["hasPart"]:
        entity, content = by_id[part["@id"]], (published.folder / part["@id"]).read_bytes()
        assert entity["@type"] == "File"
        assert entity["contentSize"] == str(len(content))
        assert entity["sha256"] == hashlib.sha256(content).hexdigest()
        assert entity["encodingFormat"] != "application/octet-stream"


def test_the_copy_is_the_run(run, published):
    """Every table has the same rows, and the study and its provenance are the same files."""
    copy = simstudy.Run.open(published.folder / "run")
    for name in ("scenarios", "methods", "fits", "chains", "estimates", "groups", "timings"):
        pd.testing.assert_frame_equal(getattr(copy, name), getattr(run, name))
    for name in ("study.json", "provenance.json"):
        assert (published.folder / name).read_bytes() == (run.folder / name).read_bytes()
    assert not (published.folder / "run" / "run.log").exists()


def test_performance_stands_in_two_forms_with_factors_and_a_dictionary(run, published):
    """CSV and Parquet have the same numbers, those of `simstudy.performance`; every column and measure is explained."""
    text = pd.read_csv(published.folder / "performance.csv")
    table = pd.read_parquet(published.folder / "performance.parquet")
    assert list(text) == list(table)
    available = table[table["policy"] == "available"].reset_index(drop=True)
    expected = simstudy.performance(run)
    pd.testing.assert_series_equal(available["value"], expected["value"])
    assert set(text["groups"].dropna()) == {3, 4}
    assert set(text["label"].dropna()) == set(run.scenarios["label"])
    words = pd.read_csv(published.folder / "dictionary.csv")
    explained = dict(tuple(rows) for rows in words.groupby("table")["name"].apply(set).items())
    assert explained["performance"] == set(text)
    assert explained["failures"] == set(pd.read_csv(published.folder / "failures.csv"))
    assert explained["measure"] == set(text["measure"])
    assert words["meaning"].str.len().gt(5).all()


def test_pages_and_texts(run, published):
    """The report names the study, the protocol has its digest, the README the command that checks."""
    assert "<h1" in (published.folder / "report.html").read_text("utf-8")
    assert study_digest(run.study) in (published.folder / "protocol.md").read_text("utf-8")
    assert "simstudy verify . --fits 100" in (published.folder / "README.md").read_text("utf-8")
    assert str(run.folder.parent) not in (published.folder / "report.html").read_text("utf-8")


def test_nothing_differs_from_the_plan(run, study_file, tmp_path):
    """With the study file and the protocol of the same study there are no deviations, in any form of protocol."""
    pytest.importorskip("docx")
    study = simstudy.Study.from_toml(study_file)
    for ending, write in FORMS.items():
        (tmp_path / f"registered{ending}").write_bytes(write(protocol(study, written=BEFORE)))
        name = f"registered{ending}"
        said = registered_in((tmp_path / name).read_bytes(), name=name)
        assert said == Registered(digest=study_digest(run.study), written=BEFORE)
    done = simstudy.publish(run, out=tmp_path / "out", study=study_file, protocol=tmp_path / "registered.md")
    assert "Nothing differs." in (done.folder / "deviations.md").read_text("utf-8")
    assert (done.folder / "study.toml").read_bytes() == study_file.read_bytes()
    assert (done.folder / "registered" / "registered.md").exists()


def test_deviations_are_told(run):
    """Another seed, other methods, another option, fewer replicates, another digest, each with both values."""
    planned = json.loads(json.dumps(run.study))
    planned["study"] |= {"seed": 5, "replicates": 10}
    planned["methods"][0]["name"] = "pooled"
    planned["methods"][1]["priors"]["tau"] = "HalfNormal(3)"
    table = deviations(run, planned=planned, registered=Registered(digest="0" * 64, written=BEFORE)).set_index("what")
    assert table.loc["study.seed"].tolist() == ["5", "11"]
    assert table.loc["study.replicates"].tolist() == ["10", "6"]
    assert table.loc["method pooled"].tolist() == ["there", "not there"]
    assert table.loc["method complete"].tolist() == ["not there", "there"]
    assert table.loc["method partial.priors.tau"].tolist() == ["HalfNormal(3)", "HalfNormal(5)"]
    assert table.loc["SHA-256 of study.json"].tolist() == ["0" * 64, study_digest(run.study)]
    assert len(table) == 6


@pytest.mark.parametrize(
    ("written", "said"), [(datetime(2999, 1, 2, tzinfo=UTC), "2999-01-02 00:00:00 UTC, after"), (None, "does not")]
)
def test_a_protocol_of_afterwards_is_a_deviation(run, written, said):
    """A protocol that is younger than the first result, or does not say when it was written, registered nothing."""
    registered = Registered(digest=study_digest(run.study), written=written)
    table = deviations(run, planned=run.study, registered=registered)
    assert table["what"].tolist() == ["registered protocol written"]
    assert said in table["done"].iloc[0]


def test_a_run_that_is_not_finished_is_a_deviation(run):
    """Fits and replicates that are not there are told, with how many were planned."""
    study = {**run.study, "study": {**run.study["study"], "replicates": 9}}
    table = deviations(replace(run, study=study), planned=None, registered=None).set_index("what")
    assert table.loc["fits"].tolist() == ["72", "48"]
    assert table.loc["registered protocol", "planned"] == "none is given"


def test_losses_by_class():
    """Missing, failed and flagged fits of each scenario and method, counted by hand, and what was done about them."""
    run = fake_run(replicates=10, tau=(0.5,), methods=("none", "complete"))
    fits = run.fits.copy()
    fits["status"], fits["reason"] = fits["status"].astype(str), fits["reason"].astype(object)
    rows = fits.index[fits["method"] == "none"]
    for place, (status, reason) in enumerate(
        [("failed", "KeyError: 'y'"), ("failed", "worker died"), ("non_finite", "draws are not finite")]
    ):
        fits.loc[rows[place], ["status", "reason"]] = [status, reason]
    quiet = {"n_divergent": 0, "max_rhat": 1.0, "min_ess_bulk": 900.0, "min_ess_tail": 900.0}
    fits = fits.assign(**quiet)
    fits.loc[rows[5], "n_divergent"] = 7
    fits = fits.drop(index=rows[9])
    table = losses(replace(run, fits=fits))
    told = {(row["method"], row["kind"], row["class"]): row["fits"] for row in table.to_dict("records")}
    assert told == {
        ("none", "missing", "not run"): 1,
        ("none", "failed", "error"): 1,
        ("none", "failed", "not finite"): 1,
        ("none", "failed", "worker or time lost"): 1,
        ("none", "flagged", "divergent draws"): 1,
    }
    assert (table["share"] == 0.1).all()
    text = losses_text(replace(run, fits=fits))
    assert text.startswith("# Failures\n\n80 fits were planned, 79 are stored, 3 of them cannot be used.")
    assert "left out of the measures" in text


def test_no_losses():
    """That nothing was lost is said too, as Pawel et al. ask."""
    run = fake_run(replicates=4, tau=(0.5,), methods=("none",))
    run = replace(run, study={**run.study, "diagnostics": {}})
    assert "No fit is missing, failed or flagged." in losses_text(run)


def test_refusals_leave_nothing(run, tmp_path):
    """A folder that is there, one in the run, none to lie in, a license that is none, a file that is no protocol."""
    (tmp_path / "there").mkdir()
    (tmp_path / "text.md").write_text("no digest")
    for options, words in (
        ({"out": tmp_path / "there"}, "is there already"),
        ({"out": run.folder / "inside"}, "lies in the run"),
        ({"out": tmp_path / "no" / "out"}, "there is no folder"),
        ({"out": tmp_path / "out", "license_id": "mine, all mine"}, "expected an SPDX identifier"),
        ({"out": tmp_path / "out", "protocol": tmp_path / "text.md"}, "says the SHA-256 of study.json, it says none"),
        ({"out": tmp_path / "out", "citation": tmp_path / "none.cff"}, "No such file"),
    ):
        with pytest.raises(StudyError, match=words):
            simstudy.publish(run, **options)
    assert {path.name for path in tmp_path.iterdir()} == {"there", "text.md"}


def test_an_edited_run_is_not_published(run, tmp_path):
    """Nor is one without a manifest."""
    folder = shutil.copytree(run.folder, tmp_path / "run")
    (part,) = list((folder / "groups").glob("*.parquet"))[:1]
    part.write_bytes(part.read_bytes() + b" ")
    with pytest.raises(RunError, match="not as its run wrote it"):
        simstudy.publish(folder, out=tmp_path / "out")
    with pytest.raises(RunError, match="has no manifest"):
        simstudy.publish("benchmarks/regress/baseline", out=tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"run"}


def test_a_citation_goes_with_it(run, tmp_path):
    """The file is copied and named by the root."""
    (tmp_path / "mine.cff").write_text("cff-version: 1.2.0\n")
    done = simstudy.publish(run, out=tmp_path / "out", citation=tmp_path / "mine.cff")
    _, by_id = entities(done.folder)
    assert by_id["./"]["citation"] == {"@id": "CITATION.cff"}
    assert by_id["./"]["license"].startswith("No license is given")
    assert io.StringIO((done.folder / "CITATION.cff").read_text()).readline() == "cff-version: 1.2.0\n"
