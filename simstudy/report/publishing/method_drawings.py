"""The figures of methods beside each other: what each is drawn from, as in ``drawings``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from simstudy.errors import TableError
from simstudy.report import figures
from simstudy.report.publishing.wish import Wish, some
from simstudy.report.reading.wording import enumerate_words
from simstudy.report.sections.lead import pairs

Draw = Callable[..., Figure]


def gains(wish: Wish) -> Draw:
    """How much larger or smaller a method's RMSE is than its rivals', over the design."""
    wish.require_several()
    evidence = wish.evidence
    if evidence.headline is None:
        raise TableError("needs an RMSE, and no estimand has a known truth")
    if not (compared := pairs(evidence)):
        raise TableError("needs two methods, and the run has one")
    rows = pd.concat([evidence.error_differences(*pair) for pair in compared], ignore_index=True)
    rows = some(rows[rows["scenario"].isin(wish.ids)], "differences in RMSE")
    return partial(figures.gains, rows, wish.tables[1])


def priors(wish: Wish) -> Draw:
    """What a prior moves: estimate, shrinkage weights and coverage, for methods that differ in one prior."""
    families = {f.parameter: f for f in reversed(wish.evidence.families)}
    if not families:
        raise TableError("needs methods that differ in one prior alone")
    if wish.estimand is not None and wish.estimand not in families:
        known = enumerate_words([*families])
        raise TableError(f"estimand: methods differ in the prior of {known}, not in that of {wish.estimand}")
    family = families[wish.estimand] if wish.estimand else wish.evidence.families[0]
    about: dict[str, Any] = {"texts": family.priors, "parameter": family.parameter, "marks": wish.evidence.marks}
    return partial(figures.priors, *wish.tables, **about)
