"""Tables as CSV text in which no cell can act as a formula when a spreadsheet opens it.

A text that begins with = + - @, a tab, a carriage return or a line feed, or with the wide forms of those signs, gets an
apostrophe in front (OWASP, CSV injection); one that is a number stays, and so do numbers, with all their digits. Lines
within a text end in a line feed.
"""

import io
import re

import pandas as pd

UNSAFE_START = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def to_csv(frame: pd.DataFrame) -> str:
    """Return a frame as CSV text, names of columns included, lines ending in a line feed.

    >>> print(to_csv(pd.DataFrame({"method": ["=1+1", "-2.5"], "bias": [-0.5, 2.0]})), end="")
    method,bias
    '=1+1,-0.5
    -2.5,2.0
    """
    safe = frame.copy(deep=False)
    safe.columns = [_harmless(name) for name in frame.columns]
    for place in range(len(safe.columns)):
        values = frame.iloc[:, place]
        if not pd.api.types.is_numeric_dtype(values):
            safe.isetitem(place, values.astype(object).map(_harmless).to_numpy(object))
    buffer = io.StringIO()
    safe.to_csv(buffer, index=False, lineterminator="\n")
    return buffer.getvalue()


def _harmless(value: object) -> object:
    if not isinstance(value, str):
        return value
    # A carriage return would stand unquoted, and begin a cell of its own in the middle of a text.
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return "'" + text if text.startswith(UNSAFE_START) and not _NUMBER.fullmatch(text) else text
