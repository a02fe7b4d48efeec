"""The log of a run: a line a record, in a file of the run's own folder."""

import logging
import os

import pytest

from simstudy.errors import RunError, printable
from simstudy.logs import FILE, log, session_log


@pytest.mark.parametrize("letter", ["\n", "\r", "\x1b", "\x07", "\x9b", "\u202e", "\u2028", "\udcff", "\x00", "\u200b"])
def test_no_control_character_is_left(letter):
    """What a terminal would obey or hide stands as its escape, and the text around it stays."""
    shown = printable(f"a{letter}b")
    assert letter not in shown
    assert shown.startswith("a\\")
    assert shown.endswith("b")
    assert shown.isascii()


def test_other_letters_stay():
    """Letters of any script, and the spaces of typography, are left as they are."""
    text = "Ångström μ ≤ 0,5\u00a0%\u202f☃ 漢字"
    assert printable(text) == text


def test_a_record_is_a_line(tmp_path, capsys):
    """A name with line ends and escape sequences makes neither a line of its own in the file nor colors a terminal."""
    with session_log(tmp_path):
        log.warning("set aside %s", "a\n2026-01-01 00:00:00,000 INFO all is well\x1b[31m.parquet")
    (line,) = (tmp_path / FILE).read_text().splitlines()
    assert "set aside a\\n2026-01-01" in line
    assert "\\x1b[31m" in line
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not log.handlers


def test_a_link_is_not_followed(tmp_path):
    """A link in the place of run.log, to a file or to nothing, is refused, and what it leads to is not touched."""
    other = tmp_path / "other"
    run = tmp_path / "run"
    run.mkdir()
    (run / FILE).symlink_to(other)
    for content in (None, "mine"):
        if content is not None:
            other.write_text(content)
        with (
            pytest.raises(RunError, match=r"run.log: expected a file, got a link, a folder or a device"),
            session_log(run),
        ):
            pass
        assert other.exists() == (content is not None)
        assert content is None or other.read_text() == content
    assert not log.handlers


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_nothing_but_a_file_is_written(tmp_path, make):
    """A pipe does not hold the run up, a folder is no file."""
    make(tmp_path / FILE)
    with pytest.raises(RunError, match="expected a file, got a link, a folder or a device"), session_log(tmp_path):
        pass


def test_a_disk_that_takes_no_file_does_not_end_the_run(tmp_path, capsys):
    """Where run.log cannot be made, standard error still says all; the run's own writing says what is wrong."""
    with session_log(tmp_path / "not there"):
        log.info("on the way")
    assert capsys.readouterr().err == "on the way\n"
    assert log.level == logging.NOTSET
