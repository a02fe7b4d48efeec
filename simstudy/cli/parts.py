"""What there is: built-in studies, and every registered part with its first line of documentation."""

import tomllib
from pathlib import Path

from simstudy.measures import MEASURES, robust
from simstudy.mechanisms import MECHANISMS
from simstudy.models.likelihoods import LIKELIHOODS
from simstudy.models.structures import STRUCTURES
from simstudy.models.terms import TERM_STRUCTURES
from simstudy.samplers import SAMPLERS

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
    families = {
        "mechanisms": MECHANISMS,
        "likelihoods": LIKELIHOODS,
        "structures": STRUCTURES,
        "terms": TERM_STRUCTURES,
        "samplers": SAMPLERS,
    }[what]
    return {name: _first_line(family.__doc__) for name, family in families.items()}  # type: ignore[attr-defined]


def _aim(path: Path) -> str:
    return tomllib.loads(path.read_text())["study"].get("aim", "")


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]
