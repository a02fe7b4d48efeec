"""What the columns of the published tables mean, and what each measure is: a table that goes with them."""

from __future__ import annotations

import pandas as pd

from simstudy.measures import MEASURES

COLUMNS = ["table", "name", "type", "meaning"]
PERFORMANCE = {
    "scenario": ("text", "Identity of the scenario: 16 hexadecimal digits that depend on its mechanism alone."),
    "label": ("text", "What the scenario is called: the factors that vary, with their values."),
    "method": ("text", "Name of the method."),
    "estimand": ("text", "Name of the quantity that is estimated; empty for measures of a fit."),
    "group": ("text", "'average' over the groups of a replicate, or the number of a group; empty for one quantity."),
    "bin": ("text", "Part of the groups or fits that the measure is of; empty for all."),
    "level": ("number", "Level of the interval, between 0 and 1; empty for measures of no interval."),
    "measure": ("text", "Name of the measure; each stands below with its definition."),
    "value": ("number", "The measure."),
    "mcse": ("number", "Its Monte Carlo standard error: what another set of replicates would change."),
    "mcse_method": ("text", "How the Monte Carlo standard error was found."),
    "lower": ("number", "Lower end of the 95 % interval of a share."),
    "upper": ("number", "Upper end of the 95 % interval of a share."),
    "reference": ("text", "The method that a ratio or difference refers to."),
    "n_replicates": ("whole number", "Replicates that were run."),
    "n_used": ("whole number", "Those that the measure is made of."),
    "n_excluded": ("whole number", "Those left out: failed, not finite, or without the quantity."),
    "policy": ("text", "Which fits count: 'available' all finite ones, 'unflagged' those without a flag."),
    "replication": ("text", "What is new in each replicate: 'data', or the seed of the 'sampler' on fixed data."),
}
FACTOR = ("text or number", "Factor of the design: a level of the mechanism's option of this name, by scenario.")
FAILURES = {
    "scenario": ("text", "Identity of the scenario."),
    "label": ("text", "What the scenario is called."),
    "method": ("text", "Name of the method."),
    "kind": ("text", "'missing': not run; 'failed': run and not usable; 'flagged': usable and doubtful."),
    "class": ("text", "What happened. A fit may have several flags."),
    "fits": ("whole number", "How many fits of the scenario and method."),
    "planned": ("whole number", "How many were planned of the scenario and method."),
    "share": ("number", "fits / planned."),
    "handling": ("text", "What was done about them."),
}


def dictionary(performance: pd.DataFrame) -> pd.DataFrame:
    """Return the meaning of every column of ``performance.csv`` and ``failures.csv``, and of every measure in them.

    Args:
        performance: the table that is published, with its factors.
    """
    rows = [("performance", str(name), *PERFORMANCE.get(str(name), FACTOR)) for name in performance.columns]
    rows += [("failures", name, *said) for name, said in FAILURES.items()]
    present = performance["measure"].dropna().astype(str).unique()
    rows += [("measure", name, "number", MEASURES[name].definition) for name in sorted(present) if name in MEASURES]
    return pd.DataFrame(rows, columns=COLUMNS)
