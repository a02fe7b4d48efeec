"""Every key that a study file can have, with type, default, range and words, from what validates it.

``study_keys`` is the one list of them: ``simstudy list keys``, the comments of ``simstudy new`` and the reference in
the documentation are made of it. Sections say their own keys, families their options and parameters.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simstudy.mechanisms import MECHANISMS, Dataset, Multilevel
from simstudy.mechanisms.dataset_section import DatasetSection
from simstudy.mechanisms.grouped import GroupedMechanism
from simstudy.models.documented import words_of
from simstudy.models.estimands import Parameter
from simstudy.models.likelihoods import LIKELIHOODS
from simstudy.models.location import Location
from simstudy.models.options import Section, option_types
from simstudy.models.priors import number_or_text
from simstudy.models.structures import STRUCTURES
from simstudy.models.terms import TERM_STRUCTURES
from simstudy.samplers import SAMPLERS
from simstudy.study.additive_methods import POOLINGS, AdditiveSection, additive_lists
from simstudy.study.data_terms import DataCovariateSection, DataTermSection
from simstudy.study.grouped_design import (
    DESIGN_KEYS,
    GroupedSection,
    WithStandardErrors,
    factor_keys,
    grouped_families,
)
from simstudy.study.key_words import PRIOR, range_words, schema_of, toml_text, type_words
from simstudy.study.methods import MethodSection, grouped_lists
from simstudy.study.multilevel_design import NOT_FACTORS
from simstudy.study.multilevel_sections import CovariateSection, MultilevelSection, TermSection
from simstudy.study.study_file import DiagnosticsSection, StudySection, SummarySection
from simstudy.study.term_sections import COVARIATES

MECHANISM, TERMS, COVARIATE = "[mechanism]", "[mechanism.terms.NAME]", "[mechanism.covariates.NAME]"
METHOD, PRIORS, SAMPLER = "[[method]]", "[method.priors]", "[sampler]"
SECTIONS = ("[study]", MECHANISM, TERMS, COVARIATE, METHOD, PRIORS, SAMPLER, "[summary]", "[diagnostics]")
Row = tuple[Any, Any]  # annotation and default


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key of a study file.

    Args:
        section: where it stands: ``[study]``; NAME is the user's own.
        name: what it is called.
        only: which kinds have it, ``likelihood: normal, student_t``; empty for all.
        type: what its value is, in words.
        default: its value where it is left out, as TOML; empty where there is none.
        is_required: whether it has to be given.
        range: which values are allowed; empty where the type says it.
        is_factor: whether a list of values makes it a factor, or makes one method a value.
        example: a value, as TOML.
        words: what it is.
    """

    section: str
    name: str
    only: str = ""
    type: str
    default: str = ""
    is_required: bool = False
    range: str = ""
    is_factor: bool = False
    example: str
    words: str


def study_keys() -> list[Key]:
    """Return every key, section by section, in the order in which a study file has them.

    >>> key = next(key for key in study_keys() if key.name == "target_accept")
    >>> key.section, key.type, key.default, key.range
    ('[sampler]', 'number', '0.8', 'above 0 and below 1')
    """
    every = (
        *_of_section("[study]", StudySection),
        *_of_mechanism(),
        *_of_terms(),
        *_of_methods(),
        *_of_families(SAMPLER, SAMPLERS, "kind", is_factor=True),
        *_of_section("[summary]", SummarySection),
        *_of_section("[diagnostics]", DiagnosticsSection),
    )
    return sorted(_merged(every), key=lambda key: SECTIONS.index(key.section))


def _of_mechanism() -> Iterator[Key]:
    """Yield the keys of ``[mechanism]``: of simulated groups, of terms, of given data."""
    kind = _key(
        MECHANISM, "kind", (str, ...), "where the data come from", choices=MECHANISMS, examples=["exchangeable"]
    )
    yield replace(kind, is_required=True)
    groups = grouped_families()
    factors = {*DESIGN_KEYS, *factor_keys()}
    yield from _of_section(MECHANISM, GroupedSection, _only("kind", groups), factors, leave_out=("kind",))
    own = [name for name in WithStandardErrors.model_fields if name not in GroupedSection.model_fields]
    known_se = {name: family for name, family in LIKELIHOODS.items() if family.needs_standard_errors}
    of_errors = list(_of_section(MECHANISM, WithStandardErrors, _only("likelihood", known_se), factors))
    yield from (key for key in of_errors if key.name in own)
    yield from _of_families(MECHANISM, groups, "kind", is_factor=True, beyond=GroupedMechanism)
    multilevel = _of_section(MECHANISM, MultilevelSection, _only("kind", [Multilevel.kind]), leave_out=("kind",))
    yield from (replace(key, is_factor=key.name not in NOT_FACTORS or key.name == "sizes") for key in multilevel)
    for name, family in LIKELIHOODS.items():
        for parameter in family.every_parameter:
            yield _of_value(MECHANISM, parameter, _only("likelihood", [name]))
    yield from _of_families(MECHANISM, LIKELIHOODS, "likelihood")
    yield from _of_section(MECHANISM, DatasetSection, _only("kind", [Dataset.kind]), leave_out=("kind",))


def _of_terms() -> Iterator[Key]:
    """Yield the keys of terms and covariates, simulated and of given data."""
    simulated, given = _only("kind", [Multilevel.kind]), _only("kind", [Dataset.kind])
    known = {name: family for name, family in TERM_STRUCTURES.items() if family.parameterized}
    for section, only in ((TermSection, simulated), (DataTermSection, given)):
        for key in _of_section(TERMS, section, only, choices={"structure": known}):
            yield replace(key, is_factor=only == simulated and key.name not in NOT_FACTORS)
    yield from (key for key in _of_families(TERMS, known, "structure", is_factor=True) if key.name != COVARIATES)
    for name, family in known.items():
        for parameter in _parameters(family):
            yield _of_value(TERMS, parameter, _only("structure", [name]))
    yield from _of_section(COVARIATE, CovariateSection, simulated, {"beta"})
    yield from _of_section(COVARIATE, DataCovariateSection, given)


def _of_methods() -> Iterator[Key]:
    """Yield the keys of methods for data in groups and for data with terms, and of their priors."""
    pooled: dict[str, Collection[str]] = {"structure": STRUCTURES, "likelihood": LIKELIHOODS}
    grouped = "data in groups"
    yield from _of_section(METHOD, MethodSection, grouped, grouped_lists(), choices=pooled)
    yield from _of_families(METHOD, STRUCTURES, "structure", is_factor=True)
    yield from _of_families(METHOD, LIKELIHOODS, "likelihood", is_factor=True)
    of_terms: dict[str, Collection[str]] = {"pooling": POOLINGS, "likelihood": LIKELIHOODS}
    yield from _of_section(METHOD, AdditiveSection, "data with terms", additive_lists(), choices=of_terms)
    for what, families in (("structure", STRUCTURES), ("structure of a term", TERM_STRUCTURES)):
        for name, family in families.items():
            for parameter in _parameters(family):
                yield _of_prior(parameter, _only(what, [name]))
    for parameter in Location(covariates=("NAME",)).parameters:
        yield _of_prior(parameter, "data with terms")
    for name, likelihood in LIKELIHOODS.items():
        for parameter in likelihood.every_parameter:
            yield _of_prior(parameter, _only("likelihood", [name]))


def _of_section(
    header: str,
    section: type[Section],
    only: str = "",
    factors: Collection[str] = (),
    *,
    choices: Mapping[str, Collection[str]] | None = None,
    leave_out: Collection[str] = (),
) -> Iterator[Key]:
    """Yield the keys that a section declares."""
    words, choices = words_of(section), {"likelihood": LIKELIHOODS, **(choices or {})}
    for name, field in section.model_fields.items():
        if name not in leave_out:
            default = ... if field.is_required() else field.get_default(call_default_factory=True)
            row = field.rebuild_annotation(), default
            listed = choices.get(name, ())
            key = _key(header, name, row, words.get(name, ""), choices=listed, examples=field.examples or ())
            yield replace(key, only=only, is_factor=name in factors)


def _of_families(
    header: str, families: Mapping[str, Any], what: str, *, is_factor: bool = False, beyond: Any = None
) -> Iterator[Key]:
    """Yield the kind of a sampler, and the options of families: each with the kinds that have it."""
    if header == SAMPLER:
        key = _key(header, what, (str, ...), "how draws are made", choices=families, examples=list(families))
        yield replace(key, is_factor=is_factor)
    for kind, family in families.items():
        words = words_of(family)
        for name, row in option_types(family, beyond=beyond).items():
            key = _key(header, name, row, words.get(name, ""))
            yield replace(key, only=_only(what, [kind]), is_factor=is_factor)


def _of_value(header: str, parameter: Parameter, only: str) -> Key:
    """Return the key of a parameter's true value."""
    value = toml_text(parameter.value)
    return Key(
        section=header,
        name=parameter.name,
        only=only,
        type=PRIOR,
        default=value,
        range=parameter.range,
        is_factor=True,
        example=value,
        words=f"{parameter.words or parameter.name}, or a prior that it is drawn from",
    )


def _of_prior(parameter: Parameter, only: str) -> Key:
    """Return the key of a parameter's prior."""
    default = toml_text(number_or_text(parameter.default))
    others = {"under a link function": parameter.default_on_link, "for given data": parameter.default_of_data}
    told = [f"{when} {toml_text(text)}" for when, text in others.items() if text]
    return Key(
        section=PRIORS,
        name=parameter.name,
        only=only,
        type=PRIOR,
        default=default,
        range=f"priors on the support: {parameter.support}; fixed: {parameter.range}",
        is_factor=True,
        example=default,
        words="; ".join([f"prior of {parameter.words or parameter.name}", *told]),
    )


def _parameters(family: Any) -> tuple[Parameter, ...]:
    """Return the parameters of a structure at its defaults; a structure with slopes has one."""
    options: dict[str, Any] = {COVARIATES: ("x",)} if COVARIATES in option_types(family) else {}
    return tuple(family(**options).parameters)


def _key(header: str, name: str, row: Row, words: str, *, choices: Collection[str] = (), examples: Any = ()) -> Key:
    schema = schema_of(row[0])
    given = [] if row[1] is ... or row[1] is None else [row[1]]
    examples = [*examples, *schema.get("examples", ()), *given]
    return Key(
        section=header,
        name=name,
        type=type_words(schema) or " or ".join(dict.fromkeys(type_words(schema_of(type(one))) for one in examples)),
        default=toml_text(given[0]) if given else "",
        is_required=row[1] is ...,
        range=", ".join(map(toml_text, choices)) or range_words(schema),
        example=toml_text(examples[0]),
        words=words.replace("``", "`"),
    )


def _only(what: str, kinds: Collection[str]) -> str:
    return f"{what}: {', '.join(kinds)}"


def _merged(keys: Collection[Key]) -> list[Key]:
    """Return the keys, those that differ in nothing but which kinds have them as one."""
    out: dict[Key, list[str]] = {}
    for key in keys:
        out.setdefault(replace(key, only=""), []).append(key.only)
    joined = [replace(key, only=_joined(only)) for key, only in out.items()]
    return [replace(key, only="") if key.only == _only("kind", SAMPLERS) else key for key in joined]


def _joined(only: list[str]) -> str:
    """Return conditions as one text, those on the same thing together.

    >>> _joined(["kind: a", "kind: b", "likelihood: c"]), _joined(["", "kind: a"])
    ('kind: a, b; likelihood: c', '')
    """
    if "" in only:
        return ""
    by_thing: dict[str, list[str]] = {}
    for thing, _, kinds in (one.partition(": ") for one in only):
        by_thing.setdefault(thing, []).extend(kind for kind in kinds.split(", ") if kind)
    return "; ".join(
        f"{thing}: {', '.join(dict.fromkeys(kinds))}" if kinds else thing for thing, kinds in by_thing.items()
    )
