"""Sampling speed: by leapfrogs, which no machine changes, and by the clock of one machine.

The time of a single fit inside a batch does not exist, nor that of a scenario where a batch serves several. So speeds
stand per program, or per scenario with the batch's time split by leapfrogs, and ``bin`` says which. ESS is the
smallest bulk ESS over a stated set of estimands, which stands in ``estimand``.
"""

import numpy as np

from simstudy.measures.measure import Measure, Setting
from simstudy.measures.rows.replicates import Replicates, Score, ratio_score

VEHTARI = "Vehtari et al. 2021 (ESS)"


def ess_per_leapfrog(cells: Replicates, setting: Setting) -> Score:
    """Return the sum over fits of the smallest ESS / the sum of leapfrogs."""
    return ratio_score(cells, cells.reduce(cells["ess"]), cells.reduce(cells["leapfrogs"]))


def ess_per_second(cells: Replicates, setting: Setting) -> Score:
    """Return the sum over batches of the smallest ESS / run seconds, compilation apart."""
    return ratio_score(cells, cells.reduce(cells["ess"]), cells.reduce(cells["run_seconds"]))


def fits_per_second(cells: Replicates, setting: Setting) -> Score:
    """Return fits / run seconds over batches, compilation apart."""
    return ratio_score(cells, cells.reduce(cells["n_fits"]), cells.reduce(cells["run_seconds"]))


def compile_seconds(cells: Replicates, setting: Setting) -> Score:
    """Return the compile seconds of all batches together, without MCSE."""
    return _total(cells, cells["compile_seconds"])


def run_seconds(cells: Replicates, setting: Setting) -> Score:
    """Return the run seconds of all batches together, without MCSE."""
    return _total(cells, cells["run_seconds"])


def _total(cells: Replicates, seconds: np.ndarray) -> Score:
    total = cells.over_cells(cells.reduce(seconds))
    value = np.where(cells.n > 0, total, np.nan)
    return Score(value=value, mcse=np.full(len(value), np.nan), mcse_method="none", n_used=cells.n)


MEASURES = (
    Measure(
        name="ess_per_leapfrog",
        function=ess_per_leapfrog,
        needs=("ess", "leapfrogs"),
        definition="sum of the smallest bulk ESS over a set of estimands / sum of leapfrogs, warm-up in or out",
        source=VEHTARI,
        unit="1",
        better="larger",
        rows="fits",
        which="all",
    ),
    Measure(
        name="ess_per_second",
        function=ess_per_second,
        needs=("ess", "run_seconds"),
        definition="sum of the smallest bulk ESS over a set of estimands / run seconds of the batches",
        source=VEHTARI,
        unit="1/s",
        better="larger",
        rows="batches",
        which="all",
    ),
    Measure(
        name="fits_per_second",
        function=fits_per_second,
        needs=("n_fits", "run_seconds"),
        definition="fits / run seconds of the batches, compilation apart",
        source="ratio of sums",
        unit="1/s",
        better="larger",
        rows="batches",
        which="all",
    ),
    Measure(
        name="compile_seconds",
        function=compile_seconds,
        needs=("compile_seconds",),
        definition="compile seconds of all batches",
        source="wall clock",
        unit="s",
        better="smaller",
        rows="batches",
        which="all",
    ),
    Measure(
        name="run_seconds",
        function=run_seconds,
        needs=("run_seconds",),
        definition="run seconds of all batches",
        source="wall clock",
        unit="s",
        better="smaller",
        rows="batches",
        which="all",
    ),
)
