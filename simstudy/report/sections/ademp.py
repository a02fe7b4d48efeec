"""The study in ADEMP terms, with the MCSEs that its replicates gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from simstudy.report import ademp
from simstudy.report.evidence import Evidence
from simstudy.report.reading.description import Description
from simstudy.report.reading.readings import average
from simstudy.report.reading.vocabulary import declared
from simstudy.report.reading.wording import estimand_words, measure_words, number, symbol
from simstudy.report.sections.section import Section
from simstudy.report.tables import Column, Table

ACHIEVED = ("rmse", "coverage")


def ademp_section(evidence: Evidence) -> Section:
    """Return the section."""
    description = evidence.description
    terms = [
        ("Aims", ademp.aims(evidence.study)),
        ("Data-generating mechanisms", ademp.mechanisms(description)),
        ("Estimands", _estimands(evidence)),
        *([("Priors scaled to the data", made)] if (made := ademp.default_priors(description)) else []),
        (
            "Performance measures",
            [
                *ademp.replicates_words(description, extent=evidence.extent),
                *_achieved(evidence),
                _policy(evidence),
                *ademp.own_measures(),
            ],
        ),
        *([("Extensions", description.extensions)] if description.extensions else []),
    ]
    frame = pd.DataFrame([_method_row(method, description) for method in evidence.study["methods"]])
    columns = [Column(head=name, source=name) for name in frame.columns]
    return Section(
        name="design",
        title="The study (ADEMP)",
        terms=terms,
        tables=[Table(title="Methods", frame=frame, columns=columns)],
    )


def _method_row(method: Mapping[str, Any], description: Description) -> dict[str, str]:
    said = description.of_method(method)
    return {
        "method": str(method["name"]),
        "model": said["model"],
        "priors": ademp.priors_words(method),
        "sampler": said["sampler"],
    }


def _estimands(evidence: Evidence) -> list[str]:
    names = declared().in_order(evidence.estimands)
    words = [(symbol(name), estimand_words(name)) for name in names]
    return [f"{letter}: {text.removesuffix(letter).strip()}" if letter != text else letter for letter, text in words]


def _achieved(evidence: Evidence) -> list[str]:
    """Return the median and largest MCSE over scenarios and methods, for the measures that lead the report."""
    lines = []
    for measure in ACHIEVED if evidence.headline else ():
        mcse = average(evidence.performance, measure, estimand=evidence.headline)["mcse"].dropna()
        if len(mcse):
            percent = measure == "coverage"
            middle, most = (number((100 if percent else 1) * v, digits=2) for v in (mcse.median(), mcse.max()))
            unit = " percentage points" if percent else ""
            words = f"{measure_words(measure)} of {symbol(str(evidence.headline))}"
            lines.append(f"MCSE of the {words} in this run: median {middle}, at most {most}{unit}")
    return lines


def _policy(evidence: Evidence) -> str:
    policy = evidence.performance["policy"].dropna()
    words = {"available": "all fits with finite draws count", "unflagged": "only fits without a flag count"}
    name = str(policy.iloc[0]) if len(policy) else "available"
    return words.get(name, f"which fits count: {name.replace('_', ' ')}")
