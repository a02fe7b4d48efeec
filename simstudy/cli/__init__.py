"""The command line, a module a command. Every error that a user can act on is one message, with exit code 2."""

import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Annotated

import typer

from simstudy.cli.choose import choose_command
from simstudy.cli.compare import compare_command
from simstudy.cli.exits import DONE, FULL, INTERRUPTED, MISUSE, TERMINATED, prepare, say, settle, silence, unwritten
from simstudy.cli.figures import figures_command
from simstudy.cli.inventory import list_command
from simstudy.cli.new import new_command
from simstudy.cli.plan import plan_command
from simstudy.cli.protocol import protocol_command
from simstudy.cli.publish import publish_command
from simstudy.cli.refit import refit_command
from simstudy.cli.report import report_command
from simstudy.cli.run import run_command
from simstudy.cli.score import score_command
from simstudy.cli.show import show_command
from simstudy.cli.table import table_command
from simstudy.cli.verify import verify_command
from simstudy.errors import SimstudyError, shown

GO_ON = "interrupted; what is finished is stored: run the same command again to go on"
ANEW = "interrupted; nothing is kept: the same command begins anew"
COMMANDS: dict[str, Callable[..., None]] = {
    "run": run_command,
    "report": report_command,
    "compare": compare_command,
    "choose": choose_command,
    "plan": plan_command,
    "protocol": protocol_command,
    "refit": refit_command,
    "score": score_command,
    "publish": publish_command,
    "verify": verify_command,
    "table": table_command,
    "figures": figures_command,
    "new": new_command,
    "show": show_command,
    "list": list_command,
}

app = typer.Typer(
    help="Simulation studies of hierarchical Bayesian models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for name, command in COMMANDS.items():
    app.command(name)(command)


def show_version(*, asked: bool) -> None:
    """Print the version and end, if asked."""
    if asked:
        print(metadata.version("simstudy"))
        raise typer.Exit


@app.callback(no_args_is_help=True)
def options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=lambda asked: show_version(asked=asked)
        ),
    ] = False,
) -> None:
    """Simulation studies of hierarchical Bayesian models."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, by default with the arguments of this process, and exit with its code."""
    prepare()
    code = _code_of(arguments)
    if code == INTERRUPTED:  # typer itself turns Ctrl-C into this code
        say(_interrupted(arguments))
    sys.exit(settle() or code)


def _interrupted(arguments: Sequence[str] | None) -> str:
    """Return what the end of a command says that a signal ended; ``run`` alone stores on its way."""
    words = sys.argv[1:] if arguments is None else arguments
    return GO_ON if next((word for word in words if word in COMMANDS), "") == "run" else ANEW


def _code_of(arguments: Sequence[str] | None) -> int:
    """Run a command and return its exit code, after saying what went wrong."""
    try:
        code = app(args=arguments, prog_name="simstudy", standalone_mode=False)
    except SimstudyError as error:
        say(str(error))
        code = MISUSE
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except SystemExit as error:
        if error.code == TERMINATED:
            say(_interrupted(arguments))
        raise
    except MemoryError:
        say("there is not enough memory; leave out rows, draws or workers")
        code = MISUSE
    except OSError as error:
        # A file that is named on the command line and cannot be what it is named for, or an output that takes no more;
        # others are defects.
        if error.filename is None and error.errno not in FULL:
            raise
        if error.filename is None:
            say(unwritten(error))
            silence(sys.stdout)
        else:
            say(f"{shown(str(error.filename))}: {error.strerror}")
        code = MISUSE
    except Exception as error:
        # Click's own errors carry a message for the user; anything else is a defect and keeps its traceback.
        if not hasattr(error, "format_message"):
            raise
        if message := error.format_message():
            say(message.replace("Input should be", "expected") + _given(error, arguments))
        code = MISUSE
    return code if isinstance(code, int) else DONE


def _given(error: Exception, arguments: Sequence[str] | None) -> str:
    """Return what came in place of an option's value, which Click does not say."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    names = [name for name in getattr(getattr(error, "param", None), "opts", ()) if name in words[:-1]]
    return f", got {shown(words[words.index(names[0]) + 1])}" if names else ""
