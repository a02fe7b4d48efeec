"""The error split: what model and prior have, what the sampler adds, and what divergences do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.figures.error_split import MAX_ROWS
from simstudy.report.reading.shown import shown_estimands
from simstudy.report.reading.vocabulary import hyperparameters
from simstudy.report.reading.wording import enumerate_words, symbol
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table
from simstudy.report.words.sentences import quote
from simstudy.report.words.split import divergent_sentences, flattery_sentences, split_sentences

MEASURES = {
    "mse_model": "MSE, model and prior",
    "mse_sampler": "MSE, sampler",
    "percent": "sampler’s part, %",
    "sampler_bias": "bias, posterior sds",
    "sampler_z_square": "mean z²",
    "error_efficiency": "ESS per leapfrog by error",
    "ess_per_leapfrog": "ESS per leapfrog ({})",
}
NOTE = (
    "value ± MCSE. Bias: of the posterior mean against the exact one. Mean z²: 1 where mcse_mean is right. ESS per "
    "leapfrog: warm-up included."
)


def error_split_section(evidence: Evidence) -> Section | None:
    """Return the section, or None where no method has an exact counterpart."""
    table = shown_split(evidence)
    if table.empty:
        return None
    return Section(
        name="error-split",
        title="Error split",
        paragraphs=[_lead(evidence), *split_findings(evidence), *flattery_sentences(table, evidence.labels)],
        pictures=_pictures(evidence, table),
        tables=[_table(evidence, table)],
    )


def shown_split(evidence: Evidence) -> pd.DataFrame:
    """Return the split of the estimands that the report shows, empty where no method has an exact counterpart."""
    return evidence.split[evidence.split["estimand"].isin(shown_estimands(evidence.estimands))]


def split_findings(evidence: Evidence) -> list[str]:
    """Return whose the error is, and whether divergences harm, for the first screen."""
    table = shown_split(evidence)
    if table.empty:
        return []
    told = split_sentences(table, evidence.labels, convergence=evidence.convergence.loc[evidence.doubtful])
    return told + divergent_sentences(evidence.performance, evidence.labels, shown_estimands(evidence.estimands))


def _lead(evidence: Evidence) -> str:
    exact = enumerate_words([quote(name) for name in dict.fromkeys(evidence.exact_of.values())])
    return (
        f"{exact} gives the exact posterior. A method on the same model and data has that error, the model’s and its "
        "priors’, and adds its sampler’s to it."
    )


def _pictures(evidence: Evidence, table: pd.DataFrame) -> list[Picture]:
    if table["percent"].isna().all():
        return []
    caption = (
        "At the dashed line the error is that of the exact posterior mean. To the right of it the MSE is larger, in "
        "percent of it. Bars reach 2 MCSE each way."
    )
    if (n := table["scenario"].nunique()) > MAX_ROWS:
        caption += f" Drawn are the {MAX_ROWS} of {n} scenarios in which a sampler changes the error the most."
    return [
        picture(
            "error-split",
            "What the sampler adds to the error of model and prior",
            caption,
            lambda w: figures.error_split(table, evidence.run.scenarios, marks=evidence.marks, width=w),
        )
    ]


def _table(evidence: Evidence, table: pd.DataFrame) -> Table:
    names = shown_estimands(evidence.estimands)
    ranks = {name: i for i, name in enumerate([*evidence.labels, *names, *evidence.marks])}
    keys = ["estimand", "scenario", "method"]
    frame = table.sort_values(keys, key=lambda column: column.map(ranks), kind="stable", ignore_index=True)
    frame.insert(1, "label", frame["scenario"].map(evidence.labels))
    frame.insert(4, "symbol", frame["estimand"].map(symbol))
    heads = {"label": "scenario"} if len(evidence.labels) > 1 else {}
    heads |= {"method": "method", "symbol": "estimand"}
    columns = [Column(head=head, source=source) for source, head in heads.items()]
    columns += [
        Column(head=head.format(", ".join(map(symbol, hyperparameters()))), source=source, mcse=f"{source}_mcse")
        for source, head in MEASURES.items()
        if np.isfinite(frame[source].to_numpy(float)).any()
    ]
    return Table(title="Error split by estimand", frame=frame, columns=columns, note=NOTE)
