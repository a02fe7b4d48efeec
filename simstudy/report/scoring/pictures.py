"""The pictures of a page of scores: lollipops, heat map, nested loop, ridges and zip plots."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import MIDDLE
from simstudy.report.figures.heat import heat
from simstudy.report.figures.lollipop import SHARES, lollipop
from simstudy.report.figures.maps import design_map
from simstudy.report.figures.nested_loop import nested_loop
from simstudy.report.figures.ridge import ridge
from simstudy.report.figures.zip_plot import zip_plot
from simstudy.report.reading.design import read_design
from simstudy.report.reading.readings import largest
from simstudy.report.reading.wording import enumerate_words, measure_words
from simstudy.report.scoring.scored import Scored
from simstudy.report.sections.section import Picture, picture

MOST_ROWS, MOST_RIDGES, MOST_ZIPS = 36, 60, 4
MOST_RIDGE_ROWS, FEWEST_RIDGE_ROWS = 20, 4
FIRST = ("bias", "rmse", "coverage")
SECOND = ("empirical_se", "relative_error", "rejection")
MAPPED = ("bias", "rmse", "coverage")
CENTERS = {"bias": 0.0, "relative_error": 0.0}
REACH_OF_SHARES = ", those of shares at the ends of the Wilson interval"


def key_picture(scored: Scored, estimand: str) -> Picture | None:
    """Return the picture beside the answer: the RMSE of every method in every scenario."""
    if not scored.has("rmse", estimand):
        return None
    if len(scored.labels) * len(scored.marks) == 1:
        return next(iter(ridges(scored, estimand, name="key", width=MIDDLE)), None)
    title = f"RMSE{_of(scored, estimand)} by scenario and method"
    if len(scored.labels) > MOST_ROWS:
        return _loop(scored, estimand, "rmse", name="key", width=MIDDLE)
    caption = "The shorter, the better. Parentheses stand 2 MCSE either side."
    draw: dict[str, Any] = {"estimand": estimand, "measures": ("rmse",), **_look(scored)}
    tables = (scored.performance, scored.scenarios)
    return picture("key", title, caption, lambda w: lollipop(*tables, **draw, width=w), width=MIDDLE)


def lollipops(scored: Scored, estimand: str) -> list[Picture]:
    """Return the measures as lollipops, of few scenarios."""
    if len(scored.labels) > MOST_ROWS or len(scored.labels) * len(scored.marks) == 1:
        return []
    found = []
    for part, measures in (("errors", FIRST), ("spread", SECOND)):
        known = [measure for measure in measures if scored.has(measure, estimand)]
        if not known:
            continue
        words = enumerate_words([measure_words(measure).removesuffix(", %") for measure in known])
        begin = "Stems begin at 0"
        if "coverage" in known:
            begin += f", those of coverage at {100 * scored.estimates.level:g} %"
        draw: dict[str, Any] = {"estimand": estimand, "measures": known, **_look(scored)}
        found.append(
            picture(
                f"lollipop-{part}-{_slug(scored, estimand)}",
                f"{words[0].upper() + words[1:]}{_of(scored, estimand)}",
                f"{begin}. Parentheses stand 2 MCSE either side{REACH_OF_SHARES if set(known) & set(SHARES) else ''}.",
                partial(_lollipop, scored, draw),
            )
        )
    return found


def _lollipop(scored: Scored, draw: dict[str, Any], width: float) -> Figure:
    return lollipop(scored.performance, scored.scenarios, **draw, width=width)


def maps(scored: Scored, estimand: str) -> list[Picture]:
    """Return the measures as color: one map each with scenarios and methods, or of a large design one per measure."""
    known = [measure for measure in MAPPED if scored.has(measure, estimand)]
    if not known or len(scored.labels) * len(scored.marks) == 1:
        return []
    slug = _slug(scored, estimand)
    if len(scored.labels) <= MOST_ROWS or len(read_design(scored.scenarios).factors) == 1:
        caption = (
            "A row per scenario, a column per method. White is where bias and coverage should be; RMSE goes from dark, "
            "small, to light. Hatched cells have no value."
        )
        draw: dict[str, Any] = {"estimand": estimand, "measures": known, "labels": scored.labels}
        title = f"All scenarios and methods{_of(scored, estimand)} at a glance"
        tables = (scored.performance, scored.scenarios)
        return [picture(f"heat-{slug}", title, caption, lambda w: heat(*tables, **draw, width=w))]
    return [_design_map(scored, estimand, measure) for measure in known]


def _design_map(scored: Scored, estimand: str, measure: str) -> Picture:
    center = scored.estimates.level if measure == "coverage" else CENTERS.get(measure)
    words = measure_words(measure)
    caption = f"Each cell is one of {len(scored.labels)} scenarios, each map one method, all on one color scale. " + (
        "Dark is small, which is good." if center is None else f"White is {center:g}, where it should be."
    )
    finite = scored.performance[np.isfinite(scored.performance["value"].to_numpy(float))]
    return picture(
        f"map-{measure}-{_slug(scored, estimand)}",
        f"{words[0].upper() + words[1:]}{_of(scored, estimand)} over the design",
        caption,
        lambda w: design_map(finite, scored.scenarios, measure=measure, estimand=estimand, center=center, width=w),
    )


def loops(scored: Scored, estimand: str) -> list[Picture]:
    """Return bias and RMSE along all scenarios, with the factors below; of two scenarios or more."""
    if len(scored.labels) < 3 or not read_design(scored.scenarios).factors:
        return []
    return [
        _loop(scored, estimand, measure, name=f"loop-{measure}-{_slug(scored, estimand)}")
        for measure in ("bias", "rmse")
        if scored.has(measure, estimand)
    ]


def _loop(scored: Scored, estimand: str, measure: str, **look: Any) -> Picture:
    better = "lower is better" if measure == "rmse" else "lines should lie at 0"
    caption = (
        f"Every scenario in the order of the crossed factors, whose levels the tracks below show; {better}. Bands "
        "reach 2 MCSE either side."
    )
    name, width = look.pop("name"), look
    words = measure_words(measure)
    draw: dict[str, Any] = {"measure": measure, "estimand": estimand, "marks": scored.marks}
    return picture(
        name,
        f"{words[0].upper() + words[1:]}{_of(scored, estimand)} along the design",
        caption,
        lambda w: nested_loop(scored.performance, scored.scenarios, **draw, width=w),
        **width,
    )


def ridges(scored: Scored, estimand: str, **look: Any) -> list[Picture]:
    """Return how the errors are distributed, of at most 20 scenarios, fewer of many methods, evenly chosen."""
    rows = scored.rows[(scored.rows["estimand"] == estimand)]
    if not rows["error"].notna().any():
        return []
    names = list(scored.labels)
    most = max(FEWEST_RIDGE_ROWS, min(MOST_RIDGE_ROWS, MOST_RIDGES // len(scored.marks)))
    chosen = names if len(names) <= most else [names[i] for i in _evenly(len(names), most)]
    rows = rows[rows["scenario"].isin(chosen)]
    caption = (
        "Each ridge is the density of the errors of one scenario, estimate minus truth; strokes are their means, which "
        "should lie on the line at 0. The axis ends where 0.5 % of all errors lie beyond."
    )
    if len(chosen) < len(names):
        caption += f" Drawn are {len(chosen)} of {len(names)} scenarios, evenly spaced in their order."
    draw = _look(scored)
    title = f"How the errors{_of(scored, estimand)} are distributed"
    name = look.pop("name", f"ridge-{_slug(scored, estimand)}")
    return [picture(name, title, caption, lambda w: ridge(rows, **draw, width=w), **look)]


def zips(scored: Scored, estimand: str) -> list[Picture]:
    """Return the intervals of each scenario, or of the one whose coverage is farthest from nominal."""
    table = scored.of("coverage", estimand).dropna(subset=["value"])
    if not scored.has_intervals or table.empty:
        return []
    level, n = scored.estimates.level, len(scored.labels)
    worst = str(largest(table.assign(off=table["value"] - level), "off")["scenario"])
    scenarios = [name for name in scored.labels if name in set(table["scenario"])] if n <= MOST_ZIPS else [worst]
    return [_zip(scored, estimand, scenario, whole=n <= MOST_ZIPS) for scenario in scenarios]


def _zip(scored: Scored, estimand: str, scenario: str, *, whole: bool) -> Picture:
    level = scored.estimates.level
    rows = scored.rows[(scored.rows["estimand"] == estimand) & (scored.rows["scenario"] == scenario)]
    place = list(scored.labels).index(scenario)
    where = f" at {scored.labels[scenario]}" if len(scored.labels) > 1 else ""
    caption = (
        f"Each stroke is one {100 * level:g} % interval, the worst on top by its error in units of its width; "
        "strokes without color miss the truth. They should begin at the dashed line: lower down, too many intervals "
        "miss; all on one side, estimates are biased."
    )
    if not whole:
        caption += f" Drawn is the scenario of {len(scored.labels)} in which coverage is farthest from nominal."
    return picture(
        f"zip-{place}-{_slug(scored, estimand)}",
        f"Intervals{_of(scored, estimand)}{where}",
        caption,
        lambda w: zip_plot(rows, level=level, marks=scored.marks, width=w),
    )


def _evenly(n: int, most: int) -> list[int]:
    return sorted({round(i * (n - 1) / (most - 1)) for i in range(most)})


def _look(scored: Scored) -> dict[str, Any]:
    return {"marks": scored.marks, "labels": scored.labels}


def _of(scored: Scored, estimand: str) -> str:
    """Return ``of`` and the estimand, where there are several."""
    return f" of {estimand}" if len(scored.estimands) > 1 else ""


def _slug(scored: Scored, estimand: str) -> str:
    """Return what tells the estimand's pictures from those of others: its place, since any name may be one."""
    return str(scored.estimands.index(estimand))


def figures_of(scored: Scored, estimand: str) -> list[Picture]:
    """Return the pictures of measures over scenarios."""
    return [*lollipops(scored, estimand), *maps(scored, estimand), *loops(scored, estimand)]
