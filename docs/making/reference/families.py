"""What there is to choose from, the default priors, and the estimands, from the families that declare them."""

from collections.abc import Iterable, Mapping
from typing import Any

from docs.making.reference.markdown import cell, code, first_line, table
from simstudy.mechanisms import MECHANISMS
from simstudy.models.common_priors import COMMON
from simstudy.models.estimands import OF_GROUPED_MODELS, Estimand, Parameter
from simstudy.models.likelihoods import LIKELIHOODS
from simstudy.models.structures import STRUCTURES
from simstudy.models.terms import TERM_STRUCTURES
from simstudy.samplers import SAMPLERS

FAMILIES: dict[str, Mapping[str, Any]] = {
    "Mechanisms": MECHANISMS,
    "Likelihoods": LIKELIHOODS,
    "Structures": STRUCTURES,
    "Structures of a term": TERM_STRUCTURES,
    "Samplers": SAMPLERS,
}
SUPPORTS = {"real": "all numbers", "positive": "above 0", "unit": "0 to 1", "correlation": "-1 to 1"}
PRIORS = """# Priors

A prior is a number, which fixes the parameter at it, or a distribution of NumPyro with numbers as arguments, such as
`"Normal(0, 10)"`, `"HalfNormal(5)"`, `"Exponential(1)"`, `"TruncatedNormal(0, 1, low=0)"`: any continuous one of one
number whose support the parameter has. NumPyro has no half-t; `"HalfStudentT(df, scale)"` is one. Text is parsed, never
evaluated. A list of priors makes a method of each. The usual ones (`simstudy list distributions`):

DISTRIBUTIONS

Of simulated data the defaults are fixed, whatever is simulated. Where data are given they are made of them: m is their
center and s their spread, on the scale of the link function where there is one ([Your own groups](../own_data.md)).
"""
ESTIMANDS = """# Estimands

What a study asks about: parameters, and quantities that follow from them, whose truth is known in each replicate. Data
with several terms have more, named by their factor: [Families](../families.md). A model of your own names its own:
[A model of your own](../how_to/model.md).
"""


def families_page() -> str:
    """Return the page on what there is to choose from."""
    sections = [
        f"## {title}\n\n" + table(["name", "what it is"], [[code(n), cell(first_line(f))] for n, f in known.items()])
        for title, known in FAMILIES.items()
    ]
    return "\n\n".join(["# Mechanisms, likelihoods, structures, samplers", *sections]) + "\n"


def priors_page() -> str:
    """Return the page on priors."""
    found = {name: likelihood.every_parameter for name, likelihood in LIKELIHOODS.items()}
    sections = [
        _priors("Of the groups", _parameters(STRUCTURES)),
        _priors("Of the observations", {name: of for name, of in found.items() if of}),
        _priors("Of terms", _parameters(TERM_STRUCTURES)),
    ]
    rows = [[code(f"{name}({', '.join(of.arguments)})"), of.numbers] for name, of in COMMON.items()]
    usual = table(["distribution", "numbers"], rows)
    return "\n".join([PRIORS.replace("DISTRIBUTIONS", usual), *sections])


def estimands_page() -> str:
    """Return the page on estimands."""
    rows = [[code(e.name), cell(e.words), e.symbol, e.role or "", _range(e)] for e in OF_GROUPED_MODELS.values()]
    return "\n".join([ESTIMANDS, table(["estimand", "what it is", "symbol", "role", "range"], rows), ""])


def _parameters(families: Mapping[str, Any]) -> dict[str, tuple[Parameter, ...]]:
    made = {name: family(covariates=("x",)) if name == "slopes" else family() for name, family in families.items()}
    return {name: tuple(one.parameters) for name, one in made.items()}


def _priors(title: str, found: Mapping[str, Iterable[Parameter]]) -> str:
    rows = [
        [code(name), code(p.name), SUPPORTS[p.support], *_defaults(p)]
        for name, parameters in found.items()
        for p in parameters
    ]
    head = ["of", "parameter", "range", "default", "under a link", "of given data"]
    return f"## {title}\n\n" + table(head, rows) + "\n"


def _defaults(parameter: Parameter) -> list[str]:
    return [code(text or "") for text in (parameter.default, parameter.default_on_link, parameter.default_of_data)]


def _range(estimand: Estimand) -> str:
    lower, upper = estimand.lower, estimand.upper
    if lower == float("-inf"):
        return SUPPORTS["real"]
    return f"from {lower:g}" if upper == float("inf") else f"{lower:g} to {upper:g}"
