"""What there is: built-in studies, and every registered part with its first line of documentation."""

import tomllib
from pathlib import Path
from typing import Any

from simstudy.measures import MEASURES, robust
from simstudy.mechanisms import MECHANISMS
from simstudy.models.likelihoods import LIKELIHOODS
from simstudy.models.structures import STRUCTURES
from simstudy.models.terms import TERM_STRUCTURES
from simstudy.registry import Registry
from simstudy.registry.registry import first_line
from simstudy.samplers import SAMPLERS
from simstudy.study.registry import MODELS

REGISTRIES: tuple[Registry[Any], ...] = (MECHANISMS, LIKELIHOODS, STRUCTURES, TERM_STRUCTURES, SAMPLERS, MODELS)
PACKAGE = Path(__file__).parents[1]


def built_in_studies() -> dict[str, Path]:
    """Return name -> TOML file of the built-in studies, in a checkout or in an installed package."""
    folders = [PACKAGE / "studies", PACKAGE.parent / "studies"]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}


def inventory(what: str) -> dict[str, str]:
    """Return name -> one line about it, for studies, measures, or a kind of part."""
    if what == "studies":
        return {name: _aim(path) for name, path in built_in_studies().items()}
    if what == "measures":
        return {measure.name: measure.definition for measure in (*MEASURES.values(), *robust.MEASURES)}
    registry = next(one for one in REGISTRIES if f"{one.what}s" == what)
    return {name: _line(registry, name) for name in registry}


def _aim(path: Path) -> str:
    return tomllib.loads(path.read_text())["study"].get("aim", "")


def _line(registry: Registry[Any], name: str) -> str:
    """Return the first line of a part's documentation, and where it is from if it does not come with the package."""
    if name not in registry.extensions:
        return first_line(registry[name].__doc__)
    extension = registry.extensions[name]
    return f"{extension.words} ({extension.package})" if extension.package else extension.words
