"""The groups of real data as a table for a paper: each by its name, what was observed, and its posteriors."""

from __future__ import annotations

import pandas as pd

from simstudy.errors import TableError
from simstudy.measures import performance as score
from simstudy.report.evidence import Evidence
from simstudy.report.publishing.numbers import MISSING, cell
from simstudy.report.reading.vocabulary import effects, speaking
from simstudy.report.reading.wording import number, symbol
from simstudy.report.sections.posterior import all_posteriors
from simstudy.store.opening import RunSource, open_run

OBSERVED = ["group", "n_obs", "n_trials", "y_mean", "known_se"]


def group_table(run: RunSource) -> pd.DataFrame:
    """Return one row per group of a run on real data: its name, its data, and its posteriors under every method.

    Args:
        run: the run, or its folder.

    Returns:
        ``group`` (its name, or its number from 1), ``n`` (observations, trials) and ``mean`` (share of successes), or
        ``estimate (SE)`` where standard errors are known, then a column for each method: posterior mean (posterior
        sd), averaged over the sampler's seeds. Its ``attrs`` have a ``caption``.

    Raises:
        RunError: the folder is no run.
        TableError: the data are simulated, new in each replicate.
    """
    tables = open_run(run)
    evidence = Evidence(run=tables, performance=score(tables))
    if not evidence.is_dataset:
        raise TableError("groups: the data of this run are simulated, new in each replicate; only real data have names")
    with speaking(evidence.description.vocabulary):
        data = next(iter(tables.parts("groups", OBSERVED))).drop_duplicates("group").set_index("group").sort_index()
        estimand = (evidence.with_role("mean") if data["n_trials"].notna().any() else []) or [effects().name]
        posteriors = all_posteriors(evidence)
        posteriors = posteriors[posteriors["estimand"] == estimand[0]]
        names = [evidence.group_names.get(int(group), str(int(group) + 1)) for group in data.index]
        made = pd.DataFrame({"group": names} | _data(data), index=data.index)
        for method in evidence.marks:
            rows = posteriors[posteriors["method"] == method].set_index("group")
            texts = {group: cell(mean, sd) for group, mean, sd in rows[["mean", "std"]].itertuples()}
            made[f"{method} (method)" if method in made else method] = [texts.get(g, MISSING) for g in data.index]
        made = made.reset_index(drop=True)
        made.attrs["caption"] = (
            f"Posterior means of {symbol(estimand[0])}, with posterior standard deviations in parentheses"
        )
    return made


def _data(groups: pd.DataFrame) -> dict[str, object]:
    """Return what was observed in each group."""
    if groups["known_se"].notna().any():
        pairs = zip(groups["y_mean"], groups["known_se"], strict=True)
        return {"estimate (SE)": [cell(mean, error) for mean, error in pairs]}
    n = groups["n_trials"] if groups["n_trials"].notna().any() else groups["n_obs"]
    return {"n": n.astype("int64"), "mean": [number(mean) for mean in groups["y_mean"]]}
