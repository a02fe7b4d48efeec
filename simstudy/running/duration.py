"""Durations as people write and read them: ``90s``, ``30m``, ``2h``."""

import re

from simstudy.errors import StudyError

SECONDS_OF = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read_duration(text: str, *, option: str) -> float:
    """Return the seconds of a text such as ``90s``, ``30m``, ``2h`` or ``1h30m``.

    Args:
        text: numbers, each with its unit: s, m, h or d.
        option: what the text was given for; stands in the message.

    Raises:
        StudyError: The text is no duration, or one of nothing.

    >>> read_duration("90s", option="--time-limit"), read_duration("1h30m", option="--time-limit")
    (90.0, 5400.0)
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    seconds = sum(float(number) * SECONDS_OF[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or seconds <= 0:
        raise StudyError(f"{option} {text}: expected a duration such as 90s, 30m, 2h or 1h30m")
    return seconds


def duration_text(seconds: float) -> str:
    """Return a duration for people.

    >>> duration_text(5.0), duration_text(125.0), duration_text(7300.0)
    ('5 s', '2 min 5 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
