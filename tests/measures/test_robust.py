"""Median bias, trimmed and winsorized errors: SciPy's values, invariances, and MCSEs that are right."""

import numpy as np
import pytest
from scipy import stats

from simstudy.measures.measure import Setting
from simstudy.measures.recovery import median_estimate, mse
from simstudy.measures.robust import MEASURES, Weighted, median_bias, trimmed_mse, winsorized_mse
from simstudy.measures.rows.replicates import Replicates
from simstudy.testing.measure import check_measure

NAMES = [measure.name for measure in MEASURES]


def single(error, *, n_cells=1):
    """Return one row per replicate, in cells of the same size."""
    error = np.ravel(error)
    cell = np.repeat(np.arange(n_cells), len(error) // n_cells)
    columns = {"error": error, "mean": error}
    return Replicates(columns=columns, unit=np.arange(len(error)), cell=cell, n_cells=n_cells)


@pytest.mark.parametrize("measure", MEASURES, ids=NAMES)
def test_each_keeps_the_promises_of_a_measure(measure):
    """Order, numbering, other cells, gaps and units; and its MCSE is the spread over repeats."""
    check_measure(measure)


@pytest.mark.parametrize("n", [7, 40, 101])
@pytest.mark.parametrize("trim", [0.0, 0.05, 0.1, 0.25, 0.49])
def test_values_are_scipys(n, trim):
    """SciPy's trimmed mean and winsorized values of the squares, with limits at the upper end alone."""
    error = np.random.default_rng(n).standard_t(3, size=n)
    cells, setting = single(error), Setting(trim=trim)
    trimmed = stats.mstats.trimmed_mean(error**2, limits=(0, trim), inclusive=(True, True))
    winsorized = stats.mstats.winsorize(error**2, limits=(0, trim)).mean()
    assert trimmed_mse(cells, setting).value[0] == pytest.approx(float(trimmed))
    assert winsorized_mse(cells, setting).value[0] == pytest.approx(float(winsorized))
    assert median_bias(cells, setting).value[0] == pytest.approx(np.median(error))


def test_trimming_both_ends_of_symmetric_errors_is_trimming_the_squares():
    """The largest tenth of the squares of errors +-1, ..., +-50 are the five errors at either end: trim_mean's."""
    error = np.concatenate([np.arange(1, 51), -np.arange(1, 51)]).astype(float)
    kept = stats.trimboth(error, 0.05)
    assert trimmed_mse(single(error), Setting(trim=0.1)).value[0] == pytest.approx(np.mean(kept**2))


def test_nothing_trimmed_is_the_mse():
    """Values and MCSEs of all three at trim 0."""
    cells, setting = single(np.random.default_rng(1).exponential(size=60)), Setting(trim=0.0)
    plain = mse(cells, setting)
    for found in (trimmed_mse(cells, setting), winsorized_mse(cells, setting)):
        assert found.value == pytest.approx(plain.value)
        assert found.mcse == pytest.approx(plain.mcse)


def test_median_bias_is_the_median_estimate_less_the_truth():
    """With one truth the two differ by it, and have one MCSE."""
    x = np.random.default_rng(1).gamma(2, size=(3, 50))
    cells = single(x, n_cells=3)
    found, known = median_bias(cells, Setting()), median_estimate(cells, Setting())
    np.testing.assert_allclose(found.value, known.value)
    np.testing.assert_allclose(found.mcse, known.mcse)


def test_an_outlier_moves_none_of_them():
    """A hundredth of the errors at 10^6 makes the MSE 10^10; the robust ones stay near those of a normal error."""
    error = np.random.default_rng(5).standard_normal(1000)
    error[:10] = 1e6
    cells, setting = single(error), Setting()
    assert mse(cells, setting).value[0] > 1e9
    assert trimmed_mse(cells, setting).value[0] < 1
    assert winsorized_mse(cells, setting).value[0] < 1.5
    assert abs(median_bias(cells, setting).value[0]) < 0.2


@pytest.mark.parametrize("n", [20, 40, 60, 300])
@pytest.mark.parametrize("measure", [trimmed_mse, winsorized_mse])
def test_how_far_the_farthest_is_moves_neither_value_nor_standard_error(measure, n):
    """It is cut off, be it at 3 or at 10^6."""
    error = np.random.default_rng(n).standard_normal(n)
    farther = error.copy()
    farther[np.abs(error).argmax()] *= 1e6
    one, other = (measure(single(values), Setting(trim=0.05)) for values in (error, farther))
    assert other.value == pytest.approx(one.value)
    assert other.mcse == pytest.approx(one.mcse)


@pytest.mark.parametrize("draw", ["normal", "exponential", "heavy"])
@pytest.mark.parametrize("measure", MEASURES, ids=NAMES)
def test_standard_errors_are_the_spread(measure, draw):
    """Over 1,000 repeats of 300 replicates, within 12 %; the median's is a little wide by design."""
    rng = np.random.default_rng(3)
    shape = (1000, 300)
    error = {
        "normal": lambda: rng.standard_normal(shape),
        "exponential": lambda: rng.exponential(size=shape) - 1,
        "heavy": lambda: rng.standard_t(3, size=shape),
    }[draw]()
    found = measure.function(single(error, n_cells=1000), Setting(trim=0.1))
    assert np.median(found.mcse) / found.value.std(ddof=1) == pytest.approx(1, abs=0.12)


def test_groups_of_a_replicate_count_once():
    """Rows that are the same in all groups of a replicate give value and MCSE of the replicates alone."""
    error = np.random.default_rng(7).exponential(size=80)
    alone = single(error)
    unit = np.arange(80).repeat(4)
    nested = Replicates(columns={"error": error.repeat(4)}, unit=unit, cell=np.zeros(80, int), n_cells=1)
    for measure in (trimmed_mse, winsorized_mse):
        one, four = (measure(cells, Setting(trim=0.1)) for cells in (alone, nested))
        assert four.value == pytest.approx(one.value)
        assert four.mcse == pytest.approx(one.mcse, rel=0.05)
    one, four = (median_bias(cells, Setting()) for cells in (alone, nested))
    assert four.value == pytest.approx(one.value, abs=0.03)
    assert four.mcse == pytest.approx(one.mcse, rel=0.15)


def test_quantiles_are_numpys():
    """The fifth definition of Hyndman & Fan, in each cell by itself; a cell without rows has none."""
    values = np.random.default_rng(9).standard_normal(60)
    cells = Replicates(columns={}, unit=np.arange(60), cell=np.repeat([0, 2], [20, 40]), n_cells=3)
    for p in (0.0, 0.1, 0.5, 0.93, 1.0):
        found = Weighted(cells=cells, values=values).quantile(np.full(3, p))
        expected = [np.quantile(part, p, method="hazen") for part in (values[:20], values[20:])]
        np.testing.assert_allclose(found[[0, 2]], expected)
        assert np.isnan(found[1])
