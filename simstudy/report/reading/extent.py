"""How much of what a study plans is stored: a run that a limit or an interruption stopped is not finished."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simstudy.report.reading.wording import counted, share
from simstudy.types import RunTables


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Replicates and fits of a run, planned and stored; a fit that failed is stored.

    Attributes:
        planned: replicates of each scenario and method that the study asks for.
        planned_fits: fits that these make.
        fewest: stored replicates of the scenario and method that has fewest.
        most: those of the one that has most.
        stored_fits: number of fits that are stored.
        uneven: whether the methods of some scenario have different numbers of usable fits.
    """

    planned: int
    planned_fits: int
    fewest: int
    most: int
    stored_fits: int
    uneven: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether every scenario and method has the replicates that are planned."""
        return self.fewest >= self.planned

    @property
    def replicates(self) -> str:
        """How many replicates there are, in words, and of how many if the run is not finished.

        >>> Extent(planned=40, planned_fits=80, fewest=3, most=10, stored_fits=13).replicates
        '3 to 10 of 40 replicates'
        """
        if self.is_finished:
            return counted(self.planned, "replicate")
        return f"{self._stored} of {counted(self.planned, 'replicate')}"

    @property
    def fits(self) -> str:
        """How many fits there are, in words, and of how many if the run is not finished."""
        if self.is_finished:
            return counted(self.stored_fits, "fit")
        return f"{self.stored_fits:,} of {counted(self.planned_fits, 'fit')}"

    @property
    def sentences(self) -> list[str]:
        """What a reader of an unfinished run must know; nothing of a finished one."""
        if self.is_finished:
            return []
        return [
            f"The run is not finished: {share(self.stored_fits, self.planned_fits)} planned fits are stored, "
            f"{self._stored} of {self.planned:,} replicates of a method in a scenario. The same command goes on with "
            "the rest."
        ]

    @property
    def _stored(self) -> str:
        return f"{self.fewest:,} to {self.most:,}" if self.fewest < self.most else f"{self.most:,}"


def read_extent(run: RunTables) -> Extent:
    """Return how much of a run is stored."""
    planned = int(run.study["study"]["replicates"])
    stored, usable = (_counts(run, only_usable=only) for only in (False, True))
    return Extent(
        planned=planned,
        planned_fits=planned * stored.size,
        fewest=int(stored.min()),
        most=int(stored.max()),
        stored_fits=len(run.fits),
        uneven=bool((usable != usable[:, :1]).any()),
    )


def _counts(run: RunTables, *, only_usable: bool) -> np.ndarray:
    """Return the (scenario, method) number of fits, 0 where there is none."""
    fits = run.fits[run.fits["status"] == "ok"] if only_usable else run.fits
    counts = fits.groupby([fits["scenario"].astype(str), fits["method"].astype(str)]).size().unstack(fill_value=0)
    counts = counts.reindex(
        index=run.scenarios["scenario"].astype(str), columns=run.methods["method"].astype(str), fill_value=0
    )
    return counts.to_numpy(int)
