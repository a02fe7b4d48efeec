"""Parts of a user's own, as a file given to --load: built-in ones under names of their own, which need no compiling."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

import simstudy
from simstudy.measures import mean_score
from simstudy.mechanisms import StudentT
from simstudy.models.likelihoods import Normal
from simstudy.models.structures import Partial
from simstudy.samplers import Exact

SHIFT = 0.0


@simstudy.register_sampler
@dataclass(frozen=True, kw_only=True)
class Mine(Exact):
    """Draws by quadrature under another name."""

    kind: ClassVar[str] = "mine"
    words: ClassVar[str] = "my quadrature"
    finesse: Annotated[float, Field(gt=0, lt=10)] = 1.0 + SHIFT


@simstudy.register_likelihood
@dataclass(frozen=True, kw_only=True)
class Bell(Normal):
    """Normal observations under another name."""

    kind: ClassVar[str] = "bell"


@simstudy.register_structure
@dataclass(frozen=True, kw_only=True)
class Shared(Partial):
    """Partial pooling under another name."""

    kind: ClassVar[str] = "shared"


@simstudy.register_mechanism
@dataclass(frozen=True, kw_only=True)
class HeavyTails(StudentT):
    """Student-t effects under another name."""

    kind: ClassVar[str] = "heavy_tails"


@simstudy.register_measure(needs=("error",), source="ours", unit="estimand", better="smaller")
def mean_distance(rows, setting):
    """mean distance of the estimate from the truth"""
    return mean_score(rows, rows.reduce(np.abs(rows["error"])))
