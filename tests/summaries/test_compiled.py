"""Compiled rows against NumPy's, against ArviZ, and on draws made to break them."""

import os
import subprocess
import sys

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import given, settings
from hypothesis import strategies as st

from simstudy.store.schema import mcse_column, quantile_column
from simstudy.summaries import engine
from simstudy.summaries import rows as in_numpy
from simstudy.summaries.compiled import rows as compiled
from simstudy.summaries.compiled import stored
from simstudy.summaries.compiled.order import sort_row
from simstudy.summaries.ranks import sort_rows

PROBABILITIES = (0.025, 0.05, 0.25, 0.75, 0.95, 0.975)
ESS_TOLERANCE = 3e-5  # autocovariances are summed in float32
KINDS = {
    "normal": lambda x: x,
    "float32": lambda x: x.astype(np.float32),
    "ties": lambda x: np.round(x, 1),
    "integers": lambda x: np.round(3 * x),
    "two values": np.sign,
    "heavy tails": lambda x: np.sinh(5 * x),
    "far from 0": lambda x: x + 1e6,
    "tiny": lambda x: 1e-30 * x,
    "one outlier": lambda x: np.where(x == x.max(), 100.0, x),
    "repeats": lambda x: np.repeat(x[..., ::2], 2, axis=-1)[..., : x.shape[-1]],
    "constant": lambda x: np.full_like(x, 0.1),
    "infinite": lambda x: np.where(x > 1, np.inf, x),
    "not a number": lambda x: np.where(x > 1, np.nan, x),
    "like rows": lambda x: np.repeat(x[:1], len(x), axis=0),
    "chains apart": lambda x: x + 3 * np.arange(x.shape[-2])[:, None],
}
shapes = st.sampled_from([(4, 500), (4, 100), (2, 101), (1, 7), (3, 130), (1, 4), (2, 3), (1, 1)])


def autoregression(shape, rho, seed):
    noise = np.random.default_rng(seed).normal(size=shape)
    x = noise.copy()
    for t in range(1, shape[-1]):
        x[..., t] = rho * x[..., t - 1] + np.sqrt(1 - rho**2) * noise[..., t]
    return x


def assert_agree(draws, truth, *, is_indicator):
    """Every column, missing ones included: 3e-5 where autocovariances matter, rounding of the draws' size elsewhere.

    The error of the sd is a difference, which rounding leaves where all squared deviations are equal.
    """
    ours = compiled.row_columns(draws, truth, PROBABILITIES, is_indicator=is_indicator)
    oracle = in_numpy.row_columns(draws, truth, PROBABILITIES, is_indicator=is_indicator)
    assert ours.keys() == oracle.keys()
    size = np.nanmax(np.abs(np.where(np.isfinite(draws), draws, 0.0)), axis=(1, 2))
    sized = ("mean", "median", "sd", "crps", "truth", "q", "hdi", "mcse")
    for name, value in oracle.items():
        if name in ("n_below", "n_tied", "is_finite"):
            np.testing.assert_array_equal(ours[name], value, err_msg=name)
            continue
        relative = ESS_TOLERANCE if name.startswith(("ess", "mcse")) else 1e-8 if name == "log_score" else 1e-10
        rounding = (1e-8 if name == "mcse_sd" else 1e-12) * (size if name.startswith(sized) else 1.0)
        is_close = np.isclose(ours[name], value, rtol=relative, atol=0, equal_nan=True)
        with np.errstate(invalid="ignore"):
            is_close |= np.abs(ours[name] - value) <= rounding
        assert is_close.all(), (name, ours[name], value)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(list(KINDS)), shapes, st.sampled_from([-0.7, 0.0, 0.6, 0.97]), st.integers(0, 2**32))
def test_compiled_rows_are_those_of_numpy(kind, shape, rho, seed):
    """Ties, constants, two values, infinities, outliers, odd and short chains, rows that are equal, missing truths."""
    draws = np.asarray(KINDS[kind](autoregression((3, *shape), rho, seed)), float)
    truth = np.array([np.nan, draws[1, 0, 0], 0.3])
    assert_agree(draws, np.where(np.isfinite(truth), truth, np.nan), is_indicator=np.zeros(3, bool))


@settings(deadline=None, max_examples=100)
@given(
    shapes,
    st.lists(st.sampled_from([0.0, 0.004, 0.03, 0.3, 0.8, 0.99, 1.0]), min_size=3, max_size=3),
    st.integers(0, 99),
)
def test_zeros_and_ones_are_those_of_numpy(shape, shares, seed):
    """Shares near and at the ends, whose quantiles and intervals are at an end of the range."""
    draws = (np.random.default_rng(seed).random((3, *shape)) < np.array(shares)[:, None, None]).astype(float)
    is_half = draws.mean(axis=(1, 2)) == 0.5  # all squared deviations are equal: the error of the sd is rounding
    assert_agree(draws[~is_half], np.array([0.0, 1.0, np.nan])[~is_half], is_indicator=np.ones(sum(~is_half), bool))


@pytest.mark.parametrize("kind", ["normal", "ties", "heavy tails", "chains apart"])
@pytest.mark.parametrize("n_draws", [101, 500])
def test_diagnostics_and_errors_of_quantiles_are_those_of_arviz(kind, n_draws):
    """Independent implementation of every diagnostic, and of section 4.4 of Vehtari et al. (2021)."""
    draws = KINDS[kind](autoregression((3, 4, n_draws), 0.5, 11))
    ours = compiled.row_columns(draws, np.zeros(3), PROBABILITIES, is_indicator=np.zeros(3, bool))
    for i, row in enumerate(draws):
        np.testing.assert_allclose(ours["rhat"][i], array_stats.rhat(row), rtol=1e-12)
        np.testing.assert_allclose(ours["ess_bulk"][i], array_stats.ess(row, method="bulk"), rtol=ESS_TOLERANCE)
        tail = array_stats.ess(row, method="tail", prob=(0.05, 0.95))
        np.testing.assert_allclose(ours["ess_tail"][i], tail, rtol=ESS_TOLERANCE)
        np.testing.assert_allclose(ours["mcse_mean"][i], array_stats.mcse(row, method="mean"), rtol=ESS_TOLERANCE)
        for column, p in [("median", 0.5), *((quantile_column(p), p) for p in PROBABILITIES)]:
            error = array_stats.mcse(row, method="quantile", prob=p)
            np.testing.assert_allclose(ours[mcse_column(column)][i], error, rtol=1e-9, err_msg=column)


def test_errors_of_quantiles_are_what_quantiles_err_by():
    """The root mean square error of the quantiles of 1,000 independent sets is that of their stated errors.

    The ends of the interval are draws, one step of 27 too far apart at the 5 % quantile.
    """
    draws = np.random.default_rng(5).normal(size=(1000, 4, 1000))
    ours = compiled.row_columns(draws, np.full(1000, np.nan), (0.05, 0.75), is_indicator=np.zeros(1000, bool))
    for name, truth in (("median", 0.0), ("q5", -1.6448536), ("q75", 0.6744898)):
        spread = np.sqrt(np.mean((ours[name] - truth) ** 2))
        stated = np.sqrt(np.mean(ours[mcse_column(name)] ** 2))
        assert abs(stated / spread - 1) < 4 / np.sqrt(2 * 1000) + 1 / 27, name


@pytest.mark.parametrize("n", [2, 3, 1000, 2000])
@pytest.mark.parametrize("kind", ["plain", "equal keys", "descending", "all equal"])
def test_rows_are_sorted_whatever_their_keys_tell_apart(n, kind):
    """Values that the keys cannot tell apart are sorted by comparisons, and each keeps its place."""
    x = np.random.default_rng(n).normal(size=n)
    x = {"plain": x, "equal keys": 1e9 + 1e-3 * x, "descending": np.sort(x)[::-1].copy(), "all equal": 0 * x}[kind]
    ordered, place = np.empty(n), np.empty(n, np.int32)
    keys = np.zeros(n, np.float32) if kind == "equal keys" else x.astype(np.float32)
    sort_row(x, keys, np.empty((2, 2048), np.int32), np.empty(n, np.uint64), np.empty(n, np.uint64), ordered, place)
    np.testing.assert_array_equal(ordered, np.sort(x))
    np.testing.assert_array_equal(x[place], ordered)
    assert sorted(place.tolist()) == list(range(n))
    np.testing.assert_array_equal(ordered, sort_rows(x[None]).values[0])


def test_a_row_does_not_depend_on_its_neighbors():
    """To the last bit: rows alone equal rows together."""
    draws = autoregression((6, 4, 130), 0.4, 3)
    together = compiled.row_columns(draws, np.zeros(6), PROBABILITIES, is_indicator=np.zeros(6, bool))
    for i in range(6):
        alone = compiled.row_columns(draws[i : i + 1], np.zeros(1), PROBABILITIES, is_indicator=np.zeros(1, bool))
        for name, value in alone.items():
            np.testing.assert_array_equal(value[0], together[name][i], err_msg=name)


ROWS = """
import hashlib
import numpy as np
from simstudy.summaries.engine import row_columns
draws = np.random.default_rng(0).normal(size=(100, 4, 200))
columns = row_columns()(draws, np.linspace(-1, 1, 100), (0.05, 0.95), is_indicator=np.zeros(100, bool))
print(hashlib.md5(b"".join(np.ascontiguousarray(columns[name]).tobytes() for name in sorted(columns))).hexdigest())
"""


def rows_of_a_process(**environment):
    """Digest of the rows that a process of its own makes of given draws."""
    run = subprocess.run(
        [sys.executable, "-c", ROWS], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return run.stdout


@pytest.mark.statistical
def test_rows_are_the_same_whoever_compiled_them(tmp_path):
    """To the last bit: of a process that finds nothing stored, of the next, which loads, and of this machine's own."""
    elsewhere = {"NUMBA_CACHE_DIR": str(tmp_path)}
    assert rows_of_a_process(**elsewhere) == rows_of_a_process(**elsewhere) == rows_of_a_process()


def test_compiled_functions_are_stored():
    """Asking for the fastest rows leaves them where every process finds them."""
    assert engine.row_columns() is compiled.row_columns
    assert stored.is_stored()
    assert any(stored.folder().glob("rows.describe-*.nbi"))


def test_functions_stored_of_older_sources_do_not_count(monkeypatch, tmp_path):
    """A source that is newer than what is stored, whichever of them, is compiled anew."""
    engine.row_columns()
    (tmp_path / "newer.py").touch()
    monkeypatch.setattr(stored, "_sources", lambda: [tmp_path / "newer.py"])
    assert not stored.is_stored()
