"""What the benchmarks share: one small study, its data, and its program, compiled once."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np
import pytest

import simstudy
from simstudy.fitting.blocks import Block, plan_blocks
from simstudy.fitting.fitting import fit_block

FITS = 64


@pytest.fixture(scope="session")
def study() -> simstudy.Study:
    """Partial pooling of 8 groups of 10, non-centered, with short chains."""
    return simstudy.Study.from_dict(
        {
            "study": {"name": "benchmark", "seed": 20260108, "replicates": FITS},
            "mechanism": {"kind": "exchangeable", "groups": 8, "group_size": 10},
            "method": [{"name": "partial", "structure": "partial"}],
            "sampler": {"kind": "nuts", "warmup": 200, "draws": 200},
        }
    )


@pytest.fixture(scope="session")
def keys(study) -> np.ndarray:
    """(fit, 2) keys of the data."""
    return np.stack([study.data_key(study.scenarios[0], r) for r in range(FITS)])


@pytest.fixture(scope="session")
def replicates(study, keys):
    """Simulated replicates."""
    return study.scenarios[0].mechanism.simulate(keys)


@pytest.fixture(scope="session")
def block(study) -> Block:
    """All fits of the study in one block."""
    (whole,) = plan_blocks(study, {})
    return whole


@pytest.fixture(scope="session")
def rows(block):
    """The rows of the block."""
    return fit_block(block)
