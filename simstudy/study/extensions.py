"""The extensions that a study rests on: what identities, runs and reports know of parts that users bring.

A user's simulator and model have their source among their own fields; here are the families, which are classes.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from simstudy.errors import StudyError, shown
from simstudy.mechanisms import MECHANISMS, Mechanism, UserMechanism
from simstudy.models.likelihoods import LIKELIHOODS
from simstudy.models.model import Model
from simstudy.models.structures import STRUCTURES
from simstudy.models.terms import TERM_STRUCTURES
from simstudy.models.user import UserModel
from simstudy.registry import Registry
from simstudy.samplers import SAMPLERS, Sampler
from simstudy.study.registry import MODELS

REGISTRIES: dict[str, Registry[Any]] = {
    registry.what: registry for registry in (MECHANISMS, LIKELIHOODS, STRUCTURES, TERM_STRUCTURES, SAMPLERS)
}
Sources = tuple[tuple[str, str], ...]
"""(extension, its source) pairs: ``("sampler walker", "5f0c...")``."""


def sources_of_mechanism(mechanism: Mechanism) -> Sources:
    """Return the extensions that the data of a mechanism come from."""
    return _sources([mechanism, mechanism.likelihood, *(term.structure for term in mechanism.assumed_terms)])


def sources_of_method(model: Model, sampler: Sampler) -> Sources:
    """Return the extensions that a method is made of."""
    hierarchy = model.hierarchy
    of_terms = [term.structure for term in getattr(model, "terms", ())]
    return _sources([getattr(hierarchy, "structure", None), model.family, *of_terms, sampler])


def _sources(parts: Iterable[Any]) -> Sources:
    families = {type(part) for part in parts if part is not None}
    found = {
        f"{what} {name}": extension.source
        for what, registry in REGISTRIES.items()
        for name, extension in registry.extensions.items()
        if extension.part in families
    }
    return tuple(sorted(found.items()))


def sources_of_functions(mechanism: Mechanism, models: Iterable[Model]) -> Sources:
    """Return a user's simulator and models, whose sources stand among their own fields."""
    own = [(f"mechanism {mechanism.name}", mechanism.source_hash)] if isinstance(mechanism, UserMechanism) else []
    own += [(f"model {model.name}", model.source_hash) for model in models if isinstance(model, UserModel)]
    return tuple(dict.fromkeys(own))


def described(sources: Sources) -> list[dict[str, str]]:
    """Return what a run says of its extensions, for reports: ``part``, ``words``, ``source`` and ``package``."""
    rows = []
    for part, source in sources:
        what, _, name = part.partition(" ")
        extension = (REGISTRIES | {MODELS.what: MODELS})[what].extensions.get(name)
        if extension is not None and extension.source == source:
            rows.append({"part": part, "words": extension.words, "source": source, "package": extension.package})
    return rows


def check_extensions(sources: Mapping[str, str]) -> None:
    """Refuse a run whose extensions are not registered, or are others now.

    Args:
        sources: extension -> its source, as ``study.json`` has them.

    Raises:
        StudyError: names the extension and what to do.
    """
    for part, source in sources.items():
        what, _, name = part.partition(" ")
        if what not in REGISTRIES or name not in REGISTRIES[what]:
            raise StudyError(
                f"no {what} {shown(name)} is registered; load its file with --load FILE.py, or install its package"
            )
        extension = REGISTRIES[what].extensions.get(name)
        if extension is not None and extension.source != source:
            raise StudyError(
                f"the {what} {name!r} is another one now (its source has changed); load the file of the run"
            )
