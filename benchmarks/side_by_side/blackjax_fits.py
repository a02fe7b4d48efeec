"""BlackJAX's NUTS with its window adaptation: the whole fit compiled once and called for each data set."""

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from side_by_side.answers import judged
from side_by_side.apart import peak_memory_mb
from side_by_side.outcome import Outcome
from side_by_side.problem import CHAINS, DRAWS, WARMUP, data_sets, statistics, study_of


def measure(*, fits: int) -> Outcome:
    """Measure BlackJAX on sufficient statistics, chains by ``lax.map``."""
    data = data_sets(study_of(fits), fits)
    arrays = [jax.tree.map(np.float32, statistics(one)) for one in data]
    keys = jax.random.split(jax.random.key(0), fits)
    started = time.perf_counter()
    compiled = jax.jit(_whole_fit()).lower(arrays[0], keys[0]).compile()
    compile_seconds = time.perf_counter() - started
    jax.block_until_ready(compiled(arrays[0], keys[0]))
    started = time.perf_counter()
    out = [jax.block_until_ready(compiled(*one)) for one in zip(arrays, keys, strict=True)]
    seconds = time.perf_counter() - started
    z_rms, ess = judged([draws for draws, _ in out], data, name="BlackJAX")
    return Outcome(
        name="BlackJAX, jitted once (sufficient)",
        how="the whole fit compiled once, called per data set, chains by lax.map, one process, all cores",
        n_fits=fits,
        seconds=seconds,
        compile_seconds=compile_seconds,
        n_leapfrog=sum(int(steps.sum()) for _, steps in out),
        ess=ess,
        peak_memory_mb=peak_memory_mb(),
        z_rms=z_rms,
    )


def _log_density(q: dict[str, jax.Array], data: dict[str, jax.Array]) -> jax.Array:
    """Return the log posterior in (mu, log tau, log sigma, z)."""
    tau, sigma, n = jnp.exp(q["log_tau"]), jnp.exp(q["log_sigma"]), data["n"]
    prior = -(q["mu"] ** 2) / 200 - tau**2 / 50 + q["log_tau"] - sigma + q["log_sigma"] - 0.5 * (q["z"] ** 2).sum()
    error = data["y_mean"] - q["mu"] - tau * q["z"]
    return prior - n.sum() * q["log_sigma"] - 0.5 * (data["y_ss"] + (n * error**2).sum()) / sigma**2


def _whole_fit() -> Callable:
    import blackjax

    def fit(data: dict[str, jax.Array], key: jax.Array):
        log_density = lambda q: _log_density(q, data)  # noqa: E731
        warmup = blackjax.window_adaptation(blackjax.nuts, log_density)

        def chain(key: jax.Array):
            at_start, at_warmup, at_draws = jax.random.split(key, 3)
            u = jax.random.uniform(at_start, (3 + len(data["n"]),), minval=-2, maxval=2)
            start = {"mu": u[0], "log_tau": u[1], "log_sigma": u[2], "z": u[3:]}
            (state, tuned), info = warmup.run(at_warmup, start, WARMUP)
            kernel = blackjax.nuts(log_density, **tuned)

            def step(state, key):
                state, of_draw = kernel.step(key, state)
                return state, (state.position, of_draw.num_integration_steps)

            _, (q, steps) = jax.lax.scan(step, state, jax.random.split(at_draws, DRAWS))
            tau = jnp.exp(q["log_tau"])
            draws = {"mu": q["mu"], "tau": tau, "sigma": jnp.exp(q["log_sigma"])}
            draws["theta"] = q["mu"][:, None] + tau[:, None] * q["z"]
            return draws, steps.sum() + info.info.num_integration_steps.sum()

        return jax.lax.map(chain, jax.random.split(key, CHAINS))

    return fit
