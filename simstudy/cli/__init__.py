"""The command line, a module a command. Every error that a user can act on is one message, with exit code 2."""

import sys
from collections.abc import Callable

import typer

from simstudy.cli.compare import compare_command
from simstudy.cli.exits import DONE, INTERRUPTED, MISUSE, TERMINATED, say
from simstudy.cli.inventory import list_command
from simstudy.cli.protocol import protocol_command
from simstudy.cli.report import report_command
from simstudy.cli.run import run_command
from simstudy.cli.score import score_command
from simstudy.errors import SimstudyError

GO_ON = "interrupted; what is finished is stored: run the same command again to go on"
COMMANDS: dict[str, Callable[..., None]] = {
    "run": run_command,
    "report": report_command,
    "compare": compare_command,
    "protocol": protocol_command,
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


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = app(standalone_mode=False)
    except SimstudyError as error:
        say(str(error))
        code = MISUSE
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except SystemExit as error:
        if error.code == TERMINATED:
            say(GO_ON)
        raise
    except Exception as error:
        # Click's own errors carry a message for the user; anything else is a defect and keeps its traceback.
        if not hasattr(error, "format_message"):
            raise
        say(error.format_message())
        code = MISUSE
    if code == INTERRUPTED:  # typer itself turns Ctrl-C into this code
        say(GO_ON)
    sys.exit(code if isinstance(code, int) else DONE)
