"""Docstrings are plain text with code between backticks; what else Sphinx would read as markup is escaped."""

import re
from collections.abc import Iterable, Iterator

CODE = re.compile(r"(``.*?``|`[^`]+`)")
EXAMPLE = ">>>"


def as_plain(lines: Iterable[str]) -> list[str]:
    r"""Return a docstring with its stars and bars escaped, but for code and examples.

    >>> as_plain(["(draw, *site) of |z|, ``*args``", ">>> 2 * 3", "6"])
    ['(draw, \\*site) of \\|z\\|, ``*args``', '>>> 2 * 3', '6']
    """
    return list(_escaped(lines))


def _escaped(lines: Iterable[str]) -> Iterator[str]:
    is_example = False
    for line in lines:
        is_example = line.strip() != "" and (is_example or line.lstrip().startswith(EXAMPLE))
        yield line if is_example else "".join(_escape(part) for part in CODE.split(line))


def _escape(part: str) -> str:
    return part if part.startswith("`") else part.replace("*", "\\*").replace("|", "\\|")
