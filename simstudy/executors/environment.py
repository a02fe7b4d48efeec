"""What a process must find in its environment before JAX starts: one thread, one platform, one compilation cache.

XLA sizes its thread pools by ``NPROC`` and by the cores that the process may use, when it starts and never again.
XLA_FLAGS are part of the compilation cache's key, so every worker gets the same; the core is not.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SINGLE_THREAD = {
    "NPROC": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
SINGLE_THREAD_XLA = "--xla_cpu_multi_thread_eigen=false"


def cache_folder() -> Path:
    """Return the folder of what may be deleted at any time: SIMSTUDY_CACHE_DIR, or the user's cache folder."""
    if chosen := os.environ.get("SIMSTUDY_CACHE_DIR"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "simstudy"


def compilation_cache() -> dict[str, Any]:
    """Return JAX's options for a persistent cache of every program, however small or quickly compiled.

    With JAX's own thresholds the many small programs of a study are compiled anew in every worker.
    """
    return {
        "jax_compilation_cache_dir": str(cache_folder() / "xla"),
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
