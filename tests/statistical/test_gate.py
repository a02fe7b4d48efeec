"""The rates of the gate over many runs, in part; ``python -m tests.gate.rates`` makes all of docs/gate.md."""

import numpy as np
import pytest

from tests.gate.planted import PLANTED, RIGHT
from tests.gate.rates import measure

pytestmark = pytest.mark.statistical
N_RIGHT, N_WRONG = 128, 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("gate")


@pytest.mark.parametrize("name", RIGHT)
def test_right_samplers_pass(name, folder):
    """At a false alarm in 1,000 runs at most, two or more of 128 have a probability below 1 %."""
    assert np.count_nonzero(measure(name, N_RIGHT, folder=folder)) <= 1


@pytest.mark.parametrize("name", PLANTED)
def test_planted_bugs_are_found(name, folder):
    """At a power of 95 %, fewer than 55 of 64 have a probability below 1 in 1,000."""
    assert np.count_nonzero(measure(name, N_WRONG, folder=folder)) >= 55
