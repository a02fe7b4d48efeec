"""Small studies of every family, shared by the statistical tests: a mechanism, and the options of one method."""

from typing import Any

import pandas as pd

from simstudy import Study

Section = dict[str, Any]

SCHOOLS = {"school": {"levels": 6, "tau": 1.0}, "class": {"within": "school", "levels": 3, "tau": 0.5}}
AREA = {"graph": {"lattice": [4, 4]}, "tau": 0.6}
BINOMIAL = {"kind": "multilevel", "likelihood": "binomial", "per_cell": 30}
RATERS = {"rater": {"levels": 8, "tau": 0.8}, "item": {"levels": 6, "tau": 0.5}}
DIFFICULTY = {"difficulty": {"of": "item", "draw": "normal", "beta": 1.0}}
SUBJECT = {
    "structure": "slopes",
    "levels": 10,
    "covariate": {"name": "day", "values": [-2, -1, 0, 1, 2]},
    "slope": 0.5,
    "tau": 1.0,
    "tau_slope": 0.5,
    "rho": 0.4,
}
TIME = {"structure": "random_walk", "levels": 12, "tau": 0.4}
SITE = {"structure": "gaussian_process", "points": {"line": 12}, "eta": 1.0, "length": 0.4}
COUNTS = {"kind": "exchangeable", "likelihood": "poisson", "groups": 8, "group_size": 10, "mu": 0.5, "tau": 0.7}

MECHANISMS: dict[str, Section] = {
    "nested": {"kind": "multilevel", "per_cell": 5, "terms": SCHOOLS},
    "crossed": {**BINOMIAL, "per_cell": 8, "terms": RATERS, "covariates": DIFFICULTY},
    "slopes": {"kind": "multilevel", "terms": {"subject": SUBJECT}},
    "random_walk": {"kind": "multilevel", "per_cell": 4, "sigma": 0.5, "terms": {"time": TIME}},
    "icar": {**BINOMIAL, "terms": {"area": {"structure": "icar", **AREA}}},
    "bym2": {**BINOMIAL, "terms": {"area": {"structure": "bym2", **AREA, "share": 0.7}}},
    "car": {**BINOMIAL, "terms": {"area": {"structure": "car", **AREA, "alpha": 0.8}}},
    "gaussian_process": {"kind": "multilevel", "per_cell": 3, "sigma": 0.3, "terms": {"site": SITE}},
    "none": {"kind": "multilevel", "per_cell": 4, "sigma": 0.5, "terms": {"time": TIME}},
    "poisson": COUNTS,
}
"""A mechanism of each family; `none` is no pooling of a term."""


def method(family: str) -> Section:
    """Return the options of the family's own method: its structure, non-centered, or no pooling."""
    if family == "poisson":
        return {"structure": "partial"}
    return {"pooling": "none" if family == "none" else "partial"}


SIZES: dict[str, Section] = {
    "nested": {**SCHOOLS, "school": {"levels": [4, 6, 9], "tau": [0.0, 0.3, 0.6, 1.0]}},
    "crossed": {**RATERS, "rater": {"levels": [4, 8, 12], "tau": [0.1, 0.3, 0.6, 1.0]}},
    "slopes": {"subject": {**SUBJECT, "levels": [6, 10, 14], "rho": [-0.5, 0.0, 0.4, 0.8]}},
    "random_walk": {"time": {**TIME, "levels": [8, 12, 24], "tau": [0.1, 0.2, 0.4, 0.8]}},
}
"""Terms of three sizes and four values of a parameter."""


def study_of_sizes(family: str) -> Study:
    """Return a study of 12 scenarios, three sizes of the family."""
    return Study.from_dict(
        {
            "study": {"name": "sizes", "replicates": 3},
            "mechanism": {**MECHANISMS[family], "terms": SIZES[family]},
            "method": [{"name": "own", **method(family)}],
            "sampler": {"kind": "nuts"},
        }
    )


def study_of_both(family: str, *, replicates: int) -> Study:
    """Return a study in which both samplers fit the family's method to the same data sets."""
    return Study.from_dict(
        {
            "study": {"name": f"both_{family}", "seed": 77, "replicates": replicates},
            "mechanism": MECHANISMS[family],
            "method": [{"name": "own", **method(family)}],
            "sampler": {"kind": ["nuts", "numpyro"], "chains": 4, "warmup": 500, "draws": 500},
        }
    )


def paired(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the two samplers' rows side by side, NumPyro's with the suffix ``_numpyro``."""
    names = (f"own [kind={kind}]" for kind in ("nuts", "numpyro"))
    ours, theirs = (table[table["method"] == name].drop(columns="method") for name in names)
    return ours.merge(theirs, on=keys, suffixes=("", "_numpyro"), validate="one_to_one")
