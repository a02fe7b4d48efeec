"""All measures by name, and how a user's measure gets one."""

from collections.abc import Callable
from typing import Any, overload

from simstudy.errors import StudyError, shown
from simstudy.measures import divergences, recovery, sampler_error, shrinkage, speed
from simstudy.measures.measure import Measure
from simstudy.measures.rows.replicates import Score
from simstudy.registry import Extension, Registry
from simstudy.registry.registry import first_line
from simstudy.registry.sources import source_of

Scored = Callable[..., Score]
UNSAID = ("definition", "source", "unit")


def _extension_of(name: str, measure: Any) -> Extension[Measure]:
    if not isinstance(measure, Measure):
        raise StudyError(f"the measure {shown(name)}: expected a simstudy.measures.Measure, got {shown(measure)}")
    if measure.name != name:
        raise StudyError(f"the measure {shown(name)}: expected the name of the measure, got {shown(measure.name)}")
    if unsaid := [said for said in UNSAID if not getattr(measure, said)]:
        raise StudyError(f"the measure {shown(name)}: expected {', '.join(unsaid)}; reports say them")
    function: Any = measure.function
    module = str(getattr(function, "__module__", ""))
    return Extension(part=measure, source=source_of(function), module=module, words=measure.definition)


MEASURES: Registry[Measure] = Registry(
    "measure",
    {
        measure.name: measure
        for module in (recovery, shrinkage, sampler_error, divergences, speed)
        for measure in module.MEASURES
    },
    adapt=_extension_of,
)


@overload
def register_measure(measure: Measure) -> Measure: ...
@overload
def register_measure(**fields: Any) -> Callable[[Scored], Measure]: ...
def register_measure(measure: Measure | None = None, **fields: Any) -> Any:
    """Register a measure under its name, and return it.

    Args:
        measure: the measure; without it this is a decorator of its function, ``function(rows, setting) -> Score``.
        fields: with the decorator, the fields of ``simstudy.measures.Measure``. The name is by default that of the
            function, the definition the first line of its docstring.

    Raises:
        StudyError: it is no measure, a field is missing, or the name is taken.

    >>> from simstudy.measures import mean_score
    >>> @register_measure(needs=("error",), source="Huber 1964", unit="estimand", better="smaller")
    ... def mean_absolute_error(rows, setting):
    ...     '''mean of |error|'''
    ...     return mean_score(rows, rows.reduce(abs(rows["error"])))
    >>> mean_absolute_error.definition
    'mean of |error|'
    """
    if measure is None:
        return lambda function: register_measure(_made(function, fields))
    return MEASURES.register(measure, name=getattr(measure, "name", ""))


def _made(function: Any, fields: dict[str, Any]) -> Measure:
    said = {"name": getattr(function, "__name__", ""), "definition": first_line(getattr(function, "__doc__", None))}
    try:
        return Measure(function=function, **{**said, **fields})
    except TypeError as error:
        raise StudyError(f"the measure {said['name']}: {str(error).replace('Measure.__init__() ', '')}") from None
