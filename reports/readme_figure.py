"""Draw the README's figure from a run: ``python reports/readme_figure.py runs/pooling reports/pooling.svg``."""

import sys
from pathlib import Path

import matplotlib as mpl

from simstudy.measures import performance
from simstudy.report.figures import profile
from simstudy.report.palette import assign_marks
from simstudy.store import Run


def main(folder: str, path: str) -> None:
    """Draw the RMSE of the group effects by scenario and method."""
    run = Run.open(folder)
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "simstudy"}):
        figure = profile(performance(run), run.scenarios, marks=assign_marks(run.methods), width=10.0)
        figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None})
    print(f"figure: {Path(path)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
