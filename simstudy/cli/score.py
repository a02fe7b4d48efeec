"""``simstudy score``: performance measures of estimates that were made elsewhere."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from simstudy.cli.options import existing_folder
from simstudy.errors import TableError, printable


def score_command(
    table: Annotated[Path, typer.Argument(help="CSV or Parquet file, one row per estimate.")],
    estimate: Annotated[str, typer.Option(help="Column of the estimates.")],
    truth: Annotated[str, typer.Option(help="Column of the true values, or one number.")],
    se: Annotated[str | None, typer.Option(help="Column of standard errors or posterior sds.")] = None,
    lower: Annotated[str | None, typer.Option(help="Column of the intervals' lower ends.")] = None,
    upper: Annotated[str | None, typer.Option(help="Column of the intervals' upper ends.")] = None,
    level: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.95,
    null: Annotated[float, typer.Option(help="Value that an interval must exclude to reject.")] = 0.0,
    method: Annotated[str | None, typer.Option(help="Column that names the method.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="Column that names the scenario; may be given again.")] = None,
    replicate: Annotated[str | None, typer.Option(help="Column that names the replicate.")] = None,
    group: Annotated[str | None, typer.Option(help="Column that names the group.")] = None,
    ref: Annotated[str | None, typer.Option(help="Method that relative precision refers to.")] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file; standard output by default.")] = None,
) -> None:
    """Score estimates that were made elsewhere: every measure with its Monte Carlo standard error."""
    from simstudy.measures.score_table import read_table, score
    from simstudy.store.atomic import publish, stage
    from simstudy.store.csv_text import to_csv

    estimates = read_table(table)
    try:
        performance = score(
            estimates,
            estimate=estimate,
            truth=_column_or_number(truth),
            se=se,
            lower=lower,
            upper=upper,
            level=level,
            null=null,
            method=method,
            by=by or (),
            replicate=replicate,
            group=group,
            ref=ref,
        )
    except TableError as error:
        raise TableError(f"{table}: {error}") from error
    text = to_csv(performance)
    if out is None:
        # Into a file goes what a file would hold; a terminal obeys no text of a table.
        sys.stdout.write(printable(text, lines=True) if sys.stdout.isatty() else text)
    else:
        publish(stage(existing_folder("--out", out), text.encode()), out)


def _column_or_number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
