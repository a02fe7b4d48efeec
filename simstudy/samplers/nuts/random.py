"""One counter-based stream of random numbers per lane.

A random number is a pure function of (lane key, macro-step, purpose, index): Threefry-2x32 with 20 rounds (Salmon,
Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"), the generator of ``jax.random``. Lanes hold
different keys, so nothing depends on which lane serves a chain, or on its neighbors. Everything is elementwise over
(index, lane), because that is what a compiler turns into wide instructions: each counter gives one number from its
two words, so that no array is cut or joined.
"""

import jax
import jax.numpy as jnp
import numpy as np

DECISION, MOMENTUM, START = (np.uint32(purpose << 28) for purpose in range(3))
"""Purposes: the top bits of the second counter word; the rest is the index."""

_PARITY = np.uint32(0x1BD11BDA)  # key schedule constant of Threefry-2x32
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))  # of its four-round groups, in turn
_N_GROUPS = 5  # 20 rounds


def threefry2x32(key, counter):
    """Return the two words of the Threefry-2x32 block cipher (20 rounds) for broadcastable uint32 arrays.

    Args:
        key: pair of uint32 arrays.
        counter: pair of uint32 arrays; NumPy or JAX, the result is of the same kind.
    """
    schedule = (key[0], key[1], key[0] ^ key[1] ^ _PARITY)
    x, y = counter[0] + schedule[0], counter[1] + schedule[1]
    for group in range(_N_GROUPS):
        for bits in _ROTATIONS[group % 2]:
            x = x + y
            y = x ^ (y << np.uint32(bits) | y >> np.uint32(32 - bits))
        x = x + schedule[(group + 1) % 3]
        y = y + schedule[(group + 2) % 3] + np.uint32(group + 1)
    return x, y


def chain_key(fit_key, chain):
    """Return the keys of chains, (2, L) uint32: a fit's key enciphers the chain's number.

    Args:
        fit_key: (2, L) uint32.
        chain: (L,) uint32, from 0.
    """
    return jnp.stack(threefry2x32(fit_key, (jnp.zeros_like(chain), chain)))


def words(key, step, purpose, index):
    """Return two (index, lane) arrays of random 32-bit words.

    Args:
        key: (2, lane) uint32 lane keys.
        step: (lane,) uint32 count that a lane never repeats for a purpose.
        purpose: one of the module's constants.
        index: (index,) integers below 2**28.
    """
    counter = jnp.asarray(np.asarray(index, np.uint32)[:, None] + purpose)
    counters = jnp.broadcast_arrays(step[None], counter)
    return threefry2x32(key[:, None], counters)


def decisions(key, step, n):
    """Return n logs of uniform numbers and n fair signs per lane, both (n, lane): what decides in a macro-step.

    The uniform number, on (0, 1), is made of the upper 24 bits of a word, the sign, -1 or 1, of its lowest.
    """
    word, _ = words(key, step, DECISION, range(n))
    upper = (word >> np.uint32(8)).astype(jnp.int32).astype(jnp.result_type(float))
    lowest = (word & np.uint32(1)).astype(upper.dtype)
    return jnp.log((upper + 0.5) * 2.0**-24), 1 - 2 * jnp.sqrt(lowest)


def uniforms(key, step, index):
    """Return uniform numbers on (0, 1] with 32 bits, (index, lane), for the start of a chain."""
    word, _ = words(key, step, START, index)
    return _unit_interval(word)


def normals(key, step, index):
    """Return standard normal numbers, (index, lane): sqrt(-2 log u) sin(pi v), v uniform on (-1/2, 1/2).

    Box & Muller (1958) with one number of the pair: the sine of an angle uniform on a half circle is distributed as
    that of an angle uniform on the whole. The radius reaches 6.8, beyond which lies a probability of 1e-10.
    """
    first, second = words(key, step, MOMENTUM, index)
    turn = jax.lax.bitcast_convert_type(second, jnp.int32).astype(jnp.result_type(float)) * 2.0**-32
    return jnp.sqrt(-2 * jnp.log(_unit_interval(first))) * _sin_half_turn(np.pi * turn)


def _unit_interval(word):
    """Return (word + 1/2) / 2**32: never 0, and with full relative precision near 0, where a logarithm needs it."""
    return (word.astype(jnp.result_type(float)) + 0.5) * 2.0**-32


def _sin_half_turn(x):
    """Return sin(x) for |x| <= pi/2 by its Taylor series, to rounding error; a compiler makes it wide, unlike sin."""
    n_terms = 6 if x.dtype == jnp.float32 else 11  # the next term is below 6e-8, and below 2e-18
    square, series = x * x, 0.0
    for k in reversed(range(1, n_terms)):
        series = -(1 + series) * square / ((2 * k) * (2 * k + 1))
    return x + x * series
