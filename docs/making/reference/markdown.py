"""Tables and code of Markdown, safe for whatever text stands in them."""

from collections.abc import Iterable, Sequence


def cell(text: object) -> str:
    r"""Return a text that keeps to its cell, with what Markdown would read as its own escaped.

    >>> print(cell("p | q, a * b, theta_j"))
    p \| q, a \* b, theta\_j
    """
    flat = " ".join(str(text).replace("``", "`").split())
    parts = flat.split("`")
    for i in range(0, len(parts), 2):  # what stands between backticks is code
        for letter in "\\*_<[":
            parts[i] = parts[i].replace(letter, f"\\{letter}")
    return "`".join(parts).replace("|", "\\|")


def code(text: object) -> str:
    """Return a text as code, or nothing for an empty one."""
    return f"`{text}`" if str(text) else ""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of Markdown; cells are texts of Markdown already.

    >>> print(table(["a", "b"], [[1, 2]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [head, ["---"] * len(head), *rows]
    text = ["| " + " | ".join(map(str, line)) + " |" for line in lines]
    return "\n".join(line.replace("| --- |", "|---|").replace(" --- |", "---|") for line in text)


def first_line(documented: object) -> str:
    """Return the first line of a docstring."""
    return (documented.__doc__ or "").strip().splitlines()[0]
