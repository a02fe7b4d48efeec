import json
import platform
import subprocess
import sys
from getpass import getuser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simstudy.errors import RunError
from simstudy.store import RunWriter
from simstudy.store.atomic import write_json
from simstudy.store.provenance import commit, machine, public_command, session, versions
from simstudy.store.verification import verify
from tests.store.test_store import make_study


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    return subprocess.check_output(["git", "-C", folder, *identity, *arguments], text=True).strip()


def read(folder):
    return json.loads((folder / "provenance.json").read_text())


def test_versions_are_those_that_run():
    """The recorded versions are those of the interpreter and of the packages that it imports."""
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert {"simstudy", "jax", "jaxlib", "numpyro", "scipy", "pandas"} <= set(found)


def test_machine_is_described():
    """The processor has a name, cores and memory are positive, and no more cores are open than there are."""
    found = machine()
    assert found["processor"]
    assert 1 <= found["cores_available"] <= found["cores"]
    assert found["memory_gib"] > 0


def test_commit_and_dirty_mark(tmp_path):
    """The commit is git's, dirty when a tracked file differs, the same from a file of it, none outside."""
    assert commit(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert commit(tmp_path) is None
    study = tmp_path / "study.toml"
    study.write_text("a")
    git(tmp_path, "add", "study.toml")
    git(tmp_path, "commit", "-qm", "one")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "untracked").write_text("")
    assert commit(study) == commit(tmp_path) == {"id": head, "dirty": False}
    study.write_text("b")
    assert commit(study) == {"id": head, "dirty": True}


def test_sessions_are_appended(tmp_path):
    """A session is recorded when it begins, gets its end when it ends, and a second one is added to it."""
    with session(tmp_path, command=["simstudy", "run", "pooling"], seed=7):
        (begun,) = read(tmp_path)["sessions"]
        assert begun["ended"] is None
    with session(tmp_path, command=["simstudy", "run", "pooling", "-n", "2"], seed=7):
        pass
    found = read(tmp_path)
    assert found["seed"] == 7
    assert found["versions"] == versions()
    assert [set(entry) for entry in found["sessions"]] == [{"started", "ended", "command"}] * 2
    assert [entry["command"] for entry in found["sessions"]] == ["simstudy run pooling", "simstudy run pooling -n 2"]
    assert all(entry["started"] <= entry["ended"] for entry in found["sessions"])


def test_session_that_fails_has_an_end(tmp_path):
    """A session that ends with an error has an end."""
    with pytest.raises(ZeroDivisionError), session(tmp_path, command=[], seed=1):
        raise ZeroDivisionError
    assert read(tmp_path)["sessions"][0]["ended"] is not None


def test_changed_versions_stand_in_their_session(tmp_path):
    """Conditions that changed stand in the session where they changed, and only there."""
    with session(tmp_path, command=[], seed=1):
        pass
    older = read(tmp_path)
    older["versions"]["numpyro"] = "0.0.1"
    (tmp_path / "provenance.json").write_text(json.dumps(older))
    for _ in range(2):
        with session(tmp_path, command=[], seed=1):
            pass
    found = read(tmp_path)
    assert found["versions"]["numpyro"] == "0.0.1"
    assert [entry.get("versions") for entry in found["sessions"]] == [None, versions(), None]


def test_damaged_provenance_is_named(tmp_path):
    """A provenance that is no JSON is named, and not overwritten."""
    (tmp_path / "provenance.json").write_text("{")
    with pytest.raises(RunError, match=r"provenance\.json is damaged"), session(tmp_path, command=[], seed=1):
        pass
    assert (tmp_path / "provenance.json").read_text() == "{"


def test_nothing_private_is_written(tmp_path):
    """Neither the user's name, the host's, nor a folder outside the working one is written."""
    command = [sys.executable, "run", str(tmp_path / "study.toml"), f"--out={tmp_path}", "--executor=dask://ada:1"]
    with session(tmp_path, command=command, seed=1, source=tmp_path):
        pass
    found = read(tmp_path)
    assert found["sessions"][0]["command"] == (
        f"{Path(sys.executable).name} run study.toml --out={tmp_path.name} --executor=dask://..."
    )
    text = json.dumps(found["sessions"] + [found["machine"]])
    private = {str(Path.home()), str(tmp_path.parent), f"/{getuser()}/", "ada:1"}
    assert not [word for word in private if word in text]


@pytest.mark.parametrize(
    ("argument", "public"),
    [
        ("runs/a", "runs/a"),
        ("/x/y", "y"),
        ("../../ada/y", "y"),
        ("~/y/", "y"),
        ("C:\\Users\\ada\\y", "y"),
        ("0.95", "0.95"),
    ],
)
def test_public_command(argument, public):
    """Paths that lead out of the working folder keep their last name; all else stays."""
    assert public_command([argument]) == public_command([f"--out={argument}"]).removeprefix("--out=") == public


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("is_extended", [True, False])
def test_killed_between_the_manifest_and_the_file(tmp_path, monkeypatch, is_first, is_extended):
    """What a session that died has announced may not be there: the run is clean, goes on, and is clean again."""
    folder = tmp_path / "run"

    def write(aim):
        with RunWriter.create_or_continue(folder, make_study(study__aim=aim)) as writer:
            writer.write_labels(pd.DataFrame())
            with session(folder, command=["simstudy"], seed=1, write=writer.write_provenance):
                pass

    if not is_first:
        write("one")
    with monkeypatch.context() as patched:
        patched.setattr("simstudy.store.writer.write_json", killed_at("provenance.json"))
        with pytest.raises(KeyboardInterrupt):
            write("one")
    assert verify(folder) == []
    for _ in range(2):
        write("two" if is_extended else "one")
        assert verify(folder) == []


def killed_at(name):
    def write(path, *arguments, **options):
        if path.name == name:
            raise KeyboardInterrupt
        write_json(path, *arguments, **options)

    return write
