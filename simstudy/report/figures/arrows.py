"""The shrinkage picture: each group's estimate without pooling, drawn to its estimate with partial pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, clip_text, drawing, legend, panels
from simstudy.report.reading.design import Design, read_design
from simstudy.report.reading.palette import COMPLETE, INK, MUTED, NONCENTERED, NONE, Mark
from simstudy.report.reading.vocabulary import effects
from simstudy.report.reading.wording import symbol
from simstudy.store.group_names import called as name_of

ROW_HEIGHT = 1.75
MAX_PANELS = 6
MOST_NAMED, LONGEST_NAME = 12, 14
TRUTH, PARTIAL, SEPARATE = 0.0, 1.0, 2.0


def arrows(
    estimates: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    separate: str,
    partial: str,
    complete: str | None = None,
    estimand: str | None = None,
    chosen: Sequence[str] | None = None,
    groups: Mapping[int, str] | None = None,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw each group's posterior mean without pooling to that with partial pooling, for one replicate per scenario.

    Both methods saw the same data. The dashed line is the estimate of complete pooling; the lowest row holds the true
    effects, where they are known.

    Args:
        estimates: rows of the effects with scenario, replicate, method, estimand, group, mean, truth.
        scenarios: the run's scenarios, with a column per factor.
        separate: the method without pooling.
        partial: the method with partial pooling.
        complete: the method with complete pooling, or None to leave its line out.
        estimand: the effects; those that are spoken of where left out.
        chosen: the scenarios to draw, at most 6; a spread of the design where left out.
        groups: group -> its name, which stands above its stroke where there are at most 12.
        marks: method -> how it is drawn.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches.
    """
    design = read_design(scenarios)
    named = estimand or effects().name
    theta = estimates[(estimates["estimand"] == named) & estimates["mean"].notna()]
    pairs = {s: p for s in chosen or choose_scenarios(design) if len(p := paired(theta, s, separate, partial))}
    marks = {separate: NONE, partial: NONCENTERED, **({complete: COMPLETE} if complete else {}), **(marks or {})}
    columns = min(len(pairs), 2 if width < NARROW_BELOW else 3)
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(len(pairs), columns=columns, width=width, height=ROW_HEIGHT)
        for i, (ax, (scenario, pair)) in enumerate(zip(axes, pairs.items(), strict=True)):
            _panel(ax, pair, marks[separate], marks[partial])
            if complete:
                _pooled_line(ax, theta, scenario, pair["replicate"].iloc[0], complete, marks[complete])
            ax.set_xlabel(f"posterior mean of {called(named, symbol(named))}" if i >= len(axes) - columns else "")
            _name_groups(ax, pair, groups or {})
            if len(design.labels) > 1:
                ax.set_title(called(scenario, design.labels[scenario], length=21 if width < NARROW_BELOW else 44))
        _key(figure, width, {n: marks[n] for n in (separate, partial, complete) if n})
    return figure


def choose_scenarios(design: Design, *, most: int = MAX_PANELS) -> list[str]:
    """Return a spread of scenarios: the axis in full for the first and the last setting of the other factors."""
    titles = design.others(design.axis)
    ends = list(dict.fromkeys([titles.iloc[0], titles.iloc[-1]]))
    chosen = [s for title in ends for s in _thin(list(titles.index[titles == title]), most // len(ends))]
    return chosen[:most]


def paired(theta: pd.DataFrame, scenario: str, separate: str, partial: str) -> pd.DataFrame:
    """Return group, replicate, start, end and truth for the first replicate that both methods fitted."""
    here = theta[theta["scenario"] == scenario]
    both = here[here["method"].isin([separate, partial])].groupby("replicate")["method"].nunique()
    if not (both == 2).any():
        return pd.DataFrame()
    one = here[here["replicate"] == both.index[both == 2][0]]
    start, end = (one[one["method"] == name].set_index("group") for name in (separate, partial))
    pair = pd.DataFrame({"start": start["mean"], "end": end["mean"], "truth": end["truth"]})
    return pair.assign(replicate=one["replicate"].iloc[0]).reset_index()


def _thin(items: list[str], most: int) -> list[str]:
    if len(items) <= most:
        return items
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def _panel(ax: Axes, pair: pd.DataFrame, separate: Mark, partial: Mark) -> None:
    known = pair["truth"].notna().any()
    for start, end in pair[["start", "end"]].to_numpy(float):
        ax.plot([start, end], [SEPARATE, PARTIAL], color=MUTED, linewidth=0.9, zorder=1)
    ax.plot(pair["start"], [SEPARATE] * len(pair), separate.marker, color=separate.light)
    ax.plot(pair["end"], [PARTIAL] * len(pair), partial.marker, color=partial.light)
    if known:
        ax.plot(pair["truth"], [TRUTH] * len(pair), "|", color=INK, markersize=9, markeredgewidth=1.3)
    rows = [SEPARATE, PARTIAL, TRUTH][: 3 if known else 2]
    ax.set_yticks(rows, ["none", "partial", "truth"][: len(rows)])
    ax.set_ylim(min(rows) - 0.4, SEPARATE + 0.4)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False, axis="x")


def _name_groups(ax: Axes, pair: pd.DataFrame, groups: Mapping[int, str]) -> None:
    if len(pair) > MOST_NAMED:
        return
    for group, start in zip(pair["group"], pair["start"], strict=True):
        if int(group) in groups:
            text = clip_text(name_of(groups, int(group)), LONGEST_NAME)
            at: dict[str, Any] = {"xytext": (0, 6), "textcoords": "offset points", "ha": "left", "va": "bottom"}
            ax.annotate(text, (start, SEPARATE), **at, rotation=40, fontsize="small", annotation_clip=False)


def _pooled_line(ax: Axes, theta: pd.DataFrame, scenario: str, replicate: int, complete: str, mark: Mark) -> None:
    rows = theta[(theta["scenario"] == scenario) & (theta["replicate"] == replicate) & (theta["method"] == complete)]
    if len(rows):
        ax.axvline(rows["mean"].iloc[0], color=mark.light, linestyle="--", linewidth=1.2, zorder=0)


def _key(figure: Figure, width: float, marks: Mapping[str, Mark]) -> None:
    names = list(marks)
    handles = [Line2D([], [], color=m.light, marker=m.marker, linestyle="", label=called(n)) for n, m in marks.items()]
    for name, handle in zip(names, handles, strict=True):
        if len(names) == 3 and name == names[-1]:
            handle.set(marker="", linestyle="--")
    legend(figure, handles, ncols=1 if width < NARROW_BELOW else 3)
