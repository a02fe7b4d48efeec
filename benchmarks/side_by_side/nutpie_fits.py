"""nutpie: a PyMC model compiled once, new data for each fit, chains on all cores."""

import time
import warnings

import numpy as np

from side_by_side.answers import judged
from side_by_side.apart import cores, peak_memory_mb
from side_by_side.outcome import Outcome
from side_by_side.problem import ARRAYS, CHAINS, DRAWS, WARMUP, data_sets, study_of
from simstudy.types import GroupedData


def measure(*, fits: int, observations: str) -> Outcome:
    """Measure nutpie with its defaults, but for the numbers of chains and draws."""
    import nutpie

    warnings.simplefilter("ignore")
    data = data_sets(study_of(fits), fits)
    started = time.perf_counter()
    compiled = nutpie.compile_pymc_model(_model(data[0], observations))
    compile_seconds = time.perf_counter() - started

    def fit(one: GroupedData, seed: int):
        arrays = {name: value for name, value in ARRAYS[observations](one).items() if name not in ("n", "group_of")}
        return nutpie.sample(
            compiled.with_data(**arrays),
            chains=CHAINS,
            tune=WARMUP,
            draws=DRAWS,
            cores=len(cores()),
            seed=seed,
            progress_bar=False,
        )

    fit(data[0], 0)
    started = time.perf_counter()
    traces = [fit(one, seed) for seed, one in enumerate(data)]
    seconds = time.perf_counter() - started
    draws = [{name: trace.posterior[name].values for name in ("mu", "tau", "sigma", "theta")} for trace in traces]
    z_rms, ess = judged(draws, data, name="nutpie")
    return Outcome(
        name=f"nutpie ({observations})",
        how="compiled once (numba), new data per fit, its own warm-up, chains on all cores",
        n_fits=fits,
        seconds=seconds,
        compile_seconds=compile_seconds,
        n_leapfrog=sum(map(_n_leapfrog, traces)),
        ess=ess,
        peak_memory_mb=peak_memory_mb(),
        z_rms=z_rms,
    )


def _model(data: GroupedData, observations: str):
    import pymc as pm

    arrays = ARRAYS[observations](data)
    with pm.Model() as model:
        mu, tau, sigma = pm.Normal("mu", 0, 10), pm.HalfNormal("tau", 5), pm.Exponential("sigma", 1)
        theta = pm.Deterministic("theta", mu + tau * pm.Normal("z", 0, 1, shape=data.n_groups))
        if observations == "raw":
            pm.Normal("observed", theta[arrays["group_of"]], sigma, observed=pm.Data("y", arrays["y"]))
        else:
            n, n_within = arrays["n"], float(arrays["n"].sum() - len(arrays["n"]))
            y_ss = pm.Data("y_ss", arrays["y_ss"])
            pm.Normal("observed", theta, sigma / np.sqrt(n), observed=pm.Data("y_mean", arrays["y_mean"]))
            pm.Potential("within", -n_within * pm.math.log(sigma) - 0.5 * y_ss / sigma**2)
    return model


def _n_leapfrog(trace) -> int:
    groups = (trace.sample_stats, trace.warmup_sample_stats)
    return sum(int(group["n_steps"].values.sum()) for group in groups)
