"""The zip plot shows which intervals miss, in the order of their distance from the truth."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from simstudy.errors import TableError
from simstudy.report import figures
from simstudy.report.figures.canvas import NARROW, WIDE
from simstudy.report.reading.palette import INK
from simstudy.store.schema import interval_columns

LOW, HIGH = interval_columns(0.95)


def strokes(line):
    """Return the (stroke, end) x and the (stroke,) y of a line that is broken after every stroke."""
    x, y = (np.asarray(values).reshape(-1, 3) for values in line.get_data())
    return x[:, :2], y[:, 0]


@pytest.fixture(scope="module")
def estimates():
    """Estimates of one method at z = -2, -1.9, ..., 2 with sd 1 and a truth of 5; intervals reach 1.96 each way."""
    z = np.linspace(-2, 2, 41)
    return pd.DataFrame({"method": "m", "mean": 5 + z, "sd": 1.0, "truth": 5.0, LOW: 3.04 + z, HIGH: 6.96 + z})


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_dark_strokes_are_the_intervals_that_miss(estimates, width):
    """The two intervals at |z| = 2 miss by .04, one on each side of 0, and stand on top; all others hold the truth."""
    (ax,) = figures.zip_plot(estimates, width=width).axes
    light, dark = (line for line in ax.lines if len(line.get_xdata()) % 3 == 0)
    assert to_hex(dark.get_color()) == INK
    ends, at = strokes(dark)
    assert sorted(np.sign(ends).sum(1)) == [-2, 2]
    np.testing.assert_allclose(np.abs(ends).min(1), 0.04)
    held, below = strokes(light)
    assert ((held[:, 0] <= 0) & (held[:, 1] >= 0)).all()
    assert at.min() > below.max() > 50


def test_estimates_without_intervals_are_refused(estimates):
    """A table in which no row has both ends and a truth cannot be drawn."""
    with pytest.raises(TableError, match="95 % interval"):
        figures.zip_plot(estimates.assign(truth=np.nan))
