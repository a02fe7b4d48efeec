"""Traits of a run's mechanism and methods that measures go by, and how they are read off runs made before.

A run says them itself: methods in its table of methods, the mechanism in ``description.json``. The names of families
stand here for runs that do not, and for no others.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from simstudy.types import RunTables

FIXED_DATA_BEFORE = ("dataset",)
NORMAL_MEANS_BEFORE = ("normal", "normal_known_se")
KNOWN_ERRORS_BEFORE = ("normal_known_se",)
"""Likelihoods whose standard errors stood in the column of sizes."""
EXACT_BEFORE = ("exact",)
TRUE, FALSE = (True, "true"), (False, "false")
"""How a table that was read shows a column of truth values."""


def has_fixed_data(study: Mapping[str, Any], description: Mapping[str, Any]) -> bool:
    """Return whether all replicates have the same, real data and differ in the sampler's seed only.

    Args:
        study: canonical study.
        description: of the study.
    """
    said = description.get("mechanism", {}).get("has_fixed_data")
    return bool(study["mechanism"]["kind"] in FIXED_DATA_BEFORE if said is None else said)


def has_normal_means(run: RunTables) -> pd.Series:
    """Return for each scenario whether the means of its groups are normal around the effects, with a known variance."""
    said = run.description.get("mechanism", {}).get("has_normal_means")
    likelihood = run.scenarios["likelihood"]
    return likelihood.isin(NORMAL_MEANS_BEFORE) if said is None else pd.Series(bool(said), index=likelihood.index)


def pooling_of(methods: pd.DataFrame) -> pd.Series:
    """Return the part that each method plays among the pooling models: none, complete, partial, or null.

    Args:
        methods: one row per method, with the column ``pooling``, or in runs made before ``structure``.
    """
    for name in ("pooling", "structure"):
        if name in methods:
            return methods[name]
    return pd.Series(None, index=methods.index, dtype=object)


def exact_samplers(run: RunTables) -> frozenset[str]:
    """Return the names of the methods whose sampler gives the posterior without error."""
    methods: pd.DataFrame = run.methods
    if "is_exact" in methods:
        return frozenset(methods["method"][methods["is_exact"].isin(TRUE)].astype(str))
    return frozenset(_exact_before(run.study["methods"]))


def without_posterior(run: RunTables) -> frozenset[str]:
    """Return the names of the methods that go by no priors, such as maximum likelihood."""
    methods: pd.DataFrame = run.methods
    if "has_posterior" not in methods:
        return frozenset()
    return frozenset(methods["method"][methods["has_posterior"].isin(FALSE)].astype(str))


def _exact_before(methods: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    return (str(method["name"]) for method in methods if method["sampler"]["kind"] in EXACT_BEFORE)
