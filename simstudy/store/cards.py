"""What a console and a notebook show of an object: one line, and a card of facts with a table."""

from collections.abc import Mapping, Sequence
from html import escape

Row = Mapping[str, object]
RIGHT, LEFT = ' style="text-align: right"', ' style="text-align: left"'


def counted(n: int, noun: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "scenario"), counted(12, "scenario")
    ('1 scenario', '12 scenarios')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def size_words(n_scenarios: int, n_methods: int, n_replicates: int) -> str:
    """Return the size of a design.

    >>> size_words(21, 4, 100)
    '21 scenarios x 4 methods x 100 replicates'
    """
    sizes = {"scenario": n_scenarios, "method": n_methods, "replicate": n_replicates}
    return " x ".join(counted(n, noun) for noun, n in sizes.items())


def card(title: str, facts: Mapping[str, str], rows: Sequence[Row] = ()) -> str:
    """Return HTML of a title, facts and a table, in the colors and letters of the page that it stands in.

    Args:
        title: what it is.
        facts: name -> value; one without a value is left out.
        rows: of the table, all with the keys of the first; numbers stand on the right.

    >>> card("Run a<b", {"folder": "runs/a", "aim": ""})
    '<div><p><b>Run a&lt;b</b><br>folder: runs/a</p></div>'
    """
    lines = [f"<b>{escape(title)}</b>", *(f"{escape(name)}: {escape(value)}" for name, value in facts.items() if value)]
    return f"<div><p>{'<br>'.join(lines)}</p>{_table(rows) if rows else ''}</div>"


def _table(rows: Sequence[Row]) -> str:
    head = "".join(f"<th{LEFT}>{escape(name)}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(map(_cell, row.values()))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if is_number else str(value)
    return f"<td{RIGHT if is_number else LEFT}>{escape(text)}</td>"
