"""Kept draws: what is written is read, here and by others."""

import os

import numpy as np
import pandas as pd
import pytest

from simstudy.errors import RunError
from simstudy.fitting.kept import write_kept
from simstudy.fitting.rows import KeptDraws
from simstudy.store.kept import kept_fits, kept_folder


def test_kept_draws_open_in_xarray(tmp_path):
    """xarray, and so ArviZ, reads names, dimensions, numbers and truth values of a kept fit as they were written."""
    xarray = pytest.importorskip("xarray")
    rng = np.random.default_rng(0)
    estimands = {"tau": rng.normal(size=(4, 50)).astype("f4"), "theta": rng.normal(size=(4, 50, 3))}
    stats = {"diverging": rng.random((4, 50)) < 0.1, "num_steps": rng.integers(1, 99, (4, 50))}
    write_kept(tmp_path, KeptDraws(scenario="s", method="a/b", replicate=7, estimands=estimands, stats=stats))
    (fit,) = kept_fits(tmp_path, "s", "a/b")
    for name, written, read in (("posterior", estimands, fit.posterior), ("sample_stats", stats, fit.sample_stats)):
        with xarray.open_dataset(fit.folder / f"7.{name}.nc") as dataset:
            for variable, values in written.items():
                assert dataset[variable].dims[:2] == ("chain", "draw")
                assert dataset[variable].dtype.kind == read[variable].dtype.kind == values.dtype.kind
                np.testing.assert_array_equal(dataset[variable], values)
                np.testing.assert_array_equal(read[variable], values)


NAMES = [
    "a/b",
    "a b",
    "a_b",
    "a?b",
    "a\u00e4b",
    "/",
    "..",
    ".",
    "",
    "con",
    "nul.x",
    "x" * 80,
    "y" * 200,
    "y" * 201,
    "_a",
    "a",
]


def drawn(method: str, value: float, replicate: int = 0) -> KeptDraws:
    return KeptDraws(
        scenario="s", method=method, replicate=replicate, estimands={"mu": np.full((2, 4), value)}, stats={}
    )


def test_no_two_methods_share_a_folder(tmp_path):
    """Whatever its name, a method's draws are its own, in a folder below the scenario's that every system can have."""
    for i, name in enumerate(NAMES):
        write_kept(tmp_path, drawn(name, i))
    folders = [kept_folder(tmp_path, "s", name) for name in NAMES]
    assert len({folder.name.lower() for folder in folders}) == len(NAMES)
    for i, name in enumerate(NAMES):
        (fit,) = kept_fits(tmp_path, "s", name)
        assert fit.posterior["mu"][0, 0] == i
        assert fit.folder.parent == tmp_path / "draws" / "s"
        assert len(fit.folder.name) < 120


def test_folders_of_earlier_runs_are_found(tmp_path):
    """A folder without a digest belongs to a method if no other of the run could mean it."""
    write_kept(tmp_path, drawn("none [a=1]", 1.0))
    kept_folder(tmp_path, "s", "none [a=1]").rename(tmp_path / "draws" / "s" / "none_a=1")
    (tmp_path / "methods").mkdir()
    for methods, n in (
        (["none [a=1]", "other"], 1),
        (["none [a=1]", "none_a=1"], 0),
        (["none [a=1]", "none (a=1)"], 0),
    ):
        pd.DataFrame({"method": methods}).to_parquet(tmp_path / "methods" / "methods.parquet")
        assert len(list(kept_fits(tmp_path, "s", "none [a=1]"))) == n
    assert not list(kept_fits(tmp_path, "s", "another"))


@pytest.mark.parametrize("content", [b"", b"CDF", b"garbage" * 99, b"CDF\x02" + b"\xff" * 99])
def test_unreadable_draws_are_a_message(tmp_path, content):
    """A damaged file is named, and what to do about it."""
    write_kept(tmp_path, drawn("m", 1.0))
    (fit,) = kept_fits(tmp_path, "s", "m")
    (fit.folder / "0.posterior.nc").write_bytes(content)
    with pytest.raises(RunError, match=r"0.posterior.nc: expected kept draws, got a file that cannot be read"):
        _ = fit.posterior


def test_a_pipe_does_not_hold_a_report_up(tmp_path):
    """A pipe in the place of draws is no file."""
    place = kept_folder(tmp_path, "s", "m")
    place.mkdir(parents=True)
    os.mkfifo(place / "3.posterior.nc")
    (place / "x.posterior.nc").touch()
    (fit,) = kept_fits(tmp_path, "s", "m")
    with pytest.raises(RunError, match="cannot be read"):
        _ = fit.posterior


def test_draws_are_not_written_through_a_link(tmp_path):
    """A received run whose folder of draws leads elsewhere writes nothing there."""
    (tmp_path / "elsewhere").mkdir()
    run = tmp_path / "run"
    run.mkdir()
    (run / "draws").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="draws: expected a folder, got a link, which is not followed"):
        write_kept(run, drawn("m", 1.0))
    assert not list((tmp_path / "elsewhere").iterdir())
