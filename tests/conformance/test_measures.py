"""Every registered measure keeps its promises, and measures that do not are caught."""

from dataclasses import replace

import numpy as np
import pytest

from simstudy.measures import MEASURES, Measure
from simstudy.measures.rows.replicates import mean_score
from simstudy.testing import ConformanceError, check_measure


@pytest.mark.parametrize("name", MEASURES)
def test_registered_measures_conform(name):
    """Every measure of the performance table."""
    check_measure(MEASURES[name])


def first_row(cells, setting):
    """Return the mean error of the row that happens to be first in its replicate."""
    first = np.unique(cells.unit, return_index=True)[1]
    return mean_score(cells, cells["error"][first])


def drifting(cells, setting):
    """Return the mean error, weighted by the number of the replicate."""
    return mean_score(cells, cells.reduce(cells["error"]) * np.arange(len(cells.cell)))


def standardized(cells, setting):
    """Return the mean error over the sd of all errors, those of other cells too."""
    return mean_score(cells, cells.reduce(cells["error"] / cells["error"].std()))


def over_rows(cells, setting):
    """Return the mean error with an MCSE that takes groups for independent replicates."""
    score = mean_score(cells, cells.reduce(cells["error"]))
    copies = cells.count(cells.n_rows > 0) * cells.n_rows.max()
    return replace(score, mcse=score.mcse * np.sqrt(cells.n / copies))


def spread(cells, setting):
    """Return the mean error with the sd in the place of its MCSE."""
    score = mean_score(cells, cells.reduce(cells["error"]))
    return replace(score, mcse=score.mcse * np.sqrt(cells.n))


def counts_rows(cells, setting):
    """Return the mean error and the number of rows in the place of that of replicates."""
    score = mean_score(cells, cells.reduce(cells["error"]))
    return replace(score, n_used=cells.over_cells(cells.n_rows).astype(int))


def nowhere(cells, setting):
    """Return nothing."""
    score = mean_score(cells, cells.reduce(cells["error"]))
    return replace(score, value=np.full(cells.n_cells, np.nan))


def without_mcse(cells, setting):
    """Return the mean error without MCSE, and without saying so."""
    score = mean_score(cells, cells.reduce(cells["error"]))
    return replace(score, mcse=np.full(cells.n_cells, np.nan))


def outside(cells, setting):
    """Return the mean error with an interval above it."""
    score = mean_score(cells, cells.reduce(cells["error"]))
    return replace(score, lower=score.value + score.mcse, upper=score.value + 2 * score.mcse)


def of_empty(cells, setting):
    """Return 0 where there are no replicates."""
    score = mean_score(cells, cells.reduce(cells["error"]))
    return replace(score, value=np.nan_to_num(score.value))


def squared(cells, setting):
    """Return the mean squared error."""
    return mean_score(cells, cells.reduce(cells["error"] ** 2))


def half_used(cells, setting):
    """Return the mean error and claim that a gap takes two replicates away."""
    score = mean_score(cells, cells.reduce(cells["error"]))
    return replace(score, n_used=np.where(cells.n == cells.n.max(), score.n_used, score.n_used - 1))


BROKEN = {
    first_row: "the same value whatever the order of rows and groups",
    drifting: "the same value whatever the numbers of the replicates",
    standardized: "the same value without the cells beside it",
    over_rows: "an MCSE that is the spread of the value over repeats.*got 0.4",
    spread: "an MCSE that is the spread of the value over repeats.*got 7",
    counts_rows: "replicates used and left out to be all that there are",
    nowhere: "a finite value in one of three layouts; got none",
    without_mcse: "a finite MCSE",
    outside: "the value inside its interval",
    of_empty: "no value of a cell without replicates",
    squared: "the value to go with its unit 'estimand'",
    half_used: "a replicate with a gap to be left out, and no other",
}


def measure_of(function, **changes) -> Measure:
    return replace(MEASURES["bias"], name="broken", function=function, **changes)


@pytest.mark.parametrize("function", BROKEN, ids=lambda function: function.__name__)
def test_broken_measures_are_caught(function):
    """Each broken promise is named."""
    with pytest.raises(ConformanceError, match=BROKEN[function]):
        check_measure(measure_of(function))


def test_what_a_measure_needs_is_checked():
    """A column that no row has, and a measure without a definition, are named."""
    with pytest.raises(ConformanceError, match="needs to be columns of the rows; got weight"):
        check_measure(measure_of(squared, needs=("error", "weight")))
    with pytest.raises(ConformanceError, match="a text as definition"):
        check_measure(measure_of(squared, definition=" "))


def test_a_measure_in_a_unit_of_its_own_passes():
    """A unit that is not among those of the package promises nothing about scale."""
    check_measure(measure_of(squared, unit="estimand^2"))
    check_measure(measure_of(squared, unit="furlong"))
