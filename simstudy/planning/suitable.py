"""Which goals go with which groups, and the smallest design that a goal means something for."""

from simstudy.errors import StudyError, suggestion
from simstudy.planning.goal import Goal
from simstudy.planning.points import Design
from simstudy.planning.question import Question

TESTED = ("normal", "normal_known_se", "binomial")
WITHOUT_INTERVALS = ("indicator", "fit")


def check_suitable(question: Question, goal: Goal) -> None:
    """Refuse a goal that the groups, the model or the open number do not have.

    Raises:
        StudyError: says which, and what to do.
    """
    if goal.is_homogeneity:
        _check_homogeneity(question)
    elif goal.kind in ("width", "power"):
        known = {e.name: e for e in question.model.described if e.role not in WITHOUT_INTERVALS}
        if goal.estimand not in known:
            near = suggestion(goal.estimand, known)
            raise StudyError(
                f"--{goal.kind}: the method has no estimand {goal.estimand!r}{near}; expected one of {', '.join(known)}"
            )
    if goal.kind == "rank_best" and question.groups is None:
        raise StudyError(
            "--rank-best: the best of more groups is harder to find, so that their number is no answer; give the "
            "number of groups, and leave the observations in each open"
        )
    if goal.kind in ("rank_best", "regret") and not any(e.role == "effects" for e in question.model.described):
        raise StudyError(f"--{goal.kind.replace('_', '-')}: the method has no effects of groups")
    if goal.kind in ("rank_best", "regret") and question.groups == 1:
        raise StudyError(f"--{goal.kind.replace('_', '-')}: expected at least two groups, got one")
    if goal.kind == "regret" and not question.likelihood.startswith("normal"):
        raise StudyError(
            "--regret: the rivals of partial pooling are known for normal means only, not for successes and trials; "
            "plan for --width p, --power or --rank-best"
        )


def _check_homogeneity(question: Question) -> None:
    if question.likelihood not in TESTED:
        raise StudyError(f'--power "tau > 0": there is no test of homogeneity for {question.likelihood!r} data')
    if question.groups == 1:
        raise StudyError('--power "tau > 0": expected at least two groups, got one: it tells nothing of tau')
    if question.likelihood == "normal" and question.group_size == 1:
        raise StudyError(
            '--power "tau > 0": with one observation in each group nothing tells differences of groups from those '
            "within; give --group-size 2 or more"
        )


def smallest(question: Question, goal: Goal) -> Design:
    """Return the smallest design that is looked at."""
    several = goal.is_homogeneity or goal.kind == "regret"
    groups = 2 if several or question.is_data else 1
    return Design(groups, 2 if goal.is_homogeneity and question.likelihood == "normal" else 1)
