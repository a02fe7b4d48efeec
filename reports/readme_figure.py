"""The README's figure: the error of the group effects over the design of the study `pooling`."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

from simstudy.report.evidence import Evidence
from simstudy.report.figures import profile


def draw_readme_figure(evidence: Evidence, path: Path) -> None:
    """Draw the RMSE of the group effects by scenario and method, as SVG."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "simstudy"}):
        figure = profile(evidence.performance, evidence.run.scenarios, marks=evidence.marks, width=10.0)
        figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None})
