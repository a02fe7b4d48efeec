"""The axis of a factor: numbers where they lie, on a logarithmic scale where they span more than a power of ten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from simstudy.report.figures.canvas import called
from simstudy.report.reading.design import Design

LOG_SPAN = 10.0
MARGIN = 0.08
"""Of the length of the axis, free at either end."""
NEAREST = 0.09
"""Of the length of the axis, nearer than which two levels have one label."""


@dataclass(frozen=True, kw_only=True)
class FactorAxis:
    """Where the levels of the design's main factor lie.

    Attributes:
        place: scenario -> its level.
        texts: level -> what it is called, in ascending order.
        is_log: whether the scale is logarithmic.
        name: of the factor; empty where the design has no axis.
    """

    place: dict[str, float]
    texts: dict[float, str]
    is_log: bool
    name: str

    @classmethod
    def of(cls, design: Design) -> FactorAxis:
        """Return the axis of a design; one place where it has none."""
        if design.axis is None:
            return cls(place=dict.fromkeys(map(str, design.numbers.index), 0.0), texts={0.0: ""}, is_log=False, name="")
        values = design.numbers[design.axis].astype(float)
        texts = dict(sorted(zip(values, design.levels[design.axis], strict=True)))
        least, most = min(texts), max(texts)
        place = {str(scenario): float(value) for scenario, value in values.items()}
        return cls(place=place, texts=texts, is_log=least > 0 and most >= LOG_SPAN * least, name=design.axis)

    def show(self, ax: Axes) -> None:
        """Give axes the scale, a mark for every level, and labels for those that have room."""
        levels = np.array(list(self.texts))
        if self.is_log:
            ax.set_xscale("log")
        scaled = np.log(levels) if self.is_log else levels
        length = float(np.ptp(scaled)) or 1.0
        ends = scaled[0] - MARGIN * length, scaled[-1] + MARGIN * length
        if len(levels) == 1:
            ends = scaled[0] - 0.5, scaled[0] + 0.5
        ax.set_xlim(*(np.exp(ends) if self.is_log else ends))
        ax.xaxis.set_major_locator(FixedLocator(levels.tolist()))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FixedFormatter(self._labels(scaled / length)))
        ax.grid(visible=False, axis="x")

    def label(self) -> str:
        """Return what the axis is called."""
        return called(self.name)

    def _labels(self, at: np.ndarray) -> list[str]:
        """Return a label for each level, empty for one that is too near to the last that has one."""
        shown, last = [], -np.inf
        for place, text in zip(at, self.texts.values(), strict=True):
            is_free = place - last >= NEAREST
            shown.append(text if is_free else "")
            last = place if is_free else last
        return shown
