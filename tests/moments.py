"""Every state that a kill can leave a run folder in, taken while a run is written, extended and recovered."""

import os
import shutil

import pandas as pd

from simstudy.store import Run, RunWriter
from simstudy.store.verification import verify
from tests.store.test_store import assert_whole, make_block, make_study, write_labels

EXTENDED = make_study(study__aim="More", mechanism__tau=[0.0, 1.0, 2.0])


class Moments:
    """Copies of a folder, each taken before something is done to the disk."""

    def __init__(self, folder, home):
        self.folder, self.home, self.n_stored, self.taken = folder, home, 0, []

    def watch(self, patched):
        """Take a copy before each rename, flush, write, cut and deletion."""
        for name in ("replace", "fsync", "write", "ftruncate", "unlink"):
            patched.setattr(os, name, self._before(getattr(os, name)))

    def _before(self, function):
        def copied(*arguments, **options):
            place = self.home / f"moment-{len(self.taken)}"
            self.taken.append((shutil.copytree(self.folder, place), self.n_stored))
            return function(*arguments, **options)

        return copied


def of_writing(folder, home, monkeypatch):
    """Moments of a run that is made and extended, with the number of fits that were stored before each."""
    folder.mkdir()
    moments = Moments(folder, home)
    with monkeypatch.context() as patched:
        moments.watch(patched)
        for study in (make_study(), EXTENDED):
            with RunWriter.create_or_continue(folder, study) as writer:
                write_labels(writer)
                writer.write_description({"mechanism": {"words": study["study"]["aim"]}})
                for method in ("none", "partial"):
                    n = moments.n_stored
                    writer.write_block(f"{method}-{n}", **make_block(method=method, replicates=[n]))
                    moments.n_stored += 1
    assert len(moments.taken) > 60
    return moments.taken


def of_recovery(folder, home, monkeypatch):
    """Moments of a run with a damaged block that is set aside and written again."""
    part = folder / "estimates" / "none-0.parquet"
    part.write_bytes(part.read_bytes()[:-7])
    moments = Moments(folder, home)
    with monkeypatch.context() as patched:
        moments.watch(patched)
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            writer.write_block("none-0", **make_block())
    assert len(moments.taken) > 15
    return moments.taken


def assert_goes_on(moment, n_stored):
    """All that was stored is there for a reader and for the next writer, and is clean after it."""
    if (moment / "study.json").exists() and n_stored:
        run = Run.open(moment)
        assert_whole(run)
        assert len(run.fits) >= n_stored
    with RunWriter.create_or_continue(moment, EXTENDED) as writer:
        assert sum(map(len, writer.stored_fits().values())) >= n_stored
        write_labels(writer)
        writer.write_description({"mechanism": {"words": "More"}})
    assert verify(moment) == [], moment


def assert_recovers(moment, whole):
    """The block that was whole is there, the other can be written again, and all is as before the damage."""
    with RunWriter.create_or_continue(moment, make_study()) as writer:
        assert ("s1", "partial") in writer.stored_fits()
        if ("s1", "none") not in writer.stored_fits():
            writer.write_block("none-0", **make_block())
    assert verify(moment) == [], moment
    pd.testing.assert_frame_equal(Run.open(moment).estimates, whole.estimates)
    assert_whole(Run.open(moment))
