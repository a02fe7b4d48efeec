"""What a process must find in its environment before JAX starts: one thread, one platform, one compilation cache.

XLA sizes its thread pools by ``NPROC`` and by the cores that the process may use, when it starts and never again.
XLA_FLAGS are part of the compilation cache's key, so every worker gets the same; the core is not.

The cache holds machine code, which is run as it lies there. So its folder must be the user's own and writable by nobody
else; where there is no such folder, a run goes on without a cache and says so once.
"""

import functools
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from simstudy.logs import log

SINGLE_THREAD = {
    "NPROC": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
SINGLE_THREAD_XLA = "--xla_cpu_multi_thread_eigen=false"


PROGRAMS = "xla"
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
NO_HOME = "there is no home folder to keep compiled programs in; set SIMSTUDY_CACHE_DIR to a folder of your own"
WITHOUT = "going on without a compilation cache, so that every process compiles its programs anew"


def cache_folder() -> Path | None:
    """Return the folder of what may be deleted at any time: SIMSTUDY_CACHE_DIR, or the user's cache folder.

    Returns:
        The folder, which may not be there yet; None for a user without a home, as in some containers.
    """
    if chosen := os.environ.get("SIMSTUDY_CACHE_DIR"):
        return Path(chosen)
    try:
        folder = platformdirs.user_cache_path("simstudy", appauthor=False)
    except RuntimeError:  # no HOME, and no entry for the user in the password file
        return None
    return folder if folder.is_absolute() else None  # earlier versions leave "~" as it is


def own_folder(folder: Path) -> str:
    """Make a folder for this user alone, or see that it is; return what is wrong with it, or an empty text.

    Args:
        folder: is made with mode 0700, folders above it too; the one that holds it must be safe from others as well.
    """
    try:
        for each in (folder.parent, folder):
            each.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        above, itself = folder.parent.stat(), folder.stat()
    except OSError as error:
        return f"the cache folder {folder} cannot be made ({error.strerror})"
    if not hasattr(os, "geteuid"):
        return ""
    user = os.geteuid()
    if itself.st_uid != user or above.st_uid not in (user, 0):
        return f"the cache folder {folder} belongs to another user; set SIMSTUDY_CACHE_DIR to a folder of your own"
    is_sticky = bool(above.st_mode & stat.S_ISVTX)  # in /tmp nobody renames what is another's
    if itself.st_mode & OTHERS_WRITE or (above.st_mode & OTHERS_WRITE and not is_sticky):
        return f"the cache folder {folder} can be written by others; empty it and take their right with chmod go-w"
    return _closed(folder, itself.st_mode)


def _closed(folder: Path, mode: int) -> str:
    """Take from others what right they have to a folder, and return why it cannot be written, or an empty text."""
    try:
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            folder.chmod(stat.S_IRWXU)
    except OSError as error:
        return f"the cache folder {folder} cannot be closed to others ({error.strerror})"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"the cache folder {folder} cannot be written"


def _own_cache() -> tuple[Path | None, str]:
    """Return the folder of compiled programs, which is the user's alone; or None, and a sentence that says why."""
    folder = cache_folder()
    problem = NO_HOME if folder is None else own_folder(folder / PROGRAMS)
    return (None, f"{problem}; {WITHOUT}") if folder is None or problem else (folder / PROGRAMS, "")


def without_cache() -> str:
    """Return why programs that are compiled here are not kept, in a sentence; an empty text where they are."""
    return _own_cache()[1]


@functools.cache
def _say(problem: str) -> None:
    log.warning("%s", problem)


def compilation_cache() -> dict[str, Any]:
    """Return JAX's options for a persistent cache of every program, however small or quickly compiled.

    With JAX's own thresholds the many small programs of a study are compiled anew in every worker. Where no cache can
    be, it says once why.

    Returns:
        Option -> value; none where there is no folder that is the user's own.
    """
    folder, problem = _own_cache()
    if folder is None:
        _say(problem)
        return {}
    return {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }


def worker_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment variables of a worker process: CPU platform, one thread, the compilation cache.

    Args:
        extra: further variables, which win over these.

    >>> environment = worker_environment({"JAX_ENABLE_X64": "1"})
    >>> environment["JAX_PLATFORMS"], environment["NPROC"], environment["JAX_ENABLE_X64"]
    ('cpu', '1', '1')
    """
    cache = {name.upper(): str(value) for name, value in compilation_cache().items()}
    flags = " ".join(dict.fromkeys([*os.environ.get("XLA_FLAGS", "").split(), SINGLE_THREAD_XLA]))
    return {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags, **SINGLE_THREAD, **cache, **(extra or {})}


def configure_compilation_cache() -> None:
    """Give this process the compilation cache, whether or not it has imported JAX already."""
    import jax

    for name, value in compilation_cache().items():
        jax.config.update(name, value)
