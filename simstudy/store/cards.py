"""What a console and a notebook show of an object: one line, and a card of facts with a table."""

from collections.abc import Mapping, Sequence
from html import escape

Row = Mapping[str, object]
STYLE = ' style="text-align: {}; padding: .1em .8em .1em 0"'


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
        rows: of the table, all with the keys of the first; columns of numbers stand on the right.

    >>> card("Run a<b", {"folder": "runs/a", "aim": ""})
    '<div><p><b>Run a&lt;b</b><br>folder: runs/a</p></div>'
    """
    lines = [f"<b>{escape(title)}</b>", *(f"{escape(name)}: {escape(value)}" for name, value in facts.items() if value)]
    return f"<div><p>{'<br>'.join(lines)}</p>{_table(rows) if rows else ''}</div>"


def _table(rows: Sequence[Row]) -> str:
    sides = {name: "right" if all(_is_number(row[name]) for row in rows) else "left" for name in rows[0]}
    head = "".join(f"<th{STYLE.format(side)}>{escape(name)}</th>" for name, side in sides.items())
    body = "".join(
        f"<tr>{''.join(f'<td{STYLE.format(side)}>{_text(row[name])}</td>' for name, side in sides.items())}</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: object) -> str:
    if not _is_number(value):
        return escape(str(value))
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}"
