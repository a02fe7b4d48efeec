"""The additive model: location + terms, a likelihood of cells, and priors -> a NumPyro program and its estimands.

What belongs to the design (levels, bases, graphs) is the same for all replicates of a scenario: ``bound`` gives the
model with it as constants of the program. So a product with a basis is one matrix product for all lanes, and designs
that are alike share a program.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simstudy.late import dist, jnp, numpyro
from simstudy.models.centering import centered_shares
from simstudy.models.derived import against_draws, groups_first
from simstudy.models.design import CellData, Design, Factor
from simstudy.models.estimands import Estimand, Parameter
from simstudy.models.likelihoods import Likelihood
from simstudy.models.lines import coefficients, line_statistics, profiles_of, sum_of_squares
from simstudy.models.location import Location, covariate_leaves, spread_words, unit_with
from simstudy.models.model import Model, stacked
from simstudy.models.noise import Noise
from simstudy.models.of_terms import described, estimands_of
from simstudy.models.predictor import WORDS, Term, constants_of, predictor
from simstudy.models.priors import Prior
from simstudy.models.terms.structure import Constants
from simstudy.models.unit import Unit


@dataclass(frozen=True, kw_only=True)
class AdditiveModel(Model):
    """A sum of terms.

    Args:
        location: intercept and covariates.
        terms: the addends; a factor without one is completely pooled.
        likelihood: how observations arise from the predictor of their cell.
        priors: (parameter, prior) pairs, one for each parameter of location, terms and likelihood.
        part: which part it plays among the pooling models, ``none``, ``complete`` or ``partial``; None for no part.
        design: what programs have as constants; None before data are seen.
    """

    location: Location
    terms: tuple[Term, ...]
    likelihood: Likelihood
    priors: tuple[tuple[str, Prior], ...]
    part: str | None = None
    design: Design | None = None
    lanes_last = True

    def __call__(self, data: Mapping[str, Any]) -> None:
        """Sample location, terms and scale, and add the log likelihood as the factor ``log_lik``."""
        if self.has_lines(self._design):
            self._run_along_lines(data)
            return
        priors, shape = dict(self.priors), jnp.shape(data["n"])
        location = self.location.sample(priors, data, shape)
        effects = {term.factor: self._effects(term, priors, data, shape[1:]) for term in self.terms}
        covariates = {name: data[f"x.{name}"] for name in self._covariates}
        eta = predictor(location, self.terms, effects, self._design, covariates)
        scale = self.likelihood.scale_parameters(priors, shape)
        numpyro.factor("log_lik", self.likelihood.log_likelihood(eta, scale, data))

    def has_lines(self, design: Design) -> bool:
        """Whether the likelihood depends on lines through cells that differ in covariates alone, fewer than these."""
        return bool(self._covariates) and self.likelihood.has_lines and profiles_of(design)[1].n_cells < design.n_cells

    def _run_along_lines(self, data: Mapping[str, Any]) -> None:
        """Run the program with the profiles' coefficients in the place of the cells' predictor."""
        priors, shape, covariates = dict(self.priors), jnp.shape(data["S.1.1"]), self._covariates
        at_means, slopes = self.location.sample_coefficients(priors, data, shape[1:])
        effects = {term.factor: self._effects(term, priors, data, shape[1:]) for term in self.terms}
        _, profiles = profiles_of(self._design)
        c = coefficients(at_means, slopes, self.terms, effects, profiles, data, covariates)
        scale = self.likelihood.scale_parameters(priors, shape)
        around = sum_of_squares(c, data, covariates)
        numpyro.factor("log_lik", self.likelihood.log_likelihood_around(around, scale, data))

    def bound(self, data: CellData) -> AdditiveModel:
        """Return the model with the design of data as constants."""
        return replace(self, design=data.design)

    def arrays(self, data: Sequence[CellData]) -> dict[str, np.ndarray]:
        """Stack the sufficient statistics of the cells, covariates, and shares of centering."""
        return stacked([self._arrays(d) for d in data])

    def cell_arrays(self, data: Sequence[CellData]) -> dict[str, np.ndarray]:
        """Stack the sufficient statistics of the cells and covariates, their constants included."""
        return stacked([self._statistics(d) for d in data])

    def shape(self, data: CellData) -> Hashable:
        """Return the identity of the design, and what the likelihood's statistics depend on besides."""
        return self.known_shape((data.design, tuple(int(n) for n in data.n_obs)))

    def known_shape(self, shape: Any) -> Hashable:
        """Return the shape of data of a design, given ``(design, observations in each cell)``."""
        design, sizes = shape
        return (design.digest, *self.likelihood.known_shape(sizes))

    @property
    def described(self) -> tuple[Estimand, ...]:
        """What location, terms and likelihood declare, and what is derived from them."""
        return described(self.location, self.terms, self.likelihood)

    @property
    def declared(self) -> AdditiveModel:
        """The model itself."""
        return self

    @property
    def sampled(self) -> AdditiveModel:
        """The model itself."""
        return self

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every parameter that has a prior."""
        return (*self.location.parameters, *(p for t in self.terms for p in t.parameters), *self.likelihood.parameters)

    def unit_of(self, data: CellData) -> Unit | None:
        """Return what default priors are made of: the unit of the cells, with the spreads of covariates and points."""
        unit = self.likelihood.unit_of(data)
        points = [f.points for t in self.terms if (f := data.design.factor(t.factor)).points is not None]
        return unit and unit_with(unit, {name: data.covariate(name) for name in self._covariates}, points)

    def unit_words(self, unit: Unit) -> str:
        """Return what a unit's center and spreads are."""
        return "; ".join([self.likelihood.unit_words.replace("groups", "cells"), *spread_words(unit)])

    @property
    def words(self) -> str:
        """Its terms, and the likelihood."""
        each = [
            f"{term.factor}: {term.structure.words}, {WORDS[term.parameterization]}"
            if term.structure.parameterized
            else f"{term.factor}: {term.structure.words}"
            for term in self.terms
        ]
        return "; ".join([*(each or ["complete pooling: no term"]), self.likelihood.words])

    @property
    def pooling(self) -> str | None:
        """The part that it plays."""
        return self.part

    @property
    def effect_scale(self) -> str:
        """The likelihood's."""
        return self.likelihood.scale

    @property
    def family(self) -> Likelihood:
        """The likelihood."""
        return self.likelihood

    def estimands(
        self, sites: Mapping[str, np.ndarray], data: Sequence[CellData], keys: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return location, parameters, effects, what is derived from them, and predictions."""
        priors, design = dict(self.priors), data[0].design
        shape = next(iter(sites.values())).shape[:3]
        arrays = stacked([self._statistics(d) for d in data])
        location = self.location.restore(sites, priors, arrays, shape)
        values = {p.name: priors[p.name].draws(sites.get(p.name), shape) for t in self.terms for p in t.parameters}
        white, effects = {}, {}
        for term in self.terms:
            own, factor = term.values(values), design.factor(term.factor)
            first, *_ = term.structure.parts(factor)
            constants = term.constants(factor, sites[term.site(first)], np)
            white[term.factor] = _white(term, own, sites, arrays, constants, factor)
            effects[term.factor] = term.structure.effects(own, white[term.factor], constants, np)
        scale = self.likelihood.restore(sites, priors, (*shape, design.n_cells))
        return estimands_of(
            location=location,
            terms=self.terms,
            values=values,
            white=white,
            effects=effects,
            scale={name: groups_first(v) if v.ndim > 3 else v for name, v in scale.items()},
            design=design,
            statistics=arrays,
            likelihood=self.likelihood,
            noise=Noise(keys, shape[1:]),
        )

    def sites_of(
        self,
        location: Mapping[str, np.ndarray],
        values: Mapping[str, np.ndarray],
        white: Mapping[str, Mapping[str, np.ndarray]],
        arrays: Mapping[str, np.ndarray],
    ) -> dict[str, np.ndarray]:
        """Return the latent sites at which a program is where its parameters are these: what ``estimands`` undoes.

        Args:
            location: ``mu`` and every ``beta[x]``, (fit, chain, draw).
            values: parameters of terms and likelihood, (fit, chain, draw).
            white: factor -> part -> (mode, fit, chain, draw) noise that the effects are made of.
            arrays: what ``cell_arrays`` returned.
        """
        priors, of_fits = dict(self.priors), {name: against_draws(leaf) for name, leaf in arrays.items()}
        sites = {name: value for name, value in values.items() if not priors[name].is_constant}
        sites |= self.location.sites_of(location, priors, arrays)
        for term in self.terms:
            constants = constants_of(term.structure, self._design.factor(term.factor))
            sites |= sites_of_term(term, term.values(values), white[term.factor], constants, of_fits)
        return sites

    @property
    def _design(self) -> Design:
        if self.design is None:
            raise ValueError("an additive model runs on data after bound(data) has given it their design")
        return self.design

    @property
    def _covariates(self) -> tuple[str, ...]:
        """Every covariate that location or terms use."""
        of_terms = [name for term in self.terms for name in term.structure.covariates]
        return tuple(dict.fromkeys([*self.location.covariates, *of_terms]))

    def _arrays(self, data: CellData) -> dict[str, np.ndarray]:
        """Return what a program reads: statistics of the cells, or of the lines through them.

        The constant of the likelihood is left out: in single precision, that of a million observations would leave no
        digits for differences of energies.
        """
        if not self.has_lines(data.design):
            statistics = self._statistics(data)
            return {**statistics, "constant": np.zeros(())} if "constant" in statistics else statistics
        leaves, around = line_statistics(data, self._covariates)
        within = self.likelihood.statistics(around)
        scalars = {name: value for name, value in within.items() if np.ndim(value) == 0}
        of_covariates = covariate_leaves({name: data.covariate(name) for name in self._covariates})
        means = {name: value for name, value in of_covariates.items() if np.ndim(value) == 0}
        return {**means, **self._shares(data), **leaves, **scalars, "constant": np.zeros(())}

    def _statistics(self, data: CellData) -> dict[str, np.ndarray]:
        """Return statistics of the cells, covariates, and shares of centering."""
        covariates = {name: data.covariate(name) for name in self._covariates}
        return {
            **self.likelihood.statistics(data),
            **{f"x.{name}": values for name, values in covariates.items()},
            **covariate_leaves(covariates),
            **self._shares(data),
        }

    def _shares(self, data: CellData) -> dict[str, np.ndarray]:
        """Return how far each mode of the partially centered terms is centered."""
        return {
            f"centered.{term.site(part)}": share
            for term in self.terms
            if term.parameterization == "partial"
            for part, share in centered_shares(term, data, self.likelihood).items()
        }

    def _effects(
        self, term: Term, priors: Mapping[str, Prior], data: Mapping[str, Any], lane: tuple[int, ...]
    ) -> dict[str, Any]:
        """Sample the parameters and the white noise of a term, and return its effects."""
        values = {p.name: priors[p.name].site(p.name, lane) for p in term.parameters}
        factor, p = self._design.factor(term.factor), term.values(values)
        constants = term.constants(factor, next(iter(data.values())), jnp)
        z: dict[str, Any] = {}
        for part, n in term.structure.parts(factor).items():
            share = _share(term, part, data)
            if share is None:
                z[part] = numpyro.sample(term.site(part), dist.Normal(0, 1).expand((n, *lane)))
                continue
            mean, sd = _moments(term, part, p, z, constants, share, jnp)
            moved = numpyro.sample(term.site(part), dist.Normal(mean, sd).expand((n, *lane)))
            z[part] = (moved - mean) / sd
        return term.structure.effects(p, z, constants, jnp)


def sites_of_term(
    term: Term,
    p: Mapping[str, Any],
    white: Mapping[str, np.ndarray],
    constants: Constants,
    data: Mapping[str, Any],
) -> dict[str, np.ndarray]:
    """Return the latent sites of a term, (*lane, mode), centered as its parameterization says.

    Args:
        term: the term.
        p: its parameters by the names of the structure, (*lane).
        white: part -> (mode, *lane) noise that the effects are made of.
        constants: of its structure.
        data: shares of centering, where it is partial, against (mode, *lane).
    """
    sites = {}
    for part, z in white.items():
        share = _share(term, part, data)
        mean, sd = (0.0, 1.0) if share is None else _moments(term, part, p, white, constants, share, np)
        sites[term.site(part)] = np.moveaxis(mean + sd * z, 0, -1)
    return sites


def _white(
    term: Term,
    p: Mapping[str, np.ndarray],
    sites: Mapping[str, np.ndarray],
    arrays: Mapping[str, np.ndarray],
    constants: Constants,
    factor: Factor,
) -> dict[str, np.ndarray]:
    """Return the white noise of a term from draws of its sites, part -> (mode, fit, chain, draw)."""
    of_fits = {name: against_draws(leaf) for name, leaf in arrays.items()}
    z: dict[str, np.ndarray] = {}
    for part in term.structure.parts(factor):
        moved = np.ascontiguousarray(groups_first(sites[term.site(part)]))
        share = _share(term, part, of_fits)
        mean, sd = (0.0, 1.0) if share is None else _moments(term, part, p, z, constants, share, np)
        z[part] = (moved - mean) / sd
    return z


def _share(term: Term, part: str, data: Mapping[str, Any]) -> Any:
    """Return how far a part is centered: None not at all, 1, or (mode, *lane) shares."""
    if term.parameterization == "noncentered":
        return None
    return 1.0 if term.parameterization == "centered" else data[f"centered.{term.site(part)}"]


def _moments(
    term: Term, part: str, p: Mapping[str, Any], z: Mapping[str, Any], constants: Constants, share: Any, xp: Any
) -> tuple[Any, Any]:
    """Return mean and sd of what a sampler moves in the place of the white noise of a part."""
    scale = term.structure.scale(p, constants, xp)[part]
    mean = term.structure.conditional_mean(part, p, z, xp)
    if isinstance(share, float):
        return 0.0 if mean is None else mean, scale
    return 0.0 if mean is None else share * mean, xp.exp(share * xp.log(scale))
