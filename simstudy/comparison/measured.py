"""What is measured in both runs: the cells of each measure, with its value and influence function in either.

Measures are those of ``simstudy.measures``, taken in cells of a scenario, method and estimand, groups of a replicate
together, and those of ``convergence``. Two are added. ``failure_rate`` is the share of fits that failed or are not
finite: without it a run that loses its hard replicates looks better than one that fits them. ``mean_estimate`` stands
for bias where there is no truth.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from simstudy.comparison.alignment import SIDES, Aligned, Side, among
from simstudy.comparison.convergence import OF_SAMPLING, SAMPLER_ERROR, oracle_cells, sampling_cells
from simstudy.comparison.opening import Narrowed
from simstudy.comparison.rules import Margin, Rules
from simstudy.measures.measure import Measure, Setting
from simstudy.measures.policies import count_fits
from simstudy.measures.registry import MEASURES
from simstudy.measures.rows.cells import NAMES, Cells, average_cells
from simstudy.measures.rows.context import Context
from simstudy.measures.rows.labels import Labels
from simstudy.measures.rows.replicates import Replicates, Score, mean_score
from simstudy.measures.rows.rows import read_estimates
from simstudy.measures.rows.slices import Slice
from simstudy.measures.sampling import fit_cells, leapfrog_cells
from simstudy.measures.scoring import rows_of
from simstudy.store.schema import interval_columns


def failure_rate(cells: Replicates, setting: Setting) -> Score:
    """Return the share of fits that failed or are not finite."""
    return mean_score(cells, cells.reduce(cells["is_lost"]))


FAILURE_RATE = Measure(
    name="failure_rate",
    function=failure_rate,
    needs=("is_lost",),
    definition="share of fits that failed or are not finite",
    source="Morris, White & Crowther 2019, section 5.4",
    unit="1",
    better="smaller",
    rows="fits",
    which="all",
)
COMPARED = {
    name: MEASURES[name]
    for name in (
        "bias",
        "mean_estimate",
        "rmse",
        "coverage",
        "interval_score",
        "crps",
        "log_score",
        "divergence_rate",
        "ess_per_leapfrog",
    )
} | {measure.name: measure for measure in (FAILURE_RATE, *OF_SAMPLING, SAMPLER_ERROR)}
SHARES = ("coverage", "divergence_rate", "failure_rate", "flagged_rate")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A measure of one run in the cells that both runs have.

    Args:
        cells: replicates whose cell is the common one.
        score: the measure in each cell.
    """

    cells: Replicates
    score: Score

    @cached_property
    def influence(self) -> np.ndarray:
        """(unit,) influence function."""
        if self.score.influence is None:
            raise ValueError("a measure that is compared must say what each replicate does to it")
        return self.score.influence


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A measure in the cells that both runs have.

    Args:
        measure: the measure.
        level: level of its interval, NaN for measures without one.
        names: one row per cell, columns ``NAMES``.
        is_paired: (cell,) bool, replicates are the same data sets in both.
        is_identical: (cell,) bool, paired, and every fit or estimate behind it has the same bits in both.
        baseline: the measure of the baseline.
        candidate: the measure of the candidate.
        margin: (cell,) largest difference that does not matter.
    """

    measure: Measure
    level: float
    names: pd.DataFrame
    is_paired: np.ndarray
    is_identical: np.ndarray
    baseline: Sample
    candidate: Sample
    margin: np.ndarray


def measure_both(aligned: Aligned, rules: Rules) -> Iterator[Measured]:
    """Yield every measure of the rules in the cells where both runs have at least one replicate of it."""
    level = common_level(aligned, rules)
    lower, upper = interval_columns(level)
    setting = Setting(level=level, lower=lower, upper=upper)
    sources = [list(_cells_of(aligned, side, rules)) for side in SIDES]
    for (measures, first), (_, second) in zip(*sources, strict=True):
        for name in measures:
            if (found := _measure(aligned, COMPARED[name], setting, (first, second), rules.margins[name])) is not None:
                yield found
    if SAMPLER_ERROR.name in rules.measures:
        oracles = [_oracle_of(aligned, side, rules) for side in SIDES]
        if oracles[0] is not None and oracles[1] is not None:
            margin = rules.margins[SAMPLER_ERROR.name]
            found = _measure(aligned, SAMPLER_ERROR, setting, (oracles[0], oracles[1]), margin)
            yield from [found] if found is not None else []


def common_level(aligned: Aligned, rules: Rules) -> float:
    """Return the interval level nearest to that of the rules among those that both runs have."""
    first, second = (aligned.run(side).study["summary"]["levels"] for side in ("baseline", "candidate"))
    common = [level for level in first if level in second]
    return min(common, key=lambda level: abs(level - rules.level), default=float("nan"))


def _cells_of(aligned: Aligned, side: Side, rules: Rules) -> Iterator[tuple[list[str], Cells]]:
    """Yield measures and the cells that they are taken in, in the same order for either side."""
    run, labels = aligned.run(side), aligned.labels_of(side)
    counted = count_fits(run.fits, run.study["diagnostics"])
    keys = labels.read(run.fits)
    pair = keys.scenario * len(labels.methods) + keys.method
    shape = (len(labels.scenarios), len(labels.methods))
    attempted = np.bincount(pair, minlength=shape[0] * shape[1]).reshape(shape)
    wanted = [name for name in COMPARED if name in rules.measures]
    of_fits = [name for name in wanted if COMPARED[name].rows == "fits"]
    wanted_rows = Slice.of(labels, scenarios=range(shape[0]), estimands=_wanted(labels, rules))
    is_counted = np.zeros(keys.n_fits, bool)
    is_counted[keys.fit[counted]] = True
    rows = read_estimates(run, labels, wanted_rows).of_fits(is_counted)
    of_rows = [name for name in wanted if name not in (*of_fits, SAMPLER_ERROR.name)]
    of_sampling = [measure.name for measure in OF_SAMPLING if measure.name in of_fits]
    diagnostics = aligned.baseline.study["diagnostics"]
    yield of_rows, average_cells(rows, attempted)
    yield [name for name in of_fits if name == "divergence_rate"], fit_cells(run, labels, counted=counted)
    yield [name for name in of_fits if name == "failure_rate"], _lost_cells(aligned, side)
    yield of_sampling, sampling_cells(run, labels, diagnostics, counted=counted)
    for cells in leapfrog_cells(run, labels, Context.of(run, labels), counted=counted):
        yield [name for name in of_fits if name == "ess_per_leapfrog"], cells


def _wanted(labels: Labels, rules: Rules) -> list[int]:
    """Return the codes of the estimands that are compared."""
    is_wanted = labels.estimands.isin(rules.estimands) if rules.estimands else np.ones(len(labels.estimands), bool)
    return np.flatnonzero(is_wanted).tolist()


def _oracle_of(aligned: Aligned, side: Side, rules: Rules) -> Cells | None:
    run, labels = aligned.run(side), aligned.labels_of(side)
    return oracle_cells(run, labels, _wanted(labels, rules)) if isinstance(run, Narrowed) else None


def _lost_cells(aligned: Aligned, side: Side) -> Cells:
    run = aligned.run(side)
    every = fit_cells(run, aligned.labels, counted=np.ones(len(run.fits), bool))
    lost = (run.fits["status"] != "ok").to_numpy(float)
    return replace(every, replicates=replace(every.replicates, columns={"is_lost": lost}))


def _measure(
    aligned: Aligned, measure: Measure, setting: Setting, sides: tuple[Cells, Cells], margin: Margin
) -> Measured | None:
    usable = [_usable(cells, measure, setting) for cells in sides]
    names, places = _common_cells(*(cells.names for cells in sides))
    moved = [_moved(cells, place, len(names)) for cells, place in zip(usable, places, strict=True)]
    scenario = aligned.labels.scenarios.get_indexer(pd.Index(names["scenario"]))
    is_paired = aligned.is_paired[scenario]
    code = [cells.cell * len(aligned.labels.replicates) + cells.replicate for cells in moved]
    both = np.intersect1d(*code)
    is_kept = [
        ~is_paired[cells.cell] | (among(c, both) & aligned.same_data[scenario[cells.cell], cells.replicate])
        for cells, c in zip(moved, code, strict=True)
    ]
    kept = [_ordered(cells.select(keep)) for cells, keep in zip(moved, is_kept, strict=True)]
    if not (has_both := (kept[0].n > 0) & (kept[1].n > 0)).any():
        return None
    chosen = [_moved(cells, np.where(has_both, np.cumsum(has_both) - 1, -1), int(has_both.sum())) for cells in kept]
    names, is_paired = names[has_both].reset_index(drop=True), is_paired[has_both]
    samples = [_sample(cells, measure, setting) for cells in chosen]
    return Measured(
        measure=measure,
        level=setting.level if measure.by_level else float("nan"),
        names=names,
        is_paired=is_paired,
        is_identical=is_paired & _is_identical(aligned, measure, names, chosen[0]),
        baseline=samples[0],
        candidate=samples[1],
        margin=_margin(margin, samples[0], sides[0], names),
    )


def _usable(cells: Cells, measure: Measure, setting: Setting) -> Replicates:
    usable = rows_of(cells, measure, setting)
    if measure.name != "mean_estimate":
        return usable
    has_truth = np.zeros(cells.replicates.n_cells, bool)
    has_truth[cells.truth.cell] = True
    return usable.select(~has_truth[usable.cell])


def _common_cells(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, tuple[np.ndarray, np.ndarray]]:
    """Return the names that both have, and for each side the place of its cells among them, -1 for others."""
    index = [pd.MultiIndex.from_frame(names[list(NAMES)].fillna("")) for names in (first, second)]
    common = first[index[0].isin(index[1])].reset_index(drop=True)
    of_common = pd.MultiIndex.from_frame(common[list(NAMES)].fillna(""))
    return common[list(NAMES)], (of_common.get_indexer(index[0]), of_common.get_indexer(index[1]))


def _moved(cells: Replicates, place: np.ndarray, n_cells: int) -> Replicates:
    """Return the replicates with their cells at other places, without those whose place is -1."""
    kept = cells.select(place[cells.cell] >= 0)
    return replace(kept, cell=place[kept.cell], n_cells=n_cells)


def _ordered(cells: Replicates) -> Replicates:
    """Return the replicates in the order of their cell and number, so that those of two runs lie side by side."""
    order = np.lexsort((cells.replicate, cells.cell))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return replace(cells, unit=place[cells.unit], cell=cells.cell[order], replicate=cells.replicate[order])


def _sample(cells: Replicates, measure: Measure, setting: Setting) -> Sample:
    with np.errstate(divide="ignore", invalid="ignore"):
        return Sample(cells=cells, score=measure.function(cells, setting))


def _is_identical(aligned: Aligned, measure: Measure, names: pd.DataFrame, cells: Replicates) -> np.ndarray:
    labels = aligned.labels
    scenario, method = (
        index.get_indexer(pd.Index(names[name]))
        for name, index in (("scenario", labels.scenarios), ("method", labels.methods))
    )
    data = scenario[cells.cell] * len(labels.replicates) + cells.replicate
    fit = data * len(labels.methods) + method[cells.cell]
    if measure.rows == "fits":
        same = among(fit, aligned.identical_fits)
    else:
        estimand = labels.estimands.get_indexer(pd.Index(names["estimand"]))
        same = among(fit * len(labels.estimands) + estimand[cells.cell], aligned.identical_estimates)
    return cells.count(same) == cells.n


def _margin(margin: Margin, baseline: Sample, every: Cells, names: pd.DataFrame) -> np.ndarray:
    """Return the (cell,) margin in the measure's unit."""
    if margin.unit == "absolute":
        return np.full(len(names), margin.size)
    if margin.unit == "relative":
        return margin.size * np.abs(baseline.score.value)
    _, places = _common_cells(names, every.names)
    spread = _moved(every.replicates.complete(["sd"]), places[1], len(names))
    with np.errstate(divide="ignore", invalid="ignore"):
        return margin.size * MEASURES["model_se"].function(spread, Setting()).value
