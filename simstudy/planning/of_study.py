"""The question from a study file whose design is open: ``groups = "?"``, ``group_size = "?"``, one or both."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simstudy.errors import StudyError, shown, suggestion
from simstudy.mechanisms import Fitted, GroupedMechanism
from simstudy.models.priors import number_or_text
from simstudy.planning.goal import Goal
from simstudy.planning.points import Design
from simstudy.planning.question import USUAL, Question, read_number, sampler_of
from simstudy.study.grouped_design import GRID_KEYS, OPEN
from simstudy.study.study import Study
from simstudy.study.study_file import check_sections, read_study_file

PLACEHOLDER = 2


def question_of_study(
    study: str | Path | Mapping[str, Any],
    *,
    goal: Goal,
    assurance: bool,
    method: str | None,
    groups: Any,
    group_size: Any,
    seed: int | None,
    most: tuple[int, int],
) -> Question:
    """Return the question of a study file, or of a mapping of the same form.

    Args:
        study: with ``"?"`` for what is open.
        goal: what is to be reached.
        assurance: whether hyperparameters are drawn from the priors that the mechanism gives them.
        method: which one analyzes the data, where there are several.
        groups: in the place of the file's, or None.
        group_size: in the place of the file's, or None.
        seed: in the place of the file's, or None.
        most: largest numbers of groups and of observations in each.

    Raises:
        StudyError: the study cannot be read, nothing is open, a parameter has several values, or hyperparameters are
            uncertain where a goal needs values, or the other way round.
    """
    contents = study if isinstance(study, Mapping) else read_study_file(Path(study))
    try:
        return _question(contents, goal, assurance, method, groups, group_size, seed, most)
    except StudyError as error:
        raise error if isinstance(study, Mapping) else StudyError(f"{study}: {error}") from error


def _question(
    contents: Mapping[str, Any],
    goal: Goal,
    assurance: bool,
    method: str | None,
    groups: Any,
    group_size: Any,
    seed: int | None,
    most: tuple[int, int],
) -> Question:
    check_sections(contents)
    mechanism = contents["mechanism"]
    given = {"groups": groups, "group_size": group_size}
    design = {key: mechanism.get(key) if given[key] is None else given[key] for key in GRID_KEYS}
    section = {key: value for key, value in mechanism.items() if key not in GRID_KEYS}
    if OPEN not in design.values() or "sizes" in section or "standard_errors" in section:
        raise StudyError('[mechanism] nothing is open: give groups = "?" or group_size = "?", and no lists of sizes')
    if design["groups"] is None:
        raise StudyError('[mechanism] groups: the key is missing; give a number, or "?"')
    numbers = {
        key: None if value is None else read_number(f"[mechanism] {key}", value, most=largest)
        for (key, value), largest in zip(design.items(), most, strict=True)
    }
    placed = {key: numbers[key] or PLACEHOLDER for key, value in design.items() if value is not None}
    at_placeholder = {**contents, "study": _study(contents["study"], seed), "mechanism": {**section, **placed}}
    own, sampler = _one_method(at_placeholder, method)
    levels = {"levels": [goal.level]}
    template = Study.from_dict({**at_placeholder, "method": [own], "sampler": sampler, "summary": levels})
    if len(template.scenarios) > 1:
        several = next(name for name, value in section.items() if isinstance(value, list))
        raise StudyError(f"[mechanism] {several}: expected one value for planning, got {shown(section[several])}")
    world = template.scenarios[0].mechanism
    if not isinstance(world, GroupedMechanism):
        raise StudyError(f"[mechanism] kind: {world.kind!r} has no design to plan; give the table itself for data")
    is_drawn = isinstance(world, Fitted) or not all(prior.is_constant for prior in world.priors.values())
    values = {} if is_drawn else {name: prior.value for name, prior in world.priors.items()}
    _check_certainty(goal, values, assurance=assurance, kind=world.kind)
    return Question(
        name=template.name,
        template=template,
        section=section,
        groups=numbers["groups"],
        group_size=numbers["group_size"],
        has_sizes=design["group_size"] is not None,
        hyperparameters=values,
        start=Design(numbers["groups"] or USUAL, (numbers["group_size"] or USUAL) if design["group_size"] else None),
        most=Design(*most),
    )


def _check_certainty(goal: Goal, values: Mapping[str, float], *, assurance: bool, kind: str) -> None:
    """Refuse power at values that are not given, and assurance where nothing is uncertain."""
    if goal.kind == "power" and not values and not assurance:
        raise StudyError(
            f"--power is at fixed values, but the mechanism {kind!r} draws its hyperparameters; give numbers, or "
            "--assurance for the power averaged over them"
        )
    if assurance and values:
        raise StudyError(
            "--assurance averages over what is uncertain, but every hyperparameter of [mechanism] is a number; give "
            'priors, as mu = "Normal(2, 1)", or leave the option out'
        )


def _study(section: Any, seed: int | None) -> dict[str, Any]:
    """Return ``[study]`` for planning: every design has its own data, and nothing is calibrated."""
    own = {"replicates": 1, "kind": "simulation", "common_random_numbers": False}
    return {**section, **own, **({} if seed is None else {"seed": seed})}


def _one_method(contents: Mapping[str, Any], name: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the section of the method that analyzes the data, and a sampler that fits many replicates fast.

    The answer is about posteriors, not about samplers: where a posterior is known exactly, it is taken so.
    """
    study = Study.from_dict(contents)
    names = [m.name for m in study.methods]
    partial = [m.name for m in study.methods if m.model.pooling == "partial"]
    if name is None and len(names) > 1 and len(partial) != 1:
        raise StudyError(f"--method: the study has several; name the one to plan for: {', '.join(map(repr, names))}")
    wanted = name or (names[0] if len(names) == 1 else partial[0])
    if wanted not in names:
        raise StudyError(
            f"--method: no method {shown(wanted)}{suggestion(wanted, names)}; expected one of {', '.join(names)}"
        )
    method = next(m for m in study.methods if m.name == wanted)
    options = {key: value for key, value in method.options if value is not None}
    section = {
        "name": wanted,
        **options,
        "priors": {k: number_or_text(v) for k, v in options.get("priors", {}).items()},
    }
    if method.model.hierarchy is None:
        return {"name": wanted, "model": options["model"]}, method.sampler.options
    likelihood = method.model.hierarchy.likelihood
    quick = {**section, "sampler": {}}
    for sampler in (sampler_of(likelihood.kind), sampler_of(None)):
        try:
            Study.from_dict({**contents, "method": [quick], "sampler": sampler})
        except StudyError:
            continue
        return quick, sampler
    return quick, method.sampler.options
