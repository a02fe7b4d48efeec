"""Units for fits that are missing, so that measures can give them the worst value of their scenario."""

from dataclasses import replace

import numpy as np
import pandas as pd

from simstudy.measures.rows.cells import Cells
from simstudy.measures.rows.replicates import Missing
from simstudy.types import RunTables


def add_missing(cells: Cells, run: RunTables, *, counted: np.ndarray) -> Cells:
    """Return cells with a unit without rows for every fit that does not count.

    The worst value is looked for among the fits of all methods in the same scenario, estimand and group.
    """
    names = cells.names
    fits = run.fits.loc[~counted, ["scenario", "method"]].astype(object)
    missing = fits.merge(names.assign(cell=np.arange(len(names))), on=["scenario", "method"])["cell"].to_numpy(int)
    pool = pd.factorize(pd.MultiIndex.from_frame(names[["scenario", "estimand", "group", "bin"]].fillna("")))[0]
    known = cells.replicates
    replicates = replace(
        known,
        cell=np.concatenate([known.cell, missing]),
        replicate=None,
        missing=Missing(unit=np.arange(len(known.cell) + len(missing)) >= len(known.cell), pool=pool),
    )
    return replace(cells, replicates=replicates)
