"""Conformance of a structure of a term: effects are linear in white noise, and what it says of them is true."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from simstudy.models.design import Factor
from simstudy.models.estimands import Parameter
from simstudy.models.terms.structure import EFFECT, TermStructure
from simstudy.testing.declarations import check_parameters, check_words
from simstudy.testing.expectation import ROUNDING, check_choice, expect, expect_close

N_LANES = 3
INSIDE = {"real": (-1.0, 1.0), "positive": (0.4, 1.6), "unit": (0.1, 0.9), "correlation": (-0.8, 0.8)}
"""Support of a parameter -> a range within, where it is drawn."""
AVERAGED = 1e-6
"""Relative difference of an average variance; what a factorization adds to a diagonal lies below."""

Values = dict[str, np.ndarray]


def check_term(structure: TermStructure, factor: Factor) -> None:
    """Check what every structure of a term promises, on a factor that it takes.

    - It is a choice: frozen, hashable, equal to its copy, and it can be pickled.
    - It says what it is, and its parameters have default priors that a study file could have given; the first is a
      positive scale, and where it is 0 so are all effects of the first column.
    - ``parts``, ``scale`` and ``columns`` name the same white noise and effects; effects have one value for each level
      and lane, are 0 without noise and linear in it.
    - NumPy and JAX give the same effects, lanes alone the same as lanes together, and constants are double precision.
    - The centered form, mean plus scale times noise of each part in turn, has a scale above 0 for every mode, so that
      the noise can be had back.
    - ``variance`` is the average over levels of the variance of the first column's effects at standard normal noise; of
      a structure that approximates another, it is that of the other (``simulated``).
    - ``derive`` returns what ``derived`` declares. ``new_effect`` has one value for each lane where there is one and is
      None where not; it is linear in its noise.

    Args:
        structure: any structure.
        factor: one that it takes.

    Raises:
        ConformanceError: a promise that is not kept.

    >>> from simstudy.models.terms import RandomWalk
    >>> check_term(RandomWalk(), Factor(name="year", level=np.arange(4), n_levels=4))
    """
    check_choice(structure)
    check_words(structure)
    expect(structure, "a formula", holds=bool(structure.formula.strip()), got=repr(structure.formula))
    check_parameters(structure, structure.parameters)
    _check_declared(structure)
    structure.check(factor)
    constants = structure.constants(factor)
    double = {name: np.asarray(value).dtype for name, value in constants.items()}
    is_double = all(dtype == np.float64 for dtype in double.values())
    expect(structure, "constants in double precision", holds=is_double, got=double)
    rng = np.random.default_rng(0)
    p = {parameter.name: rng.uniform(*INSIDE[parameter.support], N_LANES) for parameter in structure.parameters}
    parts = structure.parts(factor)
    z = {part: rng.standard_normal((n, N_LANES)) for part, n in parts.items()}
    _check_effects(structure, factor, p, z, constants)
    _check_lanes(structure, p, z, constants)
    _check_scales(structure, p, z, constants)
    _check_variance(structure.simulated, factor, p)
    _check_derived(structure, p)
    _check_new(structure, p, z, constants)


def pushed(structure: TermStructure, factor: Factor, p: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Return column -> (level, number of white noise) effects of each unit vector: the square root of a covariance.

    >>> from simstudy.models.terms import Exchangeable
    >>> pushed(Exchangeable(), Factor(name="g", level=np.arange(2), n_levels=2), {"tau": 3.0})["effect"].tolist()
    [[3.0, 0.0], [0.0, 3.0]]
    """
    parts = structure.parts(factor)
    n = sum(parts.values())
    noise = dict(zip(parts, np.split(np.eye(n), np.cumsum(list(parts.values()))[:-1]), strict=True))
    values = {name: np.full(n, value) for name, value in p.items()}
    return structure.effects(values, noise, structure.constants(factor), np)


def _check_declared(structure: TermStructure) -> None:
    names = [parameter.name for parameter in structure.parameters]
    expect(structure, "parameters of different names", holds=len({*names}) == len(names) > 0, got=names)
    first = structure.parameters[0]
    is_scale = (first.role, first.support) == ("scale", "positive")
    expect(structure, "a positive scale as the first parameter", holds=is_scale, got=(first.role, first.support))
    columns = structure.columns
    expect(structure, f"{EFFECT!r} as the first column", holds=columns[0] == EFFECT, got=columns)
    fits = len({*columns}) == len(columns) == 1 + len(structure.covariates)
    expect(structure, "a column more than covariates, of different names", holds=fits, got=columns)
    for parameter in structure.parameters:
        expect(structure, f"{parameter.name} in its range", holds=_is_value(parameter), got=parameter.value)


def _is_value(parameter: Parameter) -> bool:
    return parameter.lower <= parameter.value <= parameter.upper


def _check_effects(structure: TermStructure, factor: Factor, p: Values, z: Values, constants: Values) -> None:
    effects = structure.effects(p, z, constants, np)
    names = (tuple(effects), structure.columns)
    expect(structure, "effects of the columns", holds=names[0] == names[1], got=names[0])
    for column, found in effects.items():
        shape = (factor.n_levels, N_LANES)
        expect(structure, f"{column} of shape {shape}", holds=np.shape(found) == shape, got=np.shape(found))
        expect(structure, f"finite values of {column}", holds=np.isfinite(found).all(), got=found)
    tripled = structure.effects(p, {part: 3 * value for part, value in z.items()}, constants, np)
    none = structure.effects(p, {part: 0 * value for part, value in z.items()}, constants, np)
    for column, found in effects.items():
        expect_close(structure, f"{column} to be linear in the noise", found=tripled[column], expected=3 * found)
        expect_close(structure, f"{column} to be 0 without noise", found=none[column], expected=0 * found)
    first = structure.parameters[0]
    if first.may_be_zero:
        flat = structure.effects(p | {first.name: np.zeros(N_LANES)}, z, constants, np)[EFFECT]
        expect(structure, f"no effects where {first.name} is 0", holds=(flat == 0).all(), got=flat)


def _check_lanes(structure: TermStructure, p: Values, z: Values, constants: Values) -> None:
    effects = structure.effects(p, z, constants, np)
    with jax.enable_x64(True):
        arrays: list[Any] = [{name: jnp.asarray(v) for name, v in values.items()} for values in (p, z, constants)]
        jax_p, jax_z, jax_constants = arrays
        in_jax = structure.effects(jax_p, jax_z, jax_constants, jnp)
    for column, found in effects.items():
        expect_close(structure, f"{column} to be the same in JAX", found=in_jax[column], expected=found)
    for lane in range(N_LANES):
        alone = structure.effects(
            {name: value[lane] for name, value in p.items()}, {part: v[:, lane] for part, v in z.items()}, constants, np
        )
        for column, found in effects.items():
            promise = f"{column} of a lane alone to be that beside others"
            expect_close(structure, promise, found=alone[column], expected=found[:, lane])


def _check_scales(structure: TermStructure, p: Values, z: Values, constants: Values) -> None:
    scale = structure.scale(p, constants, np)
    expect(structure, "a scale of every part of the noise", holds=set(scale) == set(z), got=sorted(scale))
    for part, noise in z.items():
        sd = np.broadcast_to(scale[part], noise.shape)
        expect(structure, f"scales of {part} above 0", holds=(sd > 0).all(), got=sd.min(initial=np.inf))
        mean = structure.conditional_mean(part, p, z, np)
        if mean is not None:
            fits = np.broadcast_shapes(np.shape(mean), noise.shape) == noise.shape
            expect(structure, f"a mean of the centered {part} for each mode", holds=fits, got=np.shape(mean))


def _check_variance(structure: TermStructure, factor: Factor, p: Values) -> None:
    found = np.broadcast_to(structure.variance(p, structure.constants(factor), np), (N_LANES,))
    for lane in range(N_LANES):
        of_lane = {name: value[lane] for name, value in p.items()}
        expected = (pushed(structure, factor, of_lane)[EFFECT] ** 2).sum(1).mean()
        promise = f"an average variance of {expected:.9g} at {of_lane}"
        expect(structure, promise, holds=abs(found[lane] / expected - 1) < AVERAGED, got=f"{found[lane]:.9g}")


def _check_derived(structure: TermStructure, p: Values) -> None:
    found = structure.derive(p, np)
    declared = [estimand.name for estimand in structure.derived]
    expect(structure, "estimands that are declared", holds=list(found) == declared, got=list(found))
    for estimand in structure.derived:
        value = np.asarray(found[estimand.name])
        low, high = estimand.lower - ROUNDING, estimand.upper + ROUNDING
        fits = value.shape == (N_LANES,) and ((low <= value) & (value <= high)).all()
        expect(structure, f"{estimand.name} of each lane, in its range", holds=fits, got=value)


def _check_new(structure: TermStructure, p: Values, z: Values, constants: Values) -> None:
    effects = structure.effects(p, z, constants, np)
    at = [structure.new_effect(p, z, effects, constants, np.full(N_LANES, noise)) for noise in (-1.0, 0.0, 1.0)]
    has = [one is not None for one in at]
    promise = "new effects" if structure.has_new else "no new effects"
    expect(structure, promise, holds=all(one == structure.has_new for one in has), got=has)
    if not structure.has_new:
        return
    below, middle, above = (np.asarray(one) for one in at)
    fits = middle.shape == (N_LANES,) and bool(np.isfinite(middle).all())
    expect(structure, "a finite new effect for each lane", holds=fits, got=middle)
    expect_close(structure, "new effects that are linear in their noise", found=above + below, expected=2 * middle)
