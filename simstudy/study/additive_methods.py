"""``[[method]]`` for data with terms -> an additive model: the part of each term, or another structure in its place.

``pooling`` says it for all terms, ``terms`` for single ones: ``partial`` is the structure that the mechanism has,
``complete`` leaves the term out, ``none`` gives each level an effect of its own under a fixed prior; the name of a
structure puts that in the term's place.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, get_args

from pydantic import Field, create_model

from simstudy.errors import StudyError, one_of, shown, suggestion
from simstudy.mechanisms import Mechanism
from simstudy.models.additive import AdditiveModel
from simstudy.models.design import CellData, Design
from simstudy.models.likelihoods import LIKELIHOODS, Likelihood
from simstudy.models.location import Location
from simstudy.models.options import Section, checked, option_types, options_of
from simstudy.models.predictor import Parameterization, Term
from simstudy.models.priors import Prior, number_or_text
from simstudy.models.terms import TERM_STRUCTURES, TermStructure
from simstudy.study.given import given_data
from simstudy.study.method_options import likelihood_of, option_names, priors_of
from simstudy.study.study_file import Name, check_keys
from simstudy.study.term_sections import check_factor

POOLINGS = ("none", "complete", "partial")
PARAMETERIZATIONS = get_args(Parameterization)


class AdditiveSection(Section):
    """``[[method]]`` for data with terms, at one value of each of its lists, without the options of likelihoods.

    Args:
        name: of the method, in reports and tables.
        model: a registered model, in place of terms and a likelihood.
        pooling: of all terms that say nothing else: "none", "complete" or "partial".
        terms: factor and its pooling, or the structure that stands in the place of the mechanism's.
        parameterization: of all terms; by default the one that suits each.
        covariates: whose coefficients the model has; by default all.
        likelihood: another than the mechanism's; by default that of the data.
        priors: parameter and its prior, or a number that fixes it.
        sampler: options of the sampler for this method alone.
    """

    name: Annotated[Name, Field(examples=["partial"])]
    model: Annotated[Any, Field(examples=["my_model"])] = None
    pooling: Annotated[str, Field(examples=["partial"])] | None = None
    terms: Annotated[dict[str, Any], Field(examples=[{"school": "partial"}])] = Field(default_factory=dict)
    parameterization: Annotated[Parameterization, Field(examples=["noncentered"])] | None = None
    covariates: Annotated[tuple[str, ...], Field(examples=[["age"]])] | None = None
    likelihood: Annotated[str, Field(examples=["student_t"])] | None = None
    priors: Annotated[dict[str, str | float], Field(examples=[{"mu": "Normal(0, 2)"}])] = Field(default_factory=dict)
    sampler: Annotated[dict[str, Any], Field(examples=[{"kind": "numpyro"}])] = Field(default_factory=dict)


def additive_lists() -> tuple[str, ...]:
    """Return the keys of a method whose lists are factors, in the order in which they are crossed."""
    return ("pooling", "parameterization", "likelihood", *option_names(LIKELIHOODS))


def additive_model(section: AdditiveSection, mechanism: Mechanism, where: str) -> tuple[AdditiveModel, dict[str, Any]]:
    """Return the model of a method, and its options as the tables show them.

    Raises:
        StudyError: the message names key, value and what is allowed.
    """
    design, likelihood = mechanism.design, likelihood_of(section, mechanism, where)
    assert design is not None  # the caller has asked; for the type checker
    given = _given(section, design, where)
    terms = tuple(
        term
        for assumed in mechanism.assumed_terms
        if (term := _term(assumed, given[assumed.factor], section, f"{where} terms.")) is not None
    )
    _refuse_nested_none(terms, design, where)
    for term in terms:
        check_factor(term.structure, term.factor, design, f"{where} terms.{term.factor}:")
    location = Location(covariates=_covariates(section, mechanism, where))
    priors = _priors(section, location, terms, likelihood, mechanism, where)
    kinds = {term.structure.kind for term in terms}
    whole = len(terms) == len(design.factors)
    part = "complete" if not terms else "none" if kinds == {"none"} and whole else "partial"
    model = AdditiveModel(
        location=location, terms=terms, likelihood=likelihood, priors=tuple(priors.items()), part=part
    )
    moved = {term.parameterization for term in terms if term.structure.parameterized}
    options = {
        "model": None,
        "terms": {factor: _option(next((t for t in terms if t.factor == factor), None)) for factor in design.names},
        "parameterization": moved.pop() if len(moved) == 1 else None,
        "covariates": list(location.covariates),
        "likelihood": likelihood.kind,
        **options_of(likelihood),
        "priors": {name: prior.text for name, prior in priors.items()},
    }
    return model, options


def terms_text(terms: Mapping[str, Any]) -> str:
    """Return what a method makes of each term, in words for a table.

    >>> terms_text({"school": {"structure": "exchangeable", "parameterization": "centered"}, "class": "complete"})
    'school: exchangeable, centered; class: complete'
    """
    each = []
    for factor, option in terms.items():
        if isinstance(option, Mapping):
            values = [option["structure"], *(str(v) for k, v in option.items() if k == "parameterization" and v)]
            option = ", ".join(values)
        each.append(f"{factor}: {option}")
    return "; ".join(each)


def _given(section: AdditiveSection, design: Design, where: str) -> dict[str, Any]:
    """Return factor -> what the method makes of its term."""
    check_keys(section.terms, design.names, f"{where} terms.")
    if section.pooling is None and not section.terms:
        raise StudyError(f"{where} pooling: the key is missing; expected one of {', '.join(POOLINGS)}, or terms")
    if section.pooling is not None and section.pooling not in POOLINGS:
        raise StudyError(f"{where} pooling: {one_of(POOLINGS, section.pooling)}")
    return {name: section.terms.get(name, section.pooling or "partial") for name in design.names}


def _term(term: Term, given: Any, section: AdditiveSection, where: str) -> Term | None:
    """Return the term of a model, or None for complete pooling."""
    where = f"{where}{term.factor}"
    contents = {"structure": given} if isinstance(given, str) else given
    if not isinstance(contents, Mapping) or "structure" not in contents:
        raise StudyError(
            f"{where}: expected {', '.join(POOLINGS)}, the name of a structure, or a table such as "
            f'{{ structure = "exchangeable", parameterization = "centered" }}, got {shown(given)}'
        )
    kind = contents["structure"]
    if kind == "complete":
        return None
    allowed = ("partial", "complete", *TERM_STRUCTURES)
    if kind not in list(allowed):
        raise StudyError(f"{where}: {one_of(allowed, kind)}")
    assumed = term.structure
    family = type(assumed) if kind in ("partial", assumed.kind) else TERM_STRUCTURES[kind]
    own = option_types(family)
    check_keys(contents, ("structure", "parameterization", *own), f"{where}.")
    options = options_of(assumed) if family is type(assumed) else {}
    if "covariates" in own:
        options.setdefault("covariates", assumed.covariates)
    given_options = {name: value for name, value in contents.items() if name in own}
    fields: dict[str, Any] = {name: (type_, None) for name, (type_, _) in own.items()}
    model = create_model("TermOptions", __base__=Section, **fields)
    checked_options = checked(model, given_options, f"{where}.")
    structure: TermStructure = family(**{**options, **{name: getattr(checked_options, name) for name in given_options}})
    parameterization: Any = contents.get("parameterization") or section.parameterization or "noncentered"
    if parameterization not in PARAMETERIZATIONS:
        raise StudyError(f"{where}.parameterization: {one_of(PARAMETERIZATIONS, parameterization)}")
    if not structure.parameterized:
        parameterization = "noncentered"
    return replace(term, structure=structure, parameterization=parameterization)


def _option(term: Term | None) -> Any:
    """Return a term as the section has it, with every default spelled out."""
    if term is None:
        return "complete"
    options = {name: list(v) if isinstance(v, tuple) else v for name, v in options_of(term.structure).items()}
    how = {"parameterization": term.parameterization} if term.structure.parameterized else {}
    return {"structure": term.structure.kind, **how, **options}


def _refuse_nested_none(terms: tuple[Term, ...], design: Design, where: str) -> None:
    """Refuse no pooling of a factor and of one that is nested in it: their sums alone are in the data."""
    free = {term.factor for term in terms if term.structure.kind == "none"}
    for name in free:
        outer = design.factor(name).within
        while outer is not None:
            if outer in free:
                raise StudyError(
                    f"{where} terms.{name}: no pooling of {outer!r} and of {name!r} within it is not identified: only "
                    f'the sum of both is in the data; give terms.{outer} = "complete"'
                )
            outer = design.factor(outer).within


def _covariates(section: AdditiveSection, mechanism: Mechanism, where: str) -> tuple[str, ...]:
    """Return the covariates with a coefficient: those that the method names, or all that the mechanism has."""
    known = mechanism.covariate_names
    if section.covariates is None:
        return known
    for name in section.covariates:
        if name not in known:
            expected = f"expected {', '.join(known)}" if known else "the mechanism has none"
            raise StudyError(f"{where} covariates: no covariate {shown(name)}{suggestion(name, known)}; {expected}")
    return section.covariates


def _priors(
    section: AdditiveSection,
    location: Location,
    terms: tuple[Term, ...],
    likelihood: Likelihood,
    mechanism: Mechanism,
    where: str,
) -> dict[str, Prior]:
    """Return a prior for every parameter of the method: the given ones over the defaults, which given data make."""
    bare = AdditiveModel(location=location, terms=terms, likelihood=likelihood, priors=())
    parameters = bare.parameters
    given = _by_bare_names(section.priors, terms, where)
    check_keys(given, tuple(p.name for p in parameters), f"{where} priors.")
    data = given_data(mechanism)
    unit = bare.unit_of(data) if isinstance(data, CellData) else None
    defaults = {p.name: number_or_text(p.default_prior(likelihood.scale, unit)) for p in parameters}
    at_zero = '; a term that is 0 is left out with "complete"'
    return priors_of(parameters, {**defaults, **given}, where, at_zero=at_zero)


def _by_bare_names(priors: Mapping[str, str | float], terms: tuple[Term, ...], where: str) -> dict[str, str | float]:
    """Return priors by the names of parameters, which for a single term may be given with its factor behind."""
    bare = {f"{p.name}[{term.factor}]": p.name for term in terms if term.alone for p in term.structure.parameters}
    for name in priors:
        if name in bare and bare[name] in priors:
            raise StudyError(f"{where} priors: {name} and {bare[name]} are the same prior; give one of them")
    return {bare.get(name, name): prior for name, prior in priors.items()}
