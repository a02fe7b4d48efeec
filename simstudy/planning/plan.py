"""``plan``: from the user's groups, or a study with an open design, to the smallest design that reaches a goal."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from simstudy.errors import RunError, StudyError
from simstudy.planning.costs import Costs, CostSearch
from simstudy.planning.experiment import Experiment
from simstudy.planning.goal import Goal, read_goal
from simstudy.planning.limits import hopeless
from simstudy.planning.of_data import question_of_data
from simstudy.planning.of_study import question_of_study
from simstudy.planning.planned import Plan
from simstudy.planning.points import Design, Point
from simstudy.planning.question import MOST_GROUPS, MOST_SIZE, Question
from simstudy.planning.search import Effort, Search
from simstudy.planning.suitable import check_suitable, smallest
from simstudy.planning.work import effort_of, work_of
from simstudy.running.interruption import ending_at_once

SEED = 20260101
FEWEST_REPLICATES = 200
STUDY_ENDING = ".toml"


def plan(
    data: Any,
    *,
    width: tuple[str, float] | None = None,
    power: str | None = None,
    at_least: float | None = None,
    rank_best: float | None = None,
    regret: str | float | None = None,
    assurance: bool = False,
    level: float = 0.95,
    group: str | None = None,
    value: str | None = None,
    standard_error: str | None = None,
    successes: str | None = None,
    trials: str | None = None,
    priors: Mapping[str, str] | None = None,
    method: str | None = None,
    groups: int | str | None = None,
    group_size: int | str | None = None,
    cost_group: float | None = None,
    cost_observation: float | None = None,
    most_groups: int = MOST_GROUPS,
    most_size: int = MOST_SIZE,
    replicates: int = 1500,
    seed: int | None = None,
    workers: int | None = None,
    keep: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Plan:
    """Return the smallest design that reaches one goal, for groups like the user's or like those of a study.

    From data, new groups are simulated at the medians of the hyperparameters' posterior under partial pooling (with
    ``assurance`` at draws of it), and analyzed by partial pooling with priors that are scaled to the data. From a
    study, they are simulated and analyzed as it says.

    Args:
        data: a frame that narwhals reads, the path of a CSV or Parquet file, or the name of a built-in data set; or the
            path of a study file (.toml), or a mapping of that form, with ``"?"`` for groups, group_size or both.
        width: goal: estimand, and the mean width that its central interval is to have at most.
        power: goal: a claim such as ``mu > 0`` or ``tau > 0`` that the interval is to bear out.
        at_least: with what probability, in (0, 1); 0.8 by default.
        rank_best: goal: probability that the group with the largest estimate is the best one.
        regret: goal: by what share, as ``5%``, the mean squared error may lie above that of the best of {group means,
            grand mean, oracle}.
        assurance: average over what is not known of the hyperparameters (O'Hagan, Stevens & Campbell 2005).
        level: of the interval; 1 - level is the size of the test that ``tau > 0`` is judged by.
        group: of data, the column of the groups' names.
        value: the column of observations, or of estimates.
        standard_error: the column of the estimates' standard errors.
        successes: the column of successes.
        trials: the column of trials.
        priors: of data, parameter -> prior as text; by default scaled to the data.
        method: of a study with several, the one that analyzes the data.
        groups: how many, or ``?`` for open.
        group_size: observations in each, or ``?`` for open.
        cost_group: of a group, where both are open.
        cost_observation: of an observation, where both are open.
        most_groups: largest number of groups that is looked at.
        most_size: largest number of observations in each.
        replicates: most of a design; more make the answer narrower.
        seed: of everything that is drawn.
        workers: worker processes, by default one per core; 0 computes in this process.
        keep: run folder of what was simulated; by default it is gone afterwards.
        progress: is told every design that was looked at.

    Returns:
        The answer: sentences, tables, and a page.

    Raises:
        StudyError: there is not exactly one goal, or it does not go with the groups or the design.
        TableError: the table cannot be read as what the columns say.
        RunError: the folder ``keep`` is there already, or the data cannot be fitted.
        KeyboardInterrupt: at once after Ctrl-C; nothing is kept.
    """
    goal = read_goal(width=width, power=power, at_least=at_least, rank_best=rank_best, regret=regret, level=level)
    if replicates < FEWEST_REPLICATES:
        raise StudyError(f"--replicates: expected at least {FEWEST_REPLICATES}, got {replicates}")
    if keep is not None and Path(keep).exists():
        raise RunError(f"--keep {keep}: is there already; give a folder that is not")
    started = time.monotonic()
    given = {"group": group, "value": value, "standard_error": standard_error, "successes": successes, "trials": trials}
    columns = {name: column for name, column in given.items() if column is not None}
    most = most_groups, most_size
    with ending_at_once(), _without_half(keep), tempfile.TemporaryDirectory(prefix="simstudy-plan-") as place:
        if is_study(data):
            _refuse_columns(columns, priors)
            question = question_of_study(
                data,
                goal=goal,
                assurance=assurance,
                method=method,
                groups=groups,
                group_size=group_size,
                seed=seed,
                most=most,
            )
        else:
            if method is not None:
                raise StudyError("--method: data are analyzed by partial pooling; a study file can have other methods")
            question = question_of_data(
                data,
                columns=columns,
                goal=goal,
                assurance=assurance,
                groups=groups,
                group_size=group_size,
                priors=priors or {},
                folder=Path(place) / "posterior",
                seed=SEED if seed is None else seed,
                most=most,
            )
        check_suitable(question, goal)
        costs = _costs(question, cost_group, cost_observation)
        if why := hopeless(question, goal):
            return Plan(question=question, goal=goal, why=why, seconds=time.monotonic() - started)
        folder = Path(place) / "run" if keep is None else Path(keep)
        effort = effort_of(replicates, is_test=goal.is_homogeneity)
        with Experiment(question, goal, folder, workers=workers, progress=progress) as experiment:
            answer = _search(question, goal, experiment, costs, effort)
    return replace(answer, seconds=time.monotonic() - started)


@contextmanager
def _without_half(keep: str | Path | None) -> Iterator[None]:
    """Remove the folder of a search that was interrupted: no search goes on from it, and none could begin anew."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if keep is not None:
            shutil.rmtree(keep, ignore_errors=True)
        raise


def is_study(data: Any) -> bool:
    """Whether a study is named, and not data."""
    if isinstance(data, Mapping):
        return "mechanism" in data
    return isinstance(data, str | Path) and Path(data).suffix == STUDY_ENDING


def _search(question: Question, goal: Goal, experiment: Experiment, costs: Costs | None, effort: Effort) -> Plan:
    low = smallest(question, goal)

    def weigh(design: Design) -> float:
        return work_of(question, design, is_test=goal.is_homogeneity)

    if costs is not None:
        search = CostSearch(
            look=experiment.look,
            goal=goal,
            costs=costs,
            low=low,
            most=question.most,
            start=question.start,
            effort=effort,
            weigh=weigh,
        )
        groups, found = search.run()
        trials = [search.trials[name] for name in sorted(search.trials)]
        return Plan(
            question=question,
            goal=goal,
            found=found,
            groups=groups,
            trials=trials,
            as_cheap=search.as_cheap,
            costs=costs,
            points=dict(experiment.points),
        )

    def evaluate(sizes: Sequence[int], replicates: int) -> dict[int, Point]:
        designs: dict[int, Design] = {size: question.design(size) for size in sizes}
        found = experiment.look(list(designs.values()), replicates)
        return {size: found[design] for size, design in designs.items()}

    place = 0 if question.opens == ("groups",) else 1
    ends = [design[place] for design in (low, question.most, question.start)]
    low_size, high, start = (int(end or 1) for end in ends)
    found = Search(
        evaluate=evaluate,
        goal=goal,
        low=low_size,
        high=high,
        start=start,
        effort=effort,
        weigh=lambda size: weigh(question.design(size)),
    ).run()
    return Plan(question=question, goal=goal, found=found, points=dict(experiment.points))


def _costs(question: Question, group: float | None, observation: float | None) -> Costs | None:
    """Return the costs, which are needed where both numbers are open and mean nothing elsewhere."""
    given = [cost for cost in (group, observation) if cost is not None]
    if len(question.opens) < 2:
        if given:
            raise StudyError(
                f"--cost-group, --cost-observation: only {question.opens[0]} is open, and the smallest is the "
                "cheapest; leave them out, or open both numbers"
            )
        return None
    if len(given) < 2 or min(given) < 0 or max(given) == 0 or observation == 0:
        raise StudyError(
            "groups and group_size are both open: give what each costs, as --cost-group 100 --cost-observation 5 "
            "(at least 0 for a group, above 0 for an observation)"
        )
    return Costs(group=given[0], observation=given[1])


def _refuse_columns(columns: Mapping[str, str], priors: Mapping[str, str] | None) -> None:
    if columns or priors:
        name = next(iter(columns), "prior").replace("_", "-")
        raise StudyError(f"--{name}: is of data; a study file says itself how data arise and are analyzed")
