"""Designs as scenarios of a study that grows: more of them, and more replicates of those that matter.

Every design has data of its own: what is sought is where a measure meets a number, and errors that all designs shared
would not average out.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from simstudy.errors import RunError
from simstudy.executors.where import Where, n_workers
from simstudy.measures.rows.intervals import wilson
from simstudy.planning.goal import Goal
from simstudy.planning.homogeneity import p_value
from simstudy.planning.points import Design, Point
from simstudy.planning.question import Question
from simstudy.planning.scoring import scores
from simstudy.planning.words import looked_words
from simstudy.running.runner import run
from simstudy.store import Run
from simstudy.study.design import Scenario, scenarios_of
from simstudy.study.study import Study

FACTORS = ("groups", "group_size")
MOST_FAILED = 0.1  # share of the fits
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class GrowingStudy(Study):
    """A study of which some scenarios are to be run, and all are in its tables.

    Args:
        every: all scenarios so far.
    """

    every: tuple[Scenario, ...]

    def scenario_rows(self) -> list[dict[str, Any]]:
        """Return the rows of all scenarios."""
        return replace(self, scenarios=self.every)._own_rows()

    def _own_rows(self) -> list[dict[str, Any]]:
        return super().scenario_rows()


class Experiment:
    """What simulation says of designs, in a run folder that grows.

    Args:
        question: what is planned.
        goal: what is measured.
        folder: of the run.
        workers: worker processes, or None for one per core; 0 computes in this process.
        progress: is told every design that was looked at, or None.
    """

    def __init__(
        self, question: Question, goal: Goal, folder: Path, *, workers: int | None, progress: Progress | None = None
    ):
        self.question, self.goal, self.folder = question, goal, folder
        self.points: dict[Design, Point] = {}
        self._scenarios: dict[Design, Scenario] = {}
        self._replicates: dict[Design, int] = {}
        self._where = Where(workers=workers)
        self._executor: Executor | None = None
        self._progress = progress

    def __enter__(self) -> "Experiment":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False)

    def look(self, designs: Sequence[Design], replicates: int) -> dict[Design, Point]:
        """Return the measure at designs, each from so many replicates at least."""
        lacking = [design for design in designs if self._replicates.get(design, 0) < replicates]
        for design in lacking:
            self._scenarios.setdefault(design, _scenario(self.question, design))
            self._replicates[design] = replicates
        if lacking:
            found = self._tested(lacking) if self.goal.is_homogeneity else self._fitted(lacking, replicates)
            self.points |= found
            if self._progress:
                for design, point in found.items():
                    self._progress(looked_words(self.question, self.goal, design, point))
        return {design: self.points[design] for design in designs}

    def _fitted(self, designs: Sequence[Design], replicates: int) -> dict[Design, Point]:
        """Fit the replicates that designs lack, and score them."""
        if self._executor is None:
            self._executor = self._where.start()
        finished = run(
            self._study(designs, replicates),
            out=self.folder,
            workers=n_workers(self._executor),
            executor=self._executor,
            quiet=True,
        )
        _require_fits(finished)
        ids = {self._scenarios[design].identity: design for design in designs}
        return {ids[name]: point for name, point in scores(finished, self.goal, frozenset(ids)).items()}

    def _study(self, designs: Sequence[Design], replicates: int) -> GrowingStudy:
        template = self.question.template
        parts = {f.name: getattr(template, f.name) for f in fields(Study)}
        every = _labelled(self._scenarios)
        parts |= {
            "section": template.section.model_copy(update={"replicates": replicates}),
            "scenarios": tuple(every[design] for design in designs),
            "mechanism": self._mechanism(),
        }
        return GrowingStudy(**parts, every=tuple(every.values()))

    def _mechanism(self) -> dict[str, Any]:
        """Return ``[mechanism]`` with every number that was looked at."""
        designs = sorted(self._scenarios, key=lambda d: (d.groups, d.group_size or 0))
        every = [self.question.mechanism(design) for design in designs]
        if self.question.known_errors:
            return {**every[0], "standard_errors": [each["standard_errors"][0] for each in every]}
        numbers = {name: sorted({each[name] for each in every}) for name in self.question.opens}
        return {**every[0], **numbers}

    def _tested(self, designs: Sequence[Design]) -> dict[Design, Point]:
        """Test data for homogeneity; nothing is fitted."""
        found = {}
        for design in designs:
            n, scenario, template = self._replicates[design], self._scenarios[design], self.question.template
            keys = np.stack([template.data_key(scenario, replicate) for replicate in range(n)])
            size = 1 - self.goal.level
            drawn = scenario.mechanism.simulate(keys)
            found[design] = share([p_value(r.data, self.question.likelihood) < size for r in drawn])
        return found

    @property
    def run(self) -> Run | None:
        """The run, where anything was fitted."""
        return Run.open(self.folder) if self._executor is not None else None


def _require_fits(finished: Run) -> None:
    """Refuse to plan with a model that cannot be fitted: those that can be are no fair sample.

    Raises:
        RunError: says how many fits failed, and why the last of them did.
    """
    failed = finished.fits[finished.fits["status"] != "ok"]
    if len(failed) > MOST_FAILED * len(finished.fits):
        raise RunError(
            f"{len(failed):,} of {len(finished.fits):,} fits failed: {failed['reason'].iloc[-1]}; plan with a study "
            "file whose priors or sampler suit these groups"
        )


def share(holds: Sequence[bool]) -> Point:
    """Return a share of replicates with its error."""
    n = len(holds)
    p = float(np.mean(holds))
    lower, upper = wilson(np.array([p]), np.array([float(n)]))
    return Point(value=p, mcse=float(np.sqrt(p * (1 - p) / n)), n=n, lower=float(lower[0]), upper=float(upper[0]))


def _scenario(question: Question, design: Design) -> Scenario:
    (scenario,) = scenarios_of(question.mechanism(design), None)
    return scenario


def _labelled(scenarios: dict[Design, Scenario]) -> dict[Design, Scenario]:
    """Return the scenarios with the numbers that vary as their labels."""
    designs = list(scenarios)
    varying = [name for name in FACTORS if len({getattr(design, name) for design in designs}) > 1] or ["groups"]
    return {
        design: replace(scenario, label=", ".join(f"{name}={getattr(design, name)}" for name in varying))
        for design, scenario in scenarios.items()
    }
