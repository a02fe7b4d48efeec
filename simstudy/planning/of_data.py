"""The question from a table of the user's groups: hyperparameters from their posterior under partial pooling."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simstudy.errors import RunError, StudyError
from simstudy.mechanisms import Dataset
from simstudy.mechanisms.built_in import refuse_terms
from simstudy.mechanisms.dataset import load_dataset, place_of
from simstudy.planning.goal import Goal
from simstudy.planning.points import Design
from simstudy.planning.question import MOST_GROUPS, MOST_SIZE, Question, read_number, sampler_of
from simstudy.running.runner import run
from simstudy.store.kept import kept_fits
from simstudy.study.of_table import check_given_priors, without_section
from simstudy.study.study import Study

POSTERIOR = {"kind": "exact", "chains": 4, "draws": 1000, "precision": "float64"}
FEWEST_GROUPS = 2
EVERY = 2  # of the posterior's draws stand in the study


def question_of_data(
    data: Any,
    *,
    columns: Mapping[str, str],
    goal: Goal,
    assurance: bool,
    groups: Any,
    group_size: Any,
    priors: Mapping[str, str],
    folder: Path,
    seed: int,
    most: tuple[int, int] = (MOST_GROUPS, MOST_SIZE),
) -> Question:
    """Return the question about groups like those of a table.

    Args:
        data: a frame, the path of a file, or the name of a built-in data set.
        columns: ``group``, ``value``, ``standard_error``, ``successes``, ``trials`` -> the column.
        goal: what is to be reached.
        assurance: whether hyperparameters are drawn from the posterior, in the place of its medians.
        groups: how many, ``?``, or None for as many as the table has (open, where groups have known errors).
        group_size: how many observations in each, or ``?``; None for open, or, where the number of groups is open, for
            the table's own mean.
        priors: parameter -> prior as text; by default scaled to the data.
        folder: an empty folder for the posterior.
        seed: of everything that is drawn.
        most: largest numbers of groups and of observations in each.

    Raises:
        TableError: the table cannot be read as what the columns say.
        StudyError: nothing is open, or something that the data do not have.
        RunError: there are fewer than two groups, or their posterior cannot be had.
    """
    dataset, draws, fitted_priors = _posterior(data, columns, priors, folder, seed)
    observed, likelihood = dataset.replicate.data, dataset.likelihood
    has_sizes = observed.known_se is None
    numbers = _numbers(observed.n_obs, groups, group_size, has_sizes=has_sizes, most=most)
    names = ["mu", "tau", *(p.name for p in likelihood.parameters)]
    values = {} if assurance else {name: float(np.median(draws[name])) for name in names}
    drawn = {name: list(map(float, draws[name][::EVERY])) for name in names}
    section: dict[str, Any] = {"kind": "exchangeable", "likelihood": likelihood.kind, **values}
    if assurance:
        section |= {"kind": "fitted", "draws": drawn}
    errors = () if has_sizes else tuple(map(float, observed.known_se))
    start = Design(min(len(observed.n_obs), most[0]), _mean_size(observed.n_obs) if has_sizes else None)
    design = {"standard_errors": [list(errors)]} if errors else {"groups": 2, "group_size": 2}
    template = Study.from_dict(
        {
            "study": {"name": "plan", "seed": seed, "replicates": 1},
            "mechanism": {**section, **design},
            "method": [{"name": "partial pooling", "structure": "partial", "priors": fitted_priors}],
            "sampler": sampler_of(likelihood.kind),
            "summary": {"levels": [goal.level]},
        }
    )
    return Question(
        name=dataset.name,
        template=template,
        section=section,
        groups=numbers[0],
        group_size=numbers[1],
        known_errors=errors,
        has_sizes=has_sizes,
        hyperparameters=values,
        n_draws=len(drawn["mu"]) if assurance else 0,
        is_data=True,
        start=start,
        most=Design(*most),
    )


def _posterior(
    data: Any, columns: Mapping[str, str], priors: Mapping[str, str], folder: Path, seed: int
) -> tuple[Dataset, Mapping[str, np.ndarray], dict[str, str]]:
    """Return the data, (draw,) draws of the hyperparameters, and the priors of partial pooling as text."""
    place, source = place_of(data)
    refuse_terms(source)
    if priors:
        check_given_priors(priors, load_dataset(source, folder=place, columns=columns))
    contents = {
        "study": {"name": "plan", "seed": seed, "replicates": 1},
        "mechanism": {"kind": Dataset.kind, "data": source, **columns},
        "method": [{"name": "partial pooling", "structure": "partial", "priors": dict(priors)}],
        "sampler": POSTERIOR,
    }
    try:
        study = Study.from_dict(contents, folder=place)
    except StudyError as error:
        raise StudyError(without_section(str(error))) from error
    dataset = study.scenarios[0].mechanism
    assert isinstance(dataset, Dataset)  # the section says so
    if len(dataset.shape) < FEWEST_GROUPS:
        raise RunError(
            f"expected at least two groups, to know how much groups differ, got one ({', '.join(dataset.labels)}); "
            "name another column with --group, or write a study file with the values that you expect"
        )
    finished = run(study, out=folder, workers=0, keep_draws=1, quiet=True)
    kept = list(kept_fits(folder, study.scenarios[0].identity, "partial pooling"))
    if not kept:
        raise RunError(f"partial pooling could not be fitted to the data: {finished.fits['reason'].iloc[0]}")
    draws = {name: value.reshape(-1).astype(float) for name, value in kept[0].posterior.items() if value.ndim <= 2}
    return dataset, draws, dict(dict(study.methods[0].options)["priors"])


def _mean_size(n_obs: np.ndarray) -> int:
    return max(1, round(float(np.mean(n_obs))))


def _numbers(
    n_obs: np.ndarray, groups: Any, group_size: Any, *, has_sizes: bool, most: tuple[int, int]
) -> tuple[int | None, int | None]:
    """Return the numbers of the design that are fixed; None for those that are open."""
    if not has_sizes:
        if group_size is not None:
            raise StudyError("--group-size: estimates with standard errors have none; the number of groups is open")
        if groups is not None and read_number("--groups", groups, most=most[0]) is not None:
            raise StudyError('--groups: nothing is open; estimates with standard errors are planned with --groups "?"')
        return None, None
    n_groups = len(n_obs) if groups is None else read_number("--groups", groups, most=most[0])
    if group_size is None:
        return n_groups, None if n_groups is not None else _mean_size(n_obs)
    size = read_number("--group-size", group_size, most=most[1])
    if n_groups is not None and size is not None:
        raise StudyError('nothing is open: give --groups "?" or --group-size "?"')
    return n_groups, size
