"""Figures: each a function of tables that returns a matplotlib figure, usable without a report.

>>> import pandas as pd
>>> from simstudy.report.figures import chain_divergences
>>> figure = chain_divergences(pd.DataFrame({"method": "centered", "rate": [12.0, 30.0, 18.0]}))
>>> figure.axes[0].get_xlabel()
'divergent draws per 1,000'
"""

from simstudy.report.figures.arrows import arrows
from simstudy.report.figures.calibration import calibration
from simstudy.report.figures.chains import chain_divergences
from simstudy.report.figures.changes import changes
from simstudy.report.figures.conditional import conditional
from simstudy.report.figures.divergences import divergences
from simstudy.report.figures.efficiency import efficiency
from simstudy.report.figures.error_split import error_split
from simstudy.report.figures.funnel import funnel
from simstudy.report.figures.gains import gains
from simstudy.report.figures.level_lines import level_lines
from simstudy.report.figures.level_map import level_map
from simstudy.report.figures.level_series import level_series
from simstudy.report.figures.level_tree import level_tree
from simstudy.report.figures.maps import design_map
from simstudy.report.figures.nested_loop import nested_loop
from simstudy.report.figures.posterior import posterior
from simstudy.report.figures.priors import priors
from simstudy.report.figures.profile import profile
from simstudy.report.figures.recovery import recovery
from simstudy.report.figures.regret import regret
from simstudy.report.figures.speed import speed
from simstudy.report.figures.weights import weights
from simstudy.report.figures.zip_plot import zip_plot

__all__ = [
    "arrows",
    "calibration",
    "chain_divergences",
    "changes",
    "conditional",
    "design_map",
    "divergences",
    "efficiency",
    "error_split",
    "funnel",
    "gains",
    "level_lines",
    "level_map",
    "level_series",
    "level_tree",
    "nested_loop",
    "posterior",
    "priors",
    "profile",
    "recovery",
    "regret",
    "speed",
    "weights",
    "zip_plot",
]
