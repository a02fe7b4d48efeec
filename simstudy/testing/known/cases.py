"""The data and models of the table: ten public data sets, each under the models that people fit to it.

Data are those of the package (sources: ``simstudy/mechanisms/data/README.md``). Priors stand here in full, so that no
default can move them.
"""

from dataclasses import dataclass, field
from typing import Any

Section = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A data set and a model of it.

    Args:
        data: a built-in data set.
        words: the model.
        method: options of the method, without its name and priors.
        priors: of every parameter.
        mechanism: what the data set's own section has besides.
    """

    data: str
    words: str
    method: Section
    priors: Section
    mechanism: Section = field(default_factory=dict)


def _of_one(data: str, priors: Section, apart: Section | None = None) -> dict[str, Case]:
    """Return the three pooling models of data with one grouping."""
    partial = {name: prior for name, prior in priors.items() if name != "theta"}
    complete = {name: prior for name, prior in partial.items() if name != "tau"}
    none = {name: prior for name, prior in priors.items() if name not in ("mu", "tau")}
    return {
        f"{data}_partial": Case(data=data, words="partial pooling", method={"structure": "partial"}, priors=partial),
        f"{data}_complete": Case(
            data=data, words="complete pooling", method={"structure": "complete"}, priors=complete
        ),
        f"{data}_none": Case(data=data, words="no pooling", method={"structure": "none", **(apart or {})}, priors=none),
    }


def _of_terms(data: str, words: str, priors: Section, **method: Any) -> Case:
    return Case(data=data, words=words, method={"pooling": "partial", **method}, priors=priors)


_DYESTUFF: Section = {"mu": "Normal(1500, 200)", "sigma": "HalfNormal(100)"}
_PASTES: Section = {"mu": "Normal(60, 10)", "sigma": "HalfNormal(5)"}
_PENICILLIN: Section = {"mu": "Normal(23, 10)", "sigma": "HalfNormal(5)"}
_SLEEP: Section = {"mu": "Normal(250, 100)", "beta[days]": "Normal(0, 50)", "sigma": "HalfNormal(50)"}
_NILE: Section = {"mu": "Normal(1000, 500)", "sigma": "HalfNormal(300)"}
_RATS: Section = {"mu": "Normal(250, 100)", "beta[weeks]": "Normal(0, 100)", "sigma": "HalfNormal(50)"}
_RADON: Section = {"mu": "Normal(0, 5)", "sigma": "HalfNormal(2)", "tau": "HalfNormal(1)"}
_SLOPES: Section = {"tau": "HalfNormal(50)", "tau_slope": "HalfNormal(20)", "rho": "Uniform(-1, 1)"}
_APART: Section = {name: prior for name, prior in _SLOPES.items() if name != "rho"}

CASES: dict[str, Case] = {
    **_of_one(
        "lecture",
        {"mu": "Normal(0, 10)", "tau": "HalfNormal(5)", "theta": "Normal(0, 10)", "sigma": "Exponential(1)"},
        {"sigma_by": "group"},
    ),
    **_of_one("eight_schools", {"mu": "Normal(0, 5)", "tau": "HalfCauchy(5)", "theta": "Normal(0, 20)"}),
    **_of_one("baseball", {"mu": "Normal(-1, 1)", "tau": "HalfNormal(1)", "theta": "Normal(-1, 1)"}),
    "dyestuff_partial": _of_terms("dyestuff", "batches", {**_DYESTUFF, "tau": "HalfNormal(100)"}),
    "dyestuff_complete": _of_terms("dyestuff", "one mean", _DYESTUFF, pooling="complete"),
    "dyestuff_none": _of_terms("dyestuff", "a mean for each batch", {**_DYESTUFF, "spread": 150.0}, pooling="none"),
    "pastes_nested": _of_terms(
        "pastes", "casks in batches", {**_PASTES, "tau[batch]": "HalfNormal(5)", "tau[cask]": "HalfNormal(5)"}
    ),
    "pastes_casks": _of_terms(
        "pastes", "casks alone", {**_PASTES, "tau[cask]": "HalfNormal(5)"}, terms={"batch": "complete"}
    ),
    "pastes_batches": _of_terms(
        "pastes", "batches alone", {**_PASTES, "tau[batch]": "HalfNormal(5)"}, terms={"cask": "complete"}
    ),
    "penicillin_crossed": _of_terms(
        "penicillin",
        "plates and samples",
        {**_PENICILLIN, "tau[plate]": "HalfNormal(5)", "tau[sample]": "HalfNormal(5)"},
    ),
    "penicillin_plates": _of_terms(
        "penicillin", "plates alone", {**_PENICILLIN, "tau[plate]": "HalfNormal(5)"}, terms={"sample": "complete"}
    ),
    "penicillin_samples": _of_terms(
        "penicillin", "samples alone", {**_PENICILLIN, "tau[sample]": "HalfNormal(5)"}, terms={"plate": "complete"}
    ),
    "penicillin_fixed_samples": _of_terms(
        "penicillin",
        "plates, and samples without pooling",
        {**_PENICILLIN, "tau[plate]": "HalfNormal(5)", "spread[sample]": 5.0},
        terms={"sample": "none"},
    ),
    "sleepstudy_correlated": _of_terms("sleepstudy", "correlated intercepts and slopes", {**_SLEEP, **_SLOPES}),
    "sleepstudy_independent": _of_terms(
        "sleepstudy",
        "independent intercepts and slopes",
        {**_SLEEP, **_APART},
        terms={"subject": {"structure": "slopes", "correlated": False}},
    ),
    "sleepstudy_intercepts": _of_terms(
        "sleepstudy", "intercepts alone", {**_SLEEP, "tau": "HalfNormal(50)"}, terms={"subject": "exchangeable"}
    ),
    "sleepstudy_complete": _of_terms("sleepstudy", "one line", _SLEEP, pooling="complete"),
    "nile_walk": _of_terms("nile", "a random walk", {**_NILE, "tau": "HalfNormal(100)"}),
    "nile_exchangeable": _of_terms(
        "nile", "years without order", {**_NILE, "tau": "HalfNormal(100)"}, terms={"year": "exchangeable"}
    ),
    "rats_correlated": _of_terms("rats", "correlated intercepts and slopes", {**_RATS, **_SLOPES}),
    "rats_independent": _of_terms(
        "rats",
        "independent intercepts and slopes",
        {**_RATS, **_APART},
        terms={"rat": {"structure": "slopes", "correlated": False}},
    ),
    "rats_intercepts": _of_terms(
        "rats", "intercepts alone", {**_RATS, "tau": "HalfNormal(50)"}, terms={"rat": "exchangeable"}
    ),
    "radon_covariates": _of_terms(
        "radon",
        "counties, with floor and uranium",
        {**_RADON, "beta[floor]": "Normal(0, 2)", "beta[log_uranium]": "Normal(0, 2)"},
    ),
    "radon_counties": _of_terms("radon", "counties alone", _RADON, covariates=[]),
}
"""Name -> data and model; 30 of them."""
