"""What all tests share: one thread, float warnings as errors, a compilation cache, compiled programs."""

import os
import signal
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Before JAX starts: the tests' own compilation cache, one thread on the CPU.
os.environ.setdefault("SIMSTUDY_CACHE_DIR", str(ROOT / ".pytest_cache" / "simstudy"))
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "agg")

# A shell that starts this in the background has Ctrl-C ignored, which the tests of interruption send.
signal.signal(signal.SIGINT, signal.default_int_handler)

from jaxtyping import install_import_hook  # noqa: E402 - before the package is imported

# Shapes in annotations hold, or the test that breaks them fails.
OF_ARRAYS = ("density", "derived", "hierarchical", "likelihoods", "structures")
install_import_hook([f"simstudy.models.{module}" for module in OF_ARRAYS], "beartype.beartype")

import pytest  # noqa: E402 - after the environment is set

from simstudy.executors import configure_compilation_cache  # noqa: E402
from tests.random_walk import registered, run_of_a_walk  # noqa: E402

configure_compilation_cache()


def pytest_addoption(parser):
    parser.addoption("--short", action="store_true", help="few faults of each kind, for `nox -s faults -- --short`")


@pytest.fixture(scope="session")
def walk(tmp_path_factory):
    """A run in which a user's sampler, a random walk, does not converge, beside NUTS and the exact posterior."""
    with registered():
        return run_of_a_walk(tmp_path_factory.mktemp("walk") / "run")
