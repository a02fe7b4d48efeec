"""Divergent transitions, trajectories cut at the maximum depth, and estimates at an edge. Rows are fits."""

from simstudy.measures.measure import Measure, Setting
from simstudy.measures.rows.replicates import Replicates, Score, proportion_score, ratio_score

BETANCOURT = "Betancourt & Girolami 2015"


def divergence_rate(cells: Replicates, setting: Setting) -> Score:
    """Return divergent draws / draws."""
    return ratio_score(cells, cells.reduce(cells["n_divergent"]), cells.reduce(cells["n_draws"]))


def any_divergence(cells: Replicates, setting: Setting) -> Score:
    """Return the share of fits with a divergent draw."""
    return proportion_score(cells, cells["n_divergent"] > 0)


def max_treedepth_rate(cells: Replicates, setting: Setting) -> Score:
    """Return draws whose trajectory was cut at the maximum tree depth / draws."""
    return ratio_score(cells, cells.reduce(cells["n_max_treedepth"]), cells.reduce(cells["n_draws"]))


def boundary_rate(cells: Replicates, setting: Setting) -> Score:
    """Return the share of fits that put a parameter at the edge of where it can lie."""
    return proportion_score(cells, cells["n_boundary"] > 0)


MEASURES = (
    Measure(
        name="divergence_rate",
        function=divergence_rate,
        needs=("n_divergent", "n_draws"),
        definition="divergent draws / draws",
        source=BETANCOURT,
        unit="1",
        better="smaller",
        rows="fits",
        which="all",
    ),
    Measure(
        name="any_divergence",
        function=any_divergence,
        needs=("n_divergent",),
        definition="share of fits with a divergent draw",
        source=BETANCOURT + "; Wilson 1927",
        unit="1",
        better="smaller",
        rows="fits",
        which="all",
    ),
    Measure(
        name="max_treedepth_rate",
        function=max_treedepth_rate,
        needs=("n_max_treedepth", "n_draws"),
        definition="draws whose trajectory was cut at the maximum tree depth / draws",
        source="Hoffman & Gelman 2014",
        unit="1",
        better="smaller",
        rows="fits",
        which="all",
    ),
    Measure(
        name="boundary_rate",
        function=boundary_rate,
        needs=("n_boundary",),
        definition="share of fits of maximum likelihood with a parameter at its edge, such as tau = 0",
        source="Bates, Maechler, Bolker & Walker 2015; Wilson 1927",
        unit="1",
        better=None,
        rows="fits",
        which="all",
    ),
)
