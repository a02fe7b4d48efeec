"""Kept draws at rest: where they lie in a run folder, and how they are read.

``draws/<scenario>/<method>/<replicate>.posterior.nc`` holds the estimands of one fit, ``.sample_stats.nc`` the
sampler's statistics, as NetCDF 3 with the dimensions chain, draw and one for the groups, whose coordinates are their
names where they have any.

A name that a path cannot hold gets a digest besides, so that no two methods share a folder. Runs made before that have
folders without it, which are read where only one method of the run can have meant them.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.io import netcdf_file

from simstudy.errors import RunError, printable
from simstudy.store.incoming import open_file

LONGEST_NAME = 80  # bytes, of what people can read of a method's name
RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?", re.IGNORECASE)  # on Windows, with any ending
LETTERS = "_letters"  # of the names of a dimension, in NetCDF 3 a dimension of their own
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
    """Return the folder of a method's kept draws in a scenario; no two methods have the same.

    >>> kept_folder(Path("run"), "ab", "partial").as_posix(), kept_folder(Path("run"), "ab", "a/b").name
    ('run/draws/ab/partial', 'a_b~0debd2558bca8fa0')
    """
    return folder / "draws" / scenario / _folder_name(method)


def _folder_name(method: str) -> str:
    short = _without_signs(method)
    if short and short == method and len(method) <= LONGEST_NAME and not RESERVED.fullmatch(method):
        return method
    return f"{short[:LONGEST_NAME]}~{hashlib.blake2b(method.encode(errors='replace'), digest_size=8).hexdigest()}"


def _without_signs(method: str) -> str:
    return re.sub(r"[^A-Za-z0-9.=-]+", "_", method).strip("_.")


def _earlier_folder(folder: Path, scenario: str, method: str) -> Path | None:
    """Return the folder that a run made before would have, if no other method of the run would have the same."""
    short = _without_signs(method)
    if _folder_name(method) == short or not short:
        return None
    alike = [name for name in _methods(folder) if _without_signs(name) == short]
    return folder / "draws" / scenario / short if alike == [method] else None


def _methods(folder: Path) -> Sequence[str]:
    """Return the names of a run's methods, none where they cannot be read."""
    try:
        with open_file(folder / "methods" / "methods.parquet") as file:
            return pq.read_table(file, columns=["method"])["method"].to_pylist()
    except (OSError, pa.ArrowException, ValueError, LookupError, MemoryError):
        return []


def kept_fits(folder: Path, scenario: str, method: str) -> Iterator[KeptFit]:
    """Yield the fits of a method in a scenario whose draws were kept, in the order of their replicates."""
    place, earlier = kept_folder(folder, scenario, method), _earlier_folder(folder, scenario, method)
    of_place = dict.fromkeys(_replicates(earlier), earlier) if earlier is not None else {}
    of_place |= dict.fromkeys(_replicates(place), place)
    for replicate, found in sorted(of_place.items()):
        yield KeptFit(scenario=scenario, method=method, replicate=replicate, folder=found)


def _replicates(place: Path) -> Iterator[int]:
    """Yield the numbers of the fits in a folder; files of other names are nobody's."""
    for path in place.glob(f"*.{POSTERIOR}"):
        if (number := path.name.removesuffix(f".{POSTERIOR}")).isdecimal() and number.isascii():
            yield int(number)


def _read(path: Path) -> dict[str, np.ndarray]:
    """Return the variables of a file.

    Raises:
        RunError: it is no file, or not one of kept draws.
    """
    try:
        with open_file(path) as opened, netcdf_file(opened, mmap=False) as file:
            # What is called like a dimension are its coordinates, the names of groups.
            return {n: _native(variable) for n, variable in file.variables.items() if n not in file.dimensions}
    except Exception as error:
        # SciPy's reader raises whatever the bytes of a damaged file lead it to.
        raise RunError(
            f"{printable(str(path))}: expected kept draws, got a file that cannot be read ({type(error).__name__}); "
            "remove it, or make the draws again with simstudy refit"
        ) from error


def _native(variable: Any) -> np.ndarray:
    """Return a variable in this machine's byte order; NetCDF 3 is big-endian and has no type for truth values."""
    values = np.array(variable[:])
    is_bool = getattr(variable, "dtype", None) == b"bool"
    return values.astype(bool if is_bool else values.dtype.newbyteorder("="))
