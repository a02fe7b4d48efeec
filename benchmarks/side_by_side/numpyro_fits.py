"""NumPyro's NUTS, run in the three ways that its users run it: anew per data set, jitted once, and under ``vmap``."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

from side_by_side.answers import judged
from side_by_side.apart import peak_memory_mb
from side_by_side.outcome import Outcome
from side_by_side.problem import ARRAYS, CHAINS, DRAWS, WARMUP, data_sets, study_of

OverChains = Callable[[Callable, Any], Any]


def _effects(n_groups: int) -> tuple[jax.Array, jax.Array]:
    """Sample theta, non-centered, and sigma."""
    mu = numpyro.sample("mu", dist.Normal(0, 10))
    tau = numpyro.sample("tau", dist.HalfNormal(5))
    sigma = numpyro.sample("sigma", dist.Exponential(1))
    with numpyro.plate("group", n_groups):
        z = numpyro.sample("z", dist.Normal(0, 1))
    return numpyro.deterministic("theta", mu + tau * z), sigma


def on_statistics(n: jax.Array, y_mean: jax.Array, y_ss: jax.Array) -> None:
    """The model on sufficient statistics."""
    theta, sigma = _effects(len(n))
    numpyro.sample("y_mean", dist.Normal(theta, sigma / jnp.sqrt(n)), obs=y_mean)
    numpyro.factor("within", -(n.sum() - len(n)) * jnp.log(sigma) - 0.5 * y_ss / sigma**2)


def on_raw(y: jax.Array, group_of: jax.Array, n_groups: int = 8) -> None:
    """The model on raw observations, as a tutorial writes it."""
    theta, sigma = _effects(n_groups)
    numpyro.sample("y", dist.Normal(theta[group_of], sigma), obs=y)


MODELS = {"sufficient": on_statistics, "raw": on_raw}


def new_mcmc(*, fits: int, observations: str) -> Outcome:
    """Measure a new ``MCMC(NUTS(model))`` for each data set, chains vectorized; it compiles every time."""
    data = data_sets(study_of(fits + 1), fits + 1)
    kept, seconds = [], 0.0
    for number, one in enumerate(data):
        started = time.perf_counter()
        mcmc = MCMC(
            NUTS(MODELS[observations]),
            num_warmup=WARMUP,
            num_samples=DRAWS,
            num_chains=CHAINS,
            chain_method="vectorized",
            progress_bar=False,
        )
        mcmc.run(jax.random.key(number), extra_fields=("num_steps",), **ARRAYS[observations](one))
        draws = jax.block_until_ready(mcmc.get_samples(group_by_chain=True))
        if number:  # the first pays for the start of JAX, which is nobody's fit
            seconds += time.perf_counter() - started
            kept.append(draws)
    z_rms, ess = judged(kept, data[1:], name="new MCMC")
    return Outcome(
        name=f"new MCMC ({observations})",
        how="MCMC(NUTS(model)) anew per data set, chains vectorized, all cores; compilation is in the time",
        n_fits=fits,
        seconds=seconds,
        compile_seconds=0.0,
        n_leapfrog=None,
        ess=ess,
        peak_memory_mb=peak_memory_mb(),
        z_rms=z_rms,
    )


def jitted(*, fits: int, observations: str, chains: str) -> Outcome:
    """Measure a whole fit compiled once and called for each data set, chains by ``vmap`` or ``lax.map``."""
    data = data_sets(study_of(fits), fits)
    arrays = [_arrays(ARRAYS[observations](one)) for one in data]
    over_chains: OverChains = (lambda f, keys: jax.vmap(f)(keys)) if chains == "vmap" else jax.lax.map
    compiled, compile_seconds = _compiled(jax.jit(_whole_fit(MODELS[observations], over_chains)), arrays[0], _key(0))
    jax.block_until_ready(compiled(arrays[0], _key(0)))
    started = time.perf_counter()
    out = [jax.block_until_ready(compiled(one, _key(i))) for i, one in enumerate(arrays)]
    seconds = time.perf_counter() - started
    z_rms, ess = judged([draws for draws, _ in out], data, name="jitted")
    return Outcome(
        name=f"jitted once, chains by {chains} ({observations})",
        how="the whole fit compiled once, called per data set, one process, all cores",
        n_fits=fits,
        seconds=seconds,
        compile_seconds=compile_seconds,
        n_leapfrog=sum(int(steps.sum()) for _, steps in out),
        ess=ess,
        peak_memory_mb=peak_memory_mb(),
        z_rms=z_rms,
    )


def vmapped(*, batch: int, batches: int, observations: str, part: int) -> Outcome:
    """Measure fits under ``vmap`` over a batch of data sets, in one process of several."""
    fits = batch * batches
    data = data_sets(study_of(fits * (part + 1)), fits * (part + 1))[-fits:]
    arrays = [_arrays(ARRAYS[observations](one)) for one in data]
    stacked = [jax.tree.map(lambda *a: np.stack(a), *arrays[i : i + batch]) for i in range(0, fits, batch)]
    keys = np.stack([_key(part * fits + i) for i in range(fits)]).reshape(batches, batch, 2)
    fit = jax.jit(jax.vmap(_whole_fit(MODELS[observations], lambda f, keys: jax.vmap(f)(keys))))
    compiled, compile_seconds = _compiled(fit, stacked[0], keys[0])
    started = time.perf_counter()
    out = [jax.block_until_ready(compiled(*one)) for one in zip(stacked, keys, strict=True)]
    seconds = time.perf_counter() - started
    draws, steps = jax.tree.map(lambda *parts: np.concatenate(parts), *out)
    each = [{name: value[i] for name, value in draws.items()} for i in range(fits)]
    z_rms, ess = judged(each, data, name="vmapped")
    return Outcome(
        name=f"vmap over {batch} data sets ({observations})",
        how="NumPyro's NUTS under vmap, one pinned single-threaded process per core",
        n_fits=fits,
        seconds=seconds,
        compile_seconds=compile_seconds,
        n_leapfrog=int(steps.sum()),
        ess=ess,
        peak_memory_mb=peak_memory_mb(),
        z_rms=z_rms,
    )


def _whole_fit(model: Callable, over_chains: OverChains) -> Callable:
    """Return the function (data, key) -> draws by site (chain, draw, *site) and leapfrog steps (chain, transition)."""
    kernel = NUTS(model)

    def fit(data: dict[str, jax.Array], key: jax.Array) -> tuple[dict[str, jax.Array], jax.Array]:
        def chain(key: jax.Array) -> tuple[dict[str, jax.Array], jax.Array]:
            state = kernel.init(key, WARMUP, None, (), data)

            def step(state: Any, _: None) -> tuple[Any, Any]:
                state = kernel.sample(state, (), data)
                return state, (state.z, state.num_steps)

            _, (z, steps) = jax.lax.scan(step, state, length=WARMUP + DRAWS)
            kept = jax.tree.map(lambda leaf: leaf[WARMUP:], z)
            return jax.vmap(kernel.postprocess_fn((), data))(kept), steps

        return over_chains(chain, jax.random.split(jax.random.wrap_key_data(key, impl="threefry2x32"), CHAINS))

    return fit


def _compiled(function: Any, *example: Any) -> tuple[Callable, float]:
    """Return the compiled function and the seconds that it took."""
    started = time.perf_counter()
    return function.lower(*example).compile(), time.perf_counter() - started


def _key(number: int) -> np.ndarray:
    return np.array([0, number], np.uint32)


def _arrays(statistics: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return arrays in JAX's default types."""
    return {
        k: np.asarray(v, np.int32 if np.asarray(v).dtype.kind == "i" else np.float32) for k, v in statistics.items()
    }
