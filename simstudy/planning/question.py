"""What is asked: groups like which, analyzed how, and which numbers of the design are open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simstudy.errors import StudyError, shown
from simstudy.models.model import Model
from simstudy.planning.points import Design
from simstudy.study.grouped_design import OPEN
from simstudy.study.study import Study

MOST_GROUPS, MOST_SIZE = 200, 10_000
USUAL = 8
EXACT: dict[str, Any] = {"kind": "exact", "chains": 1, "draws": 2000, "precision": "float64"}
SHORT: dict[str, Any] = {"kind": "nuts", "chains": 2, "warmup": 300, "draws": 1000}


@dataclass(frozen=True, kw_only=True)
class Question:
    """Groups that are planned for.

    Args:
        name: of the file or the study that they are like.
        template: the study at its smallest design, with the one method that the data are analyzed with.
        section: ``[mechanism]`` of a design but for its numbers.
        groups: how many groups; None where that is open.
        group_size: how many observations in each; None where that is open, or where groups have known errors.
        known_errors: standard errors that groups come with, over and over in this order; empty where they have
            observations, or share one standard error.
        has_sizes: whether groups have a number of observations.
        hyperparameters: parameter -> its one value; empty where they are drawn.
        n_draws: draws of the posterior that hyperparameters are taken from; 0 where there are none.
        is_data: whether it comes from data, not from a study.
        start: a design to begin with.
        most: the largest design that is looked at.
    """

    name: str
    template: Study
    section: Mapping[str, Any]
    groups: int | None
    group_size: int | None
    has_sizes: bool
    known_errors: tuple[float, ...] = ()
    hyperparameters: Mapping[str, float]
    n_draws: int = 0
    is_data: bool = False
    start: Design
    most: Design

    @property
    def is_drawn(self) -> bool:
        """Whether hyperparameters differ between replicates."""
        return not self.hyperparameters

    @property
    def opens(self) -> tuple[str, ...]:
        """What is open: ``groups``, ``group_size`` or both."""
        sizes = ("group_size",) if self.has_sizes and self.group_size is None else ()
        return (*(("groups",) if self.groups is None else ()), *sizes)

    @property
    def likelihood(self) -> str:
        """Name of the likelihood."""
        likelihood = self.template.scenarios[0].mechanism.likelihood
        return "" if likelihood is None else likelihood.kind

    @property
    def model(self) -> Model:
        """What the data are analyzed with."""
        return self.template.methods[0].model

    def design(self, open_size: int) -> Design:
        """Return the design with the one open number at a value."""
        if "groups" in self.opens:
            return Design(open_size, self.group_size)
        assert self.groups is not None  # one of the two is open
        return Design(self.groups, open_size)

    def mechanism(self, design: Design) -> dict[str, Any]:
        """Return ``[mechanism]`` of a design."""
        if self.known_errors:
            errors = [self.known_errors[i % len(self.known_errors)] for i in range(design.groups)]
            return {**self.section, "standard_errors": [errors]}
        size = {"group_size": design.group_size} if self.has_sizes else {}
        return {**self.section, "groups": design.groups, **size}


def read_number(option: str, value: Any, *, most: int) -> int | None:
    """Return a number of a design, None for ``?``.

    Raises:
        StudyError: it is neither.

    >>> read_number("--groups", "12", most=200), read_number("--groups", "?", most=200)
    (12, None)
    """
    if value == OPEN:
        return None
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if not 1 <= number <= most:
        raise StudyError(f"{option}: expected a whole number up to {most:,}, or ? where it is open, got {shown(value)}")
    return number


def sampler_of(likelihood: str | None) -> dict[str, Any]:
    """Return what fits many replicates fast: the exact posterior of a normal likelihood, short chains of another."""
    return EXACT if likelihood is not None and likelihood.startswith("normal") else SHORT
