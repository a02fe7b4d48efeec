"""``simstudy verify``: one line a problem; exit codes 0, 1 and 2."""

import shutil

import pytest

from simstudy.cli import main
from tests.store.test_manifest import folder as folder


def verify(*arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["verify", *map(str, arguments)])
    return ended.value.code, capsys.readouterr()


def test_clean(folder, capsys):
    """A run as it was written."""
    code, said = verify(folder, capsys=capsys)
    assert (code, said.out, said.err) == (0, "clean: the study and every part are as the run wrote them\n", "")


def test_problems(folder, capsys):
    """What is missing, foreign and edited, a line each."""
    shutil.copy(folder / "fits" / "none-0.parquet", folder / "fits" / "alien.parquet")
    (folder / "estimates" / "none-0.parquet").unlink()
    (folder / "chains" / "partial-0.parquet").write_bytes(b"")
    (folder / "study.json").write_text((folder / "study.json").read_text().replace('"seed": 1', '"seed": 2'))
    code, said = verify(folder, capsys=capsys)
    assert code == 1
    assert set(said.out.splitlines()) >= {
        "study.json is not as the run wrote it",
        "fits/alien.parquet is no part of this run",
        "estimates/none-0.parquet is missing",
        "chains/partial-0.parquet is damaged",
    }


@pytest.mark.parametrize(
    ("make", "words"), [(lambda path: None, "does not exist"), (lambda path: path.mkdir(), "holds no")]
)
def test_no_run(tmp_path, capsys, make, words):
    """A folder that is none, or no run."""
    make(tmp_path / "x")
    code, said = verify(tmp_path / "x", capsys=capsys)
    assert (code, said.out) == (2, "")
    assert words in said.err
