"""All measures by name."""

from simstudy.measures import divergences, recovery, sampler_error, shrinkage, speed
from simstudy.measures.measure import Measure

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for module in (recovery, shrinkage, sampler_error, divergences, speed)
    for measure in module.MEASURES
}
