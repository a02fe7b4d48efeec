"""Where the sampler diverges: one map over the design per method."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, drawing, even_columns, panels
from simstudy.report.figures.maps import bar_place, name_rows_once, paint, spread
from simstudy.report.reading.design import Design, read_design
from simstudy.report.reading.readings import average, require

COLORS = {"cmap": sns.color_palette("flare", as_cmap=True), "norm": Normalize(0, 1)}
MAX_WRITTEN_CELLS, FEW_COLUMNS = 60, 4
ROW_INCHES, WRITTEN_ROW_INCHES, HEAD = 0.22, 0.42, 0.75
PER_THOUSAND = 1000


def divergences(
    performance: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw the share of fits with a divergence as color over the factors of the design, one map per method.

    In each cell of a small map: the share, and below it divergent draws per 1,000. Methods without a single divergence
    have no map. Hatched cells have no number.

    Args:
        performance: the performance table with ``any_divergence`` and ``divergence_rate``.
        scenarios: the run's scenarios, with a column per factor.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 the maps stand below each other.

    Raises:
        TableError: no draw of any method diverged.
    """
    design = read_design(scenarios)
    shares = average(performance, "any_divergence")
    require(shares[shares["value"] > 0], "divergence")
    rates = average(performance, "divergence_rate")
    names = diverging(shares)
    grids = {name: _grids(shares, rates, design, name) for name in names}
    size = max((share.size for share, _ in grids.values()), default=0)
    written = size <= MAX_WRITTEN_CELLS
    rows = max((len(share) for share, _ in grids.values()), default=1)
    height = HEAD + rows * (WRITTEN_ROW_INCHES if written else ROW_INCHES)
    columns = _columns(grids, width)
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(len(names), columns=columns, width=width, height=height)
        for ax, (name, (share, rate)) in zip(axes, grids.items(), strict=True):
            paint(ax, share, COLORS, words=_words(share, rate) if written else None)
            ax.set_title(called(name, length=46))
        name_rows_once(axes, [share for share, _ in grids.values()], columns)
        bar = figure.colorbar(
            axes[0].collections[0], ax=axes, label="share of fits", **bar_place(width, len(grids), columns)
        )
        bar.outline.set_visible(False)
        bar.ax.yaxis.set_major_formatter("{x:.0%}")
        bar.ax.xaxis.set_major_formatter("{x:.0%}")
    return figure


def _columns(grids: dict[str, tuple[pd.DataFrame, pd.DataFrame]], width: float) -> int:
    if width < NARROW_BELOW:
        return 1
    narrow = all(share.shape[1] <= FEW_COLUMNS for share, _ in grids.values())
    return even_columns(len(grids), most=3 if narrow else 2)


def diverging(shares: pd.DataFrame) -> list[str]:
    """Return the methods with at least one divergence, in the table's order."""
    most = shares.groupby("method", sort=False, observed=True)["value"].max()
    return [str(name) for name in most.index[most > 0]]


def _grids(shares: pd.DataFrame, rates: pd.DataFrame, design: Design, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    return spread(shares[shares["method"] == name], design), spread(rates[rates["method"] == name], design)


def _words(share: pd.DataFrame, rate: pd.DataFrame) -> np.ndarray:
    numbers = zip(share.to_numpy().ravel(), rate.to_numpy().ravel(), strict=True)
    words = ["" if np.isnan(s) else f"{s:.0%}\n{r * PER_THOUSAND:.2g} ‰" if s > 0 else "0" for s, r in numbers]
    return np.array(words, dtype=object).reshape(share.shape)
