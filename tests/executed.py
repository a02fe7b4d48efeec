"""Pages of documentation that are run as they stand: blocks in their order, in one folder and one process.

A block without a language holds command lines; one of Python is executed, in one namespace for the page; one that
begins with ``# name.ending`` is written to that file. A ``text`` block is what the block before it printed, with
``...`` for what is left out. Everything shares one process, so that programs are compiled once.
"""

import contextlib
import io
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simstudy.cli import main

ROOT = Path(__file__).parent.parent
EXECUTED = "<!-- executed"
FAST = {"run": ("--workers", "0", "--quiet")}
"""Options that a command has here beside its own: they change where it runs, and no number."""
FILE = re.compile(r"# ([\w.-]+\.\w+)\n")


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield the language and the content of each block of a page."""
    yield from re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def execute(page: Path) -> dict[str, Any]:
    """Run the blocks of a page in the working folder; return the names that its Python has given."""
    names: dict[str, Any] = {"__name__": "executed"}
    printed = ""
    for language, content in blocks(page.read_text("utf-8")):
        if language == "text":
            expect_printed(content, printed)
        elif named := FILE.match(content):
            Path(named[1]).write_text(content, "utf-8")
        else:
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                if language == "python":
                    exec(compile(content, str(page), "exec"), names)
                else:
                    for line in content.splitlines():
                        run_line(line)
            printed = stream.getvalue()
    return names


def run_line(line: str) -> None:
    """Run a command line of simstudy, which has to end well, or copy a folder."""
    program, *arguments = shlex.split(line)
    if program == "cp":
        shutil.copytree(*arguments[1:])
        return
    assert program == "simstudy", line
    with pytest.raises(SystemExit) as ended:
        main([*arguments, *FAST.get(arguments[0], ())])
    assert ended.value.code == 0, line


def expect_printed(expected: str, printed: str) -> None:
    """Find the parts between the dots in what was printed, in their order."""
    place = 0
    for part in re.split(r"\.\.\.\n?", expected):
        found = printed.find(part.rstrip("\n"), place)
        assert found >= 0, f"expected {part!r} in {printed!r}"
        place = found + len(part.rstrip("\n"))
