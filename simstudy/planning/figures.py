"""The figures of a plan: the curve of the goal's measure, and what each number of groups costs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression

from simstudy.planning.answer import Answer
from simstudy.planning.costs import Trial
from simstudy.planning.goal import Goal
from simstudy.planning.points import Point
from simstudy.planning.words import axis_words, trial_words
from simstudy.report.figures.canvas import TWO_MCSE, dots, drawing, plain_log, sheet
from simstudy.report.reading.palette import COMPLETE, GRID, INK, MUTED, NONCENTERED

HEIGHT, STEPS = 3.4, 200
FEW = 3.0  # ratio of costs from which their axis is logarithmic
SPREAD = 20.0  # ratio of widths from which their axis is logarithmic


def curve(answer: Answer, *, width: float) -> Figure:
    """Draw the measure against the number that was open, bars of 2 MCSE, with the target and the answer.

    Args:
        answer: one with points.
        width: in inches.
    """
    assert answer.found is not None  # as ``is_drawable`` asks
    goal, points = answer.goal, dict(answer.found.points)
    sizes, values = np.array(list(points), float), np.array([p.value for p in points.values()])
    factor = 1.0 if goal.kind == "width" else 100.0
    ends = np.array([p.ends for p in points.values()]).T * factor
    with drawing():
        figure = sheet(width, HEIGHT)
        ax = figure.subplots()
        if answer.found.answer is not None:
            low, high = answer.found.first, answer.found.answer
            ax.axvspan(low / 1.01, high * 1.01, color=GRID, alpha=0.9, linewidth=0, zorder=0)
            ax.axvline(high, color=COMPLETE.light, linewidth=1.4, zorder=1)
        ax.axhline(goal.target * factor, color=INK, linestyle="--", linewidth=1.0, zorder=1)
        at, fitted = smooth(points, goal)
        ax.plot(at, fitted * factor, color=MUTED, linewidth=1.2, zorder=2)
        error = np.maximum([values * factor - ends[0], ends[1] - values * factor], 0)
        dots(ax, sizes, values * factor, mark=NONCENTERED, yerr=error)
        ax.set_xscale("log")
        plain_log(ax.xaxis)
        ax.set_xlim(sizes.min() / 1.15, sizes.max() * 1.15)
        if goal.is_probability:
            ax.set_ylim(0, 103)
        elif goal.kind == "width" and values.max() > SPREAD * values.min() > 0:
            ax.set_yscale("log")
            plain_log(ax.yaxis)
        else:
            ax.set_ylim(bottom=min(0.0, float(ends[0].min())))
        ax.set_xlabel(open_words(answer))
        ax.set_title(axis_words(answer.question, goal))
    return figure


def smooth(points: Mapping[int, Point], goal: Goal) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve through the points, monotone where the measure is: isotonic, each point weighted by 1 / MCSE^2.

    Returns:
        (step,) sizes and values.
    """
    sizes = np.array(list(points), float)
    values = np.array([p.value for p in points.values()])
    if goal.is_monotone and len(sizes) > 1:
        floor = max(1e-9, float(np.max([p.mcse for p in points.values()])) / 20)
        weight = np.array([1 / max(p.mcse, floor) ** 2 for p in points.values()])
        values = isotonic_regression(values, weights=weight, increasing=not goal.wants_less).x
    if len(sizes) < 2:
        return sizes, values
    at = np.linspace(np.log(sizes[0]), np.log(sizes[-1]), STEPS)
    return np.exp(at), PchipInterpolator(np.log(sizes), values)(at)


def open_words(answer: Answer) -> str:
    """Return the name of the axis of the number that was open."""
    if answer.groups is None and answer.question.opens == ("groups",):
        return "groups"
    n = answer.question.groups if answer.groups is None else answer.groups
    return f"{trial_words(answer.question)} in each of {n} groups"


def costs(trials: Sequence[Trial], answer: Answer, *, width: float) -> Figure:
    """Draw what each number of groups costs, with as many observations as it needs, bars of 2 MCSE.

    Args:
        trials: of numbers of groups that reach the goal.
        answer: whose design is marked.
        width: in inches.
    """
    known = [trial for trial in trials if np.isfinite(trial.cost)]
    groups = np.array([trial.groups for trial in known], float)
    cost, size = (np.array([getattr(trial, name) for trial in known]) for name in ("cost", "size"))
    reach = np.array([TWO_MCSE * trial.mcse for trial in known])
    with drawing():
        figure = sheet(width, HEIGHT)
        ax = figure.subplots()
        down = np.minimum(reach, cost * (1 - 1 / SPREAD))  # a logarithmic axis has no 0
        dots(ax, groups, cost, mark=NONCENTERED, yerr=np.vstack([down, reach]), line=True)
        for x, y, n in zip(groups, cost, size, strict=True):
            ax.annotate(f"{n:.0f}", (x, y), xytext=(5, 5), textcoords="offset points", color=MUTED, fontsize=8)
        if answer.design is not None:
            ax.axvline(answer.design.groups, color=COMPLETE.light, linewidth=1.4, zorder=1)
        ax.set_xscale("log")
        plain_log(ax.xaxis)
        if cost.max() > FEW * cost.min():
            ax.set_yscale("log")
            plain_log(ax.yaxis)
        else:
            ax.set_ylim(bottom=0)
        ax.set_xlabel("groups")
        ax.set_title("cost")
    return figure
