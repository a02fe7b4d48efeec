"""The command line. Every error that a user can act on is one message on standard error, with exit code 2."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from simstudy.errors import SimstudyError, StudyError, suggestion

DONE, BAD_ANSWER, MISUSE, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    help="Simulation studies of hierarchical Bayesian models.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

LISTED = ("studies", "mechanisms", "likelihoods", "structures", "samplers", "measures")


@app.command("run")
def run_command(
    study: Annotated[str, typer.Argument(help="A TOML file, or the name of a built-in study.")],
    out: Annotated[Path | None, typer.Option(help="Run folder; by default runs/<name>.")] = None,
    replicates: Annotated[int | None, typer.Option(min=1, help="Instead of the study's own number.")] = None,
    until: Annotated[
        str | None, typer.Option(help='Go on until MCSEs are reached: "coverage:0.005,bias:0.01".')
    ] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Worker processes; by default one per core.")] = None,
    executor: Annotated[str, typer.Option(help="Where blocks run: local.")] = "local",
    platform: Annotated[str, typer.Option(help="cpu, or gpu: one process on the device.")] = "cpu",
    keep_draws: Annotated[int, typer.Option(min=0, help="Keep the draws of the first K replicates.")] = 0,
    load: Annotated[list[Path] | None, typer.Option(help="Python file that registers models or mechanisms.")] = None,
    max_failed: Annotated[str, typer.Option(help="Largest share of failed and non-finite fits.")] = "5%",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Run a study, or go on with it, and write its report."""
    limit = _share(max_failed)
    _check_choice("--executor", executor, ("local",))
    _check_choice("--platform", platform, ("cpu", "gpu"))
    if until is not None and replicates is not None:
        raise StudyError("--until and --replicates: give one of them; --until finds the number of replicates")
    from simstudy.measures.precision import parse_targets
    from simstudy.registry import load_file
    from simstudy.runner import run
    from simstudy.until import run_until

    targets = parse_targets(until) if until is not None else ()
    for path in load or []:
        load_file(path)
    where: dict[str, Any] = {"workers": workers, "platform": platform, "keep_draws": keep_draws, "quiet": quiet}
    if targets:
        finished = run_until(_study(study), targets, out=out, **where)
    else:
        finished = run(_study(study), out=out, replicates=replicates, **where)
    report = _report([finished.folder], None)
    print(f"report: {report}")
    bad = float((finished.fits["status"] != "ok").mean())
    if bad > limit:
        _say(f"{bad:.1%} of the fits failed or are not finite, more than --max-failed {max_failed}; see the report")
        raise typer.Exit(BAD_ANSWER)


@app.command("report")
def report_command(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    out: Annotated[Path | None, typer.Option(help="HTML file; by default report.html in the run's folder.")] = None,
) -> None:
    """Write the report of runs, from their tables alone."""
    print(f"report: {_report(runs, out)}")


@app.command("score")
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
    from simstudy.score import read_table, score

    performance = score(
        read_table(table),
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
    performance.to_csv(out or sys.stdout, index=False)


@app.command("list")
def list_command(what: Annotated[str, typer.Argument(help=f"One of {', '.join(LISTED)}.")]) -> None:
    """Say what there is, a line each."""
    _check_choice("WHAT", what, LISTED)
    from simstudy.inventory import inventory

    lines = inventory(what)
    width = max(map(len, lines))
    for name, text in lines.items():
        print(f"{name:<{width}}  {text}")


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = app(standalone_mode=False)
    except SimstudyError as error:
        _say(str(error))
        code = MISUSE
    except (typer.Abort, KeyboardInterrupt):
        _say("interrupted; what is finished is stored: run the same command again to go on")
        code = INTERRUPTED
    except Exception as error:
        # Click's own errors carry a message for the user; anything else is a defect and keeps its traceback.
        if not hasattr(error, "format_message"):
            raise
        _say(error.format_message())
        code = MISUSE
    sys.exit(code if isinstance(code, int) else DONE)


def _study(name: str) -> Any:
    from simstudy.inventory import built_in_studies
    from simstudy.study import Study

    known = built_in_studies()
    if name in known:
        return Study.from_toml(known[name])
    if not Path(name).suffix and not Path(name).exists():
        raise StudyError(
            f"no study {name!r}{suggestion(name, known)}; expected a TOML file or a built-in study: {', '.join(known)}"
        )
    return Study.from_toml(name)


def _report(folders: list[Path], out: Path | None) -> Path:
    from simstudy.measures import performance
    from simstudy.report import write_report
    from simstudy.store import Run, write_performance

    runs = [Run.open(folder) for folder in folders]
    tables = [performance(run) for run in runs]
    for run, table in zip(runs, tables, strict=True):
        write_performance(run.folder, table)
    return write_report(runs[0], tables[0], out or runs[0].folder / "report.html")


def _column_or_number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _share(text: str) -> float:
    """Read a share such as 5% or 0.05."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise StudyError(f"--max-failed {text}: expected a share such as 5% or 0.05")
    return share


def _check_choice(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise StudyError(f"{option}: got {value!r}{suggestion(value, allowed)}; expected one of {', '.join(allowed)}")


def _say(text: str) -> None:
    print(f"simstudy: {text}", file=sys.stderr)
