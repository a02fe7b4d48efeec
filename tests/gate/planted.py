"""Small samplers for the gate, right as they stand, and each with a bug that is planted by name."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer.util import log_density

from simstudy.streams import random_key
from simstudy.testing.gating.posteriors import POSTERIORS
from simstudy.testing.gating.problem import Space
from tests.gate.trees import transition

DRAWS = 32  # of a kernel's chain
LEAPFROGS = 5
STEP = 0.45
WALKS_PER_DRAW, WALK = 16, 1.9


@cache
def scales(name):
    """The sd of each dimension of a position, from exact draws."""
    space = Space(POSTERIORS[name])
    with jax.ensure_compile_time_eval():
        exact = space.positions_of(space.posterior.exact_sites(500, random_key(name, "scales")))
    return np.asarray(exact.std(axis=0), np.float32)


def hmc(problem, key, *, bug=None, draws=DRAWS, warmup=0, step=STEP):
    """Hamiltonian Monte Carlo with a diagonal mass matrix; with a warm-up, dual averaging from a small step."""
    scale = jnp.asarray(scales(problem.name))

    def without_jacobian(q):
        return log_density(problem.model, (problem.data,), {}, problem.constrain(q))[0]

    density = jax.value_and_grad(without_jacobian if bug == "jacobian" else problem.log_density)

    def kinetic(p):
        return 0.5 * jnp.sum((p / scale if bug == "kinetic" else p * scale) ** 2)

    def move(carry, key):
        (q, lp, grad), adaptation = carry
        k_p, k_step, k_accept = jax.random.split(key, 3)
        if bug == "keys":
            k_accept = k_p
        p0 = jax.random.normal(k_p, q.shape) / scale
        log_step, log_average, gap, i = adaptation
        jitter = jax.random.uniform(k_step, (), minval=0.6, maxval=1.2)
        size = jnp.exp(jnp.where(i < warmup, log_step, log_average)) * jitter

        def leap(_, state):
            q, p, _, grad = state
            p = p + 0.5 * size * grad
            q = q + size * scale**2 * p
            lp, grad = density(q)
            return q, p + 0.5 * size * grad, lp, grad

        q1, p1, lp1, grad1 = jax.lax.fori_loop(0, LEAPFROGS, leap, (q, p0, lp, grad))
        change = lp1 - kinetic(p1) - lp + kinetic(p0)
        u = jax.random.uniform(k_accept)
        if bug == "overflow":
            # Without the barrier XLA mends the bug: it writes exp(a) / exp(b) as exp(a - b).
            new, old = jax.lax.optimization_barrier((jnp.exp(lp1 - kinetic(p1)), jnp.exp(lp - kinetic(p0))))
            ratio = new / old
            accept = u < ratio
        else:
            change = jnp.where(jnp.isnan(change), -jnp.inf, change)
            accept = jnp.log(u) < change + (jnp.log(2.0) if bug == "factor" else 0.0)
        kept_grad = grad1 if bug == "gradient" else jnp.where(accept, grad1, grad)
        # Dual averaging (Hoffman & Gelman 2014, equation 6), target .8.
        gap = gap + 0.8 - jnp.minimum(1.0, jnp.exp(jnp.minimum(change, 0.0)))
        log_step = jnp.log(0.5) - jnp.sqrt(i + 1.0) / 0.05 * gap / (i + 11.0)
        weight = (i + 1.0) ** -0.75
        log_average = jnp.where(i < warmup, weight * log_step + (1 - weight) * log_average, log_average)
        state = jnp.where(accept, q1, q), jnp.where(accept, lp1, lp), kept_grad
        return (state, (log_step, log_average, gap, i + 1.0)), state[0]

    first = jnp.asarray(problem.position)
    begin = jnp.log(0.01 if warmup else step)
    carry = ((first, *density(first)), (begin, begin, 0.0, 0.0))
    _, all_ = jax.lax.scan(move, carry, jax.random.split(key, warmup + draws))
    kept = all_ if bug == "warmup" else all_[warmup:]
    return kept, LEAPFROGS * kept.shape[0]


def walk(problem, key, *, bug=None, draws=DRAWS):
    """Random walk Metropolis; its asymmetric form makes longer steps where a scale is large, and does not say so."""
    scale = jnp.asarray(scales(problem.name)) * WALK / np.sqrt(problem.n_dims)

    def move(state, key):
        q, lp = state
        k_move, k_accept = jax.random.split(key)
        longer = jnp.exp(0.5 * jnp.tanh(q)) if bug == "asymmetric" else 1.0
        new = q + scale * longer * jax.random.normal(k_move, q.shape)
        lp1 = problem.log_density(new)
        accept = jnp.log(jax.random.uniform(k_accept)) < lp1 - lp
        return (jnp.where(accept, new, q), jnp.where(accept, lp1, lp)), None

    def draw(state, key):
        state, _ = jax.lax.scan(move, state, jax.random.split(key, WALKS_PER_DRAW))
        return state, state[0]

    first = jnp.asarray(problem.position)
    _, kept = jax.lax.scan(draw, (first, problem.log_density(first)), jax.random.split(key, draws))
    return kept, WALKS_PER_DRAW * draws


def nuts(problem, key, *, bug=None, draws=DRAWS, step=0.6):
    """The No-U-Turn sampler with a fixed step, in coordinates of unit scale."""
    scale = jnp.asarray(scales(problem.name))
    density = jax.value_and_grad(lambda z: problem.log_density(z * scale))

    def move(z, key):
        z, n = transition(density, z, key, step=step, bug=bug)
        return z, (z * scale, n)

    _, (kept, n) = jax.lax.scan(move, jnp.asarray(problem.position) / scale, jax.random.split(key, draws))
    return kept, n


RIGHT = {
    "hmc": partial(hmc, draws=16),
    "hmc, own warm-up": partial(hmc, warmup=60, draws=40),
    "nuts": nuts,
    "walk": walk,
}
"""Samplers without a bug."""
PLANTED = {
    "missing Jacobian": partial(hmc, bug="jacobian"),
    "asymmetric proposal": partial(walk, bug="asymmetric"),
    "acceptance off by a factor of 2": partial(hmc, bug="factor"),
    "wrong mass matrix in the kinetic energy": partial(hmc, bug="kinetic"),
    "stale gradients after a rejection": partial(hmc, bug="gradient", step=0.55),
    "reused keys": partial(hmc, bug="keys"),
    "warm-up draws kept": partial(hmc, bug="warmup", warmup=100, draws=100),
    "truncated trees without the correction": partial(nuts, bug="truncated"),
    "float overflow to reject": partial(hmc, bug="overflow"),
    "a U-turn off by one": partial(nuts, bug="uturn"),
}
"""The ten bugs."""
OWN_START = ("hmc, own warm-up", "warm-up draws kept")
"""Samplers that begin at a uniform position."""
OF_NUTS = ("nuts", "truncated trees without the correction", "a U-turn off by one")
"""Samplers that are held to the cost of ``nuts``."""
BASELINE = {"lecture": 13.5, "eight_schools": 14.1, "seeds": 8.5, "many": 8.0}
"""Gradients of an effective draw of ``nuts``."""
