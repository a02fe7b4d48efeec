"""Options of a method's parts: those of the likelihood that it names, or of the data's, and no others."""

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import create_model

from simstudy.errors import StudyError, named, one_of
from simstudy.mechanisms import Mechanism
from simstudy.models.estimands import Parameter
from simstudy.models.likelihoods import LIKELIHOODS, Likelihood
from simstudy.models.options import Section, option_types, options_of
from simstudy.models.priors import Prior, parse_prior


def option_names(families: Mapping[str, type[Any]]) -> dict[str, None]:
    """Return every option of some families, in their order."""
    return dict.fromkeys(name for family in families.values() for name in option_types(family))


@functools.cache
def with_options_of(base: type[Section], families: tuple[Any, ...]) -> Any:
    """Return the section of a method with the options of all families of its parts, none of which has to be given.

    Raises:
        StudyError: two families have an option of one name with other values.
    """
    options: dict[str, Any] = {}
    of: dict[str, type[Any]] = {}
    for family in families:
        for name, (type_, _) in option_types(family).items():
            other = of.setdefault(name, family)
            if options.setdefault(name, (type_ | None, None))[0] != type_ | None:
                raise StudyError(
                    f"the option {name!r} of {family.__name__} has other values than that of {other.__name__}; call it "
                    "otherwise, or annotate it alike"
                )
    return create_model(base.__name__, __base__=base, **options)


def priors_of(
    parameters: Iterable[Parameter], given: Mapping[str, Any], where: str, *, at_zero: str
) -> dict[str, Prior]:
    """Return the prior of every parameter of a method.

    Args:
        parameters: of its model.
        given: parameter -> prior, as text or as a number that fixes it; every one is there.
        where: the method, for messages.
        at_zero: what the message on a scale that is fixed at 0 says besides.

    Raises:
        StudyError: names the parameter, what came and what is allowed.
    """
    parameters = tuple(parameters)
    try:
        priors = {p.name: parse_prior(given[p.name], p) for p in parameters}
    except StudyError as error:
        raise StudyError(f"{where} priors.{error}") from error
    for p in parameters:
        prior = priors[p.name]
        if prior.is_constant and p.support == "positive" and prior.value <= 0:
            raise StudyError(
                f"{where} priors.{named(p.name)}: {prior.text} is out of range; expected a number > 0{at_zero}"
            )
    return priors


def likelihood_of(section: Any, mechanism: Mechanism, where: str) -> Likelihood:
    """Return the likelihood that a method names, or that of the data; an option that is not given is that of the data.

    Raises:
        StudyError: there is none of the name, it cannot be fitted to the data, or an option is not its own.
    """
    of_data = mechanism.likelihood
    if of_data is None:
        raise StudyError(f"{where} model: a user's mechanism needs a user's model; give model = \"name\"")
    kind = section.likelihood or of_data.kind
    if kind not in LIKELIHOODS:
        raise StudyError(f"{where} likelihood: {one_of(LIKELIHOODS, kind)}")
    family = LIKELIHOODS[kind]
    if of_data.kind not in (kind, *family.fits_data_of):
        raise StudyError(f"{where} likelihood: {kind!r} cannot be fitted to data of the likelihood {of_data.kind!r}")
    inherited = options_of(of_data) if kind == of_data.kind else {}
    return family(**{**inherited, **own_options(section, family, LIKELIHOODS, f"{where} ", "likelihood")})


def own_options(
    section: Any, family: type[Any], families: Mapping[str, type[Any]], where: str, what: str
) -> dict[str, Any]:
    """Return the options given to a family, after refusing those that only others of its kind have."""
    given = {name: value for name in option_names(families) if (value := getattr(section, name)) is not None}
    own = option_types(family)
    for name, value in given.items():
        others = {kind: option_types(other)[name][1] for kind, other in families.items() if name in option_types(other)}
        if name not in own and value not in others.values():
            listed = ", ".join(map(repr, others))
            raise StudyError(f"{where}{name}: only the {what} {listed} has one; leave the key out")
    return {name: value for name, value in given.items() if name in own}
