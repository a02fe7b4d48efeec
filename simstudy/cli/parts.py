"""What there is: built-in studies, every registered part, measures, priors, estimands, figures and keys, a line each.

Each kind is imported when it is asked for.
"""

import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from simstudy.registry import Registry
from simstudy.registry.registry import first_line
from simstudy.study.built_in_studies import built_in_studies

FAMILIES = {
    "mechanisms": ("simstudy.mechanisms", "MECHANISMS"),
    "likelihoods": ("simstudy.models.likelihoods", "LIKELIHOODS"),
    "structures": ("simstudy.models.structures", "STRUCTURES"),
    "terms": ("simstudy.models.terms", "TERM_STRUCTURES"),
    "samplers": ("simstudy.samplers", "SAMPLERS"),
    "models": ("simstudy.study.registry", "MODELS"),
}
"""Kind of part -> its registry."""
Line = tuple[str, str]


def inventory(what: str) -> list[Line]:
    """Return names, each with one line about it, of studies, measures, or any other kind of thing."""
    if what in FAMILIES:
        module, registry = FAMILIES[what]
        parts: Registry[Any] = getattr(import_module(module), registry)
        return [(name, _line(parts, name)) for name in parts]
    return list(LISTS[what]())


def _studies() -> Iterator[Line]:
    for name, path in built_in_studies().items():
        yield name, _aim(path)


def _measures() -> Iterator[Line]:
    from simstudy.measures import MEASURES, robust

    for measure in (*MEASURES.values(), *robust.MEASURES):
        yield measure.name, measure.definition


def _priors() -> Iterator[Line]:
    """Yield the parameters that priors are put on, with their default priors."""
    from simstudy.study.keys import PRIORS, study_keys

    for key in study_keys():
        if key.section == PRIORS:
            yield key.name, f"{key.default}: {key.words} ({key.only})"


def _distributions() -> Iterator[Line]:
    """Yield the distributions that priors usually are, their arguments, and the numbers that they give."""
    from simstudy.models.common_priors import COMMON

    for name, common in COMMON.items():
        yield f"{name}({', '.join(common.arguments)})", common.numbers
    yield "others", "any continuous distribution of one number of numpyro.distributions, with numbers as arguments"


def _estimands() -> Iterator[Line]:
    """Yield what built-in models estimate: what all grouped models share, then what single families add."""
    from simstudy.models.estimands import OF_GROUPED_MODELS, listed
    from simstudy.study.keys import every_parameter

    for estimand in listed([*OF_GROUPED_MODELS.values(), *every_parameter()]):
        yield estimand.name, estimand.words or estimand.name


def _figures() -> Iterator[Line]:
    from simstudy.report.publishing.drawings import DRAWINGS

    for name, drawing in DRAWINGS.items():
        yield name, drawing.line


def _keys() -> Iterator[Line]:
    from simstudy.study.keys import study_keys

    for key in study_keys():
        yield f"{key.section} {key.name}", key.line


LISTS = {
    "studies": _studies,
    "measures": _measures,
    "priors": _priors,
    "distributions": _distributions,
    "estimands": _estimands,
    "figures": _figures,
    "keys": _keys,
}
NAMED = ("studies", *FAMILIES, "measures")
"""What is listed by name beside all else."""
LISTED = ("studies", *FAMILIES, "measures", "priors", "distributions", "estimands", "figures", "keys")


def _aim(path: Path) -> str:
    return tomllib.loads(path.read_text("utf-8"))["study"].get("aim", "")


def _line(registry: Registry[Any], name: str) -> str:
    """Return the first line of a part's documentation, and where it is from if it does not come with the package."""
    if name not in registry.extensions:
        return first_line(registry[name].__doc__)
    extension = registry.extensions[name]
    return f"{extension.words} ({extension.package})" if extension.package else extension.words
