"""Priors as text: ``"Normal(0, 10)"`` -> a NumPyro distribution, parsed and never evaluated.

A number instead of a text fixes the parameter at that value.
"""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simstudy.errors import StudyError, shown, suggestion
from simstudy.late import constraints, dist, jax, jnp, numpyro
from simstudy.models.common_priors import COMMON, ends_of_common
from simstudy.models.estimands import Parameter, Support
from simstudy.models.half_student_t import NAME, half_student_t

LONGEST_TEXT = 500
SINGLE = np.finfo(np.float32)
SQUARES = (float(np.sqrt(SINGLE.tiny)), float(np.sqrt(SINGLE.max)))
"""Sizes whose squares single precision holds; a density needs the squares of its arguments."""
NEAR_ZERO, NEARER_ZERO = (1e-30, 1e-20), (1e-80, 1e-60)
ENDS: dict[Support, tuple[float, float]] = {
    "real": (-math.inf, math.inf),
    "positive": (0.0, math.inf),
    "unit": (0.0, 1.0),
    "correlation": (-1.0, 1.0),
}
"""Least and largest number of each support."""
_NO_PRIORS = ("Distribution", "Delta")  # a constant is written as a number


@dataclass(frozen=True, kw_only=True)
class Prior:
    """A prior by name and arguments; ``Constant`` holds a parameter fixed.

    Args:
        name: a distribution of ``numpyro.distributions``, ``HalfStudentT``, or ``Constant``.
        args: positional arguments.
        kwargs: keyword arguments, sorted by name.
    """

    name: str
    args: tuple[float, ...]
    kwargs: tuple[tuple[str, float], ...] = ()

    @property
    def is_constant(self) -> bool:
        """Whether the parameter is fixed and not estimated."""
        return self.name == "Constant"

    @property
    def value(self) -> float:
        """The value of a constant."""
        return self.args[0]

    @property
    def is_zero(self) -> bool:
        """Whether the parameter is fixed at 0."""
        return self.is_constant and self.value == 0

    @property
    def text(self) -> str:
        """The prior as a study file has it; a constant as its number."""
        if self.is_constant:
            return _text(self.value)
        words = [*map(_text, self.args), *(f"{key}={_text(value)}" for key, value in self.kwargs)]
        return f"{self.name}({', '.join(words)})"

    def site(self, name: str, shape: tuple[int, ...]) -> jax.Array:
        """Sample the parameter inside a NumPyro program, or give the constant; of the shape asked for."""
        if self.is_constant:
            return jnp.full(shape, self.value)
        return numpyro.sample(name, self.distribution().expand(shape))

    def draws(self, posterior: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
        """Return the posterior draws of the parameter's site, or the constant in the shape of the draws."""
        if self.is_constant:
            return np.full(shape, self.value)
        if posterior is None:
            raise ValueError(f"the posterior has no draws of a parameter with the prior {self.text}")
        return posterior

    @functools.cached_property
    def order_at_zero(self) -> float:
        """The number a for which the density goes to 0 as x^a goes, when x goes to 0 from above.

        Infinite where it vanishes faster than any power, as that of a log-normal does, and for a constant.

        >>> from simstudy.models.estimands import TAU
        >>> parse_prior("HalfNormal(2)", TAU).order_at_zero, parse_prior("LogNormal(0, 9)", TAU).order_at_zero
        (0.0, inf)
        """
        if self.is_constant:
            return math.inf
        with jax.enable_x64(True):
            built = self.distribution()
            if not np.all(built.support(np.array(NEARER_ZERO))):
                return math.inf
            far, near = (_slope(built, pair) for pair in (NEAR_ZERO, NEARER_ZERO))
        return round(near, 3) if math.isfinite(near) and near - far < 0.01 else math.inf

    def distribution(self) -> dist.Distribution:
        """Return the NumPyro distribution; a constant has none."""
        return families()[self.name](*self.args, **dict(self.kwargs))


def number_or_text(text: str) -> float | str:
    """Return a prior as a study file has it: a constant stands as its number.

    >>> number_or_text("2.5"), number_or_text("Normal(0, 1)")
    (2.5, 'Normal(0, 1)')
    """
    try:
        return float(text)
    except ValueError:
        return text


def parse_prior(value: str | float | Prior, parameter: Parameter) -> Prior:
    """Return the prior that a study file gives a parameter.

    Args:
        value: text such as ``"HalfNormal(5)"``, a number (fixes the parameter), or a ``Prior``.
        parameter: whose prior it is: its range is checked.

    Raises:
        StudyError: the text is no call of a NumPyro distribution with numbers, its arguments are out of range, or the
            prior reaches outside the parameter's range.

    >>> from simstudy.models.estimands import MU, TAU
    >>> parse_prior("Normal(0, 10)", MU).text
    'Normal(0, 10)'
    >>> parse_prior(2.0, TAU).is_constant
    True
    """
    if isinstance(value, Prior):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _fixed(float(value), parameter)
    if not isinstance(value, str):
        raise StudyError(f"{parameter.name}: expected a prior such as 'Normal(0, 10)' or a number, got {shown(value)}")
    return _checked(_call(value, parameter.name), value, parameter)


def _slope(built: dist.Distribution, pair: tuple[float, float]) -> float:
    low, high = np.asarray(built.log_prob(np.array(pair)), float)
    with np.errstate(invalid="ignore"):
        return float((high - low) / np.log(pair[1] / pair[0]))


def check_single(prior: Prior, name: str) -> None:
    """Refuse a prior that single precision cannot hold: its density would be infinite or flat without a word.

    Args:
        prior: of a parameter of a built-in model.
        name: of the parameter.

    Raises:
        StudyError: an argument, or its square, is beyond what float32 holds.
    """
    for number in (*prior.args, *(value for _, value in prior.kwargs)):
        if number and not SQUARES[0] <= abs(number) <= SQUARES[1]:
            raise StudyError(
                f"{name}: {prior.text} is beyond single precision, which holds sizes from {SQUARES[0]:.0e} to "
                f'{SQUARES[1]:.0e} and their squares; give another unit, or precision = "float64"'
            )


def constant(value: float) -> Prior:
    """Return the prior that fixes a parameter."""
    return Prior(name="Constant", args=(value,))


def _fixed(value: float, parameter: Parameter) -> Prior:
    """A fixed parameter: tau may be 0 in a mechanism, sigma and omega may not."""
    lower, upper = ENDS[parameter.support]
    is_inside = lower <= value <= upper and (parameter.support != "positive" or value > 0 or parameter.may_be_zero)
    if not (math.isfinite(value) and is_inside):
        raise StudyError(f"{parameter.name}: {value} is out of range; expected {parameter.range}")
    return constant(value)


def _text(number: float) -> str:
    """A number without a needless ``.0``, with every digit that tells it apart."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _call(text: str, parameter: str) -> Prior:
    """Parse ``Name(number, key=number)``; the text is a syntax tree that is read, never run."""
    expected = f"{parameter}: expected a prior such as 'Normal(0, 10)', got {shown(text)}"
    if len(text) > LONGEST_TEXT:
        raise StudyError(f"{expected}: the text has {len(text):,} characters, more than {LONGEST_TEXT}")
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise StudyError(expected) from error
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise StudyError(expected)
    try:
        args = tuple(_number(a) for a in node.args)
        kwargs = tuple(sorted((str(k.arg), _number(k.value)) for k in node.keywords))
    except (ValueError, OverflowError) as error:
        raise StudyError(f"{expected}: the arguments must be finite numbers") from error
    if len(dict(kwargs)) < len(kwargs):
        raise StudyError(f"{expected}: an argument stands twice")
    return Prior(name=node.func.id, args=args, kwargs=kwargs)


def _number(node: ast.expr) -> float:
    value = ast.literal_eval(node)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"not a number: {value!r}")
    if not math.isfinite(number := float(value)):
        raise ValueError(f"not finite: {value!r}")
    return number


@functools.cache
def families() -> dict[str, Callable[..., dist.Distribution]]:
    """Return what makes a distribution, by name: what NumPyro offers, and half-t, which it does not."""
    names = [name for name in dist.__all__ if name[0].isupper() and name not in _NO_PRIORS]
    return {**{name: getattr(dist, name) for name in names if callable(getattr(dist, name))}, NAME: half_student_t}


def _checked(prior: Prior, text: str, parameter: Parameter) -> Prior:
    """See that there is such a distribution, that it takes its arguments, and that it keeps to the range."""
    taken = COMMON[prior.name].arguments if prior.name in COMMON else None
    if taken is not None and len(prior.args) > len(taken):
        raise StudyError(
            f"{parameter.name}: {prior.name} takes {len(taken)} number{'s' * (len(taken) > 1)} "
            f"({', '.join(taken)}), got {len(prior.args)} in {shown(text)}; a number has a decimal point: 1.5"
        )
    ends = ends_of_common(prior.name, prior.args, dict(prior.kwargs)) or _ends_by_numpyro(prior, text, parameter)
    positive = {"Cauchy": "HalfCauchy(scale)", "StudentT": "HalfStudentT(df, scale)"}.get(
        prior.name, "HalfNormal(scale)"
    )
    if parameter.support == "positive" and not _is_inside(ends, "positive"):
        raise StudyError(
            f"{parameter.name}: {text!r} reaches below 0; expected a prior on positive numbers, such as {positive}"
        )
    if not _is_inside(ends, parameter.support):
        lower, upper = ENDS[parameter.support]
        raise StudyError(
            f"{parameter.name}: {text!r} reaches beyond {lower:g} to {upper:g}; expected a prior on these numbers "
            f"(Uniform({lower:g}, {upper:g}), ...)"
        )
    return prior


def _ends_by_numpyro(prior: Prior, text: str, parameter: Parameter) -> tuple[float, float]:
    """Build the distribution once to see that NumPyro accepts it; return its least and its largest number."""
    if prior.name not in families():
        near = suggestion(prior.name, families())
        raise StudyError(f"{parameter.name}: {shown(text)} names no distribution of NumPyro{near}")
    try:
        built = families()[prior.name](*prior.args, **dict(prior.kwargs), validate_args=True)
    except Exception as error:
        # NumPyro signals bad arguments with several exception types; each says what was wrong in its first line.
        raise StudyError(
            f"{parameter.name}: NumPyro refuses {shown(text)}: {str(error).partition(chr(10))[0]}"
        ) from error
    if not _is_of_one_number(built):
        raise StudyError(f"{parameter.name}: {text!r} is no continuous distribution of one number")
    if _is_empty(built.support):
        raise StudyError(f"{parameter.name}: {shown(text)} has its lower end above its upper end")
    return _ends_of(built.support)


def _is_of_one_number(built: object) -> bool:
    return isinstance(built, dist.Distribution) and not built.is_discrete and built.shape() == ()


def _is_empty(support: constraints.Constraint) -> bool:
    """Whether the ends are the wrong way round, which NumPyro does not look at."""
    ends = (getattr(support, "lower_bound", float("-inf")), getattr(support, "upper_bound", float("inf")))
    return float(ends[0]) >= float(ends[1])


def _is_inside(ends: tuple[float, float], wanted: Support) -> bool:
    """Whether a distribution keeps to the numbers that a parameter can have."""
    return ends[0] >= ENDS[wanted][0] and ends[1] <= ENDS[wanted][1]


def _ends_of(support: constraints.Constraint) -> tuple[float, float]:
    """Return the least and the largest number of a support."""
    if support in (constraints.positive, constraints.nonnegative):
        return 0.0, math.inf
    if support in (constraints.unit_interval, constraints.open_interval(0, 1)):
        return 0.0, 1.0
    return float(getattr(support, "lower_bound", -math.inf)), float(getattr(support, "upper_bound", math.inf))
