"""Prior-data conflict: priors under which given data are as good as impossible (of simulated data: ``truth_conflict``).

Data are held against the prior predictive distribution of three statistics (Box 1980, JRSS A 143; Evans & Moshonov
2006, Bayesian Analysis 1): the mean of the groups' estimates, their standard deviation, and the spread within groups. A
conflict is a two-sided p-value below 0.001, or a group's estimate farther than four standard deviations from where the
priors expect it, if the farthest of as many groups is as far with a probability below 0.001 too: a prior that leaves
tau open puts groups far away together. The rest of the model counts as true, so that a conflict is the prior's or the
model's. A spread that is smaller than expected is a conflict only of a prior that keeps away from 0: one with density
there lets the data speak, and so does a wide prior of effects that share nothing.

A conflict is a warning. What is drawn is drawn with fixed keys: a study says the same each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simstudy.errors import shown
from simstudy.late import jax
from simstudy.mechanisms import Mechanism
from simstudy.models.additive import AdditiveModel
from simstudy.models.design import CellData
from simstudy.models.estimands import Parameter
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.model import Model
from simstudy.models.priors import Prior
from simstudy.samplers.precision import use_precision
from simstudy.study.given import given_data
from simstudy.study.methods import Method
from simstudy.study.predictive import LEVEL, SEED, against, in_digits, prior_draws, reaches_zero
from simstudy.study.term_conflict import term_conflicts
from simstudy.types import GroupedData

CONTRADICT = "the data contradict"
FARTHEST_SDS = 4
N_DRAWS, MOST_GROUPS = 20_000, 200
"""Data sets drawn, and groups of which a statistic is taken, so that a check takes a fraction of a second."""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A prior that the data contradict.

    Args:
        parameter: name of the parameter.
        prior: its prior as text.
        words: what is seen, where it was expected, and how unlikely that is.
        verdict: what contradicts it.
    """

    parameter: str
    prior: str
    words: str
    verdict: str = f"{CONTRADICT} the prior"

    @property
    def text(self) -> str:
        """The conflict as a sentence."""
        return f"{self.verdict} {self.parameter} ~ {self.prior}: {self.words}"


def conflicts(mechanism: Mechanism, methods: Iterable[Method]) -> dict[str, list[Conflict]]:
    """Return for each method whose priors given data contradict the conflicts."""
    data = given_data(mechanism)
    if data is None:
        return {}
    found = {m.name: _of_method(m.model, data, mechanism.labels) for m in methods}
    return {name: some for name, some in found.items() if some}


def told_of(found: Mapping[str, Iterable[Conflict]]) -> list[str]:
    """Return the conflicts of a study as lines, each once, with the methods that it is of."""
    methods: dict[str, list[str]] = {}
    for name, some in found.items():
        for conflict in some:
            methods.setdefault(conflict.text, []).append(name)
    return [f"{', '.join(names)}: {text}" for text, names in methods.items()]


def _of_method(model: Model, data: GroupedData, labels: Sequence[str]) -> list[Conflict]:
    if model.hierarchy is not None:
        return prior_conflicts(model.hierarchy, data, labels)
    if isinstance(model, AdditiveModel) and isinstance(data, CellData):
        return _told(model, [*term_conflicts(model, data), *_of_residuals(model, data)])
    return []


def prior_conflicts(model: HierarchicalModel, data: GroupedData, labels: Sequence[str] = ()) -> list[Conflict]:
    """Return the conflicts of a model's priors with given data, none where the likelihood says nothing of its groups.

    Args:
        model: structure, likelihood and priors.
        data: one data set.
        labels: names of its groups; their numbers from 1 where left out.
    """
    return _told(model, [*_of_effects(model, data, labels), *_of_residuals(model, data)])


def _told(model: HierarchicalModel | AdditiveModel, found: Iterable[tuple[Parameter, str]]) -> list[Conflict]:
    priors = dict(model.priors)
    return [Conflict(parameter=p.name, prior=priors[p.name].text, words=words) for p, words in found]


def _of_effects(model: HierarchicalModel, data: GroupedData, labels: Sequence[str]) -> Iterator[tuple[Parameter, str]]:
    """Yield the conflicts of where the groups lie and of how far they are apart."""
    estimated, population = model.likelihood.group_estimates(data), model.structure.normal_effects(dict(model.priors))
    if estimated is None or population is None:
        return
    some = np.unique(np.linspace(0, data.n_groups - 1, min(data.n_groups, MOST_GROUPS)).astype(int))
    estimates, variances = (each[some] for each in estimated)
    stream = np.random.default_rng(SEED)
    effects = _effects(model, population, len(some), stream)
    predicted = effects + np.sqrt(variances) * stream.standard_normal((N_DRAWS, len(some)))
    what = "the groups’ means" if model.likelihood.scale == "natural" else "the logits of the groups’ shares"
    place, spread = (_with(model, moves) for moves in ("value", "difference"))
    words = [against(f"{what} average", estimates.mean(), predicted.mean(1))]
    words += [_outliers(estimates, predicted, [labels[i] if labels else str(i + 1) for i in some], what)]
    if place is not None and any(words):
        yield place, "; ".join(filter(None, words))
    is_apart = model.structure.groups_are_apart
    told = place if is_apart else spread
    if told is not None and len(some) > 1:
        may_be_small = is_apart or reaches_zero(dict(model.priors)[told.name])
        sds = predicted.std(1, ddof=1)
        if text := against(f"{what} have a standard deviation of", estimates.std(ddof=1), sds, above_only=may_be_small):
            yield told, text


def _effects(
    model: HierarchicalModel, population: tuple[Prior, Prior], n_groups: int, stream: np.random.Generator
) -> np.ndarray:
    """Return (draw, group) effects drawn from the priors."""
    mean, sd = population
    if model.structure.groups_are_apart:
        return prior_draws(mean, (N_DRAWS, n_groups), 0)
    m, s = (prior_draws(prior, (N_DRAWS, 1), number) for number, prior in enumerate((mean, sd)))
    return m + s * stream.standard_normal((N_DRAWS, n_groups))


def _of_residuals(model: HierarchicalModel | AdditiveModel, data: GroupedData) -> Iterator[tuple[Parameter, str]]:
    """Yield the conflict of the spread within groups."""
    likelihood, n_within = model.likelihood, data.n_obs - 1
    if not likelihood.parameters or not n_within.any():
        return
    priors, n = dict(model.priors), min(data.n_groups, MOST_GROUPS)
    some = np.flatnonzero(n_within)[:n]
    with use_precision("float64"):
        values = {
            p.name: prior_draws(priors[p.name], (N_DRAWS, likelihood.n_values(p.name, len(some))), number)
            for number, p in enumerate(likelihood.parameters)
        }
        keys = jax.random.split(jax.random.key(SEED), N_DRAWS)
        drawn = jax.vmap(
            lambda key, value: likelihood.residual_sd(likelihood.simulate_scale(key, value, len(some)).of_groups)
        )(keys, values)
    if drawn is None:
        return
    squares = np.asarray(drawn) ** 2 * np.random.default_rng(SEED).chisquare(n_within[some], (N_DRAWS, len(some)))
    predicted = np.sqrt(squares.sum(1) / n_within[some].sum())
    observed, sigma = float(np.sqrt(data.y_ss[some].sum() / n_within[some].sum())), likelihood.parameters[0]
    may_be_small = reaches_zero(priors[sigma.name])
    if text := against("the standard deviation within groups is", observed, predicted, above_only=may_be_small):
        yield sigma, text


def _with(model: HierarchicalModel, moves: str) -> Parameter | None:
    return next((p for p in model.structure.parameters if p.moves == moves), None)


def _outliers(estimates: np.ndarray, predicted: np.ndarray, labels: Sequence[str], what: str) -> str:
    """Return the group that lies farthest from where it was expected, in prior sds, or nothing.

    It is one if that is far, and farther than the farthest of as many groups ever is.
    """
    middle, sd = predicted.mean(0), predicted.std(0)
    distance = np.abs(estimates - middle) / sd
    n_far = int(np.count_nonzero(distance > FARTHEST_SDS))
    if not n_far:
        return ""
    farthest = (np.abs(predicted - middle) / sd).max(1)
    if (1 + np.count_nonzero(farthest >= distance.max())) / (1 + len(farthest)) >= LEVEL:
        return ""
    first = int(distance.argmax())
    others = f", as are {n_far - 1} more beyond {FARTHEST_SDS}" if n_far > 1 else ""
    away = f"is {in_digits(distance[first], 3)} standard deviations from where it was expected"
    return f"group {shown(labels[first])} ({in_digits(estimates[first], 4)}) {away}{others}"
