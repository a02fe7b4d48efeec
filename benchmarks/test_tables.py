"""The table side, piece by piece: summarize draws, store a block, score a run."""

import itertools

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.store import Run, RunWriter
from simstudy.store.schema import interval_probabilities
from simstudy.summaries.summaries import summarize

N_FITS, N_CHAINS, N_DRAWS, N_GROUPS = 32, 4, 500, 8
CORRELATION = 0.5


@pytest.fixture(scope="module")
def draws():
    """Autoregressive normal draws of 10 estimands, two of them by group, with mean 3 and standard deviation 2."""
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(N_DRAWS, N_FITS, N_CHAINS, 8 + 2 * N_GROUPS))
    chains = noise.copy()
    for t in range(1, N_DRAWS):
        chains[t] = CORRELATION * chains[t - 1] + np.sqrt(1 - CORRELATION**2) * noise[t]
    values = (3 + 2 * np.moveaxis(chains, 0, 2)).astype(np.float32)
    scalars = {f"scalar_{i}": values[..., i] for i in range(8)}
    return scalars | {"theta": values[..., 8:16], "shrinkage_weight": values[..., 16:]}


def test_summarize(benchmark, draws):
    """Mean, sd and ESS average to their known values, within 5 standard errors over the rows.

    The effective sample size of the mean of an autoregression is n (1 - r) / (1 + r).
    """
    truth = {name: np.full((N_FITS, *value.shape[3:]), 3.0) for name, value in draws.items()}
    options = {
        "probabilities": interval_probabilities((0.5, 0.8, 0.9, 0.95)),
        "rank_key": np.arange(N_FITS, dtype=np.uint64),
    }
    summary = benchmark.pedantic(summarize, args=(draws, truth), kwargs=options, rounds=3, warmup_rounds=1)
    columns = summary.columns
    expected = {"mean": 3.0, "sd": 2.0, "ess_bulk": N_CHAINS * N_DRAWS * (1 - CORRELATION) / (1 + CORRELATION)}
    for name, value in expected.items():
        error = columns[name].std() / np.sqrt(len(columns[name]))
        # The estimator of the ESS is biased by a few per cent at 500 draws; its rows are independent.
        assert abs(columns[name].mean() - value) < 5 * error + (0.05 * value if name == "ess_bulk" else 0), name
    benchmark.extra_info["rows"] = len(columns["mean"])
    benchmark.extra_info["ess"] = float(columns["ess_bulk"].sum())


def test_store(benchmark, study, rows, tmp_path):
    """A block is on disk as it was given."""
    numbers = itertools.count()

    def empty_run():
        return (_opened(tmp_path / str(next(numbers)), study),), {}

    benchmark.pedantic(lambda writer: _write(writer, rows), setup=empty_run, rounds=5, warmup_rounds=1)
    stored = Run.open(tmp_path / "0").estimates
    assert len(stored) == len(rows.estimates["mean"])
    theta = rows.estimates["estimand"] == "theta"
    np.testing.assert_array_equal(
        np.sort(stored.loc[stored["estimand"] == "theta", "mean"]), np.sort(rows.estimates["mean"][theta])
    )
    benchmark.extra_info["rows"] = len(stored)


def test_score(benchmark, study, rows, tmp_path):
    """The performance of a run; bias of mu and its MCSE are those of the stored errors."""
    _write(_opened(tmp_path / "run", study), rows)
    run = Run.open(tmp_path / "run")
    performance = benchmark.pedantic(simstudy.performance, args=(run,), rounds=3, warmup_rounds=1)
    bias = performance.query("estimand == 'mu' and measure == 'bias'").iloc[0]
    mu = run.estimates.query("estimand == 'mu'")
    error = mu["mean"] - mu["truth"]
    assert bias["value"] == pytest.approx(error.mean())
    assert bias["mcse"] == pytest.approx(error.std(ddof=1) / np.sqrt(len(error)))
    benchmark.extra_info["rows"] = len(performance)


def _opened(folder, study):
    writer = RunWriter.create_or_continue(folder, study.canonical)
    writer.write_scenarios(pd.DataFrame(study.scenario_rows()))
    writer.write_methods(pd.DataFrame(study.method_rows()))
    return writer


def _write(writer, rows):
    with writer:
        writer.write_block(
            rows.batch,
            fits=rows.fits,
            chains=rows.chains,
            estimates=rows.estimates,
            groups=rows.groups,
            timings=rows.timings,
        )
