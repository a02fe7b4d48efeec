"""How divergences spread over the chains of a run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, clip_text, drawing, panels
from simstudy.report.reading.palette import INK, Mark, name_marks
from simstudy.report.reading.readings import require_one

ROW_HEIGHT = 1.9
MAX_BINS = 40


def chain_divergences(
    table: pd.DataFrame,
    *,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw the distribution over chains of divergent draws per 1,000, one panel per method, medians dashed.

    Panels share their axis and their bins.

    Args:
        table: one row per chain: ``method``, ``rate`` (divergent draws per 1,000), of one scenario.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches.

    Raises:
        TableError: the chains are of several scenarios.
    """
    require_one(table, "scenario")
    names = list(dict.fromkeys(table["method"].astype(str)))
    marks = marks or name_marks(names)
    columns = 1 if width < NARROW_BELOW else min(3, len(names))
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(len(names), columns=columns, width=width, height=ROW_HEIGHT, sharex=True)
        n_bins = min(MAX_BINS, 2 + int(table.groupby("method", observed=True).size().min()) // 4)
        bins = np.linspace(0, max(table["rate"].max(), 1.0), n_bins)
        for ax, name in zip(axes, names, strict=True):
            rates = table.loc[table["method"] == name, "rate"].to_numpy(float)
            sns.histplot(x=rates, bins=bins, ax=ax, color=marks[name].light, alpha=1.0, linewidth=0)
            middle = float(np.median(rates))
            ax.axvline(middle, color=INK, linestyle="--", linewidth=1.1)
            ax.set(xlabel="divergent draws per 1,000", ylabel="chains")
            ax.set_title(clip_text(f"{called(name)}: median {middle:.3g}", 52))
            ax.grid(visible=False, axis="x")
    return figure
