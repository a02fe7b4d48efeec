"""What is compared: ``[[method]]`` and ``[sampler]`` of a study file -> methods, one for each value of every list."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from simstudy.errors import StudyError, one_of, shown, suggestion
from simstudy.mechanisms import Mechanism
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods import LIKELIHOODS, Likelihood
from simstudy.models.model import Model
from simstudy.models.options import Section, checked, option_types, options_of, section_of
from simstudy.models.priors import Prior
from simstudy.models.structures import STRUCTURES, Structure
from simstudy.samplers import SAMPLERS, Sampler
from simstudy.streams import identity
from simstudy.study.additive_methods import AdditiveSection, additive_lists, additive_model
from simstudy.study.alike import folded
from simstudy.study.extensions import Sources, sources_of_method
from simstudy.study.factors import check_count, check_lists, crossed
from simstudy.study.given import given_data
from simstudy.study.method_options import likelihood_of, option_names, own_options, priors_of, with_options_of
from simstudy.study.registry import user_model
from simstudy.study.study_file import Name, check_keys

METHOD_VERSION = 1
MOST_METHODS = 1_000
NAMED_ALWAYS = ("parameterization", "sigma_by")  # stand in every method, empty where its families have no such option


class MethodSection(Section):
    """``[[method]]`` at one value of each of its lists, without the options of structures and likelihoods.

    Args:
        name: of the method, in reports and tables.
        model: a registered model, in place of a structure and a likelihood.
        structure: how much the groups share.
        likelihood: another than the mechanism's; by default that of the data.
        observations: whether the likelihood is of the groups' "sufficient" statistics, or of "raw" observations.
        priors: parameter and its prior, or a number that fixes it.
        sampler: options of the sampler for this method alone.
    """

    name: Annotated[Name, Field(examples=["partial"])]
    model: Annotated[Any, Field(examples=["my_model"])] = None
    structure: Annotated[str, Field(examples=["partial"])] | None = None
    likelihood: Annotated[str, Field(examples=["student_t"])] | None = None
    observations: Literal["sufficient", "raw"] = "sufficient"
    priors: Annotated[dict[str, str | float], Field(examples=[{"tau": "HalfNormal(1)"}])] = Field(default_factory=dict)
    sampler: Annotated[dict[str, Any], Field(examples=[{"kind": "numpyro"}])] = Field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Method:
    """A model and a sampler, under a name.

    Args:
        name: unique in its study.
        model: what is fitted.
        sampler: how draws are made.
        options: the model's options as the tables show them, priors as text.
        sources: the extensions that it is made of, each with its source.
    """

    name: str
    model: Model
    sampler: Sampler
    options: tuple[tuple[str, Any], ...]
    sources: Sources = ()

    @property
    def priors_that_count(self) -> dict[str, str]:
        """Parameter -> prior as text; constants alone for a sampler that goes by no others; none for a user's model."""
        priors = dict(self.options).get("priors") or {}
        return {name: text for name, text in priors.items() if self.sampler.has_posterior or "(" not in text}

    @property
    def priors_text(self) -> str:
        """Its priors on one line, the default ones among them; empty for a user's model."""
        priors = self.priors_that_count
        return ", ".join(f"{name} {'~' if '(' in text else '='} {text}" for name, text in priors.items())

    @property
    def identity(self) -> str:
        """16 hex digits that depend on the options that are not at their defaults, and not on the name."""
        defaults = _defaults(self.model)
        fields = {k: v for k, v in self.options if v is not None and (k not in defaults or defaults[k] != v)}
        whole: dict[str, Any] = {"model": fields, "sampler": self.sampler.changed_options}
        return identity(f"method/{METHOD_VERSION}", whole | ({"sources": dict(self.sources)} if self.sources else {}))


def methods_of(sections: Iterable[Any], shared: Mapping[str, Any], mechanism: Mechanism) -> Iterator[Method]:
    """Yield the methods of the ``[[method]]`` sections, with the options of the shared ``[sampler]`` beneath their own.

    Raises:
        StudyError: the message names section, key, value and what is allowed.
    """
    for number, contents in enumerate(sections, start=1):
        where = f"[[method]] {number}"
        contents = _table(contents, where, "a section")
        where = f"[[method]] {shown(contents.get('name', number))}"
        priors = _table(contents.get("priors", {}), f"{where} priors", 'a table such as { mu = "Normal(0, 10)" }')
        own = _table(contents.get("sampler", {}), f"{where} sampler", 'a table such as { kind = "numpyro" }')
        sampler = {**_shared_with(own, shared), **own}
        lists, of_sampler = _method_lists(mechanism), _sampler_lists()
        _check_size(contents, priors, sampler, lists, where)
        section = _section_for(mechanism)
        for options, some_priors, some_sampler in itertools.product(
            crossed(contents, lists), crossed(priors, priors), crossed(sampler, of_sampler)
        ):
            chosen = _chosen(contents, options, lists) | _chosen(priors, some_priors, priors)
            chosen |= _chosen(sampler, some_sampler, of_sampler)
            named = {**options, **_named(contents, chosen), "priors": some_priors, "sampler": {}}
            yield _method(checked(section, named, where), some_sampler, mechanism, where)


def _shared_with(own: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shared options of samplers that a method has: not those of the shared kind that its own lacks."""
    kinds = [sampler.get("kind") for sampler in (own, shared)]
    families = [SAMPLERS[kind] for kind in kinds if isinstance(kind, str) and kind in list(SAMPLERS)]
    if len(families) < len(kinds):
        return dict(shared)
    has, of_shared = (option_types(family) for family in families)
    return {name: value for name, value in shared.items() if name in has or name not in of_shared}


def _section_for(mechanism: Mechanism) -> type[Section]:
    """Return the section of a method for data in groups, or for data with terms."""
    if mechanism.design is not None:
        return with_options_of(AdditiveSection, tuple(LIKELIHOODS.values()))
    return with_options_of(MethodSection, (*STRUCTURES.values(), *LIKELIHOODS.values()))


def _method_lists(mechanism: Mechanism) -> tuple[str, ...]:
    """Return the keys of a method whose lists are factors, in the order in which they are crossed."""
    return grouped_lists() if mechanism.design is None else additive_lists()


def grouped_lists() -> tuple[str, ...]:
    """Return those of a method for data in groups."""
    of_structures, of_likelihoods = option_names(STRUCTURES), option_names(LIKELIHOODS)
    return ("structure", *of_structures, "likelihood", *of_likelihoods, "observations")


def _sampler_lists() -> tuple[str, ...]:
    """Return the keys of a sampler whose lists are factors: all."""
    return ("kind", *option_names(SAMPLERS))


def _check_size(
    contents: Mapping[str, Any], priors: Mapping[str, Any], sampler: Mapping[str, Any], lists: Iterable[str], where: str
) -> None:
    """Refuse empty lists, and more methods than a study can have, before any is made."""
    counts = check_lists(contents, lists, f"{where} ")
    counts |= {f"priors.{name}": n for name, n in check_lists(priors, priors, f"{where} priors.").items()}
    counts |= check_lists(sampler, _sampler_lists(), f"{where} sampler.")
    check_count(counts, most=MOST_METHODS, what="methods", where=where)


def _table(contents: Any, where: str, expected: str) -> Mapping[str, Any]:
    if not isinstance(contents, Mapping):
        raise StudyError(f"{where}: expected {expected}, got {shown(contents)}")
    return contents


def _chosen(given: Mapping[str, Any], one: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the values picked from lists."""
    return {name: one[name] for name in names if isinstance(given.get(name), list)}


def _named(contents: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the method's name with what was picked from its lists, if it has one."""
    listed = ", ".join(f"{key}={value}" for key, value in chosen.items())
    return {"name": f"{contents['name']} [{listed}]" if listed else contents["name"]} if "name" in contents else {}


def _method(section: Any, sampler: Mapping[str, Any], mechanism: Mechanism, where: str) -> Method:
    if section.model is not None:
        model, options = _user_model(section, where)
    else:
        made_for = _model if mechanism.design is None else additive_model
        model, options = made_for(section, mechanism, where)
    made = _sampler(sampler, where)
    try:
        made.check(model)
    except StudyError as error:
        raise StudyError(f"{where} sampler: {error}") from error
    return Method(
        name=section.name,
        model=model,
        sampler=made,
        options=tuple(options.items()),
        sources=sources_of_method(model, made),
    )


def _sampler(contents: Mapping[str, Any], where: str) -> Sampler:
    if "kind" not in contents:
        raise StudyError(f"{where} sampler kind: the key is missing; expected one of {', '.join(SAMPLERS)}")
    if contents["kind"] not in list(SAMPLERS):
        kind, near = contents["kind"], suggestion(str(contents["kind"]), SAMPLERS)
        raise StudyError(
            f"[sampler] kind: no sampler {shown(kind)}{near}; expected one of {', '.join(SAMPLERS)}, or one of your own"
            ": --load FILE.py"
        )
    family = SAMPLERS[contents["kind"]]
    section = checked(section_of(family), contents, "[sampler]")
    return family(**{name: getattr(section, name) for name in option_types(family)})


def _user_model(section: Any, where: str) -> tuple[Model, dict[str, Any]]:
    model = user_model(section.model)
    if model is None:
        raise StudyError(
            f"{where} model: no model {shown(section.model)} is registered; load its file with --load FILE.py"
        )
    return model, {"model": model.name, "source": model.source_hash}


def _model(section: MethodSection, mechanism: Mechanism, where: str) -> tuple[Model, dict[str, Any]]:
    structure = _structure(section, where)
    likelihood = likelihood_of(section, mechanism, where)
    priors = _priors(section, structure, likelihood, mechanism, where)
    model = HierarchicalModel(
        structure=structure, likelihood=likelihood, priors=tuple(priors.items()), observations=section.observations
    )
    options = {
        "model": None,
        "structure": structure.kind,
        **options_of(structure),
        "likelihood": likelihood.kind,
        **options_of(likelihood),
        "observations": section.observations,
        "priors": {name: prior.text for name, prior in priors.items()},
    }
    return model, {**dict.fromkeys(NAMED_ALWAYS), **options}


def _structure(section: MethodSection, where: str) -> Structure:
    if section.structure is None:
        raise StudyError(f"{where} structure: the key is missing; expected one of {', '.join(STRUCTURES)}")
    if section.structure not in STRUCTURES:
        raise StudyError(f"{where} structure: {one_of(STRUCTURES, section.structure)}")
    family = STRUCTURES[section.structure]
    return family(**own_options(section, family, STRUCTURES, f"{where} ", "structure"))


def _defaults(model: Model) -> dict[str, Any]:
    """Return the options of a model that its identity leaves out, and the values at which it does."""
    if model.hierarchy is None:
        return {}
    structure, likelihood = model.hierarchy.structure, model.hierarchy.likelihood
    of_families = {**_default_options(structure), **_default_options(likelihood)}
    hidden = {name: value for name, value in of_families.items() if name not in structure.identified_by}
    return {"observations": "sufficient", **hidden}


def _default_options(part: Any) -> dict[str, Any]:
    return {name: default for name, (_, default) in option_types(type(part)).items()}


def _priors(
    section: MethodSection, structure: Structure, likelihood: Likelihood, mechanism: Mechanism, where: str
) -> dict[str, Prior]:
    """Return a prior for every parameter of the method: the given ones over the defaults, which given data make."""
    parameters = (*structure.parameters, *likelihood.parameters)
    given = dict(section.priors)
    for alias, name in structure.prior_aliases.items():
        if alias in given and name in given:
            raise StudyError(
                f"{where} priors: {name} and {alias} are the same prior under no pooling; give one of them"
            )
        if alias in given:
            given[name] = given.pop(alias)
    check_keys(given, tuple(p.name for p in parameters), f"{where} priors.")
    data = given_data(mechanism)
    unit = None if data is None else likelihood.unit_of(data)
    defaults = {p.name: p.default_prior(likelihood.scale, unit) for p in parameters}
    return priors_of(parameters, {**defaults, **given}, where, at_zero=" (tau = 0 is 'complete')")


def refuse_twins(methods: Iterable[Method]) -> None:
    """Refuse two methods of one name or of names that a file system may take for one, and two of the same options."""
    by_name: dict[str, Method] = {}
    by_folder: dict[str, str] = {}
    by_identity: dict[str, Method] = {}
    for method in methods:
        if method.name in by_name:
            raise StudyError(f"[[method]] name: {method.name!r} stands twice; every method needs its own name")
        if (alike := by_folder.setdefault(folded(method.name), method.name)) != method.name:
            raise StudyError(
                f"[[method]] name: {alike!r} and {method.name!r} differ only in case, outer spaces or forms of a "
                "character; a file system may take them for one: give names that differ in more"
            )
        if method.identity in by_identity:
            twin = by_identity[method.identity].name
            raise StudyError(f"[[method]] {method.name!r} and {twin!r} have the same options: they are the same method")
        by_name[method.name] = by_identity[method.identity] = method
