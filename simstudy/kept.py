"""Kept draws: one NetCDF file per fit, which ArviZ and xarray open.

``draws/<scenario>/<method>/<replicate>.posterior.nc`` holds the estimands, ``.sample_stats.nc`` the sampler's
statistics, both with the dimensions chain, draw and group. NetCDF 3, so that no further library is needed to write it.
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.io import netcdf_file

from simstudy.atomic import publish, stage
from simstudy.rows import KeptDraws

CHAIN_AND_DRAW = ("chain", "draw")


def write_kept(folder: Path, draws: KeptDraws) -> None:
    """Write the draws of one fit under the ``draws`` folder of a run."""
    place = kept_folder(folder, draws.scenario, draws.method)
    place.mkdir(parents=True, exist_ok=True)
    for name, variables in (("posterior", draws.estimands), ("sample_stats", draws.stats)):
        if variables:
            _write(place / f"{draws.replicate}.{name}.nc", variables)


def kept_folder(folder: Path, scenario: str, method: str) -> Path:
    """Return the folder of a method's kept draws in a scenario; the method's name without what a path cannot hold."""
    return folder / "draws" / scenario / re.sub(r"[^A-Za-z0-9.=-]+", "_", method).strip("_.")


def _write(path: Path, variables: Mapping[str, np.ndarray]) -> None:
    content = io.BytesIO()
    file = netcdf_file(content, "w", version=2)
    for name, values in variables.items():
        names = [*CHAIN_AND_DRAW, f"{name}_group"][: values.ndim]
        for dimension, length in zip(names, values.shape, strict=True):
            if dimension not in file.dimensions:
                file.createDimension(dimension, length)
        stored = values.astype(np.int32 if values.dtype.kind in "bui" else values.dtype)
        file.createVariable(name, stored.dtype, names)[:] = stored
    file.flush()
    publish(stage(path.parent, content.getvalue()), path)
