"""``choose``: from the user's table to an answer, through four studies in folders that are gone afterwards."""

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from simstudy.choosing.findings import (
    Findings,
    of_check,
    of_errors,
    of_groups,
    of_hyperparameters,
    of_sampling,
    of_sensitivity,
    of_unlike,
)
from simstudy.choosing.fits import check_sampler, fit_data, fit_simulated, sample_data
from simstudy.choosing.question import PARTIAL, Question, ask
from simstudy.choosing.sentences import answers, warnings
from simstudy.errors import RunError, SimstudyError, StudyError
from simstudy.logs import log
from simstudy.mechanisms.dataset import place_of
from simstudy.running.interruption import ending_at_once
from simstudy.store import Run
from simstudy.study.conflict import CONTRADICT
from simstudy.study.of_table import without_section

SEED = 20260101
FEWEST_GROUPS = 2


def choose(
    data: Any,
    *,
    group: str | None = None,
    value: str | None = None,
    standard_error: str | None = None,
    successes: str | None = None,
    trials: str | None = None,
    priors: Mapping[str, str] | None = None,
    seed: int = SEED,
    workers: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> "Choice":
    """Answer which pooling fits the groups of a table, how much it helps, and how to sample it.

    The three models are fitted to the data. Then data of the same sizes are simulated around the posterior of partial
    pooling, its hyperparameters drawn from it so that what is not known of tau counts, and the three models are fitted
    to these: how near each comes to the truth is the answer. The sampler is tried on the data in both
    parameterizations, and the better one is held to the posterior itself (posterior SBC).

    Args:
        data: a frame that narwhals reads, the path of a CSV or Parquet file, or the name of a built-in data set.
        group: column of the groups' names.
        value: column of observations, or of estimates where there are standard errors.
        standard_error: column of the estimates' standard errors.
        successes: column of successes, with ``trials``.
        trials: column of trials.
        priors: parameter (mu, tau, sigma; theta without pooling) -> prior as text; by default scaled to the data.
        seed: of everything that is drawn.
        workers: worker processes, by default one per core; 0 computes in this process.
        progress: called with what is being done, before it is.

    Returns:
        The answer: sentences, tables, and a page.

    Raises:
        TableError: the table cannot be read as what the columns say.
        StudyError: there are fewer than two groups, or a prior is none.
        KeyboardInterrupt: at once after Ctrl-C; nothing is kept.

    >>> choose("eight_schools", workers=0).best  # doctest: +SKIP
    ['complete pooling', 'partial pooling']
    """
    given = {"group": group, "value": value, "standard_error": standard_error, "successes": successes, "trials": trials}
    question = question_about(data, given, priors=priors or {}, seed=seed)
    with (
        ending_at_once(),
        tempfile.TemporaryDirectory(prefix="simstudy-choose-") as place,
        _conflicts_told_once(),
    ):
        return Choice(_find(question, Path(place), workers=workers, progress=progress or (lambda _: None)))


def question_about(data: Any, given: Mapping[str, str | None], *, priors: Mapping[str, str], seed: int) -> Question:
    """Return what ``choose`` is asked, from what it is given: ``group``, ``value``, ... -> the column, or None.

    Raises:
        StudyError: as ``choose``; nothing has been fitted then.
    """
    columns = {name: column for name, column in given.items() if column is not None}
    folder, source = place_of(data)
    question = ask(source, columns=columns, priors=priors, seed=seed, folder=folder)
    if question.n_groups < FEWEST_GROUPS:
        raise StudyError(
            f"expected at least two groups to choose a pooling for, got {question.n_groups} "
            f"({', '.join(question.labels)}); name another column as group"
        )
    return question


class Choice:
    """The answer of ``choose``.

    Attributes:
        findings: its tables.
    """

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    @property
    def best(self) -> list[str]:
        """The poolings that no other beats by more than 2 MCSE on data like these, that of the least error first."""
        return self.findings.best

    @property
    def answers(self) -> dict[str, list[str]]:
        """Question -> sentences; the first three are the answer in short."""
        return answers(self.findings)

    @property
    def sentences(self) -> list[str]:
        """The answer in short."""
        return [said[0] for said in self.answers.values() if said][:3]

    @property
    def warnings(self) -> list[str]:
        """What stands in the way of the answer: priors that contradict the data, or that decide what tau is."""
        return warnings(self.findings)

    @property
    def groups(self) -> pd.DataFrame:
        """One row per group, with its estimates under each pooling."""
        return self.findings.groups

    def report(self, path: str | Path) -> Path:
        """Write the page as one HTML file; return its path."""
        from simstudy.choosing.page import write_choices

        return write_choices([self.findings], path)

    def __repr__(self) -> str:
        return "\n".join(self.sentences)


def _find(question: Question, place: Path, *, workers: int | None, progress: Callable[[str], None]) -> Findings:
    priors = ", ".join(f"{name} ~ {text}" for name, text in question.priors(PARTIAL).items())
    progress(f"priors of partial pooling: {priors}")
    progress(f"fitting three models to {question.groups}")
    fitted, draws = fit_data(question, place / "data")
    _require(fitted)
    groups, hyperparameters = of_groups(question, fitted), of_hyperparameters(question, fitted)
    sampling, check, ranks, reason = pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), ""
    progress("trying the sampler in both parameterizations")
    try:
        sampling = of_sampling(sample_data(question, place / "sampler", workers=workers))
    except SimstudyError as error:  # data far from the unit in which the sampler begins
        reason = without_section(str(error))
    progress("fitting the three models to data simulated around the posterior")
    errors, ratios = of_errors(question, fit_simulated(question, draws, place / "simulated", workers=workers))
    found = Findings(
        question=question,
        groups=groups,
        hyperparameters=hyperparameters,
        errors=errors,
        ratios=ratios,
        sampling=sampling,
        reason=reason,
        check=check,
        ranks=ranks,
        sensitivity=of_sensitivity(question, draws, groups, hyperparameters),
        tau=draws["tau"],
        unlike=of_unlike(question, draws),
        conflicts=_conflicts(question),
    )
    if found.parameterization is not None:
        progress("checking the sampler around the posterior")
        check, ranks = of_check(
            check_sampler(question, draws, place / "check", parameterization=found.parameterization)
        )

    return replace(found, check=check, ranks=ranks)


@contextmanager
def _conflicts_told_once() -> Iterator[None]:
    """Let the runs of an answer not warn of its priors, each of which is a warning of the answer."""

    def is_other(record: logging.LogRecord) -> bool:
        return CONTRADICT not in record.getMessage()

    log.addFilter(is_other)
    try:
        yield
    finally:
        log.removeFilter(is_other)


def _require(fitted: Run) -> None:
    """Raise where a model could not be fitted to the data.

    Raises:
        RunError: names the method and the reason.
    """
    failed = fitted.fits[fitted.fits["status"] != "ok"]
    if len(failed):
        row = failed.iloc[0]
        raise RunError(f"{row['method']} could not be fitted to the data: {row['reason']}")


def _conflicts(question: Question) -> list[str]:
    return [f"{method}: {one.text}" for method, found in question.study.conflicts.items() for one in found]
