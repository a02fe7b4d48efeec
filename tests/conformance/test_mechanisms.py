"""Every registered mechanism keeps its promises, and mechanisms that do not are caught."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np
import pytest

from simstudy.mechanisms import MECHANISMS, Dataset, Exchangeable, GroupedMechanism, Multilevel, UserMechanism
from simstudy.mechanisms.dataset import BUILT_IN, load_dataset
from simstudy.models.estimands import MU, TAU
from simstudy.models.likelihoods import LIKELIHOODS, NormalKnownSE
from simstudy.models.priors import parse_prior
from simstudy.study.multilevel_design import multilevel_cells
from simstudy.testing import ConformanceError, check_mechanism
from simstudy.types import Replicate
from tests.conformance.registered import variants
from tests.user_models import name_of

SIZES = (3, 1, 5)
NESTED = {
    "kind": "multilevel",
    "per_cell": 2,
    "terms": {"school": {"levels": 2}, "class": {"within": "school", "levels": 4}},
    "covariates": {"age": {"values": [0.0, 1.0]}},
}


def examples(kind):
    """Return mechanisms of a registered kind; a kind that needs more than sizes is to be added here."""
    family = MECHANISMS[kind]
    if family is Dataset:
        return [load_dataset(name) for name in BUILT_IN]
    if family is Multilevel:
        return [mechanism for mechanism, _ in multilevel_cells(NESTED, None)]
    assert issubclass(family, GroupedMechanism), f"no example of the mechanism {kind!r}"
    return [family(sizes=SIZES)]


@pytest.mark.parametrize("kind", MECHANISMS)
def test_registered_mechanisms_conform(kind):
    """Every kind, and every data set that comes with the package."""
    for mechanism in examples(kind):
        check_mechanism(mechanism)


@pytest.mark.parametrize("likelihood", [v for f in LIKELIHOODS.values() for v in variants(f)], ids=name_of)
def test_mechanisms_conform_with_every_likelihood(likelihood):
    """Observations of every registered likelihood, with hyperparameters drawn anew in each replicate."""
    priors = {"mu": "Normal(0, 2)", "tau": "HalfNormal(1)", "sigma": "LogNormal(0, 0.5)", "omega": "HalfNormal(1)"}
    priors |= {"phi": "LogNormal(1, 0.5)", "nu": "Gamma(20, 4)"}
    drawn: dict[str, Any] = {p.name: parse_prior(priors[p.name], p) for p in (MU, TAU)}
    drawn["scale"] = tuple((p.name, parse_prior(priors[p.name], p)) for p in likelihood.parameters)
    if isinstance(likelihood, NormalKnownSE):
        drawn |= {"standard_errors": (0.5, 1.0, 2.0)}
    sizes = (1, 1, 1) if isinstance(likelihood, NormalKnownSE) else SIZES
    check_mechanism(Exchangeable(sizes=sizes, likelihood=likelihood, **drawn))


def test_fixed_effects_conform():
    """Effects that are the same in every replicate leave the observations to differ."""
    check_mechanism(Exchangeable(sizes=SIZES, effects="fixed"))


def test_groups_without_a_difference_conform():
    """At tau = 0 no group is the best, and that truth is not given."""
    check_mechanism(Exchangeable(sizes=SIZES, tau=parse_prior(0.0, TAU)))


def coin(key: Any, scenario: Any) -> Any:
    """Simulate a user's data of a form of its own."""
    p = scenario["p"]
    return {"heads": jax.random.bernoulli(key, p, (20,))}, {"p": p}


def test_a_users_mechanism_conforms():
    """A function of key and factors that gives any pytree is a mechanism on equal terms."""
    check_mechanism(UserMechanism(name="coin", function=coin, factors=(("p", 0.3),)))


@dataclass(frozen=True, kw_only=True)
class Altered(Exchangeable):
    """A mechanism whose replicates are altered, given their place and the number of keys."""

    sizes: tuple[int, ...] = SIZES
    alter: Callable[[Replicate, int, int], Replicate] = field(default=lambda replicate, i, n: replicate, compare=False)

    def simulate(self, keys: np.ndarray) -> list[Replicate]:
        return [self.alter(r, i, len(keys)) for i, r in enumerate(super().simulate(keys))]


def with_data(replicate: Replicate, **changes: Any) -> Replicate:
    return replace(replicate, data=replace(replicate.data, **changes))


def with_truth(replicate: Replicate, **changes: Any) -> Replicate:
    return replace(replicate, truth={**replicate.truth, **changes})


BROKEN = {
    "company": (lambda r, i, n: with_truth(r, theta_new=r.truth["theta_new"] + n), "same key alone.*theta_new"),
    "order": (lambda r, i, n: with_truth(r, theta_new=r.truth["theta_new"] + (i > 0) * 1e-12), "same key alone"),
    "mean": (lambda r, i, n: with_data(r, y_mean=r.data.y_mean + 1e-4), "y_mean of the raw y"),
    "divisor": (lambda r, i, n: with_data(r, y_ss=r.data.y_ss / r.data.n_obs), "y_ss of the raw y"),
    "single": (lambda r, i, n: with_data(r, y_ss=r.data.y_ss + 1), "y_ss of 0 for single observations"),
    "single precision": (
        lambda r, i, n: with_data(r, y_mean=r.data.y_mean.astype(np.float32)),
        "y_mean to be finite float64",
    ),
    "size": (lambda r, i, n: with_data(r, n_obs=r.data.n_obs[::-1]), r"groups of the sizes \(3, 1, 5\)"),
    "error": (lambda r, i, n: with_data(r, known_se=np.zeros(3)), "standard errors above 0"),
    "superpopulation": (lambda r, i, n: with_truth(r, theta_mean=r.truth["mu"]), "theta_mean to follow"),
    "divisor of theta": (lambda r, i, n: with_truth(r, theta_sd=r.truth["theta"].std()), "theta_sd to follow"),
    "worst": (lambda r, i, n: with_truth(r, prob_best=r.truth["prob_best"][::-1].copy()), "prob_best to follow"),
    "infinite": (lambda r, i, n: with_truth(r, mu=np.array(np.inf)), "a finite truth of mu"),
    "negative": (lambda r, i, n: with_truth(r, tau=np.array(-1.0)), "tau that is not negative"),
    "share": (lambda r, i, n: with_truth(r, p=np.full(3, 1.5)), r"truth of p in \[0, 1\]"),
    "shape": (lambda r, i, n: with_truth(r, mu=np.zeros(2)), "one truth of mu, or one for each of 3 groups"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_replicates_are_caught(what):
    """Each broken promise of a replicate is named."""
    alter, message = BROKEN[what]
    with pytest.raises(ConformanceError, match=message):
        check_mechanism(Altered(alter=alter))


@dataclass(frozen=True, kw_only=True)
class Deaf(Exchangeable):
    """A mechanism that ignores its keys."""

    def simulate(self, keys: np.ndarray) -> list[Replicate]:
        return super().simulate(np.zeros_like(keys))


@dataclass(frozen=True, kw_only=True)
class Forgetful(Exchangeable):
    """A mechanism whose fields are no JSON."""

    @property
    def fields(self) -> Any:
        return {"kind": "forgetful", "sizes": np.array(self.sizes)}


@pytest.mark.parametrize(
    ("mechanism", "message"),
    [
        (Deaf(sizes=SIZES), "Deaf 'exchangeable': expected different data from different keys; got the same"),
        (Forgetful(sizes=SIZES), "expected fields that are JSON"),
        (Exchangeable(sizes=[3, 1, 5]), "expected a part that can be hashed; got unhashable type: 'list'"),
    ],
)
def test_broken_mechanisms_are_caught(mechanism, message):
    """Keys that do nothing, fields without an identity and parts without a hash are named."""
    with pytest.raises(ConformanceError, match=message):
        check_mechanism(mechanism)
