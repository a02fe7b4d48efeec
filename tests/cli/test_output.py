"""What commands print, where it cannot be written or holds what a terminal would obey."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simstudy.cli import main
from simstudy.cli.exits import say, tell

SIMSTUDY = [sys.executable, "-c", "from simstudy.cli import main; main()"]
UNBUFFERED = pytest.mark.parametrize("unbuffered", ["", "1"])
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
COMMANDS = [
    ["--version"],
    ["--help"],
    ["list", "measures"],
    ["protocol", "pooling"],
    ["score", "x.csv", "--estimate", "x", "--truth", "1"],
]


@pytest.fixture
def place(tmp_path):
    (tmp_path / "x.csv").write_text("x\n1\n2\n1.5\n")
    return tmp_path


def simstudy(arguments, place, unbuffered, **streams):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    return subprocess.run(
        [*SIMSTUDY, *arguments], cwd=place, env=environment, text=True, check=False, timeout=100, **streams
    )


@FULL
@UNBUFFERED
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_full_device_is_a_message(place, arguments, unbuffered):
    """An answer that could not be written is one message and exit code 2, buffered or not."""
    with Path("/dev/full").open("w") as full:
        done = simstudy(arguments, place, unbuffered, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == (
        "simstudy: the answer cannot be written (No space left on device); make room, or send it elsewhere\n"
    )


@FULL
def test_a_message_that_cannot_be_written_is_let_go(place):
    """Misuse stays misuse where standard error is full."""
    with Path("/dev/full").open("w") as full:
        done = simstudy(["run", "poolin"], place, "", stderr=full, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (2, "")


@UNBUFFERED
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_pipe_that_nobody_reads_ends_quietly(place, arguments, unbuffered):
    """A reader who has seen enough, such as head, gets no complaint."""
    reading, writing = os.pipe()
    os.close(reading)
    done = simstudy(arguments, place, unbuffered, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode in (0, 1)


@pytest.mark.parametrize("arguments", COMMANDS[2:], ids=" ".join)
def test_closed_streams_are_no_defect(place, arguments):
    """A job without standard output and error runs as one whose answer goes nowhere."""
    command = " ".join(f"'{word}'" for word in [*SIMSTUDY, *arguments])
    done = subprocess.run(["sh", "-c", f"{command} >&- 2>&-"], cwd=place, check=False, timeout=100)
    assert done.returncode == 0


def test_letters_that_an_encoding_lacks_stand_as_escapes(place):
    """The Greek of a protocol does not end it where the terminal knows ASCII alone."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([*SIMSTUDY, "protocol", "pooling"], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"\\u" in done.stdout
    assert done.stdout.isascii()


def test_a_line_is_a_line(capsys):
    """Names with line ends and escape sequences get no line of their own, neither in answers nor in messages."""
    tell("report: a\nb\x1b]0;title\x07")
    say("a\nsimstudy: all is well\x1b[2J")
    out, err = capsys.readouterr()
    assert out == "report: a\\nb\\x1b]0;title\\x07\n"
    assert err == "simstudy: a\\nsimstudy: all is well\\x1b[2J\n"


def test_our_own_lists_keep_their_lines(capsys):
    """What there is instead stands below a message, an indented line each."""
    say("no such scenario; expected one of\n  a\n  b")
    assert capsys.readouterr().err == "simstudy: no such scenario; expected one of\n  a\n  b\n"


def test_more_workers_than_cores_by_far_are_refused(place, capsys, monkeypatch):
    """The message says how many there may be, and how many cores there are."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    with pytest.raises(SystemExit) as end:
        main(["run", "pooling", "--workers", "33", "--out", str(place / "run")])
    assert end.value.code == 2
    assert "--workers 33: expected 0 to 32, since this process may use 8 cores" in capsys.readouterr().err
    assert not (place / "run").exists()
