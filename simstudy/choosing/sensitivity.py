"""How much the answer hangs on the prior of tau: the posterior under other priors, by weighting its draws.

Two things are told: how far estimates move where the prior's scale is halved or doubled, and the power-scaling
sensitivity of Kallioinen, Paananen, Buerkner & Vehtari (2024, Statistics and Computing 34:57), the change of a marginal
posterior per doubling of the prior's (or the likelihood's) weight. Weights are Pareto smoothed (Vehtari et al. 2024);
where their shape k is above .7, or where the wider prior reaches beyond the draws, nothing is said from them.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats  # type: ignore[attr-defined]  # exported, though not by name

from simstudy.models.estimands import TAU
from simstudy.models.priors import Prior, parse_prior
from simstudy.samplers.precision import use_precision

FACTORS = (0.5, 2.0)
ALPHAS = (0.99, 1.01)
LARGEST_K = 0.7
SENSITIVE = 0.05  # from here on Kallioinen et al. call a posterior sensitive


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """What other priors of tau would give.

    Args:
        prior: the prior, as text.
        table: one row per estimand: ``name``, ``mean``, ``sd`` (of the posterior at hand), ``halved`` and ``doubled``
            (mean under the prior at half and twice the scale), ``shift`` (the larger change, in posterior sds),
            ``of_prior`` and ``of_likelihood`` (power-scaling sensitivity), ``is_group`` (whether it is of a group).
        weights: factor -> (draw,) normalized weights of the draws.
        k: factor -> Pareto k of its weights; above .7 the means at that factor are NaN. It is infinite where the prior
            at that factor has density beyond the end of the prior, and so of the draws, and 0 where weights are equal.
    """

    prior: str
    table: pd.DataFrame
    weights: Mapping[float, np.ndarray]
    k: Mapping[float, float]

    @property
    def is_known(self) -> bool:
        """Whether the weights at both scales can be trusted."""
        return max(self.k.values()) <= LARGEST_K


def sensitivity(
    draws: Mapping[str, np.ndarray],
    prior: str,
    quantities: Mapping[str, np.ndarray],
    groups: Mapping[str, np.ndarray] | None = None,
    *,
    means: Mapping[tuple[str, bool], float] | None = None,
) -> Sensitivity:
    """Return how quantities of a posterior move with the prior of tau.

    Args:
        draws: ``tau`` and ``log_lik``, (draw,) draws of the posterior; ``log_lik`` is that given the effects.
        prior: of tau, as text.
        quantities: name -> (draw,) what is asked about.
        groups: label -> (draw,) the effect of a group; it may be called as a quantity is.
        means: (name or label, whether it is a group's) -> its posterior mean, where that is known better than by the
            draws; the means under other priors are moved with it.
    """
    groups, means = groups or {}, means or {}
    parsed = parse_prior(prior, TAU)
    base = log_density(parsed, draws["tau"])
    smoothed = {c: _smoothed(log_density(parsed, draws["tau"] / c) - np.log(c) - base) for c in FACTORS}
    beyond = {c: not np.isfinite(log_density(parsed, draws["tau"] * c)).all() for c in FACTORS}
    weights = {c: of_draws for c, (of_draws, _) in smoothed.items()}
    k = {c: np.inf if beyond[c] else shape for c, (_, shape) in smoothed.items()}
    rows = [
        {"name": name, "is_group": is_group, "mean": values.mean(), "sd": values.std(ddof=1)}
        | {word: _mean(values, weights[c]) if k[c] <= LARGEST_K else np.nan for word, c in _words().items()}
        | {"of_prior": _power(values, base), "of_likelihood": _power(values, draws["log_lik"])}
        for is_group, some in ((False, quantities), (True, groups))
        for name, values in some.items()
    ]
    table = pd.DataFrame(rows)
    known = [means.get((row["name"], row["is_group"]), row["mean"]) for row in rows]
    table[["mean", *_words()]] = table[["mean", *_words()]].add(known - table["mean"], axis=0)
    moved = table[list(_words())].sub(table["mean"], axis=0).abs().max(axis=1, skipna=False)
    return Sensitivity(prior=prior, table=table.assign(shift=moved / table["sd"]), weights=weights, k=k)


def _words() -> dict[str, float]:
    return dict(zip(("halved", "doubled"), FACTORS, strict=True))


def log_density(prior: Prior, values: np.ndarray) -> np.ndarray:
    """Return (draw,) the log density, -inf outside the support."""
    with use_precision("float64"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Out-of-support values")
        built, values = prior.distribution(), np.asarray(values, float)
        return np.where(np.asarray(built.support(values)), np.asarray(built.log_prob(values), float), -np.inf)


def _smoothed(log_ratios: np.ndarray) -> tuple[np.ndarray, float]:
    """Return (draw,) normalized, Pareto smoothed weights and their k; the library takes log ratios with their sign."""
    is_in = np.isfinite(log_ratios)
    if not is_in.any():
        return np.full(len(log_ratios), np.nan), np.inf
    if np.ptp(log_ratios[is_in]) == 0:  # a flat prior at another scale leaves draws out, or none
        return is_in / is_in.sum(), 0.0
    log_weights, k = array_stats.psislw(-log_ratios)
    weights = np.exp(log_weights - log_weights.max())
    return weights / weights.sum(), float(k)


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    return float(weights @ values)


def _power(values: np.ndarray, component: np.ndarray) -> float:
    """Return the power-scaling sensitivity of a quantity to a component of the posterior's log density, 0 to none."""
    if np.ptp(component) == 0:
        return 0.0
    lower, upper = (np.exp(array_stats.power_scale_lw(component, alpha=alpha)) for alpha in ALPHAS)
    found = array_stats.power_scale_sense(
        values[None], lower[None], upper[None], lower_alpha=ALPHAS[0], upper_alpha=ALPHAS[1]
    )
    return float(found)
