"""Kept draws: one NetCDF file per fit, which ArviZ and xarray open; ``store.kept`` says where and reads them.

NetCDF 3, so that no further library is needed to write it. It has no type for truth values and texts: they are bytes
with the attributes by which xarray knows them. Names of groups are the coordinates of their dimension.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import netcdf_file

from simstudy.errors import RunError, printable
from simstudy.fitting.rows import KeptDraws
from simstudy.store.atomic import publish, stage
from simstudy.store.kept import LETTERS, POSTERIOR, SAMPLE_STATS, kept_folder

CHAIN_AND_DRAW = ("chain", "draw")


def write_kept(folder: Path, draws: KeptDraws) -> list[Path]:
    """Write the draws of one fit under the ``draws`` folder of a run, and return what was written.

    Raises:
        RunError: a folder on the way is a link, through which nothing is written.
    """
    place = kept_folder(folder, draws.scenario, draws.method)
    for each in (place, place.parent, place.parent.parent):
        if each.is_symlink():
            raise RunError(f"{printable(str(each))}: expected a folder, got a link, which is not followed; remove it")
    place.mkdir(parents=True, exist_ok=True)
    return write_draws(place / f"{draws.replicate}.{POSTERIOR}", draws)


def write_draws(path: Path, draws: KeptDraws) -> list[Path]:
    """Write the estimands of one fit to a file, the sampler's statistics beside it, and return what was written.

    Args:
        path: of the estimands, ``NAME.nc`` or ``NAME.posterior.nc``; the statistics go to ``NAME.sample_stats.nc``.
        draws: of the fit; a sampler without statistics has one file.
    """
    name = path.name.removesuffix(".nc").removesuffix(".posterior")
    files = {path: draws.estimands, path.with_name(f"{name}.{SAMPLE_STATS}"): draws.stats}
    written = [file for file, variables in files.items() if variables]
    for file in written:
        publish(stage(file.parent, encoded(files[file], labels=draws.labels)), file)
    return written


def encoded(variables: Mapping[str, np.ndarray], *, labels: Sequence[str] = ()) -> bytes:
    """Return the bytes of a NetCDF file.

    Args:
        variables: name -> (chain, draw) or (chain, draw, group).
        labels: names of the groups, which those variables get that have as many.
    """
    content = io.BytesIO()
    file = netcdf_file(content, "w", version=2)
    for name, values in variables.items():
        names = [*CHAIN_AND_DRAW, f"{name}_group"][: values.ndim]
        for dimension, length in zip(names, values.shape, strict=True):
            if dimension not in file.dimensions:
                file.createDimension(dimension, length)
        stored = values.astype(_stored_type(values.dtype))
        variable: Any = file.createVariable(name, stored.dtype, names)
        variable[:] = stored
        if values.dtype.kind == "b":
            variable.dtype = "bool"
        if labels and len(labels) == values.shape[-1] and len(names) > len(CHAIN_AND_DRAW):
            _name_groups(file, names[-1], labels)
    file.flush()
    return content.getvalue()


def _name_groups(file: netcdf_file, dimension: str, labels: Sequence[str]) -> None:
    """Give a dimension its coordinates: texts, as rows of bytes."""
    texts = [label.encode() for label in labels]
    longest = max(map(len, texts))
    letters = f"{dimension}{LETTERS}"
    file.createDimension(letters, longest)
    variable: Any = file.createVariable(dimension, "c", (dimension, letters))
    variable[:] = np.array([list(text.ljust(longest, b"\0")) for text in texts], np.uint8).view("S1")
    variable._Encoding = "utf-8"


def _stored_type(dtype: np.dtype) -> np.dtype:
    if dtype.kind == "b":
        return np.dtype(np.int8)
    return np.dtype(np.int32) if dtype.kind in "ui" else dtype
