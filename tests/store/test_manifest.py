"""The manifest: a chain of lines that binds a run together, and leaves no moment at which a kill could harm it."""

import json
import os
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest

from simstudy.errors import RunError
from simstudy.store import Run, RunWriter
from simstudy.store.manifest import Manifest
from simstudy.store.records import BLOCK_TABLES
from simstudy.store.recovery import NO_MANIFEST
from simstudy.store.verification import verify
from tests import moments
from tests.store.test_store import assert_whole, make_block, make_study, write_labels

SOME = 8  # a step through the moments
MOST_SECONDS = 0.5  # about 0.1 on a machine of 2023
BASELINE = Path(__file__).parents[2] / "benchmarks" / "regress" / "baseline"


@pytest.fixture
def folder(tmp_path):
    """A run of two methods and two blocks."""
    with RunWriter.create_or_continue(tmp_path / "run", make_study()) as writer:
        write_labels(writer)
        for method in ("none", "partial"):
            writer.write_block(f"{method}-0", **make_block(method=method))
    return tmp_path / "run"


def path_of(folder):
    return folder / ".simstudy" / "manifest.jsonl"


def lines_of(folder):
    return path_of(folder).read_text().splitlines()


class TestChain:
    """Every line follows from the one before it."""

    def test_what_is_written_is_what_is_read(self, folder):
        """Study and blocks with their digests; the last line says that all is there."""
        manifest = Manifest.read(folder)
        assert set(manifest.batches) == {"scenarios", "methods", "none-0", "partial-0"}
        assert set(manifest.batches["none-0"]) == {"groups", "chains", "estimates", "timings", "fits"}
        assert manifest.last.kind == "end"
        assert verify(folder) == []

    @pytest.mark.parametrize("number", range(5))
    def test_a_line_that_is_changed_or_taken_out_is_found(self, folder, number):
        """Any line, with all that follow it left as they are."""
        lines = lines_of(folder)
        for changed in ([], [lines[number].replace("a", "b")]):
            path_of(folder).write_text(
                "".join(f"{line}\n" for line in [*lines[:number], *changed, *lines[number + 1 :]])
            )
            assert any("manifest.jsonl cannot be trusted (line" in problem for problem in verify(folder))
            for use in (Run.open, lambda folder: RunWriter.create_or_continue(folder, make_study())):
                with pytest.raises(RunError, match="restore the run from a copy, or move this file away"):
                    use(folder)

    @pytest.mark.parametrize("n_kept", range(1, 5))
    def test_a_manifest_cut_short_leaves_foreign_parts(self, folder, n_kept):
        """Whole lines that are gone at the end do not go unseen, and the run goes on from what is left."""
        path_of(folder).write_text("".join(f"{line}\n" for line in lines_of(folder)[:n_kept]))
        assert any("is no part of this run" in problem for problem in verify(folder))
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            write_labels(writer)
        assert verify(folder) == []

    def test_half_a_line_is_none(self, folder):
        """A writer that died while it wrote a line leaves a run that is as it was before."""
        whole = path_of(folder).read_bytes()
        with path_of(folder).open("ab") as file:
            file.write(b'{"before": "3f')
        assert_whole(Run.open(folder))
        assert verify(folder) == []
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            writer.write_block("more", **make_block(replicates=[9]))
        assert path_of(folder).read_bytes().startswith(whole)
        assert verify(folder) == []

    def test_an_extension_is_one_more_line(self, folder):
        """A study that extends the run is appended; the former one is then an edit."""
        before = (folder / "study.json").read_bytes()
        n_lines = len(lines_of(folder))
        RunWriter.create_or_continue(folder, make_study(study__aim="More")).close()
        assert [json.loads(line)["kind"] for line in lines_of(folder)[n_lines:]] == ["file", "end"]
        assert verify(folder) == []
        (folder / "study.json").write_bytes(before)
        with pytest.raises(RunError, match="it was edited, or is of another run"):
            Run.open(folder)

    @pytest.mark.parametrize("name", ["../x", "/etc/passwd", "draws/../../x", "a\\b", "draws//x", ".."])
    def test_a_name_that_leads_out_is_no_entry(self, folder, name):
        """A manifest that was received names nothing outside of its run."""
        manifest = Manifest.read(folder)
        lines = path_of(folder).read_text()
        entry = {"kind": "draws", "name": "none-0", "digests": {name: "0"}, "before": manifest._digest}
        path_of(folder).write_text(f"{lines}{json.dumps(entry)}\n")
        assert any(f"line {len(lines.splitlines()) + 1} is no entry" in problem for problem in verify(folder))

    def test_ten_thousand_blocks_are_read_at_once(self, tmp_path):
        """The lines are followed in far less time than their parts take to open."""
        (tmp_path / ".simstudy").mkdir()
        digests = {table: [f"{i:064x}"] for i, table in enumerate(BLOCK_TABLES)}
        Manifest.begin(tmp_path, {"study.json": "0" * 64}, {f"none-{i:06}": digests for i in range(10_000)})
        seconds = []
        for _ in range(3):
            began = time.process_time()
            assert len(Manifest.read(tmp_path).batches) == 10_000
            seconds.append(time.process_time() - began)
        assert min(seconds) < MOST_SECONDS

    def test_nothing_is_written_where_nothing_changed(self, folder):
        """Going on with a finished run leaves its manifest as it is."""
        before = path_of(folder).read_bytes()
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            write_labels(writer)
        assert path_of(folder).read_bytes() == before


class TestEarlierRuns:
    """Runs made before there were manifests."""

    def test_a_run_without_one_opens_and_gets_one(self, folder, caplog):
        """It reads, verify says what is missing, and the next writing binds it."""
        path_of(folder).unlink()
        assert_whole(Run.open(folder))
        assert caplog.messages == [f"{folder}: {NO_MANIFEST}"]
        Run.open(folder).verify()
        caplog.clear()
        assert verify(folder) == [NO_MANIFEST]
        assert caplog.messages == []  # said once
        RunWriter.create_or_continue(folder, make_study()).close()
        assert verify(folder) == []
        assert_whole(Run.open(folder))

    def test_the_stored_baseline(self, tmp_path):
        """The run that `nox -s regress` compares with, of which only some files are kept, opens, is held to its
        checksums, goes on and is then bound.
        """
        copy = shutil.copytree(BASELINE, tmp_path / "baseline")
        run = Run.open(copy)
        run.verify()
        run.require_groups()
        RunWriter.create_or_continue(copy, run.study).close()
        assert verify(copy) == []
        pd.testing.assert_frame_equal(Run.open(copy).fits, run.fits)


def test_killed_at_any_moment(tmp_path, monkeypatch):
    """Before whatever it does to the disk, the folder is one that reads, goes on and verifies; `faults` tries each."""
    for moment, n_stored in moments.of_writing(tmp_path / "run", tmp_path, monkeypatch)[::SOME]:
        moments.assert_goes_on(moment, n_stored)


@pytest.mark.parametrize("has_manifest", [True, False])
def test_killed_while_it_recovers(folder, tmp_path, monkeypatch, has_manifest):
    """A damaged block is set aside step by step; from each of them the run comes back whole."""
    if not has_manifest:
        path_of(folder).unlink()
    for moment, _ in moments.of_recovery(folder, tmp_path, monkeypatch)[::SOME]:
        moments.assert_recovers(moment, Run.open(folder))


class TestFullDisk:
    """What the disk does not take leaves the manifest as it was."""

    @pytest.mark.parametrize("place", ["manifest._write_all", "blocks.write_record", "blocks.publish"])
    def test_next_block(self, folder, monkeypatch, place):
        """A block that failed anywhere is not there, and the next one is."""

        def full(*arguments):
            if place == "manifest._write_all":
                os.write(arguments[0], arguments[1][:20])
            raise OSError(28, "No space left on device")

        with RunWriter.create_or_continue(folder, make_study()) as writer:
            with monkeypatch.context() as patched:
                patched.setattr(f"simstudy.store.{place}", full)
                with pytest.raises(RunError, match="No space left on device"):
                    writer.write_block("more", **make_block(replicates=[8]))
            assert_whole(Run.open(folder))
            writer.write_block("other", **make_block(replicates=[9]))
        assert verify(folder) == []
        assert len(Run.open(folder).fits) == 9

    def test_columns_of_one_name(self, tmp_path):
        """Levels whose quantiles have one name are refused before a fit is made that could not be stored."""
        with pytest.raises(RunError, match=r"levels \[1e-09\]: two quantiles have columns of one name"):
            RunWriter.create_or_continue(tmp_path / "x", make_study(summary__levels=[1e-9]))
