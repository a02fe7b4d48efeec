"""Kept draws: one NetCDF file per fit, which ArviZ and xarray open.

``draws/<scenario>/<method>/<replicate>.posterior.nc`` holds the estimands, ``.sample_stats.nc`` the sampler's
statistics, both with the dimensions chain, draw and group. NetCDF 3, so that no further library is needed to write it.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.io import netcdf_file

from simstudy.atomic import publish
from simstudy.rows import KeptDraws

CHAIN_AND_DRAW = ("chain", "draw")


def write_kept(folder: Path, draws: KeptDraws) -> None:
    """Write the draws of one fit under the ``draws`` folder of a run."""
    place = kept_folder(folder, draws.scenario, draws.method)
    place.mkdir(parents=True, exist_ok=True)
    write_draws(place / f"{draws.replicate}.posterior.nc", draws)


def write_draws(path: Path, draws: KeptDraws) -> list[Path]:
    """Write the estimands of one fit to a file, the sampler's statistics beside it, and return what was written.

    Args:
        path: of the estimands, ``NAME.nc`` or ``NAME.posterior.nc``; the statistics go to ``NAME.sample_stats.nc``.
        draws: of the fit; a sampler without statistics has one file.
    """
    name = path.name.removesuffix(".nc").removesuffix(".posterior")
    files = {path: draws.estimands, path.with_name(f"{name}.sample_stats.nc"): draws.stats}
    written = [file for file, variables in files.items() if variables]
    for file in written:
        _write(file, files[file])
    return written


def kept_folder(folder: Path, scenario: str, method: str) -> Path:
    """Return the folder of a method's kept draws in a scenario; the method's name without what a path cannot hold."""
    return folder / "draws" / scenario / re.sub(r"[^A-Za-z0-9.=-]+", "_", method).strip("_.")


def _write(path: Path, variables: Mapping[str, np.ndarray]) -> None:
    staged = path.with_suffix(".part")
    with netcdf_file(staged, "w", version=2) as file:
        for name, values in variables.items():
            names = [*CHAIN_AND_DRAW, f"{name}_group"][: values.ndim]
            for dimension, length in zip(names, values.shape, strict=True):
                if dimension not in file.dimensions:
                    file.createDimension(dimension, length)
            stored = values.astype(np.int32 if values.dtype.kind in "bui" else values.dtype)
            file.createVariable(name, stored.dtype, names)[:] = stored
    publish(staged, path)
