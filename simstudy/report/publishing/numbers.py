"""Numbers as a paper prints them: a value with its Monte Carlo standard error in parentheses behind it."""

from __future__ import annotations

import math

import pandas as pd

from simstudy.report.reading.wording import MINUS, number

MISSING = "–"
MCSE_DIGITS = 2
MOST_DECIMALS = 6
"""Below a millionth both numbers are written with powers of ten, each with its own digits."""


def cell(value: float, mcse: float = math.nan, lower: float = math.nan, upper: float = math.nan) -> str:
    """Return ``value (MCSE)``: the MCSE with two digits, the value to the same decimal place.

    Where all replicates agree the MCSE is 0 by accident: the ends of an interval, if there is one, stand in its place.
    A value without either stands alone with three digits; a missing one is an en dash.

    >>> cell(0.70712, 0.0123), cell(-0.2, 0.0996), cell(1234.4, 123.0)
    ('0.707 (0.012)', '−0.20 (0.10)', '1,234 (123)')
    >>> cell(1.0, 0.0, 0.9628, 1.0), cell(1.0, 0.0), cell(float("nan"))
    ('1.00 [0.963, 1.00]', '1.00', '–')
    """
    if math.isnan(value):
        return MISSING
    decimals = decimals_of(mcse)
    if decimals is None and mcse == 0 and lower < upper:
        return f"{number(value)} [{number(lower)}, {number(upper)}]"
    if decimals is None:
        return number(value)
    if decimals > MOST_DECIMALS:
        return f"{number(value)} ({number(mcse, digits=MCSE_DIGITS)})"
    return f"{fixed(value, decimals)} ({fixed(mcse, decimals)})"


def pair(value: float, mcse: float) -> tuple[str, str]:
    """Return value and MCSE as two cells, by the rule of ``cell``.

    >>> pair(0.70712, 0.0123), pair(1.0, float("nan"))
    (('0.707', '0.012'), ('1.00', '–'))
    """
    first, _, rest = cell(value, mcse).partition(" (")
    return first, rest.rstrip(")") or (MISSING if math.isnan(mcse) else number(mcse))


def decimals_of(mcse: float) -> int | None:
    """Return how many decimals two digits of the MCSE take; None where there is no MCSE to show.

    >>> decimals_of(0.0123), decimals_of(0.0996), decimals_of(42.0), decimals_of(0.0)
    (3, 2, 0, None)
    """
    if not mcse > 0 or math.isinf(mcse):
        return None
    rounded = float(f"{mcse:.{MCSE_DIGITS}g}")
    return max(0, MCSE_DIGITS - 1 - math.floor(math.log10(rounded)))


def fixed(value: float, decimals: int) -> str:
    """Return a number with some decimals, thousands marked, a true minus sign, and no minus before zeros.

    >>> fixed(-0.0004, 3), fixed(-1234.5, 1)
    ('0.000', '−1,234.5')
    """
    text = f"{value:,.{decimals}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", MINUS)


def plain(value: object) -> object:
    """Return a factor's level as a paper has it: whole numbers as integers, texts as they are, missing ones as a dash.

    >>> plain(8.0), plain(0.5), plain("1/2/5"), plain(None)
    (8, 0.5, '1/2/5', '–')
    """
    if value is None or value is pd.NA or value != value:
        return MISSING
    if hasattr(value, "item"):
        value = value.item()
    return int(value) if isinstance(value, float) and value.is_integer() else value
