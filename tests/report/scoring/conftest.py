"""Scored estimates that several modules look at."""

import numpy as np
import pandas as pd
import pytest

from simstudy.measures.score import read_estimates, score_estimates
from simstudy.report.scoring.scored import Scored

SITES = ("site 01", "site 02", "site 03", "site 04")
EVIL = '<b>"evil" & =1+1</b></script> $\\frac{$ 方'


def scored_of(table, **options):
    """Return a table scored, with columns named as below unless told otherwise."""
    named = {"estimate": "x", "truth": "truth", "se": "se", "method": "m", "by": "site", "replicate": "rep"}
    estimates = read_estimates(table, **{**named, **options})
    return Scored(estimates=estimates, table=score_estimates(estimates))


def make_table(*, n=300, seed=3):
    """Four sites; "good" is right, "wide" has twice its error and a fitting SE, "off" is biased by .5 sd, SE half."""
    rng = np.random.default_rng(seed)
    rows = []
    for site in SITES:
        truth = rng.normal(10, 2, n)
        noise = rng.standard_normal(n)
        for name, error, se in (
            ("good", noise, 1.0),
            ("wide", noise + np.sqrt(3) * rng.standard_normal(n), 2.0),
            ("off", noise + 0.5, 0.5),
        ):
            rows.append(
                pd.DataFrame({"site": site, "m": name, "rep": range(n), "truth": truth, "x": truth + error, "se": se})
            )
    return pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="session")
def table():
    """Estimates by three methods at four sites."""
    return make_table()


@pytest.fixture(scope="session")
def scored(table):
    """Them, scored."""
    return scored_of(table)
