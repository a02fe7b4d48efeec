"""Common priors, held to NumPyro: what is told without it is what it says."""

import inspect

import numpy as np
import pytest

from simstudy.errors import StudyError
from simstudy.models.common_priors import COMMON, ends_of_common
from simstudy.models.estimands import MU
from simstudy.models.priors import families, parse_prior

ARGUMENTS = {"Uniform": (-1.0, 3.0)}


@pytest.mark.parametrize("name", COMMON)
def test_arguments_and_ends_are_those_of_numpyro(name):
    """The same names in the same order, and draws that fill the range that is told and stay in it."""
    family, common = families()[name], COMMON[name]
    assert tuple(inspect.signature(family).parameters)[: len(common.arguments)] == common.arguments
    values = ARGUMENTS.get(name, (2.0,) * len(common.arguments))
    low, high = ends_of_common(name, values, {})
    assert ends_of_common(name, (), dict(zip(common.arguments, values, strict=True))) == (low, high)
    support = family(*values, validate_args=True).support
    inside, outside = np.nextafter(low, np.inf), np.nextafter(high, -np.inf)
    with np.errstate(all="ignore"):
        assert np.all(support(np.clip([inside, outside], -1e30, 1e30).astype(np.float32) * (1 - 1e-6) + 1e-7))
        for beyond in (low - 1, high + 1):
            assert not np.isfinite(beyond) or not bool(support(np.float32(beyond)))


@pytest.mark.parametrize("name", COMMON)
@pytest.mark.parametrize("bad", [0.0, -1.0, 1e-45, 1e39, float("inf")])
def test_what_numpyro_refuses_is_left_to_it(name, bad):
    """Whatever argument NumPyro refuses is not told here: its own message is what the user sees."""
    values = list(ARGUMENTS.get(name, (2.0,) * len(COMMON[name].arguments)))
    for place in range(len(values)):
        given = [*values[:place], bad, *values[place + 1 :]]
        try:
            with np.errstate(all="ignore"):
                families()[name](*given, validate_args=True)
        except ValueError:
            assert ends_of_common(name, given, {}) is None


@pytest.mark.parametrize(("args", "kwargs"), [((1.0,), {}), ((1.0, 1.0, 1.0), {}), ((1.0,), {"loc": 1.0})])
def test_arguments_that_are_missing_or_too_many_are_left_to_numpyro(args, kwargs):
    """A normal has two."""
    assert ends_of_common("Normal", args, kwargs) is None


def test_messages_stay():
    """An argument out of range is refused in NumPyro's words, an end below 0 in ours."""
    with pytest.raises(StudyError, match="NumPyro refuses"):
        parse_prior("Normal(0, -1)", MU)
    with pytest.raises(StudyError, match="upper"):
        parse_prior("Uniform(2, 1)", MU)
