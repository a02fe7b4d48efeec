"""Whether a process that somebody else started may compute blocks: its versions, and JAX not started otherwise.

Runs in workers of a cluster, before they are given anything else. Leaves to the driver what becomes of those refused.
"""

import os
import sys
from collections.abc import Mapping

from simstudy.executors.environment import worker_environment
from simstudy.store.provenance import versions

MATCHING = ("simstudy", "jax", "jaxlib", "numpyro", "numpy", "scipy")


def required_versions() -> dict[str, str]:
    """Return the versions of this process that a worker has to share: packages that numbers depend on, and Python.

    Python's is its first two numbers, within which functions travel.
    """
    found = versions()
    python = ".".join(found["python"].split(".")[:2])
    return {"python": python} | {name: found[name] for name in MATCHING if name in found}


def admit(required: Mapping[str, str]) -> str:
    """Give this worker process the environment of ``worker_environment``, or say why it cannot have blocks.

    Args:
        required: versions of the driver.

    Returns:
        The reason of a refusal, with what to do; empty where the worker is admitted.
    """
    here = required_versions()
    if differing := [name for name in required if here.get(name) != required[name]]:
        pairs = ", ".join(f"{name} {here.get(name, '(none)')} instead of {required[name]}" for name in differing)
        return f"has {pairs}; install the driver's versions there"
    environment = worker_environment()
    if "jax" in sys.modules and any(os.environ.get(name) != value for name, value in environment.items()):
        return "has loaded JAX with other settings already; start it anew for simstudy"
    os.environ.update(environment)
    return ""
