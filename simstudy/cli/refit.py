"""``simstudy refit``: one stored fit, run again alone, with its draws."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from simstudy.cli.exits import BAD_ANSWER, say, tell
from simstudy.cli.options import Load, existing_folder, load_parts
from simstudy.errors import StudyError

COLUMNS = ("estimand", "group", "truth", "mean", "sd", "median", "mcse_mean", "ess_bulk", "ess_tail", "rhat")


def refit_command(
    run: Annotated[Path, typer.Argument(help="Run folder; it is not changed.")],
    scenario: Annotated[
        str, typer.Option(help="Scenario: its id, or the beginning; or its label, or a part: tau=0.5.")
    ],
    replicate: Annotated[int, typer.Option(min=0, help="Number of the replicate, from 0.")],
    method: Annotated[str, typer.Option(help="Name of the method.")],
    out: Annotated[Path | None, typer.Option(help="NetCDF file of the draws; by default refit.nc.")] = None,
    load: Load = None,
    folder: Annotated[Path | None, typer.Option(help="Folder of the data file, for a run without its data.")] = None,
) -> None:
    """Run one stored fit again: its draws, its summary, and whether it is the stored one bit for bit."""
    target = _target(run, out or Path("refit.nc"))
    from simstudy.fitting.kept import write_draws
    from simstudy.fitting.refitting import refit

    load_parts(load)
    done = refit(run, scenario=scenario, replicate=replicate, method=method, folder=folder)
    reason = f": {done.fit['reason']}" if isinstance(done.fit["reason"], str) else ""
    tell(f"status: {done.fit['status']}{reason}")
    if len(done.estimates):
        tell(summary_text(done.estimates, done.group_names, done.level_names), lines=True)
    if done.draws is not None:
        for written in write_draws(target, done.draws):
            tell(f"draws: {written}")
    _judge(done)


def summary_text(
    estimates: Any, names: Mapping[int, str], level_names: Mapping[str, Mapping[int, str]] | None = None
) -> str:
    """Return the summary of a fit as lines of text, five digits a number, groups by their names where they have any.

    Args:
        estimates: rows of the estimates of a fit.
        names: group -> its name.
        level_names: effect of a factor -> level -> what it is called, which is no name of a group.
    """
    shown = estimates[[name for name in COLUMNS if name in estimates]].copy()
    rows = zip(estimates["estimand"].astype(str), shown["group"], shown["group"].notna(), strict=True)
    shown["group"] = [
        (level_names or {}).get(estimand, names).get(int(group), str(group)) if is_one else ""
        for estimand, group, is_one in rows
    ]
    return shown.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.5g}")


def _judge(done: Any) -> None:
    if done.is_equal:
        tell("equal: the stored fit, bit for bit")
        return
    tell("not equal to the stored fit:")
    for line in done.differences:
        tell(f"  {line}")
    say("the fit is not the stored one; bits are the same only on the same versions and kind of processor")
    raise typer.Exit(BAD_ANSWER)


def _target(run: Path, out: Path) -> Path:
    if out.suffix != ".nc":
        raise StudyError(f"--out {out}: expected the name of a NetCDF file, ending in .nc")
    existing_folder("--out", out)
    if out.resolve().is_relative_to(run.resolve()):
        raise StudyError(f"--out {out}: lies in the run, which is not changed; give a file outside of {run}")
    return out
