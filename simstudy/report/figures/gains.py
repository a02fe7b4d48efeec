"""Where a method pays: its error against that of each rival, over the whole design."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, clip_text, drawing, even_columns, panels
from simstudy.report.figures.maps import HEAD, ROW_INCHES, bar_place, diverging_colors, name_rows_once, paint, spread
from simstudy.report.reading.design import read_design
from simstudy.report.reading.readings import is_clear

PERCENT = 100.0


def gains(
    differences: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw how much larger or smaller a method's error is than a rival's, in percent, one map per rival.

    Cells whose difference is below 2 MCSE are drawn as 0; hatched cells have no number.

    Args:
        differences: one row per scenario and rival: ``scenario``, ``rival``, ``value``, ``rival_value``,
            ``difference``, ``difference_mcse``.
        scenarios: the run's scenarios, with a column per factor.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 the maps stand below each other.
    """
    design = read_design(scenarios)
    pairs = zip(differences["difference"], differences["difference_mcse"], strict=True)
    change = PERCENT * (differences["value"] / differences["rival_value"] - 1)
    clear = np.array([is_clear(*pair) for pair in pairs], bool)
    table = differences.assign(change=change.where(clear, 0.0).where(change.notna()))
    maps = {name: spread(rows, design, "change") for name, rows in table.groupby("rival", sort=False)}
    columns = 1 if width < NARROW_BELOW else even_columns(len(maps), most=3)
    height = HEAD + ROW_INCHES * max(len(grid) for grid in maps.values())
    look = diverging_colors(table["change"].to_numpy(float), 0.0)
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(len(maps), columns=columns, width=width, height=height)
        for ax, (rival, grid) in zip(axes, maps.items(), strict=True):
            paint(ax, grid, look)
            ax.set_title(clip_text(f"against {called(str(rival))}", 36))
        name_rows_once(axes, list(maps.values()), columns)
        bar = figure.colorbar(
            axes[0].collections[0],
            ax=axes,
            label=f"difference in {called('rmse', 'RMSE')}, %",
            **bar_place(width, len(maps), columns),
        )
        bar.outline.set_visible(False)
    return figure
