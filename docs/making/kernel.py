"""The process in which a page's blocks run: which Python, which threads, what its cells know."""

import os
from pathlib import Path

BUILD = "_build"
"""Folder, beside the settings, of what the documentation makes on its way."""
QUIET = "c.IPKernelApp.log_level = 40\n"
STARTUP = "from docs.making.cells import prepare\n\nprepare(get_ipython())\n"


def prepare_environment(root: Path, build: Path) -> None:
    """Set what kernels inherit: this checkout on the path, one cache of compiled programs, cells that run commands.

    Args:
        root: of the checkout.
        build: folder of what the documentation makes on its way.
    """
    startup = build / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "cells.py").write_text(STARTUP, "utf-8")
    (startup.parent / "ipython_kernel_config.py").write_text(QUIET, "utf-8")
    os.environ["IPYTHONDIR"] = str(build / "ipython")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    os.environ["SIMSTUDY_DOCS_RUNS"] = str(build / "runs")
    os.environ.setdefault("SIMSTUDY_CACHE_DIR", str(build / "programs"))
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("MPLBACKEND", "agg")
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
