"""Calibration studies of every family: truth and method with the same priors, and a model with an error planted."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from simstudy import Study
from simstudy.models.additive import AdditiveModel
from simstudy.models.likelihoods import Normal, Poisson
from simstudy.models.terms import Slopes
from tests.statistical.families import AREA, BINOMIAL, RATERS, SCHOOLS, SITE, SUBJECT, TIME, Section

PRIORS: Section = {"mu": "Normal(0, 1)", "sigma": "Exponential(1)"}
COUNTS: Section = {"kind": "multilevel", "likelihood": "poisson", "per_cell": 2}
COUNTED: Section = {"mu": "Normal(0.5, 0.5)"}
HALF = "HalfNormal(1)"


def of_levels(terms: Section) -> tuple[Section, Section]:
    """Return terms whose taus have the prior of the tests, and those priors by their names."""
    return {name: {**term, "tau": HALF} for name, term in terms.items()}, {f"tau[{name}]": HALF for name in terms}


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """A family, and an error that its calibration has to find.

    Args:
        mechanism: section of a study, without the priors of the location and the likelihood.
        terms: its terms, with priors.
        priors: of every parameter, by name.
        planted: model -> the model with an error.
        named: estimands, at least one of which has to be named for it.
    """

    mechanism: Section
    terms: Section
    priors: Section
    planted: Callable[[AdditiveModel], AdditiveModel]
    named: frozenset[str]


class Rewired(AdditiveModel):
    """A sum of terms that takes cells for those of other levels of the first factor."""

    def bound(self, data: Any) -> AdditiveModel:
        """Return the model with the levels of the first factor in each other's places."""
        first, *others = data.design.factors
        order = np.random.default_rng(3).permutation(len(first.level))
        wrong = replace(first, level=first.level[order])
        return replace(self, design=replace(data.design, factors=(wrong, *others)))


class NegativeSlopes(Slopes):
    """Slopes whose correlation has the other sign."""

    def _rows(self, p: Any, xp: Any) -> Any:
        return super()._rows({**p, "rho": -p["rho"]}, xp)


def rewired(model: AdditiveModel) -> AdditiveModel:
    """Return a model with a wrong graph, a wrong order of time, wrong places or wrong parents."""
    return Rewired(**{field.name: getattr(model, field.name) for field in fields(model)})


def turned(model: AdditiveModel) -> AdditiveModel:
    """Return a model of slopes whose correlation has the other sign."""
    (term,) = model.terms
    structure = NegativeSlopes(**{field.name: getattr(term.structure, field.name) for field in fields(term.structure)})
    return replace(model, terms=(replace(term, structure=structure),))


def seen_as(likelihood: Any) -> Callable[[AdditiveModel], AdditiveModel]:
    """Return what replaces a likelihood by a simpler one."""

    def changed(model: AdditiveModel) -> AdditiveModel:
        kept = {p.name for p in (*model.location.parameters, *likelihood.parameters)}
        kept |= {p.name for term in model.terms for p in term.parameters}
        return replace(model, likelihood=likelihood, priors=tuple((n, p) for n, p in model.priors if n in kept))

    return changed


SCHOOL_TERMS, SCHOOL_PRIORS = of_levels(SCHOOLS)
RATER_TERMS, RATER_PRIORS = of_levels(RATERS)
DIFFICULTY = {"difficulty": {"of": "item", "draw": "normal", "beta": "Normal(0, 1)"}}
LINES = {"mu": "Normal(0, 1)", "sigma": "Exponential(1)", "tau": HALF, "tau_slope": HALF, "rho": "Uniform(-1, 1)"}
RATES = {"mu": "Normal(0, 1)"}
WALK = {"time": {**TIME, "tau": HALF}}
PROCESS = {"eta": HALF, "length": "InverseGamma(5, 2)"}
ONE = {"group": {"levels": 12, "tau": HALF}}

FAMILIES = {
    "nested": Calibrated(
        mechanism={"kind": "multilevel", "per_cell": 5},
        terms=SCHOOL_TERMS,
        priors=PRIORS | SCHOOL_PRIORS,
        planted=rewired,
        named=frozenset({"effect[class]", "effect[school]"}),
    ),
    "crossed": Calibrated(
        mechanism={**BINOMIAL, "per_cell": 8, "covariates": DIFFICULTY},
        terms=RATER_TERMS,
        priors=RATES | RATER_PRIORS | {"beta[difficulty]": "Normal(0, 1)"},
        planted=rewired,
        named=frozenset({"tau[item]", "effect[item]", "tau[rater]", "effect[rater]"}),
    ),
    "slopes": Calibrated(
        mechanism={"kind": "multilevel"},
        terms={"subject": {**SUBJECT, "slope": "Normal(0, 1)", "tau": HALF, "tau_slope": HALF, "rho": LINES["rho"]}},
        priors=LINES | {"beta[day]": "Normal(0, 1)"},
        planted=turned,
        named=frozenset({"rho"}),
    ),
    "random_walk": Calibrated(
        mechanism={"kind": "multilevel", "per_cell": 4},
        terms=WALK,
        priors=PRIORS | {"tau": HALF},
        planted=rewired,
        named=frozenset({"tau"}),
    ),
    "icar": Calibrated(
        mechanism=BINOMIAL,
        terms={"area": {"structure": "icar", **AREA, "tau": HALF}},
        priors=RATES | {"tau": HALF},
        planted=rewired,
        named=frozenset({"tau"}),
    ),
    "bym2": Calibrated(
        mechanism=BINOMIAL,
        terms={"area": {"structure": "bym2", **AREA, "tau": HALF, "share": "Beta(1, 1)"}},
        priors=RATES | {"tau": HALF, "share": "Beta(1, 1)"},
        planted=rewired,
        named=frozenset({"share", "tau", "effect[area]"}),
    ),
    "car": Calibrated(
        mechanism=BINOMIAL,
        terms={"area": {"structure": "car", **AREA, "tau": HALF, "alpha": "Beta(2, 1)"}},
        priors=RATES | {"tau": HALF, "alpha": "Beta(2, 1)"},
        planted=rewired,
        named=frozenset({"alpha", "tau", "effect[area]"}),
    ),
    "gaussian_process": Calibrated(
        mechanism={"kind": "multilevel", "per_cell": 3},
        terms={"site": {**SITE, **PROCESS}},
        priors=PRIORS | PROCESS,
        planted=rewired,
        named=frozenset({"length", "effect[site]"}),
    ),
    "poisson": Calibrated(
        mechanism={**COUNTS, "exposure": 3.0},
        terms=RATER_TERMS,
        priors=COUNTED | RATER_PRIORS,
        planted=rewired,
        named=frozenset({"tau[item]", "effect[item]", "tau[rater]", "effect[rater]"}),
    ),
    "bernoulli": Calibrated(
        mechanism={**BINOMIAL, "likelihood": "bernoulli", "per_cell": 4},
        terms=RATER_TERMS,
        priors=RATES | RATER_PRIORS,
        planted=rewired,
        named=frozenset({"tau[item]", "effect[item]", "tau[rater]", "effect[rater]"}),
    ),
    "negative_binomial": Calibrated(
        mechanism={**COUNTS, "likelihood": "negative_binomial", "per_cell": 6},
        terms=ONE,
        priors=COUNTED | {"tau": HALF, "phi": "Gamma(4, 2)"},
        planted=seen_as(Poisson()),
        named=frozenset({"tau", "mu", "effect[group]"}),
    ),
    "student_t": Calibrated(
        mechanism={"kind": "multilevel", "likelihood": "student_t", "per_cell": 6},
        terms=ONE,
        priors=PRIORS | {"tau": HALF, "nu": "Gamma(4, 1)"},
        planted=seen_as(Normal()),
        named=frozenset({"sigma", "tau"}),
    ),
}
"""Families of sums of terms; each with its structure, non-centered."""


NORMAL = {
    **{name: FAMILIES[name] for name in ("nested", "slopes", "random_walk", "gaussian_process")},
    **{
        name: replace(
            FAMILIES[name],
            mechanism={k: v for k, v in FAMILIES[name].mechanism.items() if k != "likelihood"} | {"per_cell": 3},
            priors=FAMILIES[name].priors | PRIORS,
        )
        for name in ("crossed", "icar", "bym2", "car")
    },
}
"""Families with normal observations, which have an exact posterior."""


def study_of(family: str | Calibrated, *, replicates: int, planted: bool, sampler: Any = "nuts") -> Study:
    """Return a calibration study of a family, whose model may have its error."""
    one = FAMILIES[family] if isinstance(family, str) else family
    of_terms = {name for term in one.terms.values() for name in term} | {"beta[day]", "beta[difficulty]"}
    own = {name: prior for name, prior in one.priors.items() if "[" not in name and name not in of_terms}
    study = Study.from_dict(
        {
            "study": {"name": "calibration", "kind": "calibration", "seed": 1, "replicates": replicates},
            "mechanism": {**one.mechanism, **own, "terms": one.terms},
            "method": [{"name": "own", "pooling": "partial", "priors": one.priors}],
            "sampler": {"kind": sampler},
        }
    )
    if not planted:
        return study
    (method,) = study.methods
    return replace(study, methods=(replace(method, model=one.planted(method.model)),))
