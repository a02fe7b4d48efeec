"""Simulation of sums of terms: the structures and likelihoods of models, at known values.

The effects of each term are those that its structure makes of standardized noise; the noise is normal, as methods
assume, or not. Hyperparameters are numbers, or priors drawn anew in each replicate. Levels, graphs, points and
covariates are the same in all replicates of a scenario. Simulation runs on the CPU in float64 on every platform.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from simstudy.late import compiled, jax, jnp
from simstudy.mechanisms.deviates import NORMAL, Deviates
from simstudy.mechanisms.grouped import EFFECTS_TEXT, Effects, in_chunks, number_of, purpose_of, values_of, wrapped_key
from simstudy.mechanisms.mechanism import Mechanism
from simstudy.models.derived import against_draws
from simstudy.models.design import CellData, Design
from simstudy.models.formula import formula_of
from simstudy.models.likelihoods import Likelihood
from simstudy.models.location import Location
from simstudy.models.model import stacked
from simstudy.models.of_terms import estimands_of
from simstudy.models.options import changed_options
from simstudy.models.predictor import Term, predictor
from simstudy.models.priors import Prior, constant
from simstudy.types import Replicate


@dataclass(frozen=True, kw_only=True)
class SimulatedTerm:
    """A term at known values.

    Args:
        term: factor and structure.
        noise: distribution of the white noise that the effects are made of.
        effects: ``random``: new effects in each replicate; ``fixed``: the same noise in all of them.
    """

    term: Term
    noise: Deviates = NORMAL
    effects: Effects = "random"

    @property
    def drawn(self) -> Term:
        """The term with the structure that effects are drawn from, where models approximate it."""
        return replace(self.term, structure=self.term.structure.simulated)


@dataclass(frozen=True, kw_only=True)
class Multilevel(Mechanism):
    """Observations in cells around a sum of terms.

    Args:
        likelihood: how observations arise from the predictor of their cell.
        design: cells and factors.
        sizes: observations (or trials) in each cell, at least 0.
        terms: the addends.
        values: (parameter, value or prior) pairs: ``mu``, every ``beta[x]``, those of terms and of the likelihood.
        covariates: (name, values by cell) pairs.
        exposure: of each observation of a count.
    """

    kind: ClassVar[str] = "multilevel"
    likelihood: Likelihood
    design: Design
    sizes: tuple[int, ...]
    terms: tuple[SimulatedTerm, ...]
    values: tuple[tuple[str, Prior], ...]
    covariates: tuple[tuple[str, tuple[float, ...]], ...] = ()
    exposure: float | None = None

    @property
    def assumed_terms(self) -> tuple[Term, ...]:
        """Its terms."""
        return tuple(simulated.term for simulated in self.terms)

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Its covariates."""
        return tuple(name for name, _ in self.covariates)

    @property
    def words(self) -> str:
        """Its terms, each with its structure and, where it is not normal, its noise."""
        each = []
        for simulated in self.terms:
            noise = f" with {simulated.noise.words}" if simulated.noise.words else ""
            each.append(f"{simulated.term.factor}: {simulated.drawn.structure.words}{noise}")
        formula = formula_of(self.design, self.assumed_terms, self.location.covariates)
        return f"a sum of terms, {formula}: {'; '.join(each)}"

    @property
    def effects_text(self) -> str:
        """Random or fixed, where all terms are one or the other."""
        kinds = {simulated.effects for simulated in self.terms}
        if kinds == {"random"}:
            return EFFECTS_TEXT["random"].replace("group effects", "effects")
        fixed = [simulated.term.factor for simulated in self.terms if simulated.effects == "fixed"]
        return f"effects of {', '.join(fixed)} the same in every replicate, others drawn anew" if fixed else ""

    @property
    def population(self) -> Mapping[str, Prior] | None:
        """The values, where every effect is random and normal."""
        is_plain = all(s.effects == "random" and s.noise == NORMAL for s in self.terms)
        return dict(self.values) if is_plain else None

    @property
    def truth(self) -> Mapping[str, float]:
        """The values that are numbers."""
        return {name: prior.value for name, prior in self.values if prior.is_constant}

    @property
    def symbols(self) -> Mapping[str, str]:
        """Letters of the parameters."""
        parameters = [*self.location.parameters, *(p for s in self.terms for p in s.term.parameters)]
        names = self.design.names
        counts = {f"levels[{name}]": f"J_{name}" for name in names}
        lie = {f"{layout}[{name}]": f"{layout} of {name}" for name in names for layout in ("graph", "points")}
        return counts | lie | {p.name: p.symbol for p in (*parameters, *self.likelihood.parameters)}

    @property
    def location(self) -> Location:
        """Intercept, and the covariates that have a coefficient."""
        named = [name for name, _ in self.covariates if f"beta[{name}]" in dict(self.values)]
        return Location(covariates=tuple(named))

    @property
    def fields(self) -> Mapping[str, Any]:
        """Every choice that sets it apart."""
        terms = {
            s.term.factor: {
                "structure": s.term.structure.kind,
                **changed_options(s.term.structure),
                **({"noise": {"kind": s.noise.kind, **changed_options(s.noise)}} if s.noise != NORMAL else {}),
                **({"effects": s.effects} if s.effects != "random" else {}),
            }
            for s in self.terms
        }
        return {
            "kind": self.kind,
            "likelihood": self.likelihood.kind,
            **changed_options(self.likelihood),
            "design": self.design.digest,
            "sizes": list(self.sizes),
            "terms": terms,
            "values": {name: prior.value if prior.is_constant else prior.text for name, prior in self.values},
            **({"covariates": {n: list(v) for n, v in self.covariates}} if self.covariates else {}),
            **({"exposure": self.exposure} if self.exposure is not None else {}),
        }

    @property
    def shape(self) -> Any:
        """The design, and observations in each cell."""
        return self.design, self.sizes

    @property
    def sizes_of_data(self) -> tuple[int, ...]:
        """Observations in each cell."""
        return self.sizes

    def simulate(self, keys: np.ndarray) -> list[Replicate]:
        """Return one replicate for each (2,) key."""
        return in_chunks(self._replicates, keys, n_observations=sum(self.sizes))

    def _replicates(self, keys: np.ndarray) -> list[Replicate]:
        with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
            n_values = {
                p.name: self.likelihood.n_values(p.name, self.design.n_cells) for p in self.likelihood.parameters
            }
            parameters = {name: values_of(prior, keys, name, n_values.get(name, 1)) for name, prior in self.values}
            drawn = jax.tree.map(np.asarray, _simulate(self._program, keys, parameters))
        data = [self._cell_data(y) for y in drawn["y"]]
        truth = self._truth(drawn, parameters, data)
        return [Replicate(data=d, truth={name: value[i] for name, value in truth.items()}) for i, d in enumerate(data)]

    @property
    def _program(self) -> Multilevel:
        """The mechanism without the values that are arguments of its program, so that scenarios share it."""
        return replace(self, values=tuple((name, constant(0.0)) for name, _ in self.values))

    @property
    def _exposures(self) -> np.ndarray | None:
        """(cell,) exposure of each cell, over its observations."""
        return None if self.exposure is None else self.exposure * np.asarray(self.sizes, float)

    def _cell_data(self, y: np.ndarray) -> CellData:
        """Reduce raw observations to their cells' mean and within sum of squares, in two passes."""
        n = np.asarray(self.sizes)
        cell_of = np.repeat(np.arange(len(n)), n)
        with np.errstate(invalid="ignore"):
            mean = np.where(n > 0, np.bincount(cell_of, y, len(n)) / np.maximum(n, 1), 0.0)
        ss = np.bincount(cell_of, (y - mean[cell_of]) ** 2, len(n))
        return CellData(
            n_obs=n,
            y_mean=mean,
            y_ss=np.where(n > 1, ss, 0.0),
            y=y,
            exposure=self._exposures,
            design=self.design,
            covariates=tuple((name, np.asarray(values)) for name, values in self.covariates),
        )

    def _truth(self, drawn: Mapping[str, Any], parameters: Mapping[str, np.ndarray], data: Sequence[CellData]) -> Any:
        """Return the truth of every estimand, (replicate, *level): the estimands of one draw."""
        of_location = {p.name for p in self.location.parameters}
        of_likelihood = {p.name for p in self.likelihood.parameters}
        shared = {name: value[:, :1, None] for name, value in parameters.items() if name not in of_likelihood}
        of_data = [
            {**self.likelihood.statistics(d), **{f"x.{name}": values for name, values in d.covariates}} for d in data
        ]
        truth = estimands_of(
            location={name: value for name, value in shared.items() if name in of_location},
            terms=[s.drawn for s in self.terms],
            values={name: value for name, value in shared.items() if name not in of_location},
            white=_against_draws(drawn["white"]),
            effects=_against_draws(drawn["effects"]),
            scale={name: against_draws(value) for name, value in drawn["scale"].items()},
            design=self.design,
            statistics=stacked(of_data),
            likelihood=self.likelihood,
            noise={factor: against_draws(value) for factor, value in drawn["new"].items()},
        )
        return {name: np.asarray(value)[:, 0, 0] for name, value in truth.items()}


def _against_draws(of_factors: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, dict[str, np.ndarray]]:
    return {factor: {name: against_draws(u) for name, u in each.items()} for factor, each in of_factors.items()}


@compiled(static=0)
def _simulate(mechanism: Multilevel, keys: jax.Array, parameters: Mapping[str, jax.Array]) -> dict[str, Any]:
    return jax.vmap(functools.partial(_simulate_one, mechanism))(keys, parameters)


def _simulate_one(mechanism: Multilevel, key: jax.Array, parameters: Mapping[str, jax.Array]) -> dict[str, Any]:
    """Draw effects, scales and observations of one replicate; y is (observation,)."""
    key, design, likelihood = wrapped_key(key), mechanism.design, mechanism.likelihood
    values = {name: value[0] for name, value in parameters.items()}
    effects, white, new = {}, {}, {}
    for simulated in mechanism.terms:
        term, factor = simulated.drawn, design.factor(simulated.term.factor)
        own = _fixed_key(term) if simulated.effects == "fixed" else key
        parts = term.structure.parts(factor)
        z = {part: simulated.noise.draw(_folded(own, f"{term.site(part)}"), n) for part, n in parts.items()}
        constants = term.constants(factor, values["mu"], jnp)
        white[term.factor] = z
        effects[term.factor] = term.structure.effects(term.values(values), z, constants, jnp)
        new[term.factor] = simulated.noise.draw(_folded(key, f"new[{term.factor}]"), 2)[1]
    covariates = {name: jnp.asarray(x) for name, x in mechanism.covariates}
    location = values["mu"] + sum(values[f"beta[{name}]"] * covariates[name] for name in mechanism.location.covariates)
    terms = [simulated.drawn for simulated in mechanism.terms]
    eta = jnp.broadcast_to(predictor(location, terms, effects, design, covariates), design.n_cells)
    of_likelihood = {p.name: parameters[p.name] for p in likelihood.parameters}
    scale = likelihood.simulate_scale(_folded(key, "scale"), of_likelihood, design.n_cells)
    cell_of = np.repeat(np.arange(design.n_cells), mechanism.sizes)
    at = eta[cell_of] + (0.0 if mechanism.exposure is None else jnp.log(mechanism.exposure))
    of_observation = {name: value[cell_of] for name, value in scale.of_groups.items()}
    y = likelihood.draw(_folded(key, "y"), at, of_observation, None)
    return {"y": y, "white": white, "effects": effects, "new": new, "scale": dict(scale.truth)}


def _folded(key: jax.Array, purpose: str) -> jax.Array:
    return jax.random.fold_in(key, purpose_of(purpose))


def _fixed_key(term: Term) -> jax.Array:
    """Return the key of effects that are the same in all replicates, of the factor's name alone."""
    return jax.random.fold_in(jax.random.key(0), number_of(term.factor))
