"""The command line, a module a command. Every error that a user can act on is one message, with exit code 2."""

import sys
from collections.abc import Callable, Sequence

import typer

from simstudy.cli.exits import DONE, INTERRUPTED, MISUSE, say
from simstudy.cli.inventory import list_command
from simstudy.cli.refit import refit_command
from simstudy.cli.report import report_command
from simstudy.cli.run import run_command
from simstudy.cli.score import score_command
from simstudy.errors import SimstudyError

COMMANDS: dict[str, Callable[..., None]] = {
    "run": run_command,
    "report": report_command,
    "refit": refit_command,
    "score": score_command,
    "list": list_command,
}

app = typer.Typer(
    help="Simulation studies of hierarchical Bayesian models.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for name, command in COMMANDS.items():
    app.command(name)(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, by default with the arguments of this process, and exit with its code."""
    try:
        code = app(args=arguments, standalone_mode=False)
    except SimstudyError as error:
        say(str(error))
        code = MISUSE
    except (typer.Abort, KeyboardInterrupt):
        say("interrupted; what is finished is stored: run the same command again to go on")
        code = INTERRUPTED
    except Exception as error:
        # Click's own errors carry a message for the user; anything else is a defect and keeps its traceback.
        if not hasattr(error, "format_message"):
            raise
        say(error.format_message())
        code = MISUSE
    sys.exit(code if isinstance(code, int) else DONE)
