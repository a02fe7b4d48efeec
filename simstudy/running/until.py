"""Run until Monte Carlo standard errors are small enough: a pilot says how many replicates are needed.

The worst cell of the design decides. An estimate from few replicates can be far off, so a run grows by a factor at
most before the number is estimated anew.
"""

import math
import sys
import time
from pathlib import Path
from typing import Any

from simstudy.measures import performance
from simstudy.measures.precision import PILOT, Target, current_precision, reached, replicates_needed
from simstudy.running.runner import run
from simstudy.store import Run
from simstudy.study.opening import StudySource, folder_of, open_study

LARGEST_STEP = 5


def run_until(
    study: StudySource,
    targets: tuple[Target, ...],
    *,
    out: str | Path | None = None,
    quiet: bool = False,
    time_limit: float | None = None,
    **where: Any,
) -> Run:
    """Run a study, and go on with it, until every target is reached.

    Args:
        study: the study, as ``run`` takes it; its number of replicates counts where it is above the pilot's.
        targets: measures and the MCSEs that they have to reach in their worst scenario.
        out: run folder, by default ``runs/<name>``.
        quiet: say nothing on the way.
        time_limit: seconds after which it ends with what is done, or None.
        where: further arguments of ``run``.

    Returns:
        The run, whose study has the number of replicates that it took; where a limit stopped it, as far as it came.

    Raises:
        TableError: no scenario and method has one of the measures.
    """
    out, study = out if out is not None else folder_of(study), open_study(study)
    n = max(PILOT, study.replicates)
    end = math.inf if time_limit is None else time.monotonic() + time_limit
    while True:
        left = None if time_limit is None else end - time.monotonic()
        finished = run(study, out=out, replicates=n, quiet=quiet, time_limit=left, **where)
        if not _is_complete(finished, n):
            return finished
        table = performance(finished)
        if not quiet:
            _say(table, finished, targets, n)
        if reached(table, targets):
            return finished
        n = min(max(replicates_needed(table, targets), n + 1), LARGEST_STEP * n)


def _is_complete(finished: Run, n: int) -> bool:
    """Whether every scenario and method has all its replicates; a run within limits may have stopped before."""
    return len(finished.fits) >= n * len(finished.scenarios) * len(finished.methods)


def _say(table: Any, finished: Run, targets: tuple[Target, ...], n: int) -> None:
    labels = dict(zip(finished.scenarios["scenario"].astype(str), finished.scenarios["label"], strict=True))
    for target in targets:
        now = current_precision(table, target)
        place = ", ".join(filter(None, [labels.get(now.scenario, now.scenario), now.method, now.estimand]))
        outcome = "is reached" if now.mcse <= target.mcse else f"needs about {now.n_needed} replicates"
        print(
            f"{n} replicates: MCSE of {target.measure} {now.mcse:.2g} ({place}); {target.mcse:g} {outcome}",
            file=sys.stderr,
        )
