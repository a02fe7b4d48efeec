"""What a design has to reach: one measure, and the value that it must come to."""

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from simstudy.errors import StudyError, shown

Kind = Literal["width", "power", "rank_best", "regret"]
Side = Literal[">", "<"]
AT_LEAST = 0.8
CLAIM = re.compile(r"\s*(?P<estimand>[A-Za-z]\w*)\s*(?P<side>[<>])\s*(?P<null>\S+)\s*")
EXPECTED = "expected exactly one goal: --width, --power, --rank-best or --regret"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A measure of a design and its target.

    Args:
        kind: ``width``: the mean width of the central interval of an estimand; ``power``: the probability that the
            interval lies on one side of a value; ``rank_best``: the probability that the group with the largest
            estimate is the best one; ``regret``: by what share the mean squared error of the effects lies above that of
            the best of {group means, grand mean, oracle}.
        target: what is to be reached: at most, for ``width`` (in the unit of the estimand) and ``regret`` (a share);
            at least, for the probabilities.
        estimand: of ``width`` and ``power``.
        side: of ``power``.
        null: value that the interval must lie beyond, for ``power``.
        level: of the interval; 1 - level is the size of the test of homogeneity.
    """

    kind: Kind
    target: float
    estimand: str = "theta"
    side: Side = ">"
    null: float = 0.0
    level: float = 0.95

    @property
    def wants_less(self) -> bool:
        """Whether smaller values are better."""
        return self.kind in ("width", "regret")

    @property
    def is_probability(self) -> bool:
        """Whether the measure is a share of replicates."""
        return self.kind in ("power", "rank_best")

    @property
    def is_homogeneity(self) -> bool:
        """Whether it is judged by a test that all groups are the same: a posterior of tau always excludes 0."""
        return self.kind == "power" and self.estimand == "tau" and self.null == 0

    @property
    def is_monotone(self) -> bool:
        """Whether a larger design is never worse; regret is small again where data say nothing."""
        return self.kind != "regret"

    def is_met_by(self, value: float) -> bool:
        """Whether a value of the measure reaches the target."""
        return value <= self.target if self.wants_less else value >= self.target


def read_goal(
    *,
    width: tuple[str, float] | None = None,
    power: str | None = None,
    at_least: float | None = None,
    rank_best: float | None = None,
    regret: str | float | None = None,
    level: float = 0.95,
) -> Goal:
    """Return the goal that is given.

    Args:
        width: estimand, and the width that is to be reached.
        power: a claim such as ``mu > 0``, ``mu < 2`` or ``tau > 0``.
        at_least: probability of the claim, in (0, 1); 0.8 where left out.
        rank_best: probability, in (0, 1).
        regret: a share, as ``5%`` or 0.05.
        level: of the interval, in (0, 1).

    Raises:
        StudyError: none or several are given, or one cannot be read.

    >>> read_goal(power="mu > 2.5").null
    2.5
    """
    if sum(given is not None for given in (width, power, rank_best, regret)) != 1:
        raise StudyError(EXPECTED)
    if at_least is not None and power is None:
        raise StudyError("--at-least belongs to --power; the other goals say their number themselves")
    if not 0 < level < 1:
        raise StudyError(f"--level: expected a number between 0 and 1, such as 0.95, got {level:g}")
    if width is not None:
        return _width(*width, level=level)
    if power is not None:
        return _power(power, AT_LEAST if at_least is None else at_least, level=level)
    if rank_best is not None:
        return Goal(kind="rank_best", target=_probability("--rank-best", rank_best), level=level)
    return Goal(kind="regret", target=_share(regret), level=level)


def _width(estimand: str, target: Any, *, level: float) -> Goal:
    if (number := _number(target)) is None or number <= 0:
        raise StudyError(f"--width {estimand}: expected a width above 0, got {shown(target)}")
    return Goal(kind="width", estimand=estimand, target=number, level=level)


def _power(claim: str, at_least: float, *, level: float) -> Goal:
    found = CLAIM.fullmatch(claim)
    null = None if found is None else _number(found["null"])
    if found is None or null is None:
        raise StudyError(f'--power: expected a claim such as "mu > 0" or "tau > 5", got {shown(claim)}')
    estimand, side = found["estimand"], found["side"]
    if estimand in ("tau", "sigma") and (null < 0 or (null == 0 and (side == "<" or estimand == "sigma"))):
        raise StudyError(f'--power "{claim}": {estimand} is never below 0; give a claim such as "{estimand} > 1"')
    target = _probability("--at-least", at_least)
    return Goal(kind="power", estimand=estimand, side=side, null=null, target=target, level=level)  # type: ignore[arg-type]


def _probability(option: str, value: Any) -> float:
    number = _number(value)
    if number is None or not 0 < number < 1:
        raise StudyError(f"{option}: expected a probability between 0 and 1, such as 0.8, got {shown(value)}")
    return number


def _share(value: Any) -> float:
    text = str(value).strip()
    number = _number(text.removesuffix("%"))
    if number is None or number <= 0:
        raise StudyError(f"--regret: expected a share above 0, such as 5% or 0.05, got {shown(value)}")
    return number / 100 if text.endswith("%") else number


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
