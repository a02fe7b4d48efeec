"""What a measure is, and what it is told besides its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from simstudy.measures.rows.replicates import Replicates, Score, Worst
from simstudy.models.estimands import Role

McseMethod = Literal["influence", "normal"]
MCSE_METHODS: tuple[McseMethod, ...] = get_args(McseMethod)
Better = Literal["smaller", "larger", "nominal"]
Source = Literal["estimates", "effects", "sampler_errors", "fits", "batches"]
Which = Literal["all", "truth", "interior", "boundary"]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a measure is told besides its rows.

    Args:
        level: level of the central interval, in (0, 1); NaN for measures without one.
        lower: column of the interval's lower end.
        upper: column of the interval's upper end.
        null: value that an interval must exclude to reject.
        mcse_method: for measures of spread: ``influence`` (any errors) or ``normal`` (Morris et al. 2019, table 6;
            replicates with several rows keep ``influence``).
        trim: share of the largest squared errors that trimmed and winsorized measures do without, in [0, 0.5).
    """

    level: float = float("nan")
    lower: str = "lower"
    upper: str = "upper"
    null: float = 0.0
    mcse_method: McseMethod = "influence"
    trim: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A performance measure: one function and what stands in its documentation.

    Args:
        name: name in the performance table.
        function: rows and setting -> value and MCSE in every cell.
        needs: columns that must be finite; ``lower`` and ``upper`` are those of the level (``by_level``). Of estimates
            there are all numbers of the table, and ``error``, the mean minus the truth, and ``reference_error``.
        definition: the formula in words and letters.
        source: author, year, equation.
        unit: unit of the value; ``estimand`` is the estimand's own.
        better: ``nominal``: nearer to the level (coverage) or to 0 is better. None where neither is better.
        rows: table that the measure is taken over; ``effects`` are the rows of the groups' effects, ``sampler_errors``
            the estimates that have an exact posterior of the same model beside them.
        which: rows where the truth is known; ``interior`` and ``boundary``: where it lies inside, or at the end, of
            what the estimand can be.
        by_level: one value per interval level.
        by_bin: also within bins of the distance from the center of the effects and of the group's size.
        roles: the only roles whose estimands have the measure; empty for all estimands.
        worst: what a missing fit gets under the policy ``worst_case``; None where that policy has no such measure.
        repeated_data: makes sense only where the replicates differ in their data.
        of_exchangeable: makes sense only for levels that have no neighbors and that no covariate sets apart.
    """

    name: str
    function: Callable[[Replicates, Setting], Score]
    needs: tuple[str, ...]
    definition: str
    source: str
    unit: str
    better: Better | None
    rows: Source = "estimates"
    which: Which = "truth"
    by_level: bool = False
    by_bin: bool = False
    roles: tuple[Role, ...] = ()
    worst: Worst | None = None
    repeated_data: bool = False
    of_exchangeable: bool = False
