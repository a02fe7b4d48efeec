"""A table as text for a document: LaTeX, Markdown, HTML, CSV."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import escape

import pandas as pd

from simstudy.report.publishing.latex import as_latex
from simstudy.report.publishing.numbers import MISSING, pair, plain
from simstudy.store.csv_text import to_csv

NUMBERS = re.compile(r"[−-]?[\d,.]+(e[−-]?\d+)?( \([\d,.]+(e[−-]?\d+)?\))?")


HEADS = {"mcse": "MCSE", "n_used": "replicates"}
"""What the columns of a long table are called in a document."""


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with every cell as it is printed: value and MCSE of a long one to the decimals of the MCSE.

    >>> as_text(pd.DataFrame({"tau": [0.5], "value": [0.70712], "mcse": [0.0123]})).to_dict("records")
    [{'tau': '0.5', 'value': '0.707', 'MCSE': '0.012'}]
    """
    texts = pd.DataFrame({i: [str(plain(v)) for v in frame.iloc[:, i]] for i in range(frame.shape[1])}, dtype=object)
    texts.columns, texts.attrs = frame.columns, frame.attrs
    if is_long(frame):
        pairs = [pair(value, mcse) for value, mcse in frame[["value", "mcse"]].to_numpy(float)]
        texts["value"], texts["mcse"] = [first for first, _ in pairs], [second for _, second in pairs]
        texts.columns = pd.Index([HEADS.get(str(name), str(name)) for name in frame.columns])
    return texts


def is_long(frame: pd.DataFrame) -> bool:
    """Return whether a table has a row per number: values and their MCSE as numbers, in columns of their own."""
    return {"value", "mcse"} <= set(frame) and pd.api.types.is_float_dtype(frame["value"])


def is_numeric(texts: Iterable[str]) -> bool:
    """Return whether a column holds numbers alone, and so stands to the right."""
    return all(text == MISSING or NUMBERS.fullmatch(text) for text in texts)


def latex(frame: pd.DataFrame) -> str:
    """Return a table as LaTeX with booktabs, numbers to the right."""
    texts = as_text(frame)
    return as_latex(texts, [is_numeric(texts.iloc[:, i]) for i in range(texts.shape[1])])


def as_markdown(frame: pd.DataFrame) -> str:
    r"""Return a table with pipes, numbers to the right, padded so that it reads as it is.

    >>> print(as_markdown(pd.DataFrame({"J": [4, 16], "a|b": ["0.71 (0.12)", "–"]})), end="")
    |  J |        a\|b |
    |---:|------------:|
    |  4 | 0.71 (0.12) |
    | 16 |           – |
    """
    texts = as_text(frame)
    heads = [_in_pipes(str(name)) for name in texts.columns]
    columns = [[_in_pipes(text) for text in texts.iloc[:, i]] for i in range(texts.shape[1])]
    right = [is_numeric(texts.iloc[:, i]) for i in range(texts.shape[1])]
    widths = [max(map(len, [head, *column, "--"])) for head, column in zip(heads, columns, strict=True)]

    def line(cells: Iterable[str]) -> str:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True))
        return f"| {' | '.join(padded)} |\n"

    rule = "|".join("-" * (w + 1) + ":" if r else "-" * (w + 2) for w, r in zip(widths, right, strict=True))
    return line(heads) + f"|{rule}|\n" + "".join(line(row) for row in zip(*columns, strict=True))


def as_html(frame: pd.DataFrame) -> str:
    """Return a table as an HTML fragment: caption, head and body; numbers to the right, nothing else styled."""
    texts = as_text(frame)
    right = [is_numeric(texts.iloc[:, i]) for i in range(texts.shape[1])]
    caption = f"<caption>{escape(frame.attrs['caption'])}</caption>\n" if "caption" in frame.attrs else ""

    def row(cells: Iterable[object], tag: str) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        looks = (' style="text-align:right"' if r else ' style="text-align:left"' for r in right)
        inside = (f"<{tag}{scope}{k}>{escape(str(c))}</{tag}>" for c, k in zip(cells, looks, strict=True))
        return f"<tr>{''.join(inside)}</tr>\n"

    body = "".join(row(cells, "td") for cells in texts.itertuples(index=False, name=None))
    head = row(texts.columns, "th")
    return f"<table>\n{caption}<thead>\n{head}</thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def as_csv(frame: pd.DataFrame) -> str:
    """Return a table as CSV in which no cell can act as a formula; numbers of a long one with all their digits."""
    return to_csv(frame if is_long(frame) else as_text(frame))


def _in_pipes(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")


TEXTS: dict[str, Callable[[pd.DataFrame], str]] = {
    "latex": latex,
    "markdown": as_markdown,
    "csv": as_csv,
    "html": as_html,
}
"""Format -> what writes a table in it, of those that are text."""
