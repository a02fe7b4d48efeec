"""Every command with its arguments and options, from the command line itself; exit codes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer.main

from docs.making.reference.markdown import cell, code, table
from simstudy.cli import app, exits

HEAD = """# Commands

`simstudy COMMAND --help` says the same on the terminal. An option that is marked with + may stand several times.
"""
KINDS = {str: "text", int: "whole number", float: "number", Path: "path"}
CODES = {
    "DONE": "done; of `compare`: nothing is worse; of `run --time-limit`: what the time allowed",
    "BAD_ANSWER": "done, and the answer is bad: something is worse, a fit does not come again, too many fits failed",
    "MISUSE": "misuse, or a disk or cluster that fails: one message says what was expected, what came and what to do",
    "INTERRUPTED": "Ctrl-C: what is finished is stored",
    "TERMINATED": "SIGTERM: what is finished is stored",
}
"""Name of an exit code -> when a command ends with it."""


def commands_page() -> str:
    """Return the page on commands."""
    group: Any = typer.main.get_command(app)
    return "\n".join([HEAD, *(_section(name, command) for name, command in group.commands.items()), _codes()])


def _section(name: str, command: Any) -> str:
    arguments = " ".join(_argument(p) for p in command.params if p.param_type_name == "argument")
    usage = " ".join(filter(None, ["simstudy", name, arguments, "[OPTIONS]"]))
    rows = [[_names(p), cell(p.help or ""), cell(_type(p)), cell(_default(p))] for p in command.params]
    said = (command.help or "").strip()
    return (
        f"## {name}\n\n{cell(said)}\n\n```sh\n{usage}\n```\n\n"
        + table(["", "what it does", "takes", "default"], rows)
        + "\n"
    )


def _argument(parameter: Any) -> str:
    name = parameter.name.upper() + ("..." if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return code(parameter.name.upper())
    names = ", ".join(map(code, [*parameter.opts, *parameter.secondary_opts]))
    return names + ("+" if parameter.multiple else "")


def _type(parameter: Any) -> str:
    """Return what the value is, in a word and its bounds."""
    if getattr(parameter, "is_flag", False):
        return "nothing"
    annotation = parameter.type_descriptor.annotation
    if get_origin(annotation) is Literal:
        return " or ".join(map(str, get_args(annotation)))
    name = " and ".join(found for kind in get_args(annotation) or [annotation] if (found := KINDS.get(kind)))
    bounds = [f"from {parameter.min}" if parameter.min is not None else ""]
    bounds.append(f"to {parameter.max}" if parameter.max is not None else "")
    return " ".join(filter(None, [name, *bounds]))


def _default(parameter: Any) -> str:
    if parameter.required:
        return "needed"
    shown = parameter.default
    return "" if shown in (None, False, (), []) or callable(shown) else f"`{shown}`"


def _codes() -> str:
    return "## Exit codes\n\n" + table(["code", "means"], _code_rows()) + "\n"


def _code_rows() -> Iterator[list[str]]:
    for name, means in CODES.items():
        yield [str(getattr(exits, name)), cell(means)]
