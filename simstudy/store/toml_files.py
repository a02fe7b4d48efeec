"""TOML files that may come from anyone: bounded in size and depth before anything walks through them.

``tomllib`` takes the square of the number of a key's parts, and what walks through a mapping goes as deep as it is.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simstudy.errors import SimstudyError, shown
from simstudy.store.incoming import open_file

LARGEST_FILE = 10_000_000  # bytes; a study file has some hundreds
MOST_DEEP = 16  # keys in one another; a study has three
LONGEST_KEY = 200
# Strings, one that is not closed to the end of its line or the file, and comments: there a dot is no dot of a key.
QUOTED = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5}|\\?\Z)'
    r"|'''(?:[^']|'(?!''))*+(?:'{3,5}|\Z)"
    r'|"(?:\\[^\n]|[^"\\\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
DEEP_KEY = re.compile(rf"(?:\.[ \t]*+[\w-]*+[ \t]*+){{{MOST_DEEP}}}")


class TomlError(SimstudyError):
    """A file that is no TOML, or is too large or too deep."""


def read_toml(path: Path) -> dict[str, Any]:
    """Return the contents of a TOML file.

    Raises:
        OSError: it cannot be opened, or is no file.
        TomlError: it is too large, no text, no TOML, or too deep; says why and on which line, not its name.
    """
    with open_file(path) as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise TomlError(f"expected a TOML file of at most {LARGEST_FILE:,} bytes; is this a table?")
    try:
        text = content.decode("utf-8-sig")
        _check_dots(text)
        contents = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise TomlError("expected a TOML file in UTF-8, got bytes that are no text") from error
    except RecursionError as error:
        raise TomlError("expected a TOML file: brackets are nested too deeply") from error
    except ValueError as error:
        raise TomlError(f"expected a TOML file: {str(error).partition(';')[0]}") from error
    _check_depth(contents)
    return contents


def _check_dots(text: str) -> None:
    """Refuse keys of many parts before they are read, which takes the square of their number."""
    bare = QUOTED.sub("_", text)
    if found := DEEP_KEY.search(bare):
        line = bare.count("\n", 0, found.start()) + 1
        where = f" (line {line})" if bare.count("\n") == text.count("\n") else ""
        raise TomlError(f"expected keys of at most {MOST_DEEP} parts, got more{where}; a study has three")


def _check_depth(contents: Mapping[str, Any]) -> None:
    """Refuse what is nested too deeply to be walked through, and keys that are no names."""
    level: list[Any] = [contents]
    for _ in range(MOST_DEEP):
        keys = (key for value in level if isinstance(value, dict) for key in value)
        if long := next((key for key in keys if len(key) > LONGEST_KEY), None):
            raise TomlError(f"expected keys of at most {LONGEST_KEY} characters, got {shown(long)}")
        level = [inner for value in level for inner in _inner(value)]
        if not level:
            return
    raise TomlError(f"expected sections and lists at most {MOST_DEEP} deep: they are nested too deeply")


def _inner(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
