"""Where compiled programs are kept: the user's own folder, or none, whatever user and environment there are."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import simstudy
from simstudy.executors.environment import own_folder
from tests.damage import STUDY

ROOT = Path(__file__).parents[2]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can become another user")
NOBODY = 54_321  # a user without an entry in the password file
ASK = """
import os, sys
from simstudy.executors.environment import cache_folder, compilation_cache, worker_environment
user = int(sys.argv[1])
if user:
    os.setgid(user)
    os.setuid(user)
print(cache_folder())
print(compilation_cache().get("jax_compilation_cache_dir"))
print(worker_environment().get("JAX_COMPILATION_CACHE_DIR"))
"""


def ask(*, user: int = 0, **environment: str) -> tuple[list[str], str]:
    """Return what a process says of its cache, and its complaints, in an environment that holds nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(user)], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def test_the_cache_is_where_it_was(tmp_path):
    """In the home folder's .cache, in XDG_CACHE_HOME, or where SIMSTUDY_CACHE_DIR says; closed to others; no word."""
    home, xdg, chosen = (tmp_path / name for name in ("home", "xdg", "chosen"))
    for expected, environment in (
        (home / ".cache/simstudy", {"HOME": str(home)}),
        (xdg / "simstudy", {"HOME": str(home), "XDG_CACHE_HOME": str(xdg)}),
        (chosen, {"HOME": str(home), "XDG_CACHE_HOME": str(xdg), "SIMSTUDY_CACHE_DIR": str(chosen)}),
    ):
        lines, complaints = ask(**environment)
        assert lines == [str(expected), str(expected / "xla"), str(expected / "xla")]
        assert complaints == ""
        assert stat.S_IMODE((expected / "xla").stat().st_mode) == 0o700


@AS_ROOT
def test_a_user_without_home_goes_on_without_a_cache():
    """No HOME and no entry in the password file: no error, no cache, and one line about it."""
    lines, complaints = ask(user=NOBODY)
    assert lines == ["None", "None", "None"]
    assert "there is no home folder to keep compiled programs in; set SIMSTUDY_CACHE_DIR" in complaints
    assert len(complaints.splitlines()) == 1


@AS_ROOT
def test_a_home_that_cannot_be_written_is_none():
    """A HOME that is not there, as batch systems have it: no error, no cache, and one line about it."""
    lines, complaints = ask(user=NOBODY, HOME="/nonexistent")
    assert lines[1:] == ["None", "None"]
    assert (
        "the cache folder /nonexistent/.cache/simstudy/xla cannot be made (Permission denied); going on" in complaints
    )
    assert len(complaints.splitlines()) == 1


def test_the_log_of_every_run_says_that_there_is_no_cache(tmp_path, monkeypatch, capsys):
    """The terminal hears it once, before there is a folder to log to; the log of each run has it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("SIMSTUDY_CACHE_DIR", str(tmp_path / "file"))
    study = simstudy.Study.from_dict(STUDY)
    for name in ("one", "two"):
        simstudy.run(study, out=tmp_path / name, workers=0, quiet=True)
        (line,) = [line for line in (tmp_path / name / "run.log").read_text().splitlines() if "cache folder" in line]
        assert line.endswith(
            "cannot be made (File exists); going on without a compilation cache, so that every process "
            "compiles its programs anew"
        )
    assert capsys.readouterr().err.count("going on without a compilation cache") <= 1


@AS_ROOT
def test_a_cache_of_somebody_else_is_not_used(tmp_path):
    """Machine code of another user is not run, not even by the superuser."""
    theirs = tmp_path / "xla"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    lines, complaints = ask(SIMSTUDY_CACHE_DIR=str(tmp_path))
    assert lines[1:] == ["None", "None"]
    assert "belongs to another user; set SIMSTUDY_CACHE_DIR to a folder of your own; going on without" in complaints


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_cache_that_others_write_is_not_used(tmp_path, mode):
    """What others can write may hold their machine code."""
    (tmp_path / "xla").mkdir()
    (tmp_path / "xla").chmod(mode)
    assert "can be written by others" in own_folder(tmp_path / "xla")


def test_a_folder_that_others_could_exchange_is_not_used(tmp_path):
    """In a folder that all can write another could put theirs in its place, unless only owners rename there (/tmp)."""
    tmp_path.chmod(0o777)
    assert "can be written by others" in own_folder(tmp_path / "xla")
    tmp_path.chmod(0o1777)
    assert own_folder(tmp_path / "xla") == ""


def test_a_cache_that_others_read_is_closed(tmp_path):
    """A folder of earlier versions stays, with what it holds, and loses others' rights."""
    (tmp_path / "xla").mkdir(mode=0o755)
    (tmp_path / "xla" / "program").touch()
    assert own_folder(tmp_path / "xla") == ""
    assert stat.S_IMODE((tmp_path / "xla").stat().st_mode) == 0o700
    assert (tmp_path / "xla" / "program").exists()
