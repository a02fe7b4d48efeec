"""Pairs of made-up runs: moved, perturbed, stored in folders, and compared many at once."""

import dataclasses

import numpy as np
import pandas as pd

from simstudy.comparison.alignment import Aligned
from simstudy.comparison.differences import take_difference
from simstudy.comparison.measured import measure_both
from simstudy.comparison.opening import Narrowed
from simstudy.comparison.rules import Rules
from simstudy.comparison.verdicts import judge
from simstudy.store import RunWriter
from tests.fakes import fake_run

ONE_SCENARIO = {"groups": (4,), "group_size": (5,), "tau": (0.5,)}
METHODS = ("none", "partial, centered")


def small_run(**changes):
    """Return two scenarios of 40 replicates under two methods."""
    options = {"groups": (4,), "group_size": (5,), "tau": (0.0, 0.5), "replicates": 40, "methods": METHODS, "seed": 1}
    return fake_run(**options | changes)


def moved(run, shift, *, noise=0.0, seed=0, method=None):
    """Return the run with all location columns moved by ``shift`` posterior sds, plus normal noise of ``noise`` sds.

    Indicators stay: no draw of theirs lies beside 0 and 1.
    """
    table = run.estimates.copy()
    chosen = (table["estimand"] != "prob_best") & (True if method is None else table["method"] == method)
    step = shift + noise * np.random.default_rng(seed).standard_normal(len(table))
    step = np.where(chosen.to_numpy(), step, 0.0) * table["sd"].to_numpy(float)
    for name in ("mean", "median", *(c for c in table if c.startswith("q") and c[1:2].isdigit())):
        table[name] = table[name].to_numpy(float) + step
    return dataclasses.replace(run, estimates=table)


def with_fits(run, **columns):
    """Return the run with columns of the fits multiplied (numbers) or replaced (functions of the table)."""
    fits = run.fits.copy()
    for name, change in columns.items():
        values = fits[name].to_numpy(float, na_value=np.nan) if not callable(change) else None
        fits[name] = change(fits) if callable(change) else values * change
    return dataclasses.replace(run, fits=fits)


def differences(baseline, candidate, rules=None):
    """Return the differences of two runs with the same scenarios and methods, not judged."""
    sides = [
        Narrowed(
            run=run,
            kept_scenarios=tuple(run.scenarios["scenario"]),
            kept_methods={name: name for name in run.methods["method"]},
        )
        for run in (baseline, candidate)
    ]
    rules = rules or Rules()
    parts = [take_difference(measured, alpha=rules.alpha) for measured in measure_both(Aligned.of(*sides), rules)]
    return pd.concat(parts, ignore_index=True)


def judge_repeats(table, *, alpha=0.05):
    """Return the differences judged scenario by scenario, each being a comparison of its own."""
    return pd.concat([judge(part, alpha=alpha) for _, part in table.groupby("scenario", sort=False)])


def store(run, folder):
    """Write a made-up run to a folder, one block per method, and return the folder."""
    with RunWriter.create_or_continue(folder, run.study) as writer:
        writer.write_scenarios(run.scenarios)
        writer.write_methods(run.methods)
        writer.write_estimands(run.estimands)
        writer.write_description(run.description)
        for i, method in enumerate(run.methods["method"]):
            parts = {name: getattr(run, name) for name in ("fits", "estimates", "chains", "timings")}
            block = {name: table[(table["method"] == method).to_numpy()] for name, table in parts.items()}
            writer.write_block(f"block-{i}", **block, groups=run.groups)
    return folder
