"""One transition of the No-U-Turn sampler with multinomial weights, by doubling without recursion.

Betancourt 2017 (A conceptual introduction to Hamiltonian Monte Carlo, appendix A); checks of subtrees by the momenta
and sums of momenta kept at the leaves where they begin (Phan, Pradhan & Jankowiak 2019).
"""

import jax
import jax.numpy as jnp

DEPTH = 6
DIVERGENT = 1000.0


def turns(p_first, p_last, p_sum):
    """Whether a stretch of trajectory makes a U-turn, from momenta at its ends and their sum over it."""
    middle = p_sum - 0.5 * (p_first + p_last)
    return (jnp.dot(p_first, middle) <= 0) | (jnp.dot(p_last, middle) <= 0)


def leapfrog(density, state, step):
    z, p, _, grad = state
    p = p + 0.5 * step * grad
    z = z + step * p
    lp, grad = density(z)
    return z, p + 0.5 * step * grad, lp, grad


def begins(leaf):
    """Places of the leaves where the subtrees begin that end at an odd leaf: the last, and the first."""
    last = jax.lax.population_count(leaf >> 1)
    n_subtrees = jax.lax.population_count(leaf & ~(leaf + 1))
    return last, last - n_subtrees + 1


def subtree(density, edge, key, *, depth, step, energy, bug):
    """Return the far edge, the draw, the log weight, the sum of momenta, whether it turned, and its leaves."""
    n_dims = edge[0].size

    def goes_on(carry):
        leaf, _, _, _, _, turned, *_ = carry
        return (leaf < (1 << depth)) & ~turned

    def grow(carry):
        leaf, edge, chosen, weight, p_sum, _, kept_p, kept_sum, key = carry
        key, k_choice = jax.random.split(key)
        edge = leapfrog(density, edge, step)
        z, p, lp, _ = edge
        log_w = lp - 0.5 * jnp.dot(p, p) + energy
        log_w = jnp.where(jnp.isnan(log_w), -jnp.inf, log_w)
        new_weight = jnp.logaddexp(weight, log_w)
        take = jnp.log(jax.random.uniform(k_choice)) < log_w - new_weight
        chosen = jnp.where(take, z, chosen)
        p_sum = p_sum + p
        last, first = begins(leaf)
        if bug == "uturn":
            first = first + 1
        is_even = leaf % 2 == 0
        kept_p = jnp.where(is_even, kept_p.at[last].set(p), kept_p)
        kept_sum = jnp.where(is_even, kept_sum.at[last].set(p_sum), kept_sum)
        checked = jax.vmap(lambda p0, s0: turns(p0, p, p_sum - s0 + p0))(kept_p, kept_sum)
        places = jnp.arange(DEPTH)
        turned = ~is_even & (checked & (places >= first) & (places <= last)).any()
        turned = turned | (log_w < -DIVERGENT)
        return leaf + 1, edge, chosen, new_weight, p_sum, turned, kept_p, kept_sum, key

    kept = jnp.zeros((DEPTH, n_dims))
    carry = (0, edge, edge[0], -jnp.inf, jnp.zeros(n_dims), jnp.array(False), kept, kept, key)
    leaf, edge, chosen, weight, p_sum, turned, *_ = jax.lax.while_loop(goes_on, grow, carry)
    return edge, chosen, weight, p_sum, turned, leaf


def transition(density, z, key, *, step, bug=None):
    """Return the next draw and the gradients that it took."""
    key, k_p = jax.random.split(key)
    p = jax.random.normal(k_p, z.shape)
    lp, grad = density(z)
    energy = 0.5 * jnp.dot(p, p) - lp
    here = (z, p, lp, grad)

    def goes_on(carry):
        depth, *_, stopped, _, _ = carry
        return (depth < DEPTH) & ~stopped

    def double(carry):
        depth, left, right, chosen, weight, p_sum, _, n, key = carry
        key, k_side, k_tree, k_choice = jax.random.split(key, 4)
        right_side = jax.random.bernoulli(k_side)
        edge = jax.tree.map(lambda one, other: jnp.where(right_side, one, other), right, left)
        signed = jnp.where(right_side, step, -step)
        edge, new, new_weight, new_sum, turned, leaves = subtree(
            density, edge, k_tree, depth=depth, step=signed, energy=energy, bug=bug
        )
        left = jax.tree.map(lambda new, old: jnp.where(right_side, old, new), edge, left)
        right = jax.tree.map(lambda new, old: jnp.where(right_side, new, old), edge, right)
        take = jnp.log(jax.random.uniform(k_choice)) < new_weight - weight
        if bug != "truncated":
            take = take & ~turned
        p_sum = p_sum + new_sum
        stopped = turned | turns(left[1], right[1], p_sum)
        chosen = jnp.where(take, new, chosen)
        return depth + 1, left, right, chosen, jnp.logaddexp(weight, new_weight), p_sum, stopped, n + leaves, key

    carry = (0, here, here, z, 0.0, p, jnp.array(False), 1, key)
    _, _, _, chosen, _, _, _, n, _ = jax.lax.while_loop(goes_on, double, carry)
    return chosen, n
