"""Data that are given and not simulated: what a mechanism has fixed."""

import numpy as np

from simstudy.mechanisms import Mechanism
from simstudy.types import GroupedData


def given_data(mechanism: Mechanism) -> GroupedData | None:
    """Return the data of every replicate, or None where data are simulated or of a user's own form."""
    if mechanism.replication != "sampler":
        return None
    (replicate,) = mechanism.simulate(np.zeros((1, 2), np.uint32))
    return replicate.data if isinstance(replicate.data, GroupedData) else None
