"""Kept draws at rest: where they lie in a run folder, and how they are read.

``draws/<scenario>/<method>/<replicate>.posterior.nc`` holds the estimands of one fit, ``.sample_stats.nc`` the
sampler's statistics, as NetCDF 3 with the dimensions chain, draw and one for the groups.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import netcdf_file

POSTERIOR, SAMPLE_STATS = "posterior.nc", "sample_stats.nc"


@dataclass(frozen=True, kw_only=True)
class KeptFit:
    """The kept draws of one fit, read when asked for.

    Args:
        scenario: its id.
        method: its name.
        replicate: from 0.
        folder: where its files lie.
    """

    scenario: str
    method: str
    replicate: int
    folder: Path

    @cached_property
    def posterior(self) -> dict[str, np.ndarray]:
        """Estimand -> draws, (chain, draw) or (chain, draw, group)."""
        return _read(self.folder / f"{self.replicate}.{POSTERIOR}")

    @cached_property
    def sample_stats(self) -> dict[str, np.ndarray]:
        """Statistic -> (chain, draw); empty for a sampler that has none."""
        path = self.folder / f"{self.replicate}.{SAMPLE_STATS}"
        return _read(path) if path.exists() else {}


def kept_folder(folder: Path, scenario: str, method: str) -> Path:
    """Return the folder of a method's kept draws in a scenario; the method's name without what a path cannot hold."""
    return folder / "draws" / scenario / re.sub(r"[^A-Za-z0-9.=-]+", "_", method).strip("_.")


def kept_fits(folder: Path, scenario: str, method: str) -> Iterator[KeptFit]:
    """Yield the fits of a method in a scenario whose draws were kept, in the order of their replicates."""
    place = kept_folder(folder, scenario, method)
    for replicate in sorted(int(path.name.partition(".")[0]) for path in place.glob(f"*.{POSTERIOR}")):
        yield KeptFit(scenario=scenario, method=method, replicate=replicate, folder=place)


def _read(path: Path) -> dict[str, np.ndarray]:
    with netcdf_file(path, mmap=False) as file:
        return {name: _native(variable) for name, variable in file.variables.items()}


def _native(variable: Any) -> np.ndarray:
    """Return a variable in this machine's byte order; NetCDF 3 is big-endian and has no type for truth values."""
    values = np.array(variable[:])
    is_bool = getattr(variable, "dtype", None) == b"bool"
    return values.astype(bool if is_bool else values.dtype.newbyteorder("="))
