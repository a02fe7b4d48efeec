"""The unit of the data, which a sampler with trajectories depends on.

Such a sampler begins within 2 of 0 on its scale, and holds the variances that it adapts to away from 0 by about 1e-5
(Stan's rule: 0.001 * 5 / (n + 5) is added). So data of a much smaller scale are sampled wrongly, and not always with a
warning; much larger ones are not reached in a warm-up. And single precision has seven digits: of a mean of a million
with a standard deviation of 1, none is left for what a step changes. Models of such data are sampled in standardized
units (``StandardizedModel``); where that cannot be, they are refused before anything runs.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import floor, hypot, log10

import numpy as np

from simstudy.errors import StudyError, shown
from simstudy.mechanisms import GroupedMechanism, Mechanism
from simstudy.models.additive import AdditiveModel
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.priors import Prior, check_single
from simstudy.models.standardized import StandardizedModel
from simstudy.models.unit import Unit
from simstudy.samplers.precision import use_precision
from simstudy.study.design import Scenario
from simstudy.study.given import given_data
from simstudy.study.methods import Method

SMALLEST_SCALE, LARGEST_SCALE = 5e-5, 1e10
"""Standard deviations of data between which the posterior is found: at 1e-4 with 50 times the steps of 1, at 1e9 with
1.4 times; at 1e-5 and 1e12 it is not."""
HOME_SCALES = (1e-2, 1e3)
"""Spreads of given data between which warm-up costs no more than at 1: other data are standardized."""
HOME_DISTANCE = 100
"""Spreads from 0 within which given data may lie: single precision then leaves their means errors of 1e-5 spreads, and
the standard error of a group of ten thousand is 1e-2."""
FARTHEST = 1e4
"""The same for simulated data, where single precision leaves 1e-3 spreads; a study begun before goes on as it was."""
ENERGY_ERROR = 0.01
"""Largest rounding of a log density that trajectories may feel; divergence is declared at 1000."""


def at_home(scenarios: Sequence[Scenario], methods: Iterable[Method]) -> Iterator[Method]:
    """Yield the methods, those of samplers with trajectories in standardized units where the data call for it.

    A user's model is taken at its word: it may have a unit of its own.

    Raises:
        StudyError: data are far from where the sampler begins and the model has no other unit, or single precision does
            not hold a prior; names the method, the scale and what serves.
    """
    far = next((s for s in scenarios if is_far(s.mechanism)), None)
    unit = None if far is None else common_unit([s.mechanism for s in scenarios])
    for method in methods:
        sampler, declared = method.sampler, method.model.declared
        moved = method
        if far is not None and declared is not None and (sampler.has_trajectories or sampler.is_exact):
            try:
                moved = _moved(method, declared, unit)
            except StudyError as error:
                if sampler.has_trajectories:
                    raise _refusal(method, far, str(error)) from None
        _check_precision(moved)
        yield moved


def is_far(mechanism: Mechanism) -> bool:
    """Whether the data of a mechanism lie far from where a sampler with trajectories is at home."""
    unit = unit_of(mechanism)
    if unit is None:
        return False
    least, most = HOME_SCALES if mechanism.replication == "sampler" else (SMALLEST_SCALE, LARGEST_SCALE)
    distance = HOME_DISTANCE if mechanism.replication == "sampler" else FARTHEST
    return not least <= unit.spread <= most or abs(unit.center) > distance * unit.spread


def unit_of(mechanism: Mechanism) -> Unit | None:
    """Return where the data of a mechanism lie and how far they spread; None where that is not known or no unit."""
    likelihood = mechanism.likelihood
    if likelihood is None or likelihood.scale != "natural":
        return None
    data = given_data(mechanism)
    if data is not None:
        is_flat = data.known_se is None and np.ptp(data.y_mean if data.y is None else data.y) == 0
        return None if is_flat else likelihood.unit_of(data)
    if not isinstance(mechanism, GroupedMechanism):
        return None
    spreads = [prior for name, prior in mechanism.priors.items() if name in ("tau", "sigma")]
    if not all(prior.is_constant for prior in spreads):
        return None
    errors = [np.max(mechanism.standard_errors)] if mechanism.standard_errors else []
    spread = hypot(*(prior.value for prior in spreads), *errors)
    center = mechanism.mu.value if mechanism.mu.is_constant else 0.0
    return Unit(center=center, spread=spread) if spread else None


def common_unit(mechanisms: Sequence[Mechanism]) -> Unit | None:
    """Return the unit of the first mechanism, if the data of all others are near enough to it; else None.

    A method has one unit, so that its scenarios share a program.
    """
    units = [unit_of(mechanism) for mechanism in mechanisms]
    first = units[0]
    for unit in units:
        if first is None or unit is None or not SMALLEST_SCALE <= unit.spread / first.spread <= LARGEST_SCALE:
            return None
        if abs(unit.center - first.center) > FARTHEST * unit.spread:
            return None
    return first


def _moved(method: Method, model: HierarchicalModel | AdditiveModel, unit: Unit | None) -> Method:
    """Return a method that is sampled in a unit.

    Raises:
        StudyError: there is no unit for all scenarios, or the model has no other than that of its data; says why.
    """
    if unit is None:
        raise StudyError("its scenarios have no unit in common")
    standardized = StandardizedModel(model=model, unit=unit)
    _check_near(standardized.sampled, method.sampler.precision)
    return replace(method, model=standardized)


def _refusal(method: Method, far: Scenario, why: str) -> StudyError:
    here = unit_of(far.mechanism)
    assert here is not None  # what is far has a unit; for the type checker
    place = f"a standard deviation of {here.spread:.2g}"
    if abs(here.center) > HOME_DISTANCE * here.spread:
        place += f" around {here.center:.6g}"
    return StudyError(
        f"[[method]] {shown(method.name)} in scenario {far.label!r}: the data have {place}, too far from 1 around 0, "
        f"where the sampler begins, and {why}; give data, truth and priors in a unit of "
        f"1e{floor(log10(here.spread)):+d} and from an origin near them, or use the sampler 'exact'"
    )


def _check_near(sampled: HierarchicalModel | AdditiveModel, precision: str) -> None:
    """Refuse priors that lie so far from standardized data that their density is lost in rounding.

    Raises:
        StudyError: names the prior.
    """
    most = ENERGY_ERROR / float(np.finfo(precision).eps)
    supports = {p.name: p.support for p in sampled.parameters}
    for name, prior in sampled.priors:
        depth = _depth(prior, at=1.0 if supports[name] == "positive" else 0.0)
        if not depth <= most:
            raise StudyError(f"the prior of {name} lies so far from them that {precision} loses it")


def _depth(prior: Prior, *, at: float) -> float:
    """Return how far the log density of a prior is below 0 at a point, in double precision."""
    if prior.is_constant:
        return (prior.value - at) ** 2 / 2
    with use_precision("float64"), np.errstate(all="ignore"):
        built = prior.distribution()
        return -float(built.log_prob(at)) if bool(built.support(np.asarray(at))) else float("inf")


def _check_precision(method: Method) -> None:
    """Refuse priors that the sampler's precision cannot hold."""
    sampled, sampler = method.model.sampled, method.sampler
    if sampled is None or sampler.precision != "float32" or not sampler.has_trajectories:
        return
    for name, prior in sampled.priors:
        try:
            check_single(prior, name)
        except StudyError as error:
            raise StudyError(f"[[method]] {shown(method.name)} priors.{error}") from None
