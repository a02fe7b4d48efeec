"""Independent draws from the posterior of a sum of terms.

Outer coordinates are drawn among the nodes of their rule, with its weights; total and sigma given these by rejection
(``cells.py``), location and noise given all of them from their normal distributions. What is known exactly takes the
place of what these draws would say; they serve what is not, such as the sd of the effects at hand.
"""

from collections.abc import Mapping

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.samplers.exact.cells import draw_coordinates
from simstudy.samplers.exact.stream import stream_of
from simstudy.samplers.exact.terms.given import Moves
from simstudy.samplers.exact.terms.outer import OuterPosterior, Row
from simstudy.samplers.exact.terms.spectral import OneData


def draw(
    model: AdditiveModel,
    data: OneData,
    posterior: OuterPosterior,
    key: np.ndarray,
    stats: Mapping[str, np.ndarray],
    shape: tuple[int, int],
) -> dict[str, np.ndarray]:
    """Return the latent sites of draws from one posterior, (1, chain, draw, *mode).

    Args:
        model: with a design.
        data: the data set.
        posterior: its nodes.
        key: (2,) uint32, the fit's.
        stats: what ``cell_arrays`` has of the data set.
        shape: chains and draws.
    """
    stream, n = stream_of(key, 0), shape[0] * shape[1]
    counts = stream.multinomial(n, posterior.weight)
    chosen = np.flatnonzero(counts).tolist()
    parts = [_of_row(data, posterior.rows[i], int(counts[i]), stream_of(key, 1 + i), stream) for i in chosen]
    order = stream.permutation(n)
    drawn = {name: np.concatenate([part[name] for part in parts], axis=-1)[..., order] for name in parts[0]}
    block = {name: value.reshape(*value.shape[:-1], 1, *shape) for name, value in drawn.items()}
    return model.sites_of(
        {p.name: block[p.name] for p in model.location.parameters},
        {
            p.name: block[p.name]
            for p in (*(p for t in model.terms for p in t.parameters), *model.likelihood.parameters)
        },
        {t.factor: t.structure.by_part(data.design.design.factor(t.factor), block[t.factor]) for t in model.terms},
        {name: leaf[None] for name, leaf in stats.items()},
    )


def _of_row(
    data: OneData, row: Row, n: int, inner: np.random.Generator, stream: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return draws at one node of the outer rule: parameters (draw,), the noise of each factor (mode, draw)."""
    design, axes = data.design, row.problem.axes
    (u,) = draw_coordinates(row.problem, [row.grid], [inner], n)
    if u is None:
        u = np.full((2, n), np.nan)
    total, sigma = (axis.value(one) for axis, one in zip(axes, u, strict=True))
    node = design.node(row.t)
    noise, location = _noise_and_location(data, row, total, sigma, stream)
    values = {name: np.full(n, value) for name, value in node.values.items()}
    for scale in design.hyper.scales:
        values[scale.name] = values[scale.name] * total
    values |= {name: np.full(n, value) for name, value in design.location_constants.items()}
    values |= dict(zip(design.location_names, (location @ design.back.T).T, strict=True))
    return values | {"sigma": sigma} | noise


def _noise_and_location(
    data: OneData, row: Row, total: np.ndarray, sigma: np.ndarray, stream: np.random.Generator
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return factor -> (mode, draw) white noise, and (draw, column) coefficients of the location."""
    design, node = data.design, data.design.node(row.t)
    moves = Moves.of(data, node, total, sigma)
    n, p = len(total), design.x.shape[1]
    b = moves.location
    if p:
        upper = np.swapaxes(moves.root, 1, 2)
        b = b + np.linalg.solve(upper, stream.standard_normal((n, p, 1)))[..., 0]
    seen = moves.modes - moves.gain * ((b - moves.location) @ node.x_along.T)
    white = stream.standard_normal((n, node.right.shape[1]))
    known = white @ node.right.T
    z = white + (seen / total[:, None] + (np.sqrt(moves.q) - 1) * known) @ node.right
    b = b + data.fitted
    n_location = len(design.location_names)
    out = {}
    for terms, noise, start in ((design.moving_terms, z, 0), (design.fixed_terms, b, n_location)):
        at = start
        for term in terms:
            out[term.factor] = noise[:, at : at + design.n_noise(term)].T
            at += design.n_noise(term)
    return out, b[:, :n_location]
