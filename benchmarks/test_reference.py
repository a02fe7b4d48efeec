"""The kernel whose time every other time is divided by, so that a slower machine slows both."""

import numpy as np

N = 2**17


def test_reference(benchmark):
    """Sort, exponentials and sums of 131,072 numbers, on one thread: sorted, and the sum that it was before."""
    values = np.random.default_rng(20260109).standard_normal(N)

    def kernel():
        ordered = np.sort(values)
        return ordered, np.cumsum(np.exp(-0.5 * ordered**2))

    ordered, total = benchmark.pedantic(kernel, rounds=100, warmup_rounds=3)
    assert (np.diff(ordered) >= 0).all()
    # The mean of exp(-x^2 / 2) over a standard normal is 1 / sqrt(2), its variance 1 / sqrt(3) - 1 / 2.
    error = np.sqrt((1 / np.sqrt(3) - 0.5) / N)
    assert abs(total[-1] / N - 1 / np.sqrt(2)) < 5 * error
    benchmark.extra_info["numbers"] = N
