"""The answer in sentences. Nothing is claimed that the replicates do not show by 2 MCSE."""

from simstudy.planning.answer import Answer
from simstudy.planning.costs import is_unknown
from simstudy.planning.limits import limit
from simstudy.planning.points import Point
from simstudy.planning.words import design_words, measured, plain, trial_words, uncertain_words, values_words
from simstudy.report.reading.wording import counted, enumerate_words

HOW_MANY, HOW_SURE, FOR_WHAT = "How many?", "How sure is that?", "For groups like which?"
MOST_FAILED = 0.02
STILL_MOVING = 3.0  # MCSEs


def answers(answer: Answer) -> dict[str, list[str]]:
    """Return question -> sentences."""
    sure = _how_sure(answer)
    return {HOW_MANY: _how_many(answer), **({HOW_SURE: sure} if sure else {}), FOR_WHAT: _for_what(answer)}


def short(answer: Answer) -> list[str]:
    """Return two or three sentences: the answer, how sure it is, and for which groups it holds."""
    told = answers(answer)
    first = told[HOW_MANY] if answer.design is None else told[HOW_MANY][:1]
    return [*first, *told.get(HOW_SURE, [])[:1], told[FOR_WHAT][0]]


def _how_many(answer: Answer) -> list[str]:
    question, goal, found = answer.question, answer.goal, answer.found
    if found is None:
        return [f"No design reaches this goal. {answer.why}"]
    if answer.design is None:
        return _beyond(answer)
    point = found.points[answer.design.group_size if _by_size(answer) else answer.design.groups]  # type: ignore[index]
    design, clause = design_words(question, answer.design), measured(question, goal, point)
    if found.status == "at_once" and answer.costs is None:
        return [f"Already the smallest design that was looked at, {design}, reaches the goal: {clause}."]
    if answer.costs is not None:
        cost = plain(answer.costs.of(answer.design.groups, answer.design.group_size or 1))
        return [
            f"The cheapest design found is {design}, at a cost of {cost}: {clause}.",
            *_as_cheap(answer),
        ]
    from_on = "from there on " if not goal.is_monotone else ""
    verb = "is" if answer.design.groups == 1 else "are"
    return [f"{design} {verb} {from_on}enough: {clause}."]


def _by_size(answer: Answer) -> bool:
    """Whether the number that was searched for is the size of the groups."""
    return answer.groups is not None or answer.question.opens == ("group_size",)


def _as_cheap(answer: Answer) -> list[str]:
    best = min(trial.cost for trial in answer.trials)
    unknown = [t.groups for t in answer.trials if is_unknown(t, best)]
    told = []
    if unknown:
        told.append(
            f"What {enumerate_words([str(n) for n in unknown])} groups would cost is not told by the simulation."
        )
    if len(answer.as_cheap) < 2:
        return told
    return [
        *told,
        f"From {answer.as_cheap[0]} to {answer.as_cheap[-1]} groups, each with as many {trial_words(answer.question)} "
        "as it needs, the cost is the same within the simulation error.",
    ]


def _beyond(answer: Answer) -> list[str]:
    question, goal, found = answer.question, answer.goal, answer.found
    assert found is not None  # ``_how_many`` has asked
    last = max(found.points)
    point = found.points[last]
    shown = "does not reach the goal" if point.verdict(goal) == "missed" else "is not shown to reach the goal"
    largest = design_words(question, answer.at(last))
    told = [f"Even {largest}, the largest design that was looked at, {shown}: {measured(question, goal, point)}."]
    return [*told, _why_not(answer, list(found.points.values()))]


def _why_not(answer: Answer, points: list[Point]) -> str:
    """Return the limit that is known, or whether the measure still moves."""
    if known := limit(answer.question, answer.goal):
        return known
    what = "groups" if not _by_size(answer) else f"{trial_words(answer.question)} in each group"
    if len(points) > 1:
        before, last = points[-2:]
        moved = abs(last.value - before.value) > STILL_MOVING * (before.mcse**2 + last.mcse**2) ** 0.5
        if not moved:
            return f"The measure has stopped moving there: more {what} would not help."
    option = "--most-groups" if not _by_size(answer) else "--most-size"
    return f"It is still moving there: more {what} may reach it ({option})."


def _how_sure(answer: Answer) -> list[str]:
    found, ends = answer.found, answer.range
    if found is None or ends is None or found.status == "at_once":
        return []
    what = "groups" if not _by_size(answer) else f"{trial_words(answer.question)} in each"
    first, last = found.first, found.answer
    if first == last:
        told = [f"One less is shown not to be enough: {last:,} is the smallest number of {what}."]
    else:
        told = [f"The smallest number of {what} that is enough lies between {first:,} and {last:,}."]
    total = sum(p.n for p in answer.points.values())
    failed = sum(p.n_failed for p in answer.points.values())
    told.append(f"{counted(len(answer.points), 'design')} were looked at, with {total:,} simulated data sets in all.")
    if failed > MOST_FAILED * (total + failed):
        told.append(f"{failed:,} further fits failed and are left out.")
    return told


def _for_what(answer: Answer) -> list[str]:
    question = answer.question
    source = f"those of {question.name}" if question.is_data else f"those of the study {question.name}"
    if question.is_drawn:
        told = [f"This is averaged over {uncertain_words(question)}, for new groups like {source}."]
    else:
        kind = " (posterior medians)" if question.is_data else ""
        told = [f"This is for new groups like {source}: {values_words(question)}{kind}."]
        if question.is_data:
            told.append("What the data do not say of these values is not in it; --assurance averages over that.")
    return told
