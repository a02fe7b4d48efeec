"""What is compared: ``[[method]]`` and ``[sampler]`` of a study file -> methods, one for each value of every list."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simstudy.errors import StudyError, shown, suggestion
from simstudy.mechanisms import Dataset, GroupedMechanism, Mechanism
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods import Likelihood, likelihood_of
from simstudy.models.model import Model
from simstudy.models.priors import POSITIVE, Prior, default_priors, parse_prior
from simstudy.models.structures import STRUCTURES, Partial
from simstudy.models.user import UserModel
from simstudy.samplers import SAMPLERS, Sampler
from simstudy.streams import identity
from simstudy.study.factors import check_count, check_lists, crossed
from simstudy.study.registry import user_model
from simstudy.study.study_file import MethodSection, SamplerSection, check_keys, checked

METHOD_VERSION = 1
MOST_METHODS = 1_000
METHOD_LISTS = ("structure", "parameterization", "likelihood", "sigma_by", "observations")
SAMPLER_LISTS = tuple(SamplerSection.model_fields)
DEFAULT_OPTIONS = {"sigma_by": "shared", "observations": "sufficient"}
FITTING_LIKELIHOODS = {
    "normal": ("normal",),
    "normal_known_se": ("normal_known_se", "normal"),
    "binomial": ("binomial",),
}


@dataclass(frozen=True, kw_only=True)
class Method:
    """A model and a sampler, under a name.

    Args:
        name: unique in its study.
        model: what is fitted.
        sampler: how draws are made.
        options: the model's options as the tables show them, priors as text.
    """

    name: str
    model: Model
    sampler: Sampler
    options: tuple[tuple[str, Any], ...]

    @property
    def identity(self) -> str:
        """16 hex digits that depend on the model's options and the sampler's non-default ones, not on the name."""
        fields = {k: v for k, v in self.options if v is not None and DEFAULT_OPTIONS.get(k) != v}
        return identity(f"method/{METHOD_VERSION}", {"model": fields, "sampler": self.sampler.changed_options})


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
        sampler = {**shared, **own}
        _check_size(contents, priors, sampler, where)
        for options, some_priors, some_sampler in itertools.product(
            crossed(contents, METHOD_LISTS), crossed(priors, priors), crossed(sampler, SAMPLER_LISTS)
        ):
            chosen = _chosen(contents, options, METHOD_LISTS) | _chosen(priors, some_priors, priors)
            chosen |= _chosen(sampler, some_sampler, SAMPLER_LISTS)
            named = {**options, **_named(contents, chosen), "priors": some_priors, "sampler": {}}
            yield _method(checked(MethodSection, named, where), some_sampler, mechanism, where)


def _check_size(contents: Mapping[str, Any], priors: Mapping[str, Any], sampler: Mapping[str, Any], where: str) -> None:
    """Refuse empty lists, and more methods than a study can have, before any is made."""
    counts = check_lists(contents, METHOD_LISTS, f"{where} ")
    counts |= {f"priors.{name}": n for name, n in check_lists(priors, priors, f"{where} priors.").items()}
    counts |= check_lists(sampler, SAMPLER_LISTS, f"{where} sampler.")
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


def _method(section: MethodSection, sampler: Mapping[str, Any], mechanism: Mechanism, where: str) -> Method:
    model, options = _user_model(section, where) if section.model is not None else _model(section, mechanism, where)
    method = Method(name=section.name, model=model, sampler=_sampler(sampler, where), options=tuple(options.items()))
    try:
        method.sampler.check(model)
    except StudyError as error:
        raise StudyError(f"{where} sampler: {error}") from error
    return method


def _sampler(contents: Mapping[str, Any], where: str) -> Sampler:
    section = checked(SamplerSection, contents, "[sampler]" if "kind" in contents else f"{where} sampler")
    if section.kind not in SAMPLERS:
        near = suggestion(section.kind, SAMPLERS)
        raise StudyError(f"[sampler] kind: no sampler {section.kind!r}{near}; expected one of {', '.join(SAMPLERS)}")
    return SAMPLERS[section.kind](**{k: v for k, v in section.model_dump().items() if k != "kind"})


def _user_model(section: MethodSection, where: str) -> tuple[Model, dict[str, Any]]:
    model = section.model if isinstance(section.model, UserModel) else user_model(section.model)
    if model is None:
        raise StudyError(
            f"{where} model: no model {shown(section.model)} is registered; load its file with --load FILE.py"
        )
    return model, {"model": model.name, "source": model.source_hash}


def _model(section: MethodSection, mechanism: Mechanism, where: str) -> tuple[Model, dict[str, Any]]:
    if section.structure is None:
        raise StudyError(f"{where} structure: the key is missing; expected one of {', '.join(STRUCTURES)}")
    if section.parameterization is not None and section.structure != "partial":
        raise StudyError(f"{where} parameterization: only the structure 'partial' has one")
    data_likelihood = _data_likelihood(mechanism, where)
    kind = section.likelihood or data_likelihood.kind
    if kind not in FITTING_LIKELIHOODS[data_likelihood.kind]:
        raise StudyError(
            f"{where} likelihood: {kind!r} cannot be fitted to data of the likelihood {data_likelihood.kind!r}"
        )
    sigma_by = section.sigma_by or (
        getattr(data_likelihood, "sigma_by", None) if kind == data_likelihood.kind else None
    )
    likelihood = likelihood_of(kind, sigma_by, where)
    partial = section.structure == "partial"
    structure = (
        Partial(parameterization=section.parameterization or "noncentered")
        if partial
        else STRUCTURES[section.structure]()
    )
    priors = _priors(section, (*structure.parameters, *likelihood.parameters), likelihood, where)
    model = HierarchicalModel(
        structure=structure, likelihood=likelihood, priors=tuple(priors.items()), observations=section.observations
    )
    return model, {
        "model": None,
        "structure": structure.kind,
        "parameterization": getattr(structure, "parameterization", None),
        "likelihood": likelihood.kind,
        "sigma_by": getattr(likelihood, "sigma_by", None),
        "observations": section.observations,
        "priors": {name: prior.text for name, prior in priors.items()},
    }


def _data_likelihood(mechanism: Mechanism, where: str) -> Likelihood:
    if isinstance(mechanism, GroupedMechanism | Dataset):
        return mechanism.likelihood
    raise StudyError(f"{where} model: a user's mechanism needs a user's model; give model = \"name\"")


def _priors(section: MethodSection, names: tuple[str, ...], likelihood: Likelihood, where: str) -> dict[str, Prior]:
    """Return a prior for every parameter of the method: the given ones over the defaults."""
    given = dict(section.priors)
    if section.structure == "none" and "mu" in given:
        if "theta" in given:
            raise StudyError(f"{where} priors: theta and mu are the same prior under no pooling; give one of them")
        given["theta"] = given.pop("mu")
    check_keys(given, names, f"{where} priors.")
    defaults = default_priors(likelihood.kind, sigma_by=getattr(likelihood, "sigma_by", "shared"))
    try:
        priors = {name: parse_prior(given[name], name) if name in given else defaults[name] for name in names}
    except StudyError as error:
        raise StudyError(f"{where} priors.{error}") from error
    for name, prior in priors.items():
        if prior.is_constant and name in POSITIVE and prior.value <= 0:
            raise StudyError(
                f"{where} priors.{name}: {prior.text} is out of range; expected a number > 0 (tau = 0 is 'complete')"
            )
    return priors


def refuse_twins(methods: Iterable[Method]) -> None:
    """Refuse two methods of one name, and two of the same options."""
    by_name: dict[str, Method] = {}
    by_identity: dict[str, Method] = {}
    for method in methods:
        if method.name in by_name:
            raise StudyError(f"[[method]] name: {method.name!r} stands twice; every method needs its own name")
        if method.identity in by_identity:
            twin = by_identity[method.identity].name
            raise StudyError(f"[[method]] {method.name!r} and {twin!r} have the same options: they are the same method")
        by_name[method.name] = by_identity[method.identity] = method
