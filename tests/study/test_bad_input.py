"""Misuse: every malformed study file, table and command line ends with one message that says what to do.

The command line is called in this process: exit code 2, one line on standard error, nothing on standard output, no
traceback, nothing written.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simstudy.cli import main
from tests.study.bad_commands import COMMANDS, FILES, RUN, SCORE, score
from tests.study.bad_studies import STUDIES, toml


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with files that are not what they are named for, and one data file outside of it."""
    (tmp_path / "outside.csv").write_text(str(FILES["good.csv"]))
    folder = tmp_path / "work"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "folder.csv").mkdir()
    for name in ("pipe.csv", "pipe.parquet", "pipe.toml"):
        os.mkfifo(folder / name)
    (folder / "link.csv").symlink_to(tmp_path / "outside.csv")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def parquet(folder):
    """Parquet files whose columns are no numbers."""
    pd.DataFrame({"x": [[1], [2]]}).to_parquet(folder / "nested.parquet")
    pd.DataFrame({"x": [1.0, 2.0], "l": [[1], [2]]}).to_parquet(folder / "lists.parquet")
    pd.DataFrame({"x": pd.to_datetime(["2020-01-01", "2020-01-02"])}).to_parquet(folder / "dates.parquet")
    pq.write_table(pa.table([pa.array([1.0]), pa.array([1.0])], names=["x", "x"]), folder / "twice.parquet")


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that is to be refused and return its message, after checking how it ended."""
    before = set(Path().rglob("*"))
    with pytest.raises(SystemExit) as end:
        main(arguments)
    printed = capsys.readouterr()
    assert end.value.code == 2
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1, printed.err
    assert set(Path().rglob("*")) == before
    return printed.err.removeprefix("simstudy: ")


@pytest.mark.parametrize("case", STUDIES)
def test_malformed_study_files(folder, capsys, case):
    """The message names file, key and value, and what is allowed; nothing is run and nothing written."""
    content, words = STUDIES[case]
    (folder / "bad.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    message = refusal(["run", "bad.toml"], capsys)
    assert message.startswith("bad.toml: ")
    assert words in message
    assert len(message) < 700


@pytest.mark.parametrize(
    ("arguments", "words"), COMMANDS, ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None
)
@pytest.mark.usefixtures("parquet")
def test_malformed_command_lines_and_tables(capsys, arguments, words):
    """The message names the option or file and what is allowed; nothing is written."""
    assert words in refusal(arguments, capsys)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads everything")
def test_unreadable_files(folder, capsys):
    """A file without the right to read it is named."""
    for name, arguments in {"study.toml": RUN, "table.csv": SCORE}.items():
        (folder / name).chmod(0)
        assert "Permission denied" in refusal(arguments, capsys)


def test_no_code_beside_a_study_is_run(folder, capsys):
    """A Python file of the model's name in the study's folder is not loaded unless the command line names it."""
    (folder / "mine.py").write_text("import pathlib; pathlib.Path('ran').touch()")
    (folder / "bad.toml").write_text(toml(method='name = "m"\nmodel = "mine"'))
    assert "load its file with --load FILE.py" in refusal(["run", "bad.toml"], capsys)
    assert not (folder / "ran").exists()


def test_a_byte_order_mark_is_read_over(folder, capsys):
    """Files that begin with a byte order mark, as some editors write them, are read: the complaint is about a value."""
    (folder / "bad.toml").write_bytes(b"\xef\xbb\xbf" + toml(study="name = 3").encode())
    assert "[study] name: expected text, got 3" in refusal(["run", "bad.toml"], capsys)
    (folder / "marked.csv").write_bytes(b"\xef\xbb\xbfx\n1\n2\n")
    with pytest.raises(SystemExit) as end:
        main(score("marked.csv"))
    assert end.value.code == 0
    assert "bias" in capsys.readouterr().out


def test_scored_tables_hold_no_formulas(folder, capsys):
    """Names out of a table cannot act as formulas in the answer, in a file and on standard output."""
    table = pd.DataFrame({"x": [1.0, -2.0, 0.5, 0.25], "m": ["=1+1", "=1+1", "@x", "@x"]})
    table.to_csv(folder / "evil.csv", index=False)
    for more in ([], ["--out", "answer.csv"]):
        with pytest.raises(SystemExit) as end:
            main([*score("evil.csv"), "--method", "m", *more])
        assert end.value.code == 0
    answers = [capsys.readouterr().out, (folder / "answer.csv").read_text()]
    assert answers[0] == answers[1]
    fields = [field for line in answers[0].splitlines() for field in line.split(",")]
    assert {"'=1+1", "'@x"} <= set(fields)
    assert not [field for field in fields if field[:1] in ("=", "@", "+")]
    assert any(field.startswith("-") and np.isfinite(float(field)) for field in fields)
