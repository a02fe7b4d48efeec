"""The page of a plan: the answer, its curve, every design that was looked at, and what is assumed."""

from pathlib import Path

from simstudy.planning import figures
from simstudy.planning.answer import Answer
from simstudy.planning.sentences import answers
from simstudy.planning.words import goal_words, percent, trial_words, uncertain_words
from simstudy.report.document import lay_out, write_page
from simstudy.report.figures.canvas import MIDDLE
from simstudy.report.parts import Part
from simstudy.report.reading.wording import counted, estimand_words, number, symbol
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table

FEWEST_DRAWN = 2
HOW = (
    "Each design is looked at with a few hundred simulated data sets first, and with more where the decision hangs. "
    "The next design is where a line through the measures near the goal meets it. A design reaches the goal, or misses "
    "it, only where its replicates show that by 2 MCSE; what lies between is open."
)


def write_plan(answer: Answer, path: str | Path) -> Path:
    """Write the page as one HTML file that needs no other; return its path."""
    return write_page(lay_out([plan_part(answer)]), path)


def plan_part(answer: Answer) -> Part:
    """Return what the page says."""
    question = answer.question
    return Part(
        kind="Plan",
        title=question.name,
        aim=goal_words(question, answer.goal),
        facts=_facts(answer),
        answers=answers(answer),
        remark=(
            "± is the Monte Carlo standard error (MCSE) over simulated data sets. A design is said to reach the goal "
            "only where that is shown by 2 MCSE."
        ),
        picture=_picture(answer),
        sections=[*_sections(answer), _assumed(answer)],
        marks={},
        origin="this plan",
    )


def _facts(answer: Answer) -> list[str]:
    question = answer.question
    fixed = []
    if question.groups is not None:
        fixed.append(counted(question.groups, "group"))
    if question.group_size is not None:
        fixed.append(f"{question.group_size:,} {trial_words(question, n=question.group_size)} each")
    opens = {"groups": "groups open", "group_size": f"{trial_words(question)} open"}
    looked = [counted(len(answer.points), "design")] if answer.points else []
    return [*fixed, *(opens[name] for name in question.opens), *looked]


def _picture(answer: Answer) -> Picture | None:
    if answer.trials and sum(trial.cost < float("inf") for trial in answer.trials) >= FEWEST_DRAWN:
        return picture(
            "costs",
            "What each number of groups costs",
            f"The cost of the goal by the number of groups, each with as many {trial_words(answer.question)} as it "
            "needs (the number beside the mark), bars of 2 MCSE. The green line is the cheapest design.",
            lambda width: figures.costs(answer.trials, answer, width=width),
            width=MIDDLE,
        )
    return _curve(answer)


def _curve(answer: Answer) -> Picture | None:
    found = answer.found
    if found is None or len(found.points) < FEWEST_DRAWN:
        return None
    marked = " The green line is the smallest number for which the goal is shown"
    is_open = found.answer is not None and found.first < found.answer
    marked += "; in the gray band the simulation leaves open where the smallest is." if is_open else "."
    return picture(
        "curve",
        "How the measure goes with the design",
        "Every design that was looked at, bars of 2 MCSE; dashed: the goal."
        + (marked if found.answer is not None else ""),
        lambda width: figures.curve(answer, width=width),
        width=MIDDLE,
    )


def _sections(answer: Answer) -> list[Section]:
    if answer.found is None:
        return []
    curve = _curve(answer)
    sections = []
    if answer.trials and curve is not None:
        told = f"At {answer.groups} groups, the cheapest number, the measure goes with their size like this."
        sections.append(Section(name="curve", title="The curve", paragraphs=[told], pictures=[curve]))
    return [*sections, Section(name="designs", title="Designs", paragraphs=[HOW], tables=_tables(answer))]


def _tables(answer: Answer) -> list[Table]:
    goal, frame = answer.goal, answer.table
    sizes = (
        [Column(head=f"{trial_words(answer.question)} each", source="group_size")] if answer.question.has_sizes else []
    )
    columns = [
        Column(head="groups", source="groups"),
        *sizes,
        *([Column(head="cost", source="cost")] if answer.costs else []),
        Column(head=_measure_head(answer), source="value", mcse="mcse", percent=goal.kind != "width"),
        Column(head="data sets", source="n_replicates"),
        *([Column(head="failed fits", source="n_failed")] if frame["n_failed"].any() else []),
        Column(head="goal", source="verdict"),
    ]
    return [Table(title="Every design that was looked at", frame=frame, columns=columns, open_up_to=30)]


def _measure_head(answer: Answer) -> str:
    goal = answer.goal
    if goal.kind == "width":
        return f"width of {symbol(goal.estimand)}"
    return {"power": "probability", "rank_best": "best named", "regret": "MSE above the best"}[goal.kind]


def _assumed(answer: Answer) -> Section:
    question = answer.question
    template = question.template
    described, method = template.description, template.methods[0]
    mechanism, of_method = described["mechanism"], described["methods"][method.name]
    if question.hyperparameters:
        values = [f"{estimand_words(name)}: {number(value)}" for name, value in question.hyperparameters.items()]
    else:
        values = [f"drawn anew for each data set, from {uncertain_words(question)}"]
    priors = dict(method.options).get("priors") or {}
    terms = [
        ("new groups", [text for text in (mechanism["words"], mechanism["likelihood"]) if text]),
        ("hyperparameters", values),
        ("analysis", [of_method["model"], of_method["sampler"]]),
        ("priors", [f"{symbol(name)} ~ {prior}" for name, prior in priors.items()] or ["those of the model"]),
        ("intervals", [f"central, {percent(answer.goal.level)}"]),
    ]
    if question.known_errors:
        terms.insert(1, ("standard errors", ["those of the data, over and over in their order"]))
    if answer.goal.is_homogeneity:
        terms = [term for term in terms if term[0] not in ("analysis", "priors", "intervals")]
    return Section(name="assumed", title="What is assumed", terms=terms)
