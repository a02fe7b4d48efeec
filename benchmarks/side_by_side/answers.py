"""The exact posterior means, and the check that a contestant's answers are right before its time counts.

Given tau and sigma everything is Gaussian: mu and theta are integrated in closed form (Gelman et al. 2013, Bayesian
Data Analysis, section 5.4), (log tau, log sigma) on a grid in float64, whose error is far below any Monte Carlo error.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from side_by_side.problem import PARAMETERS
from simstudy.summaries.diagnostics import ess_bulk, mcse_mean
from simstudy.types import GroupedData

LOG_TAU = np.linspace(-11.0, 4.0, 301)  # the mass outside is below 1e-4 of tau's range, times tau: nothing
LOG_SIGMA = np.linspace(-3.0, 3.0, 301)
PRIOR_MU, PRIOR_TAU = 10.0, 5.0
# Mean square of the z scores of right answers: 1, a little more because mcse_mean is itself estimated, and four
# standard errors, with about three independent means in the eleven of a fit.
MEAN_SQUARE, INDEPENDENT, STANDARD_ERRORS = 1.15, 3, 4.0


class WrongAnswerError(Exception):
    """A contestant's posterior means are not those of the model; its time means nothing."""


def exact_means(data: GroupedData) -> np.ndarray:
    """Return the posterior means of mu, tau, sigma and theta, (3 + group,)."""
    tau, sigma = np.exp(LOG_TAU)[:, None, None], np.exp(LOG_SIGMA)[:, None]
    v = tau**2 + sigma**2 / data.n_obs  # (tau, sigma, group) variance of a group's mean about mu
    precision = 1 / PRIOR_MU**2 + (1 / v).sum(-1)
    mu = (data.y_mean / v).sum(-1) / precision
    log_means = -0.5 * (np.log(v).sum(-1) + np.log(precision) + (data.y_mean**2 / v).sum(-1) - mu**2 * precision)
    sigma, tau_one = sigma[:, 0], tau[..., 0]
    within = -(data.n_obs.sum() - data.n_groups) * np.log(sigma) - data.y_ss.sum() / (2 * sigma**2)
    log_prior = -(tau_one**2) / (2 * PRIOR_TAU**2) + np.log(tau_one) - sigma + np.log(sigma)
    log_density = log_means + within + log_prior
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    share = tau**2 / v
    theta = share * data.y_mean + (1 - share) * mu[..., None]
    return np.array([(weight * mu).sum(), (weight * tau_one).sum(), (weight * sigma).sum(), *_mean(weight, theta)])


def z_scores(means: np.ndarray, mcse: np.ndarray, data: Sequence[GroupedData]) -> np.ndarray:
    """Return (estimate - exact) / mcse, (fit, parameter), for means and their errors (fit, parameter)."""
    return (means - np.stack([exact_means(one) for one in data])) / mcse


def checked(z: np.ndarray, *, name: str) -> float:
    """Return the root mean square of the z scores (fit, parameter).

    Raises:
        WrongAnswerError: it is above what right answers give.
    """
    z_rms = float(np.sqrt(np.mean(z**2)))
    allowed = float(np.sqrt(MEAN_SQUARE + STANDARD_ERRORS * np.sqrt(2 / (INDEPENDENT * len(z)))))
    if not z_rms < allowed:
        raise WrongAnswerError(f"{name}: posterior means are {z_rms:.2f} Monte Carlo errors off, {allowed:.2f} allowed")
    return z_rms


def judged(fits: Sequence[Mapping[str, np.ndarray]], data: Sequence[GroupedData], *, name: str) -> tuple[float, float]:
    """Return the z scores' root mean square and the sum over fits of the smallest bulk ESS.

    Args:
        fits: parameter -> (chain, draw, *group) draws of each fit.
        data: the data set of each fit.
        name: the contestant, for the message.

    Raises:
        WrongAnswerError: the posterior means are wrong.
    """
    rows = np.stack([_rows(draws) for draws in fits])
    z = z_scores(rows.mean((-2, -1)), mcse_mean(rows), data)
    return checked(z, name=name), float(ess_bulk(rows).min(-1).sum())


def _rows(draws: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the draws of a fit as (parameter, chain, draw)."""
    each = [np.asarray(draws[name], np.float64) for name in PARAMETERS]
    return np.concatenate([np.moveaxis(x.reshape(*x.shape[:2], -1), -1, 0) for x in each])


def _mean(weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.einsum("ts,tsj->j", weight, values)
