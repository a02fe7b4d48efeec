"""Which estimands a report draws, of the many that a run may have."""

from __future__ import annotations

from collections.abc import Iterable

from simstudy.models.estimands import MU, OF_GROUPED_MODELS, TAU
from simstudy.report.reading.vocabulary import declared
from simstudy.store.declared import RESIDUAL

PARAMETERS = ("location", "scale", "correlation", "share")


def shown_estimands(names: Iterable[str]) -> list[str]:
    """Return the effects and means of groups, centers and spreads of effects, the residual sd, and a model's own.

    Of grouped models the rest follows from these. What else a model declares as a parameter of its own is drawn, too.

    >>> shown_estimands(["log_lik", "mu", "sigma", "tau", "theta", "theta_sd"])
    ['theta', 'mu', 'tau', 'sigma']

    Where tau is no spread of effects, as the step of a random walk is not, it is a parameter of its own.
    """
    names = list(names)
    of_groups = declared().with_role(names, "effects", "mean")
    around = [name for name in (*declared().centers, *declared().spreads, RESIDUAL) if name in names]
    known = {*OF_GROUPED_MODELS, *declared().moments} - {MU.name, TAU.name}
    own = [name for name in declared().with_role(names, *PARAMETERS) if name not in known]
    return list(dict.fromkeys([*of_groups, *around, *own]))
