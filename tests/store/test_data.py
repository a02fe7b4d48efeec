"""The data that a run keeps: bound by its manifest, found missing, edited or foreign, never read through a link."""

import pandas as pd
import pyarrow as pa
import pytest

from simstudy.errors import RunError
from simstudy.store import Run, RunWriter
from simstudy.store.data import DATA, kept_data
from simstudy.store.verification import verify
from simstudy.tables import parquet_table
from tests.store.test_store import make_block, make_study, write_labels

ROWS = pa.table({"school": ["001", "NA"], "score": [1.5, 2.0]})


@pytest.fixture
def folder(tmp_path):
    """A run that keeps data and names of groups."""
    with RunWriter.create_or_continue(tmp_path / "run", make_study()) as writer:
        writer.write_data(ROWS)
        write_labels(writer)
        writer.write_labels(pd.DataFrame({"scenario": "s1", "group": [0, 1], "label": ["001", "NA"]}))
        writer.write_block("none-0", **make_block())
    return tmp_path / "run"


def test_data_come_back_as_they_were(folder):
    """Labels are texts, in order; verify finds the run clean."""
    table = parquet_table(kept_data(folder))
    assert table.labels("group", "school").tolist() == ["001", "NA"]
    assert table.numbers("value", "score").tolist() == [1.5, 2.0]
    assert verify(folder) == []
    assert pd.read_parquet(folder / DATA)["school"].tolist() == ["001", "NA"]


def test_a_run_without_data_has_none(tmp_path):
    """As all that simulate, and those that were made before."""
    with RunWriter.create_or_continue(tmp_path / "run", make_study()) as writer:
        write_labels(writer)
        writer.write_labels(pd.DataFrame())
        writer.write_block("none-0", **make_block())
    assert kept_data(tmp_path / "run") is None
    assert not (tmp_path / "run" / "labels").exists()
    run = Run.open(tmp_path / "run")
    assert run.labels.empty
    assert "label" not in run.groups


def _edit(folder):
    other = pa.table({"school": ["001", "NA"], "score": [1.5, 2.1]})
    pd.DataFrame(other.to_pydict()).to_parquet(folder / DATA)


def _damage(folder):
    content = bytearray((folder / DATA).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / DATA).write_bytes(bytes(content))


def _link(folder):
    (folder / DATA).rename(folder.parent / "elsewhere.parquet")
    (folder / DATA).symlink_to(folder.parent / "elsewhere.parquet")


@pytest.mark.parametrize(
    ("change", "found", "refused"),
    [
        (_edit, "data.parquet is not as the run wrote it", "it was edited, or is of another run"),
        (_damage, "data.parquet is not as the run wrote it", "is not as the run wrote it"),
        (lambda folder: (folder / DATA).unlink(), "data.parquet is missing", "is missing; restore it from a copy"),
        (_link, "data.parquet is not as the run wrote it", "cannot be read"),
    ],
)
def test_changed_data_are_found_and_not_read(folder, change, found, refused):
    """By verify, which names the file, and by what would make fits of them."""
    change(folder)
    assert any(found in problem for problem in verify(folder))
    with pytest.raises(RunError, match=refused):
        kept_data(folder)


def test_data_of_another_run_are_found(tmp_path, folder):
    """A file that no line of the manifest names is no part of the run."""
    with RunWriter.create_or_continue(tmp_path / "other", make_study()) as writer:
        write_labels(writer)
        writer.write_block("none-0", **make_block())
    (tmp_path / "other" / DATA).write_bytes((folder / DATA).read_bytes())
    assert "data.parquet is no part of this run" in verify(tmp_path / "other")
    with pytest.raises(RunError, match="is of another run"):
        kept_data(tmp_path / "other")


def test_a_run_that_goes_on_restores_its_data(folder):
    """The writer puts back what was damaged; what is there stays, and adds no line."""
    _damage(folder)
    with RunWriter.create_or_continue(folder, make_study()) as writer:
        writer.write_data(ROWS)
    assert verify(folder) == []
    lines = (folder / ".simstudy" / "manifest.jsonl").read_text().count(DATA)
    with RunWriter.create_or_continue(folder, make_study()) as writer:
        writer.write_data(ROWS)
    assert (folder / ".simstudy" / "manifest.jsonl").read_text().count(DATA) == lines


def test_groups_have_their_names(folder):
    """Beside the index, in the table of groups and in one of their own."""
    run = Run.open(folder)
    assert run.labels.to_dict("list") == {"scenario": ["s1", "s1"], "group": [0, 1], "label": ["001", "NA"]}
    named = run.groups.dropna(subset="label")
    assert set(zip(named["group"], named["label"], strict=True)) == {(0, "001"), (1, "NA")}
    assert set(run.groups["group"][run.groups["label"].isna()]) == {2}
    assert pd.read_parquet(folder / "labels")["label"].tolist() == ["001", "NA"]


def test_damaged_names_are_found(folder):
    """They are a table like the others."""
    path = folder / "labels" / "labels.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    assert any("labels/labels.parquet is damaged" in problem for problem in verify(folder))
    with pytest.raises(RunError, match="is damaged"):
        _ = Run.open(folder).labels
