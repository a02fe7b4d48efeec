"""``pytest --simstudy-gate``: a fixture that holds samplers to the gate, and costs nothing without the option."""

import json
import os
import subprocess
import sys

import pytest

OWN = """
import jax.numpy as jnp

def stands_still(problem, key):
    return jnp.tile(problem.position, (32, 1))

def test_own_sampler(simstudy_gate):
    simstudy_gate(stands_still, start="exact", posteriors=["lecture"])
"""
RIGHT = """
from simstudy.samplers import Exact

def test_own_sampler(simstudy_gate):
    simstudy_gate(Exact(chains=64, draws=50), posteriors=["lecture"], chains=64, baseline="baseline.json")
"""
LIGHT = """
import sys

def test_light():
    assert "simstudy.testing.plugin" in sys.modules
    assert not {"jax", "numpyro", "pandas"} & set(sys.modules)
"""


@pytest.fixture
def run(tmp_path):
    """Run a test file with the plugin and no other."""

    def run(text, *options):
        (tmp_path / "test_own.py").write_text(text)
        command = [sys.executable, "-m", "pytest", "-p", "simstudy.testing.plugin", "-rs", *options]
        environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def test_without_the_option_gates_are_skipped(run):
    """A test that uses the fixture is skipped, and told how to run."""
    done = run(OWN)
    assert done.returncode == 0, done.stdout
    assert "needs --simstudy-gate" in done.stdout


def test_with_the_option_a_wrong_sampler_fails_its_test(run):
    """The test fails with the verdict, which stands at the end too."""
    done = run(OWN, "--simstudy-gate")
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout
    assert "simstudy gate" in done.stdout
    assert "test_own.py::test_own_sampler: stands_still does not pass the gate, after" in done.stdout
    assert "holds 0% of the posterior" in done.stdout


def test_a_baseline_is_written_and_then_held_to(run, tmp_path):
    """Without a file the test fails with one line that says how to write it; written, the same sampler passes."""
    missing = run(RIGHT, "--simstudy-gate")
    assert missing.returncode == 1, missing.stdout
    assert "cannot read the baseline baseline.json" in missing.stdout
    assert "write it with pytest --simstudy-gate-write" in missing.stdout
    assert "Traceback" not in missing.stdout
    assert "def hold" not in missing.stdout
    written = run(RIGHT, "--simstudy-gate-write")
    assert written.returncode == 0, written.stdout
    assert 0.5 < json.loads((tmp_path / "baseline.json").read_text())["lecture"] < 2
    held = run(RIGHT, "--simstudy-gate")
    assert held.returncode == 0, held.stdout


def test_the_plugin_is_light(run):
    """Neither JAX nor NumPyro nor pandas is imported until a test asks for the gate."""
    done = run(LIGHT)
    assert done.returncode == 0, done.stdout
