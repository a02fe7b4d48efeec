"""A fixed sample of the damage matrix, and what damage must not do: change other methods' numbers, or write outside."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.errors import RunError
from simstudy.store import Run, RunWriter
from simstudy.store.verification import verify
from simstudy.study.study import Study
from tests.damage import STUDY, go_on, make_tiny, outcome

BOUND = ("study.json", "fits", "estimates", "groups", "methods", ".simstudy/manifest.jsonl")
LONG_AGO = 1_000_000_000
OPTIONAL = ("provenance.json", "description.json", "draws/", "run.log")
SAMPLE = [
    *((name, damage, "score") for name in BOUND for damage in ("bit flipped", "another run's", "folder")),
    *((name, damage, "refit") for name in BOUND for damage in ("looping link",)),
    *((name, damage, "verify") for name in BOUND for damage in ("wrong type", "missing")),
    *((name, damage, "score") for name in OPTIONAL for damage in ("200,000 deep", "wrong type", "folder")),
    *((name, damage, "run on") for name in ("groups", "fits", "estimates") for damage in ("truncated", "link")),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The run that is damaged."""
    return make_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def copy(tiny, tmp_path):
    """A copy of the run."""
    return shutil.copytree(tiny.folder, tmp_path / "run")


@pytest.mark.parametrize(("name", "damage", "action"), SAMPLE)
def test_damaged_file(tiny, tmp_path, name, damage, action):
    """Refused in a sentence, or the numbers of the undamaged run; what does without the file gives the right ones."""
    file = next(file for file in tiny.files if file.startswith(name))
    end = outcome(tiny, tmp_path, file=file, damage=damage, action=action)
    is_right = name in OPTIONAL or (action == "run on" and damage != "link") or action == "verify"
    is_right |= damage == "another run's" and name == "methods"  # the same bytes
    is_right |= action == "refit" and name in ("estimates", "groups")  # of another fit
    assert end == ("right" if is_right else "refused")


def holder(folder):
    """Return the block whose part has the groups that all methods share."""
    (part,) = (folder / "groups").glob("*.parquet")
    return part.stem


class TestSharedGroups:
    """Groups serve all methods of their replicates, and belong to one block."""

    @pytest.mark.parametrize("table", ["groups", "estimates"])
    def test_a_run_that_stops_early_scores_to_the_same_rows(self, tiny, copy, table):
        """Damaged, set aside, and stopped before it is fitted again: the other method has every number it had."""
        path = copy / table / f"{holder(copy)}.parquet"
        path.write_bytes(path.read_bytes()[:-9])
        run = simstudy.run(Study.from_dict(STUDY), out=copy, workers=0, quiet=True, time_limit=0)
        (left,) = set(run.fits["method"])
        pd.testing.assert_frame_equal(run.groups, tiny.run.groups)
        now, before = (t[t["method"] == left] for t in (simstudy.performance(run), tiny.performance))
        alone = ["relative_precision", "mse_ratio", "regret"]  # refer to the method that is not there
        now, before = (t[~t["measure"].isin(alone)].reset_index(drop=True) for t in (now, before))
        pd.testing.assert_frame_equal(now, before)
        assert verify(copy) == []

    def test_lost_groups_are_refused_and_made_again(self, tiny, copy):
        """Where nothing has made them again yet, scoring says so, and the run's next start brings them back."""
        path = copy / "groups" / f"{holder(copy)}.parquet"
        path.unlink()
        RunWriter.create_or_continue(copy, tiny.run.study).close()
        run = Run.open(copy)
        for use in (simstudy.performance, lambda run: simstudy.compare(tiny.folder, run)):
            with pytest.raises(RunError, match=r"lost the groups of the data of 4 replicates, the first of them rep"):
                use(run)
        go_on(copy)
        pd.testing.assert_frame_equal(Run.open(copy).groups, tiny.run.groups)
        simstudy.performance(Run.open(copy))


class TestLinks:
    """No link is followed inside a run."""

    @pytest.mark.parametrize("name", ["fits", "estimates", ".simstudy", "draws", "run.log", "study.json"])
    def test_nothing_outside_is_written_or_moved(self, tiny, copy, tmp_path, name):
        """A received run with a link is not gone on with, and what the link leads to is as it was."""
        outside = tmp_path / "outside"
        (copy / name).rename(outside)
        (outside / "strangers.txt").write_text("mine") if outside.is_dir() else None
        (copy / name).symlink_to(outside)
        before = content(outside)
        with pytest.raises(RunError, match="is a link"):
            go_on(copy)
        assert content(outside) == before

    def test_links_are_not_read(self, copy, tmp_path):
        """A part that is a link is not read, wherever it leads."""
        part = next((copy / "estimates").iterdir())
        part.rename(tmp_path / "part")
        part.symlink_to(tmp_path / "part")
        with pytest.raises(RunError, match=r"cannot be read \(it is a link, and no link is followed inside a run\)"):
            simstudy.performance(Run.open(copy))
        assert any("is a link" in problem for problem in verify(copy))

    def test_names_of_files_do_not_break_lines(self, copy):
        """A name with line breaks and escapes reaches messages and the log escaped."""
        (copy / "fits" / "a\nERROR\x1b[31m.parquet").write_bytes(b"")
        (problem, *_) = [line for line in verify(copy) if "ERROR" in line]
        assert "a\\nERROR\\x1b[31m.parquet is no part of this run" in problem
        go_on(copy)
        assert "\x1b" not in (copy / "run.log").read_text()


def content(path):
    return {p.name: p.read_bytes() for p in path.rglob("*") if p.is_file()} if path.is_dir() else path.read_bytes()


class TestOptional:
    """A file that a run can do without costs what it says, and a sentence."""

    @pytest.mark.parametrize("name", ["provenance.json", "description.json"])
    @pytest.mark.parametrize("text", ["[]", "{", '{"versions": 3, "mechanism": 3}', "[" * 200_000])
    def test_unreadable(self, tiny, copy, tmp_path, caplog, name, text):
        """It reads as if there were none, and a warning names it."""
        (copy / name).write_text(text)
        run = Run.open(copy)
        assert (run.provenance if name == "provenance.json" else run.description) == {}
        assert f"{copy / name} cannot be read (" in caplog.text
        assert caplog.text.strip().endswith("what it says is left out")
        pd.testing.assert_frame_equal(simstudy.performance(run), tiny.performance)

    @pytest.mark.parametrize("name", ["provenance.json", "description.json"])
    def test_missing(self, tiny, copy, caplog, name):
        """One that is gone is said to be gone, by a reader and by verify; the numbers are what they were."""
        (copy / name).unlink()
        run = Run.open(copy)
        assert (run.provenance if name == "provenance.json" else run.description) == {}
        assert caplog.messages == [f"{copy / name} is missing; what it says is left out"]
        pd.testing.assert_frame_equal(simstudy.performance(run), tiny.performance)
        assert verify(copy) == [f"{name} is missing"]
        assert set(simstudy.compare(tiny.folder, copy).table["evidence"]) == {"identical"}
        go_on(copy)
        assert verify(copy) == []

    def test_edited_provenance(self, copy):
        """It is found, and no session is added to it; moved away, it begins anew."""
        path = copy / "provenance.json"
        path.write_text(path.read_text().replace('"seed": 5', '"seed": 6'))
        assert verify(copy) == ["provenance.json is not as the run wrote it"]
        with pytest.raises(RunError, match=r"provenance\.json is not as the run wrote it: it was edited.*move it away"):
            go_on(copy)
        path.unlink()
        go_on(copy)
        assert verify(copy) == []

    @pytest.mark.parametrize(("damage", "words"), [("edited", "is not as the run wrote it"), ("missing", "is missing")])
    def test_kept_draws(self, tiny, copy, damage, words):
        """Draws that were edited, or are gone, are found; nothing else is harmed."""
        path = next((copy / "draws").rglob("*.nc"))
        path.write_bytes(path.read_bytes()[:-1] + b"x") if damage == "edited" else path.unlink()
        assert verify(copy) == [f"{path.relative_to(copy)} {words}"]
        assert set(simstudy.compare(tiny.folder, copy).table["evidence"]) == {"identical"}

    def test_report(self, copy, tmp_path, caplog):
        """A report without provenance and with unreadable draws is a report."""
        (copy / "provenance.json").write_text("[]")
        for path in (copy / "draws").rglob("*.nc"):
            path.write_bytes(b"CDF\x02" + bytes(9))
        page = simstudy.report(Run.open(copy), tmp_path / "page.html")
        assert "</html>" in page.read_text()
        assert "provenance.json cannot be read" in caplog.text


class TestReadersAndWriters:
    """A report in the making is not deleted by a writer that starts."""

    def test_staged_files_of_readers_stay(self, tiny, copy):
        """What a reader has staged beside its file is there after a writer opened the run; old ones are deleted."""
        fresh, old = (copy / f".{letter * 32}.tmp" for letter in "ab")
        for path in (fresh, old):
            path.write_text("a page in the making")
        os.utime(old, (LONG_AGO, LONG_AGO))
        RunWriter.create_or_continue(copy, tiny.run.study).close()
        assert fresh.exists()
        assert not old.exists()

    def test_writer_named_in_a_mistyped_file(self, tiny, copy):
        """A file of the other writer that cannot be read leaves it unnamed."""
        with RunWriter.create_or_continue(copy, tiny.run.study):
            for text in ("[]", '{"pid": "x", "machine": 3}', "[" * 200_000):
                (copy / ".simstudy" / "writer.json").write_text(text)
                with pytest.raises(RunError, match="is being written by another process"):
                    RunWriter.create_or_continue(copy, tiny.run.study)


def test_two_seeds_do_not_mix(tiny, copy):
    """A block of another seed, record and all, has the same name and is found out."""
    for path in tiny.other.rglob(f"{holder(copy)}*"):
        shutil.copyfile(path, copy / path.relative_to(tiny.other))
    assert any("damaged" in problem for problem in verify(copy))
    with pytest.raises(RunError, match=r"is damaged \(its checksum differs\)"):
        simstudy.performance(Run.open(copy))


@pytest.mark.parametrize(
    ("place", "value"), [(("study", "seed"), 6), (("diagnostics", "max_rhat"), 9.0), (("summary", "levels"), [0.5])]
)
def test_an_edited_study_is_refused(tiny, copy, place, value):
    """Seed, thresholds and levels are those that the run was made with, in all that is done with it."""
    study = json.loads((copy / "study.json").read_text())
    study[place[0]][place[1]] = value
    (copy / "study.json").write_text(json.dumps(study, indent=2, sort_keys=True))
    assert any("study.json is not as the run wrote it" in problem for problem in verify(copy))
    for use in (Run.open, lambda folder: simstudy.compare(tiny.folder, folder), go_on):
        with pytest.raises(RunError, match=r"study\.json is not as (its|the) run wrote it"):
            use(copy)


def test_a_block_deleted_with_its_record_is_missed(tiny, copy):
    """Nothing of it is left but a line of the manifest; going on with the run brings it back."""
    name = holder(copy)
    for path in list(copy.rglob(f"{name}*")):
        path.unlink()
    assert any(f"fits/{name}.parquet is missing" in problem for problem in verify(copy))
    with pytest.raises(RunError, match=rf"fits/{name}\.parquet is missing; run the study again"):
        Run.open(copy)
    assert np.array_equal(go_on(copy).fits["data_key"], tiny.run.fits["data_key"])
    assert verify(copy) == []
