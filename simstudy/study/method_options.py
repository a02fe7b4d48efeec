"""Options of a method's parts: those of the likelihood that it names, or of the data's, and no others."""

from collections.abc import Mapping
from typing import Any

from simstudy.errors import StudyError, one_of
from simstudy.mechanisms import Mechanism
from simstudy.models.likelihoods import LIKELIHOODS, Likelihood
from simstudy.models.options import option_types, options_of


def option_names(families: Mapping[str, type[Any]]) -> dict[str, None]:
    """Return every option of some families, in their order."""
    return dict.fromkeys(name for family in families.values() for name in option_types(family))


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
