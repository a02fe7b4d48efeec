"""Methods that differ in one prior alone, so that what differs between their results is what that prior does."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from simstudy.report.reading.vocabulary import declared

PREFIX = "prior_"
TOLD = ("prior_conflict", "priors_of_data")
"""What is said of priors, which is none."""
NAMES = ("method", "identity", *TOLD)
FEWEST = 2
OF_RATE = ("Exponential", "Gamma")
_DISTRIBUTION = re.compile(r"^\s*(\w+)\(")
_NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, kw_only=True)
class Family:
    """Methods that are the same but for one prior.

    Attributes:
        parameter: whose prior differs.
        priors: method -> that prior as text, from narrow to wide where all are of one distribution.
    """

    parameter: str
    priors: dict[str, str]


def prior_families(methods: pd.DataFrame) -> list[Family]:
    """Return the families of methods, those on the spread of effects first.

    Args:
        methods: one row per method: ``method``, its options, and one column ``prior_<parameter>`` for each parameter.

    >>> table = pd.DataFrame({"method": ["a", "b"], "prior_tau": ["HalfNormal(5)", "HalfNormal(1)"]})
    >>> prior_families(table)[0].priors
    {'b': 'HalfNormal(1)', 'a': 'HalfNormal(5)'}
    """
    columns = [column for column in methods.columns if str(column).startswith(PREFIX) and column not in TOLD]
    options = methods.drop(columns=[name for name in NAMES if name in methods]).map(str)
    found = []
    for column in columns:
        rest = options.drop(columns=column).assign(of="model").agg("\n".join, axis=1)
        known = methods[methods[column].notna()]
        for _, rows in known.groupby(rest[known.index], sort=False):
            if rows[column].nunique() >= FEWEST:
                priors = dict(zip(rows["method"].astype(str), rows[column].astype(str), strict=True))
                found.append(Family(parameter=str(column).removeprefix(PREFIX), priors=_ordered(priors)))
    return sorted(found, key=lambda family: family.parameter not in declared().spreads)


def _ordered(priors: dict[str, str]) -> dict[str, str]:
    """Return the priors by the last number in them, the scale or the rate, where all are of one distribution."""
    distributions = {match.group(1) if (match := _DISTRIBUTION.match(text)) else None for text in priors.values()}
    scales = {method: _NUMBER.findall(text)[-1:] for method, text in priors.items()}
    if len(distributions) > 1 or not all(scales.values()):
        return priors
    falling = distributions <= set(OF_RATE)
    return dict(sorted(priors.items(), key=lambda item: float(scales[item[0]][0]), reverse=falling))
