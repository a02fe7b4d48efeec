"""All measures by name."""

from simstudy.measures import divergences, recovery, shrinkage, speed
from simstudy.measures.measure import Measure

MEASURES: dict[str, Measure] = {
    measure.name: measure for module in (recovery, shrinkage, divergences, speed) for measure in module.MEASURES
}
