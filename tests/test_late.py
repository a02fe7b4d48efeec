"""Modules that are imported when they are used: the same modules, programs and gradients."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simstudy import late
from simstudy.late import Late, compiled, with_gradient


def test_a_module_is_imported_when_it_is_used(monkeypatch):
    """Not before, and then it is the module itself that answers."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    waiting = Late("colorsys")
    assert "colorsys" not in sys.modules
    assert waiting.rgb_to_hsv(1.0, 0.0, 0.0) == (0.0, 1.0, 1.0)
    assert waiting.rgb_to_hsv is sys.modules["colorsys"].rgb_to_hsv
    with pytest.raises(AttributeError):
        _ = waiting.nothing


def test_every_module_is_the_one_that_it_stands_for():
    """Each name leads to a module that is there."""
    modules = [value for value in vars(late).values() if isinstance(value, Late)]
    assert len(modules) == len(late.__all__) - 2
    for module in modules:
        assert module.__name__ in sys.modules or getattr(module, "__file__", None)
    assert late.jnp.exp is jnp.exp


def test_a_compiled_function_is_compiled_once_for_each_static_argument():
    """As under ``jax.jit``: the body runs when a program is made, and never again."""
    seen = []

    @compiled(static=0)
    def power(exponent, x):
        seen.append(exponent)
        return x**exponent

    assert [float(power(n, jnp.asarray(3.0))) for n in (2, 2, 3)] == [9.0, 9.0, 27.0]
    assert seen == [2, 3]


def test_a_gradient_is_the_one_that_is_given():
    """The gradient of x^2 is said to be 7 times what comes, and that is what it is; the value stays."""

    @with_gradient(lambda x: (x**2, None), lambda kept, g: (7.0 * g,))
    def square(x):
        return x**2

    assert float(square(3.0)) == 9.0
    np.testing.assert_allclose(jax.grad(square)(3.0), 7.0)
