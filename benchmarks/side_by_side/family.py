"""Families side by side: whole studies of a sum of terms against NumPyro's NUTS under ``vmap`` on the same program.

The peer runs the program of the study's own model, on its sufficient statistics and non-centered, as a user of NumPyro
would write it well; its batch and its process per core are those that serve it best. Answers are held to each other
before times count.
"""

import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpyro.diagnostics import effective_sample_size

import simstudy
from side_by_side.apart import peak_memory_mb
from side_by_side.numpyro_fits import _arrays, _compiled, _key, _whole_fit
from side_by_side.outcome import Outcome
from side_by_side.problem import CHAINS, DRAWS, WARMUP
from simstudy.study.study import Study

LATTICE = {"lattice": [5, 5]}
DAYS = {"name": "day", "values": [float(day) for day in range(10)]}
FAMILIES: dict[str, dict[str, Any]] = {
    "poisson": {"likelihood": "poisson", "per_cell": 10, "mu": 0.5, "terms": {"group": {"levels": 8, "tau": 0.5}}},
    "nested": {
        "per_cell": 5,
        "terms": {"school": {"levels": 6, "tau": 1.0}, "class": {"within": "school", "levels": 4, "tau": 0.5}},
    },
    "crossed": {"per_cell": 3, "terms": {"row": {"levels": 8, "tau": 1.0}, "item": {"levels": 6, "tau": 0.5}}},
    "slopes": {
        "mu": 2.5,
        "sigma": 0.25,
        "terms": {"subject": {"structure": "slopes", "levels": 12, "covariate": DAYS, "tau": 0.25, "tau_slope": 0.06}},
    },
    "icar": {
        "likelihood": "poisson",
        "exposure": 20.0,
        "terms": {"area": {"structure": "icar", "graph": LATTICE, "tau": 0.5}},
    },
    "random_walk": {"per_cell": 4, "terms": {"time": {"structure": "random_walk", "levels": 24, "tau": 0.5}}},
}
"""Mechanism of each family, with 8 to 36 effects."""


def study_of(family: str, replicates: int) -> Study:
    """Return a study of one scenario and one method, partial pooling of every term."""
    return Study.from_dict(
        {
            "study": {"name": family, "seed": 11, "replicates": replicates},
            "mechanism": {"kind": "multilevel", **FAMILIES[family]},
            "method": [{"name": "partial", "pooling": "partial"}],
            "sampler": {"kind": "nuts", "chains": CHAINS, "warmup": WARMUP, "draws": DRAWS},
        }
    )


def ours(*, family: str, fits: int, workers: int) -> dict[str, Any]:
    """Run a study twice, the first time for its programs, and return what the second took, first block to last."""
    with tempfile.TemporaryDirectory() as folder:
        warm = simstudy.run(study_of(family, 64 * workers), out=Path(folder) / "warm", workers=workers, quiet=True)
        run = simstudy.run(study_of(family, fits), out=Path(folder) / "run", workers=workers, quiet=True)
        timings = run.timings.sort_values("ended")
        later = timings.iloc[1:]
        seconds = (later["ended"].max() - timings["ended"].iloc[0]).total_seconds()
        estimates = run.estimates
        ess = estimates.groupby("replicate", observed=True)["ess_bulk"].min().sum()
        mu = estimates[estimates["estimand"] == "mu"].sort_values("replicate")
        fitted = run.fits
        n_leapfrog = int(fitted["n_leapfrog"].sum() + fitted["n_leapfrog_warmup"].sum())
        compile_seconds = float(warm.timings["compile_seconds"].max())
    outcome = Outcome(
        name=f"simstudy, {workers} workers",
        how="simstudy.run: simulation, sampling, summaries and storage, one pinned process per core",
        n_fits=int(later["n_fits"].sum()),
        seconds=seconds,
        compile_seconds=compile_seconds,
        n_leapfrog=n_leapfrog,
        ess=float(ess),
        peak_memory_mb=float(later["peak_memory_mb"].max()),
        z_rms=float("nan"),
    )
    return {"outcome": asdict(outcome), "mu": mu[["mean", "mcse_mean"]].to_numpy().tolist()}


def vmapped(*, family: str, batch: int, batches: int, part: int) -> dict[str, Any]:
    """Fit under ``vmap`` over batches of data sets, in one process of several."""
    n = batch * batches
    study = study_of(family, 1)
    scenario, model = study.scenarios[0], study.methods[0].model
    keys = np.stack([study.data_key(scenario, part * n + i) for i in range(n)])
    data = [replicate.data for replicate in scenario.mechanism.simulate(keys)]
    bound, arrays = model.bound(data[0]), model.arrays(data)
    each = [_arrays({name: leaf[i] for name, leaf in arrays.items()}) for i in range(n)]
    stacked = [jax.tree.map(lambda *a: np.stack(a), *each[i : i + batch]) for i in range(0, n, batch)]
    sampler_keys = np.stack([_key(part * n + i) for i in range(n)]).reshape(batches, batch, 2)
    fit = jax.jit(jax.vmap(_whole_fit(lambda **leaves: bound(leaves), lambda f, keys: jax.vmap(f)(keys))))
    compiled, compile_seconds = _compiled(fit, stacked[0], sampler_keys[0])
    started = time.perf_counter()
    out = [jax.block_until_ready(compiled(*one)) for one in zip(stacked, sampler_keys, strict=True)]
    seconds = time.perf_counter() - started
    draws, steps = jax.tree.map(lambda *parts: np.concatenate(parts), *out)
    # The intercept; with covariates, what is sampled is the predictor at their means.
    restored = model.location.restore(draws, dict(model.priors), arrays, draws[next(iter(draws))].shape[:3])
    mu = restored["mu"]
    size = [effective_sample_size(one) for one in mu]
    outcome = Outcome(
        name=f"vmap over {batch} data sets",
        how="NumPyro's NUTS under vmap on the same program, one pinned single-threaded process per core",
        n_fits=n,
        seconds=seconds,
        compile_seconds=compile_seconds,
        n_leapfrog=int(steps.sum()),
        ess=float(np.sum(size)),
        peak_memory_mb=peak_memory_mb(),
        z_rms=float("nan"),
    )
    mcse = mu.std((1, 2)) / np.sqrt(size)
    return {"outcome": asdict(outcome), "mu": np.stack([mu.mean((1, 2)), mcse], 1).tolist(), "part": part}
