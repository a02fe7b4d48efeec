"""The unit of the data, which a sampler with trajectories depends on.

Such a sampler begins within 2 of 0 on its scale, and holds the variances that it adapts to away from 0 by about 1e-5
(Stan's rule: 0.001 * 5 / (n + 5) is added). So data of a much smaller scale are sampled wrongly, and not always with a
warning; much larger ones are not reached in a warm-up. Both are refused before anything runs: another unit costs
nothing.
"""

from collections.abc import Iterable
from math import floor, hypot, log10

import numpy as np

from simstudy.errors import StudyError
from simstudy.mechanisms import Dataset, GroupedMechanism, Mechanism
from simstudy.study.design import Scenario
from simstudy.study.methods import Method

SMALLEST_SCALE, LARGEST_SCALE = 5e-5, 1e10
"""Standard deviations of data between which the posterior is found: at 1e-4 with 50 times the steps of 1, at 1e9 with
1.4 times; at 1e-5 and 1e12 it is not."""


def check_units(scenarios: Iterable[Scenario], methods: Iterable[Method]) -> None:
    """Refuse data on a scale that a sampler with trajectories does not come to.

    A user's model is taken at its word: it may have a scale of its own.

    Raises:
        StudyError: names the method, the scale and a unit that serves.
    """
    of_trajectories = [m for m in methods if m.sampler.has_trajectories and m.model.hierarchy is not None]
    if not of_trajectories:
        return
    for scenario in scenarios:
        scale = scale_of(scenario.mechanism)
        if scale and not SMALLEST_SCALE <= scale <= LARGEST_SCALE:
            raise StudyError(
                f"[[method]] {of_trajectories[0].name!r} in scenario {scenario.label!r}: the data have a standard "
                f"deviation of {scale:.2g}, too far from 1, where the sampler begins; give data, truth and priors in "
                f"a unit of 1e{floor(log10(scale)):+d}, or use the sampler 'exact'"
            )


def scale_of(mechanism: Mechanism) -> float | None:
    """Return the standard deviation of all observations, or None where it is not a number or no part of a unit."""
    likelihood = mechanism.likelihood
    if likelihood is None or likelihood.scale != "natural":
        return None
    if isinstance(mechanism, Dataset):
        y = mechanism.replicate.data.y
        return None if y is None or np.ptp(y) == 0 else float(np.std(y))
    if not isinstance(mechanism, GroupedMechanism):
        return None
    spreads = [prior for name, prior in mechanism.priors.items() if name in ("tau", "sigma")]
    if not all(prior.is_constant for prior in spreads):
        return None
    errors = [np.max(mechanism.standard_errors)] if mechanism.standard_errors else []
    return hypot(*(prior.value for prior in spreads), *errors)
