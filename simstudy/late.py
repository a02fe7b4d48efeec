"""JAX, NumPyro and other slow packages, imported when first used: who lists, shows or plans does not wait for them.

Modules that a study is read with take them from here, and annotate as text (``from __future__ import annotations``).
What runs programs imports JAX as it stands.
"""

import functools
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jax as jax
    import jax.numpy as jnp
    import numpyro as numpyro
    from jax.scipy import special as special
    from numpyro import distributions as dist
    from numpyro import handlers as handlers
    from numpyro import infer as infer
    from numpyro.distributions import constraints as constraints
    from numpyro.infer import reparam as reparam
    from scipy import interpolate as interpolate
    from scipy import optimize as optimize
    from scipy import sparse as sparse
    from scipy import spatial as spatial
    from scipy import stats as stats
    from scipy.sparse import csgraph as csgraph

__all__ = [
    "compiled",
    "constraints",
    "csgraph",
    "dist",
    "handlers",
    "infer",
    "interpolate",
    "jax",
    "jnp",
    "numpyro",
    "optimize",
    "reparam",
    "sparse",
    "spatial",
    "special",
    "stats",
    "with_gradient",
]


class Late(ModuleType):
    """A module in whose place this stands until something of it is used."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self.__name__), name)
        self.__dict__[name] = value
        return value


if not TYPE_CHECKING:
    jax = Late("jax")
    jnp = Late("jax.numpy")
    special = Late("jax.scipy.special")
    numpyro = Late("numpyro")
    dist = Late("numpyro.distributions")
    constraints = Late("numpyro.distributions.constraints")
    handlers = Late("numpyro.handlers")
    infer = Late("numpyro.infer")
    reparam = Late("numpyro.infer.reparam")
    csgraph = Late("scipy.sparse.csgraph")
    interpolate = Late("scipy.interpolate")
    optimize = Late("scipy.optimize")
    sparse = Late("scipy.sparse")
    spatial = Late("scipy.spatial")
    stats = Late("scipy.stats")


def compiled(*, static: int | tuple[int, ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: the function under ``jax.jit``, which is asked for when it is first called.

    Args:
        static: places of arguments that a program is made for.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.cache
        def made() -> Callable[..., Any]:
            return jax.jit(function, static_argnums=static)

        return functools.wraps(function)(lambda *arguments: made()(*arguments))

    return decorate


def with_gradient(
    forward: Callable[..., Any], backward: Callable[..., Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: the function with a gradient of its own, as ``jax.custom_vjp`` has it.

    Args:
        forward: arguments -> value, and what the gradient needs.
        backward: what it needs, gradient of the value -> gradients of the arguments.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.cache
        def made() -> Callable[..., Any]:
            whole = jax.custom_vjp(function)
            whole.defvjp(forward, backward)
            return whole

        return functools.wraps(function)(lambda *arguments: made()(*arguments))

    return decorate
