"""Disks that are full or read-only, and parts that are not what they were."""

import os
import random
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from simstudy.errors import RunError
from tests.faults.study import N_FITS, SIMSTUDY, assert_survived, go_on, n_fits, refusal, start

SMALL, LARGE = "300k", "60m"


@contextmanager
def mounted(folder: Path, *, size: str):
    """A memory disk of a size."""
    folder.mkdir()
    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def mount(*arguments):
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this user may not mount: {done.stderr.strip()}")


needs_mount = pytest.mark.skipif(shutil.which("mount") is None or os.name != "posix", reason="there is no mount here")


@needs_mount
def test_full_disk(reference, tmp_path, faults):
    """The disk fills up in the middle: one message, exit code 2; with more room the same command ends the run."""
    kind = "full disk"
    with mounted(tmp_path / "disk", size=SMALL) as disk:
        faults.tried(kind)
        message = refusal(start(disk / "run", "--workers", "0", study=tmp_path / "faults.toml"))
        assert "cannot be written (No space left on device); what is finished is stored: make room" in message
        assert 0 < n_fits(disk / "run") < N_FITS
        mount("-o", f"remount,size={LARGE}", str(disk))
        go_on(disk / "run")
        assert_survived(disk / "run", reference)
        faults.survived(kind)


@needs_mount
@pytest.mark.faults(full=True)
def test_read_only_folder(reference, tmp_path, faults):
    """A run on a read-only disk is read and reported elsewhere; going on with it is one message, exit code 2."""
    kind = "read-only folder"
    with mounted(tmp_path / "disk", size=LARGE) as disk:
        faults.tried(kind)
        shutil.copytree(reference.folder, disk / "run")
        mount("-o", "remount,ro", str(disk))
        report = [*SIMSTUDY, "report", str(disk / "run"), "--out", str(tmp_path / "report.html")]
        done = subprocess.run(report, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "report.html").exists()
        assert_survived(disk / "run", reference)
        for folder in (disk / "run", disk / "new"):
            with pytest.raises(RunError, match=r"cannot be written \(Read-only file system\)"):
                go_on(folder)
        faults.survived(kind)


def flip_bit(path, random_numbers):
    content = bytearray(path.read_bytes())
    content[random_numbers.randrange(len(content))] ^= 1 << random_numbers.randrange(8)
    path.write_bytes(content)


def truncate(path, random_numbers):
    path.write_bytes(path.read_bytes()[: random_numbers.randrange(path.stat().st_size)])


def add_foreign(path, random_numbers):
    shutil.copy(path, path.with_name("foreign.parquet"))


DAMAGES = {"flipped bit": flip_bit, "truncated part": truncate, "foreign part": add_foreign}


@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_part(reference, tmp_path, faults, kind):
    """Damage in one part of each table is found when the run is opened, named, set aside and fitted anew."""
    random_numbers = random.Random(kind)
    folder = shutil.copytree(reference.folder, tmp_path / "run")
    tables = ("fits", "chains", "estimates", "groups", "timings")
    damaged = []
    for table in tables:
        parts = sorted((folder / table).glob("*.parquet"))
        part = random_numbers.choice([path for path in parts if path.stem not in {p.stem for p in damaged}])
        DAMAGES[kind](part, random_numbers)
        damaged.append(part.with_name("foreign.parquet") if kind == "foreign part" else part)
        faults.tried(kind)
    go_on(folder)
    for part in damaged:
        assert f"WARNING {part.parent.name}/{part.name} " in (folder / "run.log").read_text()
        assert (folder / ".simstudy" / "set_aside" / part.parent.name / part.name).exists()
        faults.survived(kind)
    assert_survived(folder, reference)
