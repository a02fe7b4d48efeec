"""Kept draws: what is written is read, here and by others."""

import numpy as np
import pytest

from simstudy.fitting.kept import write_kept
from simstudy.fitting.rows import KeptDraws
from simstudy.store.kept import kept_fits


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
