"""Goals, measures and designs in words."""

from simstudy.planning.goal import Goal
from simstudy.planning.points import Design, Point
from simstudy.planning.question import Question
from simstudy.report.reading.wording import MINUS, counted, estimand_words, number, symbol, with_mcse

TESTS = {
    "normal": "the F test of one-way analysis of variance",
    "normal_known_se": "Cochran’s Q test",
    "binomial": "the chi-square test of proportions",
}


def percent(share: float) -> str:
    """Return a share in percent, with as many decimals as it has.

    >>> percent(0.8), percent(0.975)
    ('80 %', '97.5 %')
    """
    return f"{100 * share:g} %"


def given(value: float) -> str:
    """Return a number as it was given.

    >>> given(0.2), given(-3.0)
    ('0.2', '−3')
    """
    return f"{value:g}".replace("-", MINUS)


def plain(amount: float) -> str:
    """Return an amount without needless decimals.

    >>> plain(512.0), plain(1234.5)
    ('512', '1,234.5')
    """
    return f"{amount:,.2f}".rstrip("0").rstrip(".")


def trial_words(question: Question, *, n: int = 2) -> str:
    """Return what the data of a group are called: observations or trials."""
    noun = "trial" if question.likelihood == "binomial" else "observation"
    return noun if n == 1 else f"{noun}s"


def design_words(question: Question, design: Design) -> str:
    """Return a design: ``8 groups with 14 observations each``."""
    groups = counted(design.groups, "group")
    if design.group_size is None:
        return groups
    each = " each" if design.groups > 1 else ""
    return f"{groups} with {design.group_size:,} {trial_words(question, n=design.group_size)}{each}"


def goal_words(question: Question, goal: Goal) -> str:
    """Return what is to be reached."""
    averaged = f", averaged over {uncertain_words(question)}" if question.is_drawn else ""
    if goal.kind == "width":
        return (
            f"The {percent(goal.level)} interval of {estimand_words(goal.estimand)} is to be at most "
            f"{given(goal.target)} wide on average{averaged}."
        )
    if goal.kind == "rank_best":
        return (
            f"The group with the largest estimate is to be the truly best one with probability {percent(goal.target)} "
            f"at least{averaged}."
        )
    if goal.kind == "regret":
        return (
            f"The mean squared error of the effects is to lie at most {percent(goal.target)} above that of the best of "
            f"group means, grand mean and oracle{averaged}."
        )
    return f"{_claim(question, goal)} is to have probability {percent(goal.target)} at least{averaged}."


def _claim(question: Question, goal: Goal) -> str:
    if goal.is_homogeneity:
        test = TESTS[question.likelihood]
        return f"That {test} at {percent(round(1 - goal.level, 9))} finds that the groups differ"
    where = "above" if goal.side == ">" else "below"
    each = " of a group" if goal.estimand in ("theta", "p") else ""
    return f"A {percent(goal.level)} interval of {symbol(goal.estimand)}{each} that lies {where} {given(goal.null)}"


def measured(question: Question, goal: Goal, point: Point) -> str:
    """Return the measure of a goal at a design as a clause, with its MCSE."""
    value = with_mcse(point.value, point.mcse, percent=goal.kind != "width")
    if goal.kind == "width":
        return f"the {percent(goal.level)} interval of {symbol(goal.estimand)} is then {value} wide on average"
    if goal.kind == "rank_best":
        return f"the group with the largest estimate is the truly best one with probability {value}"
    if goal.kind == "regret":
        return f"the mean squared error is {value} above that of the best rival"
    if goal.is_homogeneity:
        test = f"{TESTS[question.likelihood]} at {percent(round(1 - goal.level, 9))}"
        return f"{test} finds that the groups differ with probability {value}"
    where, letter = "above" if goal.side == ">" else "below", symbol(goal.estimand)
    return f"the {percent(goal.level)} interval of {letter} lies {where} {given(goal.null)} with probability {value}"


def looked_words(question: Question, goal: Goal, design: Design, point: Point) -> str:
    """Return what was found at a design, for who waits."""
    value = with_mcse(point.value, point.mcse, percent=goal.kind != "width")
    return f"{design_words(question, design)}: {value} ({counted(point.n, 'replicate')})"


def axis_words(question: Question, goal: Goal) -> str:
    """Return the name of the measure for an axis."""
    if goal.kind == "width":
        return f"mean width of the {percent(goal.level)} interval of {symbol(goal.estimand)}"
    if goal.kind == "rank_best":
        return "probability of naming the best group, %"
    if goal.kind == "regret":
        return "MSE above that of the best rival, %"
    if goal.is_homogeneity:
        return "probability of finding that groups differ, %"
    where = "above" if goal.side == ">" else "below"
    return f"probability that the interval of {symbol(goal.estimand)} is {where} {given(goal.null)}, %"


def uncertain_words(question: Question) -> str:
    """Return what hyperparameters are drawn from."""
    if question.n_draws:
        return "the posterior of the hyperparameters"
    return "the priors that the study gives the hyperparameters"


def values_words(question: Question) -> str:
    """Return the values at which groups are simulated: ``μ = 502, τ = 31.2 and σ = 98``."""
    return ", ".join(f"{symbol(name)} = {number(value)}" for name, value in question.hyperparameters.items())
