"""``simstudy score``: performance measures of estimates that were made elsewhere."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from simstudy.cli.exits import say, tell
from simstudy.cli.options import Load, existing_folder, load_parts
from simstudy.errors import TableError, printable


def score_command(
    table: Annotated[Path, typer.Argument(help="CSV or Parquet file, one row per estimate.")],
    estimate: Annotated[str, typer.Option(help="Column of the estimates.")],
    truth: Annotated[str, typer.Option(help="Column of the true values, or one number.")],
    se: Annotated[str | None, typer.Option(help="Column of standard errors or posterior sds.")] = None,
    df: Annotated[str | None, typer.Option(help="Column of degrees of freedom: intervals by t.")] = None,
    lower: Annotated[str | None, typer.Option(help="Column of the intervals' lower ends.")] = None,
    upper: Annotated[str | None, typer.Option(help="Column of the intervals' upper ends.")] = None,
    p_value: Annotated[str | None, typer.Option(help="Column of p-values: rejection where p < 1 - level.")] = None,
    level: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.95,
    null: Annotated[float, typer.Option(help="Value that an interval must exclude to reject.")] = 0.0,
    method: Annotated[str | None, typer.Option(help="Column that names the method.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="Column that names the scenario; may be given again.")] = None,
    replicate: Annotated[str | None, typer.Option(help="Column that names the replicate.")] = None,
    group: Annotated[str | None, typer.Option(help="Column that names the group.")] = None,
    ref: Annotated[str | None, typer.Option(help="Method that relative precision refers to.")] = None,
    pairs: Annotated[
        Literal["all", "complete"],
        typer.Option(help="All usable estimates, or only replicates in which every method has one."),
    ] = "all",
    trim: Annotated[float, typer.Option(help="Share of squared errors that trimmed measures do without.")] = 0.05,
    mcse: Annotated[
        Literal["influence", "normal", "bootstrap"],
        typer.Option(help="Standard errors of spread: for any errors, as Morris et al. 2019, or resampled."),
    ] = "influence",
    out: Annotated[
        Path | None, typer.Option(help="CSV file; without it, and without --report, standard output.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="HTML file: the measures in pictures and sentences.")] = None,
    load: Load = None,
) -> None:
    """Score estimates that were made elsewhere: every measure with its Monte Carlo standard error."""
    load_parts(load)
    from simstudy.measures.score import read_estimates, score_estimates
    from simstudy.store.atomic import publish, stage, writing
    from simstudy.store.csv_text import to_csv
    from simstudy.tables import read_table

    for option, file in (("--out", out), ("--report", report)):
        if file is not None:
            existing_folder(option, file)
    rows = read_table(table)
    try:
        estimates = read_estimates(
            rows,
            estimate=estimate,
            truth=truth,
            se=se,
            df=df,
            lower=lower,
            upper=upper,
            p_value=p_value,
            level=level,
            null=null,
            method=method,
            by=by or (),
            replicate=replicate,
            group=group,
            ref=ref,
            pairs=pairs,
            trim=trim,
        )
        performance = score_estimates(estimates, mcse_method=mcse)
    except TableError as error:
        raise TableError(f"{table}: {error}") from error
    for note in estimates.notes:
        say(note)
    if report is not None:
        from simstudy.report.scoring import write_scoring

        with writing(report.parent):
            tell(f"report: {write_scoring(estimates, performance, report, title=table.stem)}")
    text = to_csv(performance)
    if out is not None:
        publish(stage(existing_folder("--out", out), text.encode()), out)
    elif report is None:
        # Into a file goes what a file would hold; a terminal obeys no text of a table.
        sys.stdout.write(printable(text, lines=True) if sys.stdout.isatty() else text)
