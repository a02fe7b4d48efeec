"""A study in ADEMP terms: aims, mechanisms, estimands, methods, performance measures.

Morris, White & Crowther 2019, Statistics in Medicine 38:2074. The same words open a report and make the
pre-registration text (``protocol.py``), which exists before there is a single number. What mechanisms, models and
samplers are called comes from their own descriptions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from simstudy.measures.registry import MEASURES
from simstudy.report.ademp_terms import n_settings, term_lines
from simstudy.report.reading.description import Description
from simstudy.report.reading.extent import Extent
from simstudy.report.reading.vocabulary import declared
from simstudy.report.reading.wording import counted, enumerate_words, measure_words, number, symbol
from simstudy.store.declared import RESIDUAL
from simstudy.store.extension import DATASET

NOT_FACTORS = ("kind", "likelihood", "effects", "sigma_by", "data", "sizes", "standard_errors", "terms", "covariates")
COUNTS = {"groups": "J, number of groups", "group_size": "n, observations in each group"}
OTHER_COUNTS = {"per_cell": "observations in each cell", "empty": "share of cells without observations"}
UNEQUAL = {"sizes": "unequal group sizes", "standard_errors": "sets of standard errors"}
NOMINAL = 0.95
WORST_SHARE = 0.5
# Half the normal quantile of the pointwise error .0043 that 95 % simultaneous bands have at 250 ranks.
BAND = 1.43


def aims(study: Mapping[str, Any]) -> list[str]:
    """Return the aim."""
    return [study["study"].get("aim") or "not stated"]


def mechanisms(description: Description) -> list[str]:
    """Return the mechanism, the levels of its factors and the number of scenarios, one line each."""
    mechanism, said = _without_data(description.study["mechanism"]), description.mechanism
    lines = [said.get("words", str(mechanism["kind"])), said.get("likelihood", "")]
    if mechanism.get("data"):
        lines.append(f"data: {mechanism['data']}")
    elif mechanism != description.study["mechanism"]:
        lines.append("data: values in the study")
    is_drawn = not said.get("has_fixed_data")
    lines += [_factor(name, mechanism[name], may_be_drawn=is_drawn) for name in _factors(mechanism)]
    lines += term_lines(mechanism)
    if left := said.get("defaults"):
        lines.append(f"defaults: {', '.join(f'{symbol(name)} = {_level(value)}' for name, value in left.items())}")
    for name in UNEQUAL:
        if mechanism.get(name):
            lines.append(f"{UNEQUAL[name]}: {_levels(mechanism[name])}")
    return [line for line in [*lines, said.get("effects", ""), _size_words(description.study)] if line]


def _factor(name: str, value: Any, *, may_be_drawn: bool) -> str:
    letter = {**COUNTS, **OTHER_COUNTS}.get(name) or symbol(name)
    drawn = may_be_drawn and isinstance(value, str) and "(" in value
    return f"{letter} ~ {value}, drawn anew in each replicate" if drawn else f"{letter}: {_levels(value)}"


def _size_words(study: Mapping[str, Any]) -> str:
    """Return how the factors are combined, and how many scenarios that makes."""
    scenarios = counted(n_scenarios(study), "scenario")
    if n_scenarios(study) == 1:
        return scenarios
    mechanism = _without_data(study["mechanism"])
    unequal = any(mechanism.get(name) for name in UNEQUAL)
    balanced = "balanced and unequal designs" if any(mechanism.get(name) for name in COUNTS) else "designs"
    among = f"{balanced}, each crossed with all other factors" if unequal else "all factors crossed"
    return f"{scenarios}: {among}"


def n_scenarios(study: Mapping[str, Any]) -> int:
    """Return the number of scenarios of the factorial design.

    >>> n_scenarios({"mechanism": {"kind": "exchangeable", "groups": [4, 8], "group_size": [2], "tau": [0, 1, 2]}})
    6
    """
    mechanism = _without_data(study["mechanism"])
    balanced = math.prod(len(_listed(mechanism[name])) for name in COUNTS if name in mechanism)
    balanced = balanced if any(mechanism.get(name) for name in COUNTS) else 0
    unequal = sum(len(mechanism.get(name) or ()) for name in UNEQUAL)
    others = [name for name in _factors(mechanism) if name not in COUNTS]
    return (
        max(balanced + unequal, 1) * math.prod(len(_listed(mechanism[name])) for name in others) * n_settings(mechanism)
    )


def priors_words(method: Mapping[str, Any]) -> str:
    """Return a method's priors as text."""
    priors = method.get("priors") or {}
    return ", ".join(f"{symbol(k)} {'~ ' if '(' in str(v) else '= '}{v}" for k, v in priors.items()) or "own priors"


def default_priors(description: Description) -> list[str]:
    """Return which default priors come from given data, and how, a line for each way in which methods have them."""
    methods: dict[str, list[str]] = {}
    for method in description.study["methods"]:
        if made := description.of_method(method).get("priors_of_data"):
            formulas = ", ".join(f"{symbol(name)} ~ {formula}" for name, formula in made["formulas"].items())
            unit = f"m = {made['center']} and s = {made['spread']}"
            methods.setdefault(f"{formulas}, where {made['words']}: {unit}", []).append(f"“{method['name']}”")
    return [f"{enumerate_words(names)}: {words}" for words, names in methods.items()]


def own_measures() -> list[str]:
    """Return the measures that a user has registered, a line each: definition and source."""
    return [
        f"{measure_words(name)}: {own.part.definition} ({own.part.source})" for name, own in MEASURES.extensions.items()
    ]


def replicates_words(description: Description, *, extent: Extent | None = None) -> list[str]:
    """Return the number of replicates and the MCSEs of a coverage that it gives.

    Args:
        description: of the study.
        extent: how much of it is stored, once there is a run: an unfinished run has
            the MCSEs of the fewest replicates that a method has in a scenario.
    """
    study = description.study
    n = int(study["study"]["replicates"])
    words, fewest = counted(n, "replicate"), ""
    if extent is not None and not extent.is_finished:
        n, words = extent.fewest, extent.replicates
        fewest = f"; what follows is for {n:,}" if n else ""
    if description.has_fixed_data:
        return [f"{words} of the sampler on the same data, each from another seed{fewest}", *_ratio_words(n)]
    if study["study"].get("kind") == "calibration":
        return [f"{words} of each scenario{fewest}", *_band_words(n)]
    shared = ", the same data for all methods" if len(study.get("methods", ())) > 1 else ""
    return [f"{words} of each scenario{shared}{fewest}", *_mcse_words(n)]


def _ratio_words(n: int) -> list[str]:
    if n < 1:
        return []
    ratio = number(1 / math.sqrt(n), digits=2)
    return [f"the average of a posterior mean over them has {ratio} times the standard error that one fit has"]


def _band_words(n: int) -> list[str]:
    if n < 1:
        return []
    return [
        f"95 % simultaneous bands of the rank distribution reach about {number(BAND / math.sqrt(n), digits=2)} "
        "either way at its middle; smaller departures cannot be seen"
    ]


def _mcse_words(n: int) -> list[str]:
    if n < 1:
        return []
    nominal, worst = (math.sqrt(p * (1 - p) / n) * 100 for p in (NOMINAL, WORST_SHARE))
    lines = [
        f"MCSE of a coverage with one interval per replicate: {number(nominal, digits=2)} percentage points at 95 %, "
        f"at most {number(worst, digits=2)}",
    ]
    if n > 1:
        relative = number(100 / math.sqrt(2 * (n - 1)), digits=2)
        lines.append(
            f"MCSE of an empirical SE or RMSE: about {relative} % of it, for one estimate per replicate with normal "
            "errors; less where a replicate has several groups"
        )
    return lines


def _without_data(mechanism: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a mechanism without the lists that are data and no factors."""
    if mechanism.get("kind") != DATASET:
        return mechanism
    return {name: value for name, value in mechanism.items() if not isinstance(value, list | tuple)}


def _factors(mechanism: Mapping[str, Any]) -> list[str]:
    names = [name for name, value in mechanism.items() if name not in NOT_FACTORS and value not in (None, [])]
    first = [*COUNTS, *declared().centers, *declared().spreads, RESIDUAL]
    return sorted(names, key=lambda name: first.index(name) if name in first else len(first))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _levels(value: Any) -> str:
    items = _listed(value)
    inner = [f"({'/'.join(map(_level, item))})" if isinstance(item, list | tuple) else _level(item) for item in items]
    return ", ".join(inner)


def _level(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
