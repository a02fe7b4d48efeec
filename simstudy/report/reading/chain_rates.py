"""How often each chain of a run diverges."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simstudy.measures.rows.labels import Labels
from simstudy.types import RunTables

CHAIN_DRAWS = 1000


def chain_rates(run: RunTables) -> pd.DataFrame:
    """Return divergent draws per 1,000 of every chain: ``method``, ``scenario``, ``rate``."""
    labels = Labels.of(run)
    fits = labels.read(run.fits)
    n_draws = np.full(fits.n_fits, np.nan)
    n_draws[fits.fit] = run.fits["n_draws"].to_numpy(float, na_value=np.nan)
    pieces = run.parts("chains", ["scenario", "replicate", "method", "n_divergent"])
    return pd.concat([_rates(piece, labels, n_draws) for piece in pieces], ignore_index=True)


def _rates(chains: pd.DataFrame, labels: Labels, n_draws: np.ndarray) -> pd.DataFrame:
    fit, index, n_chains = np.unique(labels.read(chains).fit, return_inverse=True, return_counts=True)
    each = n_draws[fit[index]] / n_chains[index]
    rate = np.divide(CHAIN_DRAWS * chains["n_divergent"].to_numpy(float, na_value=np.nan), each)
    return chains[["method", "scenario"]].astype(str).assign(rate=rate)[np.isfinite(rate)]
