"""Posteriors of small sums of terms by brute force: dense covariances of the cells' means on a full grid."""

import itertools
from dataclasses import dataclass

import numpy as np

from simstudy.models.linear import cell_matrix, effect_matrices


@dataclass(frozen=True)
class Brute:
    """Log evidence, and mean and sd of the cells' predictor and of every parameter."""

    log_evidence: float
    mean: dict
    sd: dict


def brute(model, data, grids, log_priors):
    """Return the posterior.

    Args:
        model: with a design; mu and coefficients have Normal priors.
        data: one data set.
        grids: parameter -> (node,) evenly spaced coordinates; sigma among them where it is free.
        log_priors: parameter -> (value of a coordinate, log density of the coordinate).
    """
    names, design, covariates = list(grids), model.design, dict(data.covariates)
    values = {name: log_priors[name][0](grids[name]) for name in names}
    priors = {name: log_priors[name][1](grids[name]) for name in names}
    constants = {name: prior.value for name, prior in model.priors if prior.is_constant}
    n, y, ss = data.n_obs, data.y_mean, data.y_ss
    columns = np.stack([np.ones(design.n_cells), *(covariates[x] for x in model.location.covariates)], 1)
    location = [dict(model.priors)[p.name].args for p in model.location.parameters]
    m = columns @ np.array([args[0] for args in location])
    of_location = columns @ np.diag([args[1] ** 2 for args in location]) @ columns.T
    others = [name for name in names if name != "sigma"]
    sigma = values["sigma"] if "sigma" in names else np.ones(1)
    log_density, theta_mean, theta_square, nodes = [], [], [], []
    for place in itertools.product(*(range(len(grids[name])) for name in others)):
        at = {name: values[name][i] for name, i in zip(others, place, strict=True)} | constants
        covariance = of_location + sum(_of(term, design, at, covariates) for term in model.terms)
        noise = data.known_se**2 if "sigma" not in names else sigma[:, None] ** 2 / n
        total = covariance + np.einsum("si,ij->sij", np.broadcast_to(noise, (len(sigma), len(y))), np.eye(len(y)))
        residual = y - m
        solved = np.linalg.solve(total, np.broadcast_to(residual, (len(sigma), len(y)))[..., None])[..., 0]
        log = -0.5 * (residual * solved).sum(-1) - 0.5 * np.linalg.slogdet(total)[1] - 0.5 * len(y) * np.log(2 * np.pi)
        if "sigma" in names:
            within = n.sum() - len(y)
            log = log - within * (np.log(sigma) + 0.5 * np.log(2 * np.pi)) - 0.5 * np.log(n).sum()
            log = log - 0.5 * ss.sum() / sigma**2 + priors["sigma"]
        log_density.append(log + sum(priors[name][i] for name, i in zip(others, place, strict=True)))
        gain = covariance @ np.linalg.inv(total)
        mean = m + (gain @ residual[:, None])[..., 0]
        variance = np.diagonal(covariance - gain @ covariance, axis1=1, axis2=2)
        theta_mean.append(mean)
        theta_square.append(variance + mean**2)
        nodes.append([at[name] for name in others])
    log_density = np.array(log_density)
    peak = log_density.max()
    weight = np.exp(log_density - peak)
    cell = np.prod([grids[name][1] - grids[name][0] for name in names])
    evidence = peak + np.log(weight.sum() * cell)
    weight /= weight.sum()
    mean, square = (
        {"theta": np.einsum("ks,ksc->c", weight, theta_mean)},
        {"theta": np.einsum("ks,ksc->c", weight, theta_square)},
    )
    for i, name in enumerate(others):
        x = np.array(nodes)[:, i]
        mean[name], square[name] = (weight.sum(1) @ x), (weight.sum(1) @ x**2)
    if "sigma" in names:
        mean["sigma"], square["sigma"] = weight.sum(0) @ sigma, weight.sum(0) @ sigma**2
    return Brute(evidence, mean, {name: np.sqrt(square[name] - mean[name] ** 2) for name in mean})


def _of(term, design, values, covariates):
    factor = design.factor(term.factor)
    matrix = cell_matrix(term, factor, effect_matrices(term, factor, term.values(values)), covariates)
    return matrix @ matrix.T
