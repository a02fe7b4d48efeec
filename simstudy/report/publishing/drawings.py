"""The figures of a run: what each is drawn from, so that it can be drawn by its name.

A function here returns what draws a figure, or raises TableError where the run has nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from simstudy.errors import TableError
from simstudy.measures.calibration import worst_groups
from simstudy.report import figures
from simstudy.report.figures.conditional import well_seen
from simstudy.report.figures.efficiency import trusted
from simstudy.report.figures.weights import SIDE, WEIGHT
from simstudy.report.funnel import read_funnel
from simstudy.report.lesson import read_lesson
from simstudy.report.publishing.method_drawings import gains, priors
from simstudy.report.publishing.term_drawings import level_lines, level_map, level_series, level_tree
from simstudy.report.publishing.wish import Wish, some
from simstudy.report.reading.chain_rates import chain_rates
from simstudy.report.reading.readings import average, binned, headline_level
from simstudy.report.reading.shown import shown_estimands
from simstudy.report.reading.vocabulary import declared, effects
from simstudy.report.sections.calibration import RANK_COLUMNS, by_estimand, worst_ranks
from simstudy.report.sections.error_split import shown_split
from simstudy.report.sections.posterior import forest
from simstudy.report.sections.shrinkage import known_regret, marks_with, oracle_table, shrunk, slope_table
from simstudy.report.sections.speed import speed_table
from simstudy.store.schema import interval_columns

Draw = Callable[..., Figure]


def arrows(wish: Wish) -> Draw:
    """Each group's estimate without pooling, drawn to that with partial pooling."""
    evidence, roles = wish.evidence, wish.evidence.roles
    if not (roles.separate and roles.partial):
        raise TableError("needs a method without pooling and one with partial pooling")
    if evidence.has_terms and effects().spread is None:
        raise TableError("needs effects that lie around one mean")
    theta = some(shrunk(evidence), "effects of groups")
    names: dict[str, Any] = {"separate": roles.separate, "partial": roles.partial, "complete": roles.complete}
    return partial(figures.arrows, theta, wish.tables[1], **names, groups=evidence.group_names, marks=evidence.marks)


def calibration(wish: Wish) -> Draw:
    """Are ranks of the truth uniform? Their distribution by estimand, in one scenario of a calibration study."""
    if not wish.evidence.is_calibration:
        raise TableError("needs a study of kind calibration")
    table = worst_groups(wish.evidence.calibration)
    worst = table[(table["scenario"] == wish.one) & table["estimand"].notna()]
    pieces = wish.evidence.run.parts("estimates", RANK_COLUMNS, where={"scenario": {wish.one}})
    ranks = by_estimand(pd.concat([worst_ranks(piece, worst) for piece in pieces]))
    return partial(figures.calibration, some(ranks, "ranks"), marks=wish.evidence.marks)


def chain_divergences(wish: Wish) -> Draw:
    """How divergences spread over the chains of one scenario, by method."""
    rates = chain_rates(wish.evidence.run)
    rates = rates[rates["scenario"] == wish.one]
    most = rates.groupby("method")["rate"].max()
    diverged = rates[rates["method"].isin(most.index[most > 0])]
    return partial(figures.chain_divergences, some(diverged, "divergences"), marks=wish.evidence.marks)


def conditional(wish: Wish) -> Draw:
    """Error, conditional bias and coverage by the distance of a group from the mean, by scenario."""
    shown = [wish.measure] if wish.measure else ["rmse", "conditional_bias", "coverage"]
    estimand = wish.estimand or effects().name
    known = [m for m in shown if len(well_seen(binned(wish.tables[0], m, estimand=estimand)))]
    if not known:
        raise TableError("needs measures by the distance of a group from the mean, of 10 replicates at least")
    return partial(figures.conditional, *wish.tables, estimand=estimand, measures=known, marks=wish.evidence.marks)


def design_map(wish: Wish) -> Draw:
    """A measure as color over the design, one map per method."""
    measure = wish.measure or "rmse"
    wish.require_several()
    rows = wish.tables[0]
    of_fits = rows.loc[rows["measure"] == measure, "estimand"].isna().all() and (rows["measure"] == measure).any()
    estimand = None if of_fits else wish.estimand_of(measure)
    levels = average(rows, measure, estimand=estimand)["level"].dropna()
    center = float(levels.iloc[0]) if measure == "coverage" and len(levels) else 0.0 if "bias" in measure else None
    return partial(figures.design_map, *wish.tables, measure=measure, estimand=estimand, center=center)


def divergences(wish: Wish) -> Draw:
    """The share of fits with a divergence over the design, one map per method."""
    wish.require_several()
    shares = average(wish.tables[0], "any_divergence")
    some(shares[shares["value"] > 0], "divergences")
    return partial(figures.divergences, *wish.tables)


def efficiency(wish: Wish) -> Draw:
    """Effective draws per leapfrog step, by scenario and method."""
    some(trusted(wish.tables[0]), "effective draws per leapfrog")
    return partial(figures.efficiency, *wish.tables, marks=wish.evidence.marks)


def error_split(wish: Wish) -> Draw:
    """What a sampler adds to the error of its model, in percent, by scenario, estimand and method."""
    table = shown_split(wish.evidence)
    if table.empty:
        raise TableError("needs a method whose posterior is exact beside one that samples it")
    table = table[table["scenario"].isin(wish.ids) & table["percent"].notna()]
    table = table if wish.estimand is None else table[table["estimand"] == wish.estimand]
    return partial(figures.error_split, some(table, "parts of an error"), wish.tables[1], marks=wish.evidence.marks)


def funnel(wish: Wish) -> Draw:
    """Kept draws of a scale, that in which divergent draws differ most, against an effect, in one scenario."""
    drawn = read_funnel(wish.evidence, wish.one, wish.estimand)
    if drawn is None:
        raise TableError("needs draws that were kept, as simstudy run --keep-draws 1 does")
    words: dict[str, Any] = {"effect": drawn.effect, "spread": drawn.spread}
    return partial(figures.funnel, drawn.draws, **words, marks=wish.evidence.marks)


def nested_loop(wish: Wish) -> Draw:
    """A measure along all scenarios as steps, the levels of the factors below."""
    wish.require_several()
    measure = wish.measure or "rmse"
    about: dict[str, Any] = {"measure": measure, "estimand": wish.estimand_of(measure)}
    return partial(figures.nested_loop, *wish.tables, **about, marks=wish.evidence.marks)


def posterior(wish: Wish) -> Draw:
    """Posterior means and intervals of one data set under every method."""
    evidence = wish.evidence
    if evidence.is_dataset:
        if (drawn := forest(evidence)) is None:
            raise TableError("needs 90 % intervals")
        names, table = drawn.pop("labels"), drawn["table"]
        drawn["table"] = table[table["estimand"] == (wish.estimand or table["estimand"])]
        if drawn["table"].empty:
            known = ", ".join(dict.fromkeys(table["estimand"].astype(str)))
            raise TableError(f"estimand: the figure has no {wish.estimand!r}; it can draw {known}")
        return lambda labels=None, **how: figures.posterior(**drawn, labels={**names, **(labels or {})}, **how)
    if (lesson := read_lesson(evidence)) is None:
        raise TableError("needs no, complete and partial pooling of at most 12 groups, and a known truth")
    if wish.scenarios is not None and wish.one != lesson.scenario:
        raise TableError(
            f"shows the data set of {evidence.labels[lesson.scenario]!r} alone, where shrinkage shows best"
        )
    seen: dict[str, Any] = {"data": lesson.data, "truth": lesson.truth, "marks": marks_with(evidence, lesson.exact)}
    return lambda labels=None, **how: figures.posterior(
        lesson.table, **seen, labels={**lesson.labels, **(labels or {})}, **how
    )


def profile(wish: Wish) -> Draw:
    """A measure along the main factor of the design, one panel per setting of the others."""
    measure = wish.measure or "rmse"
    about: dict[str, Any] = {"measure": measure, "estimand": wish.estimand_of(measure)}
    return partial(figures.profile, *wish.tables, **about, marks=wish.evidence.marks)


def recovery(wish: Wish) -> Draw:
    """RMSE, bias and coverage by scenario and method, a row per scenario."""
    estimand = wish.estimand_of(wish.measure or "rmse")
    measures = [wish.measure] if wish.measure else ["rmse", "bias", "coverage"]
    about: dict[str, Any] = {"estimand": estimand, "measures": measures}
    return partial(figures.recovery, *wish.tables, **about, marks=wish.evidence.marks)


def regret(wish: Wish) -> Draw:
    """Squared error of every method as a multiple of the best one's, over the design."""
    wish.require_several()
    estimand = wish.estimand or effects().name
    measure = known_regret(wish.tables[0], estimand)
    if measure is None:
        raise TableError("needs a regret above 2 MCSE of an estimand with groups")
    return partial(figures.regret, *wish.tables, estimand=estimand, measure=measure)


def speed(wish: Wish) -> Draw:
    """Fits and effective draws per second, and where the seconds went, by method over all scenarios."""
    if wish.scenarios is not None:
        raise TableError("is of programs, which scenarios share; leave the scenario out")
    return partial(figures.speed, some(speed_table(wish.evidence), "timings"), marks=wish.evidence.marks)


def weights(wish: Wish) -> Draw:
    """Shrinkage of every scenario and size of group against that of one who knows tau and sigma."""
    columns = ["scenario", "replicate", "method", "estimand", "mean", "truth"]
    roles, chosen = wish.evidence.with_role("weight"), set(wish.ids)
    if not roles:
        raise TableError("needs shrinkage weights")
    pieces = wish.evidence.run.parts("estimates", columns, where={"estimand": set(roles), "scenario": chosen})
    slopes = slope_table(wish.evidence)
    parts = {WEIGHT: oracle_table(pieces), "shrinkage slope": slopes[slopes["scenario"].isin(wish.ids)]}
    known = [part.assign(of=words) for words, part in parts.items() if len(part)]
    if not known:
        raise TableError("needs shrinkage weights of data whose truth is known")
    rows = pd.concat(known, ignore_index=True)
    draw = partial(figures.weights, rows, marks=wish.evidence.marks)
    return partial(draw, width=SIDE * rows["of"].nunique())


def zip_plot(wish: Wish) -> Draw:
    """Every replicate's interval in one scenario, the worst on top: which miss the truth, and on what side."""
    evidence, levels = wish.evidence, wish.evidence.study["summary"]["levels"]
    if not levels:
        raise TableError("needs intervals")
    level = headline_level(pd.Series(levels))
    rows = wish.tables[0]
    covered = rows.loc[(rows["measure"] == "coverage") & rows["value"].notna(), "estimand"].dropna().unique()
    told = dict.fromkeys([*declared().centers, *shown_estimands(covered), *covered])
    single = [name for name in told if name in covered and not evidence.is_grouped(name)]
    if not single:
        raise TableError("needs coverage of an estimand without groups")
    estimand = wish.estimand or single[0]
    if evidence.is_grouped(wish.estimand_of("coverage") if wish.estimand else estimand):
        raise TableError(f"shows one number of a replicate, and {estimand} has groups; it can draw {', '.join(single)}")
    columns = ["scenario", "method", "mean", "sd", "truth", *interval_columns(level)]
    found = evidence.estimates_of(estimand, columns, scenario={wish.one})
    found = some(found[found["truth"].notna() & found["mean"].notna()], "intervals with a known truth")
    return partial(figures.zip_plot, found, level=level, marks=evidence.marks)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure that can be drawn of a run.

    Args:
        read: wish -> what draws it; raises TableError where the run has nothing of the kind.
        is_of_one: whether it shows one scenario.
        takes_axes: whether it can be drawn on axes of the caller's; others have panels that belong together.
    """

    read: Callable[[Wish], Draw]
    is_of_one: bool = False
    takes_axes: bool = True

    @property
    def line(self) -> str:
        """What it shows, in a line."""
        return str(self.read.__doc__).splitlines()[0]


DRAWINGS = {
    "arrows": Drawing(read=arrows),
    "calibration": Drawing(read=calibration, is_of_one=True),
    "chain-divergences": Drawing(read=chain_divergences, is_of_one=True),
    "conditional": Drawing(read=conditional),
    "design-map": Drawing(read=design_map),
    "divergences": Drawing(read=divergences),
    "efficiency": Drawing(read=efficiency),
    "error-split": Drawing(read=error_split),
    "funnel": Drawing(read=funnel, is_of_one=True),
    "gains": Drawing(read=gains),
    "level-lines": Drawing(read=level_lines),
    "level-map": Drawing(read=level_map),
    "level-series": Drawing(read=level_series),
    "level-tree": Drawing(read=level_tree),
    "nested-loop": Drawing(read=nested_loop, takes_axes=False),
    "posterior": Drawing(read=posterior),
    "priors": Drawing(read=priors),
    "profile": Drawing(read=profile),
    "recovery": Drawing(read=recovery),
    "regret": Drawing(read=regret),
    "speed": Drawing(read=speed, takes_axes=False),
    "weights": Drawing(read=weights),
    "zip": Drawing(read=zip_plot, is_of_one=True),
}
"""Name -> figure, all but that of a comparison."""
