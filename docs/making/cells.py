"""Cells as a terminal has them: a line that begins with ``simstudy`` is a command, which has to end well.

Commands run in the process of the page, so that it compiles each program once.
"""

import shlex
import shutil
from typing import Any

from simstudy.cli import main

PROGRAMS = ("simstudy ", "cp -r ")
EXPECTED = "# exit code "
HERE = {"run": ("--workers", "0"), "choose": ("--workers", "0"), "plan": ("--workers", "0")}
"""Options that a command has here beside its own: they change where it runs, and no number."""


def prepare(shell: Any) -> None:
    """Teach a kernel to run command lines, to draw for the page, and to print tables in its width."""
    import matplotlib_inline.backend_inline
    import pandas as pd

    shell.input_transformers_cleanup.append(as_calls)
    shell.user_ns["_command"] = run_line
    matplotlib_inline.backend_inline.set_matplotlib_formats("svg")
    pd.set_option("display.width", 110, "display.max_columns", 12, "display.float_format", "{:.4g}".format)


def as_calls(lines: list[str]) -> list[str]:
    r"""Return the lines of a cell with its command lines as calls of Python.

    >>> as_calls(["simstudy list \\\n", "  measures\n", "x = 1\n"])
    ["_command('simstudy list   measures')\n", 'x = 1\n']
    """
    if not lines or not lines[0].startswith(PROGRAMS):
        return lines
    joined = "".join(lines).replace("\\\n", "").splitlines()
    return [f"_command({line!r})\n" if line.startswith(PROGRAMS) else f"{line}\n" for line in joined]


def run_line(line: str) -> None:
    """Run a command line of simstudy, or copy a folder.

    Args:
        line: what a terminal gets; it may end with ``# exit code 1`` where that is the answer.

    Raises:
        RuntimeError: its exit code is another one, by default than 0.
    """
    line, _, expected = line.partition(EXPECTED)
    program, *arguments = shlex.split(line)
    if program == "cp":
        shutil.copytree(*arguments[1:])
        return
    try:
        main([*arguments, *HERE.get(arguments[0], ())])
    except SystemExit as ended:
        if (ended.code or 0) != int(expected or 0):
            raise RuntimeError(f"{line}: exit code {ended.code}, expected {expected or 0}") from ended
