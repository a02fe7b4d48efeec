"""Exact draws of counts of one grouping, and what is known of their posteriors."""

from collections.abc import Mapping

import numpy as np

from simstudy.models.additive import AdditiveModel, sites_of_term
from simstudy.models.terms.structure import NOISE
from simstudy.samplers.exact.counts.data import CountData
from simstudy.samplers.exact.counts.draws import draw_hyperparameters
from simstudy.samplers.exact.counts.effects import draw
from simstudy.samplers.exact.counts.lattice import lattice_of
from simstudy.samplers.exact.counts.quantities import CountQuantities
from simstudy.samplers.exact.counts.scope import CountModel, supported
from simstudy.samplers.exact.known import KnownMarginals
from simstudy.samplers.exact.marginal import Marginal
from simstudy.samplers.exact.posterior import UNKNOWN
from simstudy.samplers.exact.stream import stream_of
from simstudy.samplers.sampler import Program, Sampler
from simstudy.types import Draws, PyTree

MOST_ERROR = 0.01
"""Posterior sds by which a moment may move where a spacing is doubled."""
IMPOSSIBLE = "the evidence is not finite: the data are impossible under the model"
MISSED_PEAK = "the density between the nodes of the quadrature is far above that at the nodes"
Found = dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


class CountProgram(Program):
    """Exact draws for one model of counts and data of one design."""

    compile_seconds = 0.0

    def __init__(self, sampler: Sampler, model: AdditiveModel):
        self._sampler = sampler
        self._parts = supported(model)

    def sample(self, arrays: PyTree, keys: np.ndarray) -> Draws:
        """Draw from every posterior; a fit whose quadrature cannot be trusted has a reason, and draws of NaN."""
        sampler, (n_fits, n_groups) = self._sampler, arrays["n"].shape
        shape = (n_fits, sampler.chains, sampler.draws)
        sites = {
            name: np.full((*shape, *of_site), np.nan, sampler.precision)
            for name, of_site in sites_of(self._parts, n_groups).items()
        }
        reasons: dict[int, str] = {}
        known: list[Found] = []
        for fit in range(n_fits):
            data = self._parts.data(arrays, fit)
            found, reason, drawn = self._one(data, keys[fit], {k: v[fit] for k, v in arrays.items()})
            known.append(found)
            if reason is not None:
                reasons[fit] = reason
            for name, values in drawn.items():
                sites[name][fit] = values.reshape(sites[name].shape[1:])
        return Draws(sites=sites, stats=None, reasons=reasons, known=_joined(known))

    def _one(
        self, data: CountData, key: np.ndarray, arrays: Mapping[str, np.ndarray]
    ) -> tuple[Found, str | None, dict[str, np.ndarray]]:
        """Return what is known of a posterior, why it cannot be trusted, and draws."""
        n_groups = len(data.class_of)
        with np.errstate(all="ignore"):
            if not all(np.isfinite(column).all() for column in data.groups):
                return unknown(self._parts, n_groups), IMPOSSIBLE, {}
            lattice = lattice_of(data)
            if lattice.reason is not None:
                return unknown(self._parts, n_groups), lattice.reason, {}
            quantities = CountQuantities(data=data, lattice=lattice)
            error = quantities.error
            if not error < MOST_ERROR:
                reason = f"a moment moves by {error:.2g} posterior sds where a spacing of the quadrature is doubled"
                return unknown(self._parts, n_groups), f"{reason}; {MOST_ERROR:g} is allowed", {}
            stream = stream_of(key, 0)
            drawn = draw_hyperparameters(data, lattice, stream, self._sampler.chains * self._sampler.draws)
            if drawn is None:
                return unknown(self._parts, n_groups), MISSED_PEAK, {}
            return known_of(self._parts, quantities), None, self._sites(data, stream, drawn, arrays)

    def _sites(
        self,
        data: CountData,
        stream: np.random.Generator,
        drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
        arrays: Mapping[str, np.ndarray],
    ) -> dict[str, np.ndarray]:
        """Return draws of the latent sites, (draw, ...)."""
        mu, tau, phi = drawn
        out = {"mu": mu} | {axis.name: x for axis, x in zip(data.axes, (tau, phi), strict=True) if not axis.is_fixed}
        if (term := self._parts.term) is not None:
            z = np.empty((len(mu), len(data.class_of)))
            draw(stream, data.family, *data.groups, mu, tau, phi, z)
            shares = {name: leaf[:, None] for name, leaf in arrays.items() if np.ndim(leaf)}
            out |= sites_of_term(term, {"tau": tau}, {NOISE: z.T}, {}, shares)
        return out


def sites_of(parts: CountModel, n_groups: int) -> dict[str, tuple[int, ...]]:
    """Return latent site -> its shape; a constant has none."""
    priors = parts.priors
    out: dict[str, tuple[int, ...]] = {"mu": ()}
    out |= {name: () for name in (parts.tau, "phi") if name in priors and not priors[name].is_constant}
    return out if parts.noise_site is None else {**out, parts.noise_site: (n_groups,)}


def known_of(parts: CountModel, quantities: CountQuantities) -> Found:
    """Return estimand -> means, sds and marginals, (*group) each."""
    data, mean_name = quantities.data, parts.model.likelihood.mean
    theta, mean = quantities.effects
    marginals = [quantities.marginals_of_class(c) for c in range(len(data.count))]
    out: Found = {"mu": _number(quantities.mu.mean, quantities.mu.sd, quantities.marginal_of_mu())}
    for a, axis in enumerate(data.axes):
        if axis.name in parts.priors:
            moments = quantities.of_axis(a)
            out[axis.name] = _number(moments.mean, moments.sd, quantities.marginal_of_axis(a))
    for name, each, which in (("theta", theta, 0), (None if mean_name is None else mean_name.name, mean, 1)):
        if name is not None:
            of_groups = np.empty(len(data.class_of), object)
            of_groups[:] = [marginals[c][which] for c in data.class_of]
            means, sds = (np.array([getattr(one, what) for one in each])[data.class_of] for what in ("mean", "sd"))
            out[name] = means, sds, of_groups
    return out


def unknown(parts: CountModel, n_groups: int) -> Found:
    """Return the same of a fit of which nothing is known."""
    mean = parts.model.likelihood.mean
    names = ["mu", *(name for name in (parts.tau, "phi") if name in parts.priors)]
    of_groups = ["theta", *([] if mean is None else [mean.name])]
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(names, ()) | dict.fromkeys(of_groups, (n_groups,))
    return {name: (np.full(s, np.nan), np.full(s, np.nan), np.full(s, UNKNOWN, object)) for name, s in shapes.items()}


def _number(mean: float, sd: float, marginal: Marginal) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    of = np.empty((), object)
    of[()] = marginal
    return np.asarray(mean), np.asarray(sd), of


def _joined(known: list[Found]) -> KnownMarginals:
    mean, sd, marginals = ({name: np.stack([fit[name][i] for fit in known]) for name in known[0]} for i in range(3))
    return KnownMarginals(mean=mean, sd=sd, marginals=marginals)
