"""Wilson intervals against scipy."""

import numpy as np
import pytest
from scipy.stats import binomtest

from simstudy.measures.rows.intervals import wilson


@pytest.mark.parametrize("n", [1, 7, 200])
def test_wilson_interval_is_that_of_scipy(n):
    """For every count out of n, 0 and n included, the ends are those of scipy's binomtest."""
    counts = np.arange(n + 1)
    lower, upper = wilson(counts / n, np.full(n + 1, float(n)))
    expected = [binomtest(int(k), n).proportion_ci(method="wilson") for k in counts]
    np.testing.assert_allclose(lower, [ci.low for ci in expected], atol=1e-12)
    np.testing.assert_allclose(upper, [ci.high for ci in expected], atol=1e-12)
