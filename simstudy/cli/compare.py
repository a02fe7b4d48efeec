"""``simstudy compare``: what changed from one run to another, and whether it is worse."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simstudy.cli.exits import say, tell
from simstudy.errors import printable

if TYPE_CHECKING:
    from rich.text import Text

NOTES = "What was compared with what"
WIDTH_IN_FILES = 1000  # columns; no table is as wide, so that none of its rows is broken


def compare_command(
    baseline: Annotated[Path, typer.Argument(help="Run folder to compare with.")],
    candidate: Annotated[Path, typer.Argument(help="Run folder that is judged; may be the same.")],
    margins: Annotated[Path | None, typer.Option(help="TOML file: which differences matter.")] = None,
    baseline_method: Annotated[str | None, typer.Option(help="Compare this method of the baseline ...")] = None,
    candidate_method: Annotated[str | None, typer.Option(help="... with this one of the candidate.")] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="The candidate may lack methods or scenarios of the baseline.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="HTML file.")] = None,
    json: Annotated[Path | None, typer.Option(help="JSON file.")] = None,
) -> None:
    """Compare two runs: exit code 0 if nothing is worse, 1 if something is, 2 if nothing could be compared."""
    from simstudy.comparison import compare
    from simstudy.comparison.compare import COULD_NOT_COMPARE
    from simstudy.report.comparing.sentences import headline

    comparison = compare(
        baseline,
        candidate,
        margins=margins,
        baseline_method=baseline_method,
        candidate_method=candidate_method,
        allow_missing=allow_missing,
    )
    _show(comparison)
    if out is not None:
        from simstudy.report import write_comparison

        tell(f"comparison: {write_comparison(comparison, out)}")
    if json is not None:
        from simstudy.store.atomic import write_json

        write_json(json, comparison.to_json())
        tell(f"comparison: {json}")
    if comparison.exit_code == COULD_NOT_COMPARE:
        say(f"{headline(comparison)} More replicates would: see the column of those needed")
    raise typer.Exit(comparison.exit_code)


def _show(comparison: Any) -> None:
    """Print the answers and the tables of a comparison; in a file each sentence and each row is one line."""
    from rich.console import Console

    from simstudy.cli.comparison_tables import changed_table, summary_table

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH_IN_FILES)
    for line in _lines(comparison):
        console.print(line, soft_wrap=not console.is_terminal)
    for table in (changed_table(comparison), summary_table(comparison)):
        if table.row_count:
            console.print()
            console.print(table)


def _lines(comparison: Any) -> Iterator["Text"]:
    """Yield the headline, then every question with its answer, then what a reader must know of how it was compared."""
    from rich.text import Text

    from simstudy.report.comparing.sentences import answers, headline

    lead = headline(comparison)
    yield Text(printable(lead), style="bold")
    for question, sentences in answers(comparison).items():
        told = [printable(sentence) for sentence in sentences if sentence not in lead]
        if question == NOTES:
            yield from (Text(sentence, style="dim") for sentence in told)
        elif told:
            yield Text.assemble((f"{question}? ", "bold"), " ".join(told))
