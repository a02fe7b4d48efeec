"""Fits that were run again: equal, within their errors, with errors that are not known, or different."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from simstudy.crate.agreement import COLUMNS, agreement, allowed


@dataclass
class Again:
    fit: pd.Series
    estimates: pd.DataFrame
    stored: pd.DataFrame
    differences: tuple[str, ...]


def estimates(mean=0.0, *, sd=1.0, truth=0.3, mcse=0.03, rhat=1.0, ess=1000.0, group=None):
    columns = {"mean": mean, "sd": sd, "truth": truth, "mcse_mean": mcse, "mcse_sd": mcse, "rhat": rhat}
    return pd.DataFrame([{"estimand": "mu", "group": group, **columns, "ess_bulk": ess}])


def again(stored, now, *, status="ok", differences=("mean",)):
    fit = pd.Series({"scenario": "a", "replicate": 3, "method": "m", "status": status})
    return Again(fit=fit, estimates=now, stored=stored, differences=differences)


def verdict(stored, now, **options):
    return agreement([(again(stored, now, **options), "ok")]).iloc[0]


def test_equal_bits_need_no_error():
    """A fit without a difference is equal, whatever its errors."""
    row = verdict(estimates(rhat=3.0), estimates(rhat=3.0), differences=())
    assert (row["verdict"], row["largest_sds"]) == ("equal", 0.0)


@pytest.mark.parametrize(("difference", "expected"), [(0.16, "within error"), (0.19, "different")])
def test_the_error_of_a_difference(difference, expected):
    """Two MCSEs of .03 make .0424 together; of two numbers compared 1.25 x 3.48 = 4.35 of these are allowed, .185."""
    row = verdict(estimates(sd=2.0), estimates(difference, sd=2.0))
    assert row["verdict"] == expected
    assert row["largest_sds"] == pytest.approx(difference / 2)
    assert row["largest_mcses"] == pytest.approx(difference / 0.03 / np.sqrt(2))
    assert row["where"] == "mu"


def test_more_comparisons_allow_more():
    """By Bonferroni: the chance that one of n normal differences is beyond is a thousandth."""
    for n in (1, 100, 10_000):
        assert 2 * n * norm.sf(allowed(n) / 1.25) == pytest.approx(1e-3)


def test_chains_that_did_not_mix_have_no_known_error():
    """R-hat or ESS of either fit tell; nothing is concluded then, be the difference as large as it may."""
    for bad in ({"rhat": 1.2}, {"ess": 20.0}):
        assert verdict(estimates(**bad), estimates(5.0))["verdict"] == "error unknown"
        assert verdict(estimates(), estimates(5.0, **bad))["verdict"] == "error unknown"
    assert verdict(estimates(rhat=1.2), estimates(0.05))["verdict"] == "within error"


def test_rounding_needs_no_error_either():
    """Numbers without an MCSE, as those of a quadrature, may differ by rounding and no more."""
    assert verdict(estimates(mcse=np.nan), estimates(1e-7, mcse=np.nan))["verdict"] == "within error"
    assert verdict(estimates(mcse=np.nan), estimates(1e-4, mcse=np.nan))["verdict"] == "different"


def test_other_data_other_estimands_other_status():
    """What no Monte Carlo error excuses, and why."""
    for now, why in (
        (estimates(truth=0.4), "another truth: other data were simulated"),
        (estimates(group=1), "other estimands"),
    ):
        row = verdict(estimates(), now)
        assert (row["verdict"], row["why"]) == ("different", why)
    row = verdict(estimates(), estimates().iloc[:0], status="failed")
    assert (row["verdict"], row["why"]) == ("different", "stored ok, now failed")


def test_no_fits():
    """Nothing to tell has the columns of what would be told."""
    assert list(agreement([])) == COLUMNS
