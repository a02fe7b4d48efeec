"""How many scenarios show a finding: those that show it, and apart from them those that show its opposite."""

from __future__ import annotations

from collections.abc import Iterable

from simstudy.report.reading.wording import share


def clear_in(clear: Iterable[float], towards: float, total: int, *, of: str = "scenarios") -> str:
    """Return in how many of all scenarios a difference is clear in one direction, and in how many in the other.

    Args:
        clear: differences that are clear.
        towards: the one that the sentence tells.
        total: number of scenarios, those without a clear difference among them.
        of: what is counted.

    >>> clear_in([0.3, 0.2], 0.3, 4)
    'clear in 2 of 4 scenarios'
    >>> clear_in([-0.9, -0.7, 0.1, 0.2], -0.9, 4)
    'clear in 2 of 4 scenarios, the other way in 2'
    """
    values = [float(value) for value in clear]
    alike = sum(value * towards > 0 for value in values)
    opposite = f", the other way in {len(values) - alike:,}" if alike < len(values) else ""
    return f"clear in {share(alike, total)} {of}{opposite}"
