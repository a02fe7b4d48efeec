"""``simstudy choose``: which pooling fits the groups of a table."""

from pathlib import Path
from typing import Annotated

import typer

from simstudy.cli.exits import say, tell
from simstudy.cli.options import check_workers, existing_folder, read_priors


def choose_command(
    data: Annotated[str, typer.Argument(help="CSV or Parquet file, or the name of a built-in data set.")],
    group: Annotated[
        list[str] | None, typer.Option(help="Column of the groups' names; several are answered one by one.")
    ] = None,
    value: Annotated[str | None, typer.Option(help="Column of observations, or of estimates.")] = None,
    standard_error: Annotated[str | None, typer.Option(help="Column of the estimates' standard errors.")] = None,
    successes: Annotated[str | None, typer.Option(help="Column of successes, with --trials.")] = None,
    trials: Annotated[str | None, typer.Option(help="Column of trials.")] = None,
    prior: Annotated[
        list[str] | None, typer.Option(help='As "tau = HalfNormal(10)"; may be given again. By default from the data.')
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of everything that is drawn.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Worker processes; by default one per core.")] = None,
    out: Annotated[Path | None, typer.Option(help="The page; by default choose-NAME.html.")] = None,
) -> None:
    """Answer which pooling fits the groups of a table, how much it helps, and how to sample it.

    simstudy choose scores.csv --group school --value score
    """
    check_workers(workers)
    page = out or Path(f"choose-{Path(data).stem or 'data'}.html")
    existing_folder("--out", page)
    priors = read_priors(prior or [])
    from simstudy.choosing.choose import SEED, choose, question_about
    from simstudy.choosing.page import write_choices
    from simstudy.choosing.sentences import of_doubts

    choices = []
    seed = SEED if seed is None else seed
    columns: list[str | None] = list(group) if group else [None]
    others = {"value": value, "standard_error": standard_error, "successes": successes, "trials": trials}
    for column in columns:  # what cannot be asked is refused before the first is fitted
        question_about(data, {"group": column, **others}, priors=priors, seed=seed)
    for column in columns:
        if len(columns) > 1:
            tell(f"{column}:")
        choice = choose(
            data,
            group=column,
            value=value,
            standard_error=standard_error,
            successes=successes,
            trials=trials,
            priors=priors,
            seed=seed,
            workers=workers,
            progress=say,
        )
        for sentence in choice.sentences:
            tell(sentence)
        told = of_doubts(choice.findings)  # before the fits
        for warning in choice.warnings:
            if warning not in told and f"{warning}." not in choice.sentences:
                say(f"warning: {warning}")
        choices.append(choice)
    tell(f"page: {write_choices([choice.findings for choice in choices], page)}")
