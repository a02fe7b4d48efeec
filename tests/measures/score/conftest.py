"""Tables that several modules score."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def morris():
    """The 1,600 estimates by three methods in two scenarios of Morris, White & Crowther (2019)."""
    return pd.read_csv(DATA / "morris2019_estimates.csv")


@pytest.fixture(scope="session")
def expected():
    """Their published performance."""
    return pd.read_csv(DATA / "morris2019_expected.csv")


@pytest.fixture
def table():
    """Nested estimates: 30 replicates of 4 groups by two methods, the second twice as precise."""
    rng = np.random.default_rng(5)
    rows = pd.MultiIndex.from_product([range(30), range(4), ["a", "b"]], names=["rep", "school", "method"])
    frame = rows.to_frame(index=False)
    truth = rng.standard_normal((30, 4)).ravel().repeat(2)
    se = np.where(frame["method"] == "a", 1.0, 0.5)
    return frame.assign(truth=truth, est=truth + se * rng.standard_normal(240), se=se)
