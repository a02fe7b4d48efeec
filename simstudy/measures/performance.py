"""The performance of a run: every measure in every cell, with its MCSE, the fits used and left out, and the policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from simstudy.measures.choices import check_choice
from simstudy.measures.measure import MCSE_METHODS, McseMethod, Measure
from simstudy.measures.policies import POLICIES, Policy, count_fits, has_boundaries
from simstudy.measures.registry import MEASURES
from simstudy.measures.rows.cells import Cells, average_cells, distance_cells, divergence_cells, group_cells, size_cells
from simstudy.measures.rows.context import Context
from simstudy.measures.rows.effects import read_effects
from simstudy.measures.rows.labels import Keys, Labels
from simstudy.measures.rows.rows import Rows, add_reference, read_estimates
from simstudy.measures.rows.slices import MOST_ROWS, slices
from simstudy.measures.sampler_error import exact_methods, read_sampler_errors
from simstudy.measures.sampling import batch_cells, fit_cells, leapfrog_cells
from simstudy.measures.scoring import Terms, assemble, score_cells
from simstudy.measures.worst_case import add_missing
from simstudy.store.run import Run
from simstudy.store.schema import interval_columns
from simstudy.store.traits import exact_samplers, has_fixed_data, without_posterior
from simstudy.types import RunTables

Groups = Literal["auto", "average", "each"]
GROUPS: tuple[Groups, ...] = get_args(Groups)


def performance(
    run: RunTables,
    *,
    policy: Policy | Sequence[Policy] = "available",
    reference: str | None = None,
    groups: Groups = "auto",
    null: float = 0.0,
    mcse_method: McseMethod = "influence",
    most_rows: int = MOST_ROWS,
) -> pd.DataFrame:
    """Return the performance of every method in every scenario of a run.

    Args:
        run: the run's tables.
        policy: which fits count: ``available``, all finite ones; ``unflagged``, those without a flag of the study's
            diagnostics; ``paired``, replicates that are finite under all methods of their scenario; ``worst_case``,
            all, the missing ones with the worst value of their scenario. Several policies stand below each other.
        reference: method that relative_precision and mse_ratio refer to; None takes no pooling where it has the
            estimand, else the first method that has it.
        groups: estimands with groups are scored over the groups of a replicate together; ``each`` scores every
            group by itself too; ``auto`` does so where the groups' effects are the same in all replicates.
        null: value whose rejection is counted.
        mcse_method: for measures of spread; ``influence`` holds for any errors, ``normal`` for normal ones.
        most_rows: estimates that are held at once, positive; no number depends on it.

    Returns:
        One row per scenario, method, estimand, group, bin, level and measure, with the columns of
        ``schema.PERFORMANCE``. Speeds of a program have no scenario.

    Raises:
        TableError: an unknown policy, reference, choice of groups or MCSE method; tables that do not fit together.
        RunError: groups that methods share were lost with a damaged block.
    """
    policies: list[Policy] = [policy] if isinstance(policy, str) else list(policy)
    for name in policies:
        check_choice("policy", name, POLICIES)
    check_choice("groups", groups, GROUPS)
    if isinstance(run, Run):
        run.require_groups()
    check_choice("mcse_method", mcse_method, MCSE_METHODS)
    labels = Labels.of(run)
    context = Context.of(run, labels)
    plans = [_plan(run, labels, name, null=null, mcse_method=mcse_method) for name in policies]
    tables = []
    also = {name for own in MEASURES.extensions.values() if own.part.rows == "estimates" for name in own.part.needs}
    for part in slices(labels, most_rows=most_rows):
        rows = read_estimates(run, labels, part, also=also)
        for plan in plans:
            tables += _score_estimates(run, context, plan, rows, reference, groups)
    for plan in plans:
        if plan.terms.policy == "available":
            tables += _score_sampling(run, labels, context, plan)
    return assemble(tables, orders={**_orders(labels), "policy": pd.Index(policies)})


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How the fits are scored under one policy.

    Args:
        terms: the terms of scoring.
        counted: (fit,) bool, rows of ``run.fits`` that count.
        by_code: (fit code,) bool, the same by the codes of ``Keys.fit``.
        attempted: (scenario, method) number of fits.
        n_counted: (scenario, method) number of fits that count.
    """

    terms: Terms
    counted: np.ndarray
    by_code: np.ndarray
    attempted: np.ndarray
    n_counted: np.ndarray


def _plan(run: RunTables, labels: Labels, policy: Policy, *, null: float, mcse_method: McseMethod) -> _Plan:
    levels = tuple((level, *interval_columns(level)) for level in run.study["summary"]["levels"])
    replication: Literal["data", "sampler"] = "sampler" if _is_dataset(run) else "data"
    counted = count_fits(run.fits, run.study["diagnostics"], policy=policy)
    keys = labels.read(run.fits)
    by_code = np.zeros(keys.n_fits, bool)
    by_code[keys.fit[counted]] = True
    return _Plan(
        terms=Terms(levels=levels, policy=policy, replication=replication, null=null, mcse_method=mcse_method),
        counted=counted,
        by_code=by_code,
        attempted=_by_pair(keys),
        n_counted=_by_pair(keys.take(np.flatnonzero(counted))),
    )


def _score_estimates(
    run: RunTables, context: Context, plan: _Plan, estimates: Rows, reference: str | None, groups: Groups
) -> list[pd.DataFrame]:
    terms, attempted = plan.terms, plan.attempted
    effects_fixed = _is_dataset(run) or run.study["mechanism"].get("effects") == "fixed"
    rows, references = add_reference(run, estimates.of_fits(plan.by_code), reference=reference)
    every = [average_cells(rows, attempted, effects="fixed" if effects_fixed else "random")]
    if groups == "each" or (groups == "auto" and effects_fixed):
        every.append(group_cells(rows, attempted))
    if terms.policy == "worst_case":
        every = [add_missing(cells, run, counted=plan.counted) for cells in every]
    every = [cells.with_references(references) for cells in every]
    tables = [table for cells in every for table in score_cells(cells, _over("estimates"), terms)]
    if terms.policy == "worst_case":
        return tables
    effects = read_effects(run, context, rows)
    of_effects = [measure for measure in _over("effects") if set(measure.needs) <= set(effects.columns)]
    tables += score_cells(average_cells(effects, attempted), [m for m in of_effects if not m.of_exchangeable], terms)
    exchangeable = effects.take(np.flatnonzero(np.isfinite(effects["is_exchangeable"])))
    tables += score_cells(average_cells(exchangeable, attempted), [m for m in of_effects if m.of_exchangeable], terms)
    binned = [measure for measure in MEASURES.values() if measure.by_bin]
    for make in (distance_cells, size_cells):
        tables += score_cells(make(effects, attempted, plan.n_counted), binned, terms)
    return tables + _score_sampler_errors(run, rows, plan)


def _score_sampler_errors(run: RunTables, rows: Rows, plan: _Plan) -> list[pd.DataFrame]:
    if not (partners := exact_methods(run.study["methods"], exact_samplers(run), without_posterior(run))):
        return []
    errors = read_sampler_errors(run, rows, partners)
    every = [average_cells(errors, plan.attempted), divergence_cells(errors, plan.attempted, plan.n_counted)]
    every = [cells.with_references(partners, by="method") for cells in every]
    return [table for cells in every for table in score_cells(cells, _over("sampler_errors"), plan.terms)]


def _score_sampling(run: RunTables, labels: Labels, context: Context, plan: _Plan) -> list[pd.DataFrame]:
    terms, counted = plan.terms, plan.counted
    divergences = [measure for measure in _over("fits") if "ess" not in measure.needs]
    if not has_boundaries(run.fits):
        divergences = [measure for measure in divergences if "n_boundary" not in measure.needs]
    leapfrogs = [measure for measure in _over("fits") if "ess" in measure.needs]
    tables = score_cells(fit_cells(run, labels, counted=counted), divergences, terms)
    for cells in leapfrog_cells(run, labels, context, counted=counted):
        tables += score_cells(cells, leapfrogs, terms)
    for cells in batch_cells(run, labels, context, counted=counted):
        tables += score_cells(cells, [m for m in _over("batches") if _has_needs(cells, m)], terms)
    return tables


def _has_needs(cells: Cells, measure: Measure) -> bool:
    columns = set(cells.replicates.columns)
    return set(measure.needs) <= columns and ("ess" in measure.needs) == ("ess" in columns)


def _over(rows: str) -> list[Measure]:
    return [measure for measure in MEASURES.values() if measure.rows == rows]


def _is_dataset(run: RunTables) -> bool:
    return has_fixed_data(run.study, run.description)


def _by_pair(keys: Keys) -> np.ndarray:
    """Return the (scenario, method) number of fits."""
    n_scenarios, n_methods = len(keys.labels.scenarios), len(keys.labels.methods)
    pair = keys.scenario * n_methods + keys.method
    return np.bincount(pair, minlength=n_scenarios * n_methods).reshape(n_scenarios, n_methods)


def _orders(labels: Labels) -> dict[str, pd.Index]:
    return {"scenario": labels.scenarios, "method": labels.methods, "estimand": labels.estimands}
