"""Hamiltonian dynamics with lanes on the last axis: energy, gradient, one leapfrog step."""

import jax
import jax.numpy as jnp


def value_and_gradient(log_density, position, data):
    """Return the log density (L,) and its gradient (D, L) at a position (D, L), every lane on its own."""
    value, pullback = jax.vjp(lambda q: log_density(q, data), position)
    return value, pullback(jnp.ones_like(value))[0]


def kinetic_energy(inverse_mass, momentum):
    """Return r' M^-1 r / 2, (L,), for a diagonal inverse mass matrix (D, L)."""
    return 0.5 * (inverse_mass * momentum * momentum).sum(0)


def leapfrog(log_density, data, *, position, momentum, gradient, step, inverse_mass):
    """Return (position, momentum, log density, gradient) after one leapfrog step (Neal 2011, section 2.3).

    A half step in momentum, a whole one in position, a half step in momentum. The step (L,) is signed; a lane with
    step 0 stays where it is.
    """
    half = 0.5 * step
    momentum = momentum + half * gradient
    position = position + step * inverse_mass * momentum
    value, gradient = value_and_gradient(log_density, position, data)
    return position, momentum + half * gradient, value, gradient
