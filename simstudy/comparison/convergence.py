"""Measures of how well fits were sampled: flags, R-hat, ESS, and, where there is an oracle, the sampler's own error.

Both runs are held to the thresholds of the baseline, so that no run looks better for having laxer ones.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from simstudy.comparison.opening import Narrowed
from simstudy.measures.measure import Measure, Setting
from simstudy.measures.policies import convergence_table, count_fits, flag, least_ess
from simstudy.measures.rows.cells import Cells, average_cells
from simstudy.measures.rows.labels import Labels
from simstudy.measures.rows.replicates import Replicates, Score, mean_score
from simstudy.measures.rows.rows import read_estimates
from simstudy.measures.rows.slices import Slice
from simstudy.measures.sampler_error import exact_methods, read_sampler_errors
from simstudy.measures.sampling import fit_cells, floats
from simstudy.store.traits import exact_samplers
from simstudy.types import RunTables

VEHTARI = "Vehtari et al. 2021"


def flagged_rate(cells: Replicates, setting: Setting) -> Score:
    """Return the share of usable fits that carry a flag."""
    return mean_score(cells, cells.reduce(cells["is_flagged"]))


def rhat(cells: Replicates, setting: Setting) -> Score:
    """Return the mean over fits of the largest R-hat."""
    return mean_score(cells, cells.reduce(cells["largest_rhat"]))


def ess(cells: Replicates, setting: Setting) -> Score:
    """Return the mean over fits of the smallest ESS, bulk or tail."""
    return mean_score(cells, cells.reduce(cells["least_ess"]))


def sampler_error(cells: Replicates, setting: Setting) -> Score:
    """Return the mean of (d^2 - m_0^2) / V: squared distance from the exact posterior mean in posterior variances."""
    square = cells["sampler_error"] ** 2 - cells["exact_mcse"] ** 2
    return mean_score(cells, cells.reduce(square / cells["exact_sd"] ** 2))


FLAGGED_RATE = Measure(
    name="flagged_rate",
    function=flagged_rate,
    needs=("is_flagged",),
    definition="share of usable fits that carry a flag of the baseline's diagnostics",
    source=VEHTARI,
    unit="1",
    better="smaller",
    rows="fits",
    which="all",
)
RHAT = Measure(
    name="rhat",
    function=rhat,
    needs=("largest_rhat",),
    definition="mean over fits of the largest R-hat of the estimands",
    source=VEHTARI,
    unit="1",
    better="smaller",
    rows="fits",
    which="all",
)
ESS = Measure(
    name="ess",
    function=ess,
    needs=("least_ess",),
    definition="mean over fits of the smallest ESS of the estimands, bulk or tail",
    source=VEHTARI,
    unit="draws",
    better="larger",
    rows="fits",
    which="all",
)
SAMPLER_ERROR = Measure(
    name="sampler_error",
    function=sampler_error,
    needs=("sampler_error", "exact_sd", "exact_mcse"),
    definition="mean squared distance of the posterior mean from the exact one / exact posterior variance",
    source="error against the exact posterior mean",
    unit="1",
    better="smaller",
    rows="sampler_errors",
    which="all",
)
OF_SAMPLING = (FLAGGED_RATE, RHAT, ESS)


def sampling_cells(run: RunTables, labels: Labels, diagnostics: Mapping[str, float], *, counted: np.ndarray) -> Cells:
    """Return cells of flags, R-hat and ESS, with a row per fit that counts; independent draws have none of them.

    Args:
        run: a side's tables.
        labels: its names.
        diagnostics: thresholds of the flags.
        counted: (fit,) bool, the usable fits.
    """
    fits, cells = run.fits, fit_cells(run, labels, counted=counted)
    columns = {
        "is_flagged": flag(fits, diagnostics).any(axis=1).to_numpy(float),
        "largest_rhat": floats(fits["max_rhat"]),
        "least_ess": least_ess(fits),
    }
    exact = fits["method"].isin(exact_samplers(run)).to_numpy()
    of_counted = {name: np.where(exact, np.nan, values)[counted] for name, values in columns.items()}
    return replace(cells, replicates=replace(cells.replicates, columns=of_counted))


def oracle_cells(run: Narrowed, labels: Labels, wanted: list[int]) -> Cells | None:
    """Return cells of errors against the exact posterior of the same model, or None without an exact method.

    The exact method need not be among those that are compared.

    Args:
        run: a side's tables, narrowed to what is compared.
        labels: its names.
        wanted: codes of the estimands.
    """
    partners = exact_methods(run.run.study["methods"], exact_samplers(run.run))
    partners = {name: exact for name, exact in partners.items() if name in run.kept_methods}
    if not partners:
        return None
    names = {exact: exact for exact in partners.values()} | dict(run.kept_methods)
    whole = Narrowed(run=run.run, kept_scenarios=run.kept_scenarios, kept_methods=names)
    extra = [name for name in names.values() if name not in labels.methods]
    labels = replace(labels, methods=labels.methods.append(pd.Index(extra, dtype=object))).recounted(whole)
    keys = labels.read(whole.fits)
    is_counted = np.zeros(keys.n_fits, bool)
    is_counted[keys.fit[count_fits(whole.fits, whole.study["diagnostics"])]] = True
    part = Slice.of(labels, scenarios=range(len(labels.scenarios)), estimands=wanted)
    rows = read_estimates(whole, labels, part).of_fits(is_counted)
    errors = read_sampler_errors(whole, rows, {names[name]: names[exact] for name, exact in partners.items()})
    pair = keys.scenario * len(labels.methods) + keys.method
    shape = (len(labels.scenarios), len(labels.methods))
    return average_cells(errors, np.bincount(pair, minlength=shape[0] * shape[1]).reshape(shape))


def unconverged(run: RunTables, diagnostics: Mapping[str, float]) -> dict[str, int]:
    """Return method -> its usable fits, for the methods of which not one converged; exact methods have no such thing.

    Args:
        run: the tables that are judged.
        diagnostics: thresholds of R-hat and ESS.
    """
    fits = run.fits[~run.fits["method"].isin(exact_samplers(run))]
    table = convergence_table(fits, flag(fits, diagnostics))
    none = table[(table["fits"] > 0) & (table["short"] == table["fits"])]
    return {str(name): int(n) for name, n in none["fits"].items()}
