"""Conformance of what a family says of itself: words, parameters, estimands, and axes that its arrays have."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np

from simstudy.models.estimands import Parameter
from simstudy.models.model import GROUP
from simstudy.models.priors import number_or_text, parse_prior
from simstudy.models.unit import Unit
from simstudy.testing.expectation import expect

SCALES = ("natural", "link")
UNITS = (None, Unit(center=1e6 + 0.123456, spread=1.23456e-4), Unit(center=-2.5e-7, spread=4.4e8))


def check_words(part: Any) -> None:
    """Check that a part says what it is, in a line for a report."""
    words = part.words
    is_line = isinstance(words, str) and bool(words.strip()) and words.isprintable()
    expect(part, "words that say what it is, in one line", holds=is_line, got=repr(words))


def check_parameters(part: Any, parameters: Iterable[Parameter]) -> None:
    """Check that default priors are priors that parameters can have, on both scales of effects and for given data."""
    for parameter in parameters:
        for scale, unit in product(SCALES, UNITS):
            text = parameter.default_prior(scale, unit)
            expect(
                part,
                f"a default prior of {parameter.name} that a study file could have given",
                holds=parse_prior(number_or_text(text), parameter).text == text,
                got=text,
            )


def check_declared(part: Any, arrays: Mapping[str, Any], *, what: str) -> None:
    """Check that every array that a part returns is an estimand that it declares, once.

    Args:
        part: what declares and returns.
        arrays: what it returned, by estimand.
        what: the method that returned them.
    """
    names = [estimand.name for estimand in part.described]
    expect(part, "estimands that are declared once", holds=len(set(names)) == len(names), got=", ".join(names))
    missing = sorted(set(arrays) - set(names))
    expect(part, f"all that {what} returns among described", holds=not missing, got=f"{', '.join(missing)} beside them")


def check_axes(part: Any, arrays: Mapping[str, Any], axes: Mapping[str, tuple[str, ...]], *, what: str, n: int) -> None:
    """Check that every array has the axes that its name is said to have.

    Args:
        part: what declares them.
        arrays: name -> array, of one data set or point.
        axes: name -> names of its axes.
        what: the property that declares them.
        n: number of groups, which no other axis has.
    """
    for name, array in arrays.items():
        shape = np.shape(array)
        told = axes.get(name)
        fits = told is not None and len(told) == len(shape)
        fits = fits and all((axis == GROUP) == (length == n) for axis, length in zip(told or (), shape, strict=True))
        expect(part, f"{what} to name the axes of {name}, of shape {shape}", holds=fits, got=told)
