"""``simstudy plan``: how many groups and observations reach a goal."""

from pathlib import Path
from typing import Annotated

import typer

from simstudy.cli.exits import say, tell
from simstudy.cli.options import Load, check_workers, existing_folder, load_parts, read_priors

DATA, GOAL, DESIGN, MORE = "Data", "Goal (give one)", "Design", "How it is looked for"


def plan_command(
    data: Annotated[
        str,
        typer.Argument(
            help='CSV or Parquet file of groups like yours, or study file (.toml) with groups or group_size = "?".'
        ),
    ],
    group: Annotated[str | None, typer.Option(help="Column of the groups' names.", rich_help_panel=DATA)] = None,
    value: Annotated[
        str | None, typer.Option(help="Column of observations, or of estimates.", rich_help_panel=DATA)
    ] = None,
    standard_error: Annotated[
        str | None, typer.Option(help="Column of the estimates' standard errors.", rich_help_panel=DATA)
    ] = None,
    successes: Annotated[
        str | None, typer.Option(help="Column of successes, with --trials.", rich_help_panel=DATA)
    ] = None,
    trials: Annotated[str | None, typer.Option(help="Column of trials.", rich_help_panel=DATA)] = None,
    prior: Annotated[
        list[str] | None,
        typer.Option(
            help='As "tau = HalfNormal(10)"; may be given again. By default from the data.', rich_help_panel=DATA
        ),
    ] = None,
    width: Annotated[
        tuple[str, float] | None,
        typer.Option(
            help="Estimand (theta, mu, tau, theta_new, p, ...) and the mean width that its interval may have.",
            rich_help_panel=GOAL,
        ),
    ] = None,
    power: Annotated[
        str | None,
        typer.Option(
            help='Claim that the interval is to bear out: "mu > 0", "mu < 2", "tau > 5". "tau > 0" is judged by a test '
            "that the groups are the same: F test, Cochran's Q, or chi-square.",
            rich_help_panel=GOAL,
        ),
    ] = None,
    at_least: Annotated[
        float | None,
        typer.Option(help="Probability of the claim of --power; 0.8 by default.", rich_help_panel=GOAL),
    ] = None,
    rank_best: Annotated[
        float | None,
        typer.Option(
            help="Probability that the group with the largest estimate is the best one.", rich_help_panel=GOAL
        ),
    ] = None,
    regret: Annotated[
        str | None,
        typer.Option(
            help="By what share (5%) the mean squared error may lie above that of the best of group means, grand mean "
            "and an oracle that knows tau and sigma.",
            rich_help_panel=GOAL,
        ),
    ] = None,
    assurance: Annotated[
        bool,
        typer.Option(
            "--assurance",
            help="Average over what is not known of mu, tau and sigma: the posterior from data, the priors of a study. "
            "Without it they are at fixed values.",
            rich_help_panel=GOAL,
        ),
    ] = False,
    level: Annotated[float, typer.Option(help="Of the interval.", rich_help_panel=GOAL)] = 0.95,
    groups: Annotated[
        str | None,
        typer.Option(help='How many groups, or "?". From data, as many as they have.', rich_help_panel=DESIGN),
    ] = None,
    group_size: Annotated[
        str | None,
        typer.Option(help='Observations (or trials) in each group, or "?".', rich_help_panel=DESIGN),
    ] = None,
    cost_group: Annotated[
        float | None, typer.Option(help="Of a group, where both numbers are open.", rich_help_panel=DESIGN)
    ] = None,
    cost_observation: Annotated[
        float | None, typer.Option(help="Of an observation, where both are open.", rich_help_panel=DESIGN)
    ] = None,
    most_groups: Annotated[
        int, typer.Option(min=1, max=10_000, help="Largest number that is looked at.", rich_help_panel=DESIGN)
    ] = 200,
    most_size: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Largest number that is looked at.", rich_help_panel=DESIGN)
    ] = 10_000,
    method: Annotated[
        str | None, typer.Option(help="Of a study with several: which one analyzes the data.", rich_help_panel=MORE)
    ] = None,
    replicates: Annotated[
        int, typer.Option(min=200, help="Most of a design; more make the answer narrower.", rich_help_panel=MORE)
    ] = 1500,
    seed: Annotated[int | None, typer.Option(min=0, help="Of everything that is drawn.", rich_help_panel=MORE)] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Worker processes; by default one per core.", rich_help_panel=MORE)
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep what was simulated as a run folder.", rich_help_panel=MORE)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The page, an HTML file.", rich_help_panel=MORE)] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="The answer alone.", rich_help_panel=MORE)] = False,
    load: Load = None,
) -> None:
    """Find the smallest design, numbers of groups and of observations in each, that reaches a goal.

    simstudy plan scores.csv --group school --value score --width theta 20

    simstudy plan wards.csv --group ward --successes cured --trials n --power "tau > 0" --at-least 0.9

    simstudy plan study.toml --power "mu > 0" --assurance --cost-group 100 --cost-observation 5
    """
    load_parts(load)
    check_workers(workers)
    if out is not None:
        existing_folder("--out", out)
    priors = read_priors(prior or [])
    from simstudy.planning.plan import plan

    answer = plan(
        data,
        width=width,
        power=power,
        at_least=at_least,
        rank_best=rank_best,
        regret=regret,
        assurance=assurance,
        level=level,
        group=group,
        value=value,
        standard_error=standard_error,
        successes=successes,
        trials=trials,
        priors=priors,
        method=method,
        groups=groups,
        group_size=group_size,
        cost_group=cost_group,
        cost_observation=cost_observation,
        most_groups=most_groups,
        most_size=most_size,
        replicates=replicates,
        seed=seed,
        workers=workers,
        keep=keep,
        progress=None if quiet else say,
    )
    for sentence in answer.sentences:
        tell(sentence)
    if out is not None:
        tell(f"page: {answer.report(out)}")
