"""What is asked of a table by its columns and not by a study file: priors by name, messages without sections."""

import re
from collections.abc import Iterable, Mapping

from simstudy.errors import StudyError, named, suggestion
from simstudy.mechanisms import Dataset
from simstudy.models.estimands import MU, TAU, Parameter

ELSEWHERE: Mapping[str, str] = {"sd": "tau", "intercept": "mu", "residual": "sigma"}
"""What brms and lme4 call a parameter -> what it is called here."""

SECTION = re.compile(r"^(\[mechanism\] |\[\[method\]\] '[^']*' )")


def without_section(message: str) -> str:
    """Return a message on a study as one on a table: there is no study file whose section could be named.

    >>> without_section("[[method]] 'partial pooling' priors.tau: expected a prior")
    'priors.tau: expected a prior'
    """
    return SECTION.sub("", message)


def check_given_priors(given: Iterable[str], dataset: Dataset, *, besides: Iterable[Parameter] = ()) -> None:
    """Refuse priors of what groups in one population do not have.

    Args:
        given: names of parameters.
        dataset: the groups.
        besides: parameters of other poolings that are asked about.

    Raises:
        StudyError: names the parameters that there are, and the nearest of them.
    """
    parameters = {p.name: p for p in (MU, TAU, *dataset.likelihood.parameters, *besides)}
    for name in given:
        if name not in parameters:
            known = ELSEWHERE.get(name.lower(), "")
            near = f"; did you mean {known!r}?" if known in parameters else suggestion(name, parameters)
            listed = ", ".join(f"{p.name} ({p.words})" for p in parameters.values())
            raise StudyError(f"priors.{named(name)}: there is no such parameter{near}; expected {listed}")
