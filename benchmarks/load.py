"""A run of a million fits and twenty million estimates, made and not fitted: how long scoring and reporting take.

    python benchmarks/load.py make FOLDER [--fits 1000000] [--scenarios 10]
    python benchmarks/load.py measure FOLDER

``make`` writes the run block by block, as a run of such a study would have. ``measure`` scores it, and writes its
report, each in a process of its own that may use 4 GB, and prints seconds and peak memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri

from simstudy.fitting.blocks import Block, plan_blocks
from simstudy.store import RunWriter
from simstudy.store.schema import interval_probabilities, quantile_column
from simstudy.study.study import Study

LIMIT_BYTES = 4 * 2**30
N_GROUPS, GROUP_SIZE, N_CHAINS, N_DRAWS = 6, 10, 4, 500
SCALARS = ("theta_mean", "theta_sd", "theta_new", "y_new", "log_lik", "sigma")
BY_GROUP = {
    "none": ("theta", "prob_best"),
    "complete": ("theta",),
    "partial": ("theta", "prob_best", "shrinkage_weight"),
}
MORE = {"none": (), "complete": ("mu",), "partial": ("mu", "tau")}
START = pd.Timestamp("2026-01-01", tz="UTC")
STEPS = {
    "score": "from simstudy.measures import performance; from simstudy.store import Run; performance(Run.open({!r}))",
    "report": "from simstudy.cli import main; import sys; sys.argv = ['simstudy', 'report', {!r}]; main()",
}


def study_of(n_fits: int, n_scenarios: int) -> Study:
    """Return a study of about so many fits: scenarios differ in tau, and four methods fit each."""
    partial = {"structure": "partial"}
    return Study.from_dict(
        {
            "study": {"name": "load", "replicates": max(1, n_fits // (4 * n_scenarios))},
            "mechanism": {
                "kind": "exchangeable",
                "groups": N_GROUPS,
                "group_size": GROUP_SIZE,
                "tau": [round(0.2 * i, 1) for i in range(n_scenarios)],
            },
            "method": [
                {"name": "none", "structure": "none"},
                {"name": "complete", "structure": "complete"},
                {"name": "partial, centered", **partial, "parameterization": "centered"},
                {"name": "partial", **partial},
            ],
            "sampler": {"kind": "nuts", "chains": N_CHAINS, "draws": N_DRAWS},
        }
    )


def make(folder: Path, study: Study) -> None:
    """Write the run."""
    with RunWriter.create_or_continue(folder, study.canonical) as writer:
        writer.write_scenarios(pd.DataFrame(study.scenario_rows()))
        writer.write_methods(pd.DataFrame(study.method_rows()))
        for number, block in enumerate(plan_blocks(study, {})):
            writer.write_block(block.batch, **rows_of(block, np.random.default_rng(number), number))


def rows_of(block: Block, rng: np.random.Generator, number: int) -> dict[str, dict]:
    """Return the tables of a block; the data of a replicate are the same for all methods."""
    method = block.study.methods[block.method]
    scenario, replicate = np.array(block.fits).T
    identity = np.array([s.identity for s in block.study.scenarios], dtype=object)
    tau = np.array([dict(s.factors)["tau"] for s in block.study.scenarios])[scenario]
    keys = {"scenario": identity[scenario], "replicate": replicate, "method": method.name}
    n = len(scenario)
    leapfrogs = rng.poisson(8000, n)
    n_divergent = rng.poisson(np.where(method.name.endswith(", centered"), 2.0, 0.1), n)
    fits = {
        **keys,
        "status": np.where(rng.random(n) < 0.002, "failed", "ok").astype(object),
        "n_divergent": n_divergent,
        "n_max_treedepth": 0,
        "max_rhat": 1 + 0.01 * rng.random(n),
        "min_ess_bulk": rng.uniform(350, 900, n),
        "min_ess_tail": rng.uniform(350, 900, n),
        "min_ebfmi": rng.uniform(0.5, 1, n),
        "mean_accept": rng.uniform(0.8, 0.9, n),
        "n_leapfrog": leapfrogs,
        "n_leapfrog_warmup": leapfrogs,
        "n_draws": N_CHAINS * N_DRAWS,
        "data_key": np.array([f"{s:08x}{r:08x}" for s, r in block.fits], dtype=object),
        "sampler_key": np.array([f"{r:08x}{s:08x}" for s, r in block.fits], dtype=object),
    }
    data = {(s, r): _data(int(s), int(r), t) for s, r, t in zip(scenario, replicate, tau, strict=True)}
    theta = np.stack([data[fit][0] for fit in zip(scenario, replicate, strict=True)])
    y = np.stack([data[fit][1] for fit in zip(scenario, replicate, strict=True)])
    used = fits["status"] == "ok"
    return {
        "fits": fits,
        "estimates": _estimates(rng, method.name, {**keys}, theta, y, tau, used),
        "groups": _groups(keys, y),
        "chains": _chains(rng, keys, n_divergent),
        "timings": _timing(block, method.name, number, leapfrogs),
    }


def _data(scenario: int, replicate: int, tau: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng((scenario, replicate))
    theta = tau * rng.standard_normal(N_GROUPS)
    return theta, theta + rng.standard_normal(N_GROUPS) / np.sqrt(GROUP_SIZE)


def _estimates(rng, name: str, keys: dict, theta: np.ndarray, y: np.ndarray, tau: np.ndarray, used: np.ndarray) -> dict:
    structure = name.partition(",")[0]
    weight = {"none": 0.0, "complete": 1.0}.get(structure, 1 / (1 + GROUP_SIZE * tau**2)[:, None])
    mean = weight * y.mean(1, keepdims=True) + (1 - weight) * y
    parts = []
    for estimand in (*BY_GROUP[structure], *SCALARS, *MORE[structure]):
        width = N_GROUPS if estimand in BY_GROUP[structure] else 1
        truth, estimate = _of(estimand, theta, mean, tau, rng, width)
        parts.append(_rows(rng, estimand, keys, truth, estimate, used, width))
    return {column: np.concatenate([part[column] for part in parts]) for column in parts[0]} | {"scale": "natural"}


def _of(estimand: str, theta, mean, tau, rng, width: int) -> tuple[np.ndarray, np.ndarray]:
    n = len(theta)
    single = {"tau": tau, "theta_mean": theta.mean(1), "theta_sd": theta.std(1, ddof=1), "sigma": np.ones(n)}
    if estimand == "theta":
        return theta, mean
    if estimand == "shrinkage_weight":
        truth = np.repeat(1 / (1 + GROUP_SIZE * tau**2)[:, None], width, axis=1)
        return truth, np.clip(truth * rng.uniform(0.8, 1.1, truth.shape), 0, 1)
    if estimand == "prob_best":
        return (theta == theta.max(1, keepdims=True)).astype(float), np.full((n, width), 1 / width)
    truth = single.get(estimand, np.zeros(n))[:, None]
    return truth, truth + 0.3 * rng.standard_normal((n, 1))


def _rows(rng, estimand: str, keys: dict, truth, estimate, used, width: int) -> dict[str, np.ndarray]:
    rows = np.repeat(np.flatnonzero(used), width)
    mean, truth = estimate[used].ravel(), truth[used].ravel()
    n = len(mean)
    sd = rng.uniform(0.25, 0.35, n)
    z = (truth - mean) / sd
    quantiles = {quantile_column(p): mean + sd * ndtri(p) for p in interval_probabilities((0.5, 0.8, 0.9, 0.95))}
    return {
        "scenario": keys["scenario"][rows],
        "replicate": keys["replicate"][rows],
        "method": np.full(n, keys["method"], dtype=object),
        "estimand": np.full(n, estimand, dtype=object),
        "group": np.tile(np.arange(width, dtype=float), used.sum()) if width > 1 else np.full(n, np.nan),
        "truth": truth,
        "mean": mean,
        "median": mean,
        "sd": sd,
        **quantiles,
        "rank": rng.integers(0, 100, n),
        "n_rank": np.full(n, 99),
        "pit": rng.random(n),
        "ess_bulk": rng.uniform(400, 2000, n),
        "ess_tail": rng.uniform(400, 2000, n),
        "rhat": 1 + 0.01 * rng.random(n),
        "mcse_mean": sd / 30,
        "mcse_sd": sd / 40,
        "crps": sd * rng.random(n),
        "log_score": 0.5 * z**2 + np.log(sd),
    }


def _groups(keys: dict, y: np.ndarray) -> dict:
    n = len(y)
    return {
        "scenario": np.repeat(keys["scenario"], N_GROUPS),
        "replicate": np.repeat(keys["replicate"], N_GROUPS),
        "group": np.tile(np.arange(N_GROUPS), n),
        "n_obs": GROUP_SIZE,
        "y_mean": y.ravel(),
        "y_sd": 1.0,
        "data_digest": np.repeat([f"{value:016x}" for value in y[:, 0].view(np.int64) & (2**63 - 1)], N_GROUPS),
    }


def _chains(rng, keys: dict, n_divergent: np.ndarray) -> dict:
    n = len(n_divergent)
    return {
        "scenario": np.repeat(keys["scenario"], N_CHAINS),
        "replicate": np.repeat(keys["replicate"], N_CHAINS),
        "method": keys["method"],
        "chain": np.tile(np.arange(N_CHAINS), n),
        "step_size": rng.uniform(0.2, 0.5, n * N_CHAINS),
        "n_divergent": rng.binomial(np.repeat(n_divergent, N_CHAINS), 1 / N_CHAINS),
    }


def _timing(block: Block, method: str, number: int, leapfrogs: np.ndarray) -> dict:
    started = START + pd.Timedelta(seconds=10 * (number // 2))
    return {
        "batch": [block.batch],
        "method": method,
        "program": block.program,
        "compile_seconds": 0.0,
        "run_seconds": 9.0,
        "n_fits": len(leapfrogs),
        "n_leapfrog": 2 * int(leapfrogs.sum()),
        "started": started,
        "ended": started + pd.Timedelta(seconds=10),
        "platform": "cpu",
        "worker": str(number % 2),
    }


def measure(folder: Path) -> None:
    """Print how long each step took, and the most memory that its process held."""
    for step, code in STEPS.items():
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", code.format(str(folder))], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds, peak = time.perf_counter() - started, usage.ru_maxrss * 1024
        print(f"{step}: {seconds:.0f} s, peak {peak / 2**30:.2f} GB, exit code {os.waitstatus_to_exitcode(status)}")
        if status or peak > LIMIT_BYTES:
            raise SystemExit(f"{step}: expected exit code 0 within {LIMIT_BYTES / 2**30:g} GB")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("make", "measure"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fits", type=int, default=1_000_000)
    parser.add_argument("--scenarios", type=int, default=10)
    options = parser.parse_args()
    if options.what == "measure":
        measure(options.folder)
        return
    started = time.perf_counter()
    make(options.folder, study_of(options.fits, options.scenarios))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"made in {time.perf_counter() - started:.0f} s, peak {peak:.2f} GB")


if __name__ == "__main__":
    main()
