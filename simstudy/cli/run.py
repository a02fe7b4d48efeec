"""``simstudy run``: run a study, or go on with it, write its report and say what it found."""

import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from simstudy.cli.exits import BAD_ANSWER, say, tell
from simstudy.cli.options import (
    Load,
    check_choice,
    check_study,
    check_workers,
    load_parts,
    read_share,
    study_names,
)
from simstudy.cli.report import write_reports
from simstudy.errors import StudyError
from simstudy.running.duration import read_duration

LONGEST_REPORT_SECONDS = 60


def run_command(
    study: Annotated[
        str,
        typer.Argument(help="A TOML file, the name of a built-in study, or a run.", autocompletion=study_names),
    ],
    out: Annotated[Path | None, typer.Option(help="Run folder; by default runs/<name>.")] = None,
    replicates: Annotated[int | None, typer.Option(min=1, help="Instead of the study's own number.")] = None,
    until: Annotated[
        str | None, typer.Option(help='Go on, from 200 replicates, to MCSEs: "coverage:0.005,bias:0.01".')
    ] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Worker processes; by default one per core.")] = None,
    executor: Annotated[
        str, typer.Option(help="Where fits run: local, dask://HOST:PORT or tls://HOST:PORT.")
    ] = "local",
    platform: Annotated[str, typer.Option(help="cpu, or gpu: one process on the device.")] = "cpu",
    keep_draws: Annotated[int, typer.Option(min=0, help="Keep the draws of the first K replicates.")] = 0,
    load: Load = None,
    max_failed: Annotated[
        str, typer.Option(help="Largest share of failed and non-finite fits; a run that is sure to have more stops.")
    ] = "5%",
    time_limit: Annotated[
        str | None, typer.Option(help="Stop in time with what is done: 90s, 30m, 2h. The report is included.")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Warnings and the report's path alone.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="A line for every block.")] = False,
) -> None:
    """Run a study, or go on with it, write its report and say what it found."""
    limit = read_share(max_failed)
    seconds = None if time_limit is None else time_for_fits(read_duration(time_limit, option="--time-limit"))
    check_choice("--platform", platform, ("cpu", "gpu"))
    check_workers(workers)
    if until is not None and replicates is not None:
        raise StudyError("--until and --replicates: give one of them; --until finds the number of replicates")
    check_study(study)
    from simstudy.measures.precision import parse_targets
    from simstudy.running.runner import run
    from simstudy.running.until import run_until

    load_parts(load)
    targets = parse_targets(until) if until is not None else ()
    where: dict[str, Any] = {
        "workers": workers,
        "executor": executor,
        "platform": platform,
        "keep_draws": keep_draws,
        "time_limit": seconds,
        "max_failed": limit,
        "quiet": quiet,
        "verbose": verbose,
    }
    if targets:
        finished = run_until(study, targets, out=out, **where)
    else:
        finished = run(study, out=out, replicates=replicates, **where)
    page, found = write_reports([finished.folder], None)
    for sentence in () if quiet else found:
        tell(sentence)
    tell(f"report: {page}")
    if open_page:
        webbrowser.open(page.resolve().as_uri())
    bad = float((finished.fits["status"] != "ok").mean())
    if bad > limit:
        say(f"{bad:.1%} of the fits failed or are not finite, more than --max-failed {max_failed}; see the report")
        raise typer.Exit(BAD_ANSWER)


def time_for_fits(seconds: float) -> float:
    """Return what of a command's time the fits may take: a tenth, a minute at most, is kept for the report."""
    return seconds - min(seconds / 10, LONGEST_REPORT_SECONDS)
