"""The figures of an answer that no other page has: errors on data like these, and tau under other priors."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from simstudy.choosing.question import STRUCTURES
from simstudy.choosing.sensitivity import LARGEST_K, Sensitivity, log_density
from simstudy.models.estimands import TAU
from simstudy.models.priors import parse_prior
from simstudy.report.figures.canvas import TWO_MCSE, dots, drawing, grid, sheet, stripes
from simstudy.report.reading.palette import COMPLETE, INK, MUTED, NONCENTERED, NONE, RAMP

MARKS = dict(zip(STRUCTURES, (NONE, COMPLETE, NONCENTERED), strict=True))
ROW, HEAD, HEIGHT = 0.34, 0.85, 2.6
POINTS, FAR = 200, 0.995


def errors(table: pd.DataFrame, *, width: float) -> Figure:
    """Draw the RMSE and the coverage of each pooling on simulated data, with bars of 2 MCSE.

    Args:
        table: ``Findings.errors``.
        width: in inches.
    """
    names = table["method"].tolist()
    with drawing():
        figure, axes = grid(1, 2, width=width, height=HEAD + ROW * len(names), sharey=True)
        for ax, measure, title in zip(axes[0], ("rmse", "coverage"), ("RMSE", "95 % coverage"), strict=True):
            stripes(ax, len(names))
            for place, row in enumerate(table.to_dict("records")):
                reach = np.full((2, 1), TWO_MCSE * row[f"{measure}_mcse"])
                dots(ax, np.array([row[measure]]), np.array([place]), mark=MARKS[row["method"]], xerr=reach)
            ax.set_title(title)
            ax.set_ylim(len(names) - 0.5, -0.5)
            ax.grid(visible=False, axis="y")
            ax.tick_params(axis="y", length=0)
        axes[0][0].set_yticks(range(len(names)), names)
        axes[0][0].set_xlim(left=0)
        axes[0][1].axvline(0.95, color=INK, linestyle="--", linewidth=1.0, zorder=0)
    return figure


def spread(known: Sensitivity, tau: np.ndarray, *, width: float) -> Figure:
    """Draw the posterior of tau under its prior at half, once and twice the scale, the prior itself dashed.

    Args:
        known: how the posterior moves.
        tau: (draw,) draws.
        width: in inches.
    """
    curves = {f"{factor:g} x": known.weights[factor] for factor in known.weights if known.k[factor] <= LARGEST_K}
    curves = {"1 x": np.full(len(tau), 1 / len(tau)), **curves}
    at = np.linspace(0, np.quantile(tau, FAR), POINTS)
    with drawing():
        figure = sheet(width, HEIGHT)
        ax = figure.subplots()
        ordered = sorted(curves, key=lambda name: float(name.split()[0]))
        ramp = dict(zip(ordered, (RAMP[0], RAMP[2], RAMP[4]), strict=False))
        for name in ordered:
            mirrored = gaussian_kde(np.concatenate([tau, -tau]), weights=np.tile(curves[name], 2) / 2)
            ax.plot(at, 2 * mirrored(at), color=ramp[name].light, label=name, linewidth=1.6)
        prior = np.exp(log_density(parse_prior(known.prior, TAU), np.maximum(at, 1e-12)))
        ax.plot(at, prior, color=MUTED, linestyle="--", linewidth=1.2, label="prior")
        ax.set(xlabel="τ", yticks=[], ylim=(0, None), xlim=(0, at[-1]))
        ax.spines["left"].set_visible(False)
        ax.legend(title="scale of the prior")
    return figure
