"""The performance table: its columns, its counts, and what must not change it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import spearmanr

from simstudy.errors import TableError
from simstudy.measures import MEASURES, performance
from simstudy.store import schema
from tests.fakes import EXACT, METHODS, fake_run

CELL = ["scenario", "method", "estimand", "group", "bin", "level", "measure", "policy"]
SMALL = {"replicates": 40, "groups": (5,), "group_size": (3,), "tau": (0.0, 1.0), "levels": (0.5, 0.95)}


@pytest.fixture(scope="module")
def run():
    """A run with failures, with and without between-group spread, balanced and not, and with an exact method."""
    return fake_run(**SMALL, sizes=[(1, 1, 6)], failure_rate=0.05, methods=(*METHODS, *EXACT))


@pytest.fixture(scope="module")
def table(run):
    """Its performance."""
    return performance(run)


def indexed(table, *columns):
    """Return columns by cell, sorted, nulls as empty texts."""
    return table.fillna(dict.fromkeys(CELL, "") | {"level": 0.0}).set_index(CELL)[list(columns)].sort_index()


def test_columns_are_those_of_the_schema(table):
    """The columns and their order are the schema's, every row has a key of its own and every measure is known."""
    assert list(table.columns) == schema.PERFORMANCE.names
    assert not table.duplicated(CELL).any()
    assert set(table["measure"]) <= set(MEASURES)


def test_every_measure_appears(table):
    """Each registered measure is there for some scenario and method, but for those of other data and other methods.

    They are of data with several factors, and of maximum likelihood.
    """
    assert set(table["measure"]) == set(MEASURES) - {"regret_of_parts", "local_bias", "boundary_rate"}


def test_every_fit_is_used_or_left_out(run, table):
    """Used and left out add up to the fits attempted, and what failed or is not finite is left out."""
    rows = table[table["bin"].isna() & table["scenario"].notna() & (table["measure"] == "mse")]
    assert (rows["n_used"] + rows["n_excluded"] == rows["n_replicates"]).all()
    ok = run.fits[run.fits["status"] == "ok"].groupby(["scenario", "method"], observed=True).size()
    theta = rows[rows["estimand"] == "theta"].set_index(["scenario", "method"])["n_used"]
    assert (theta == ok.loc[theta.index]).all()
    assert (theta < SMALL["replicates"]).any()


def test_a_method_that_always_fails_is_seen():
    """Where no fit is usable the divergence rows remain, without a value, and count every failure."""
    run = fake_run(replicates=10, groups=(4,), group_size=(2,), tau=(1.0,), methods=("none", "complete"))
    is_none = (run.fits["method"] == "none").to_numpy()
    fits = run.fits.assign(status=np.where(is_none, "failed", run.fits["status"].astype(object)))
    table = performance(dataclasses.replace(run, fits=fits))
    rows = table[(table["method"] == "none") & table["measure"].isin(["divergence_rate", "any_divergence"])]
    assert len(rows) == 2
    assert rows["value"].isna().all()
    assert (rows["n_excluded"] == 10).all()


def test_zero_spread_is_a_boundary(run, table):
    """At tau = 0 coverage, relative bias, conditional bias and ranks do not exist; RMSE and the upper limit do."""
    at_zero = run.scenarios.loc[run.scenarios["tau"] == 0, "scenario"]
    rows = table[table["scenario"].isin(at_zero)]
    tau = rows[rows["estimand"] == "tau"]
    assert {"rmse", "upper_limit"} <= set(tau["measure"])
    assert not {"coverage", "bias_eliminated_coverage", "relative_bias"} & set(tau["measure"])
    theta = rows[rows["estimand"] == "theta"]
    assert "coverage" in set(theta["measure"])
    assert not {"conditional_bias", "rank_correlation", "prob_best"} & set(theta["measure"])
    elsewhere = table[~table["scenario"].isin(at_zero)]
    assert "upper_limit" not in set(elsewhere["measure"])


def test_ranks_are_undefined_without_differences(table):
    """Complete pooling has no ranking of the groups: no row, rather than a correlation of 0."""
    ranked = table[table["measure"].isin(["rank_correlation", "prob_best", "pooling_factor"])]
    assert "complete" not in set(ranked["method"])
    assert {"none", "partial, centered"} <= set(ranked["method"])


def test_rank_correlation_is_spearman(run, table):
    """The mean rank correlation is that of scipy's spearmanr over replicates."""
    ok = run.estimates[run.estimates["mean"].notna() & (run.estimates["estimand"] == "theta")]
    row = table[(table["measure"] == "rank_correlation") & (table["method"] == "none")].iloc[0]
    theta = ok[(ok["scenario"] == row["scenario"]) & (ok["method"] == "none")]
    by_replicate = [spearmanr(g["mean"], g["truth"]).statistic for _, g in theta.groupby("replicate")]
    assert row["value"] == pytest.approx(np.mean(by_replicate))


def test_slope_only_where_groups_have_one_size(run, table):
    """The shrinkage slope is given for balanced designs alone, bins of n_j for unbalanced ones alone."""
    unbalanced = set(run.scenarios.loc[run.scenarios["sizes"].notna(), "scenario"])
    assert not unbalanced & set(table.loc[table["measure"] == "shrinkage_slope", "scenario"])
    sized = table[table["bin"].fillna("").str.startswith("n_obs")]
    assert set(sized["scenario"]) == unbalanced
    assert set(sized["bin"]) == {"n_obs=1", "n_obs=6"}


def test_order_of_rows_does_not_matter(run, table):
    """Shuffled tables give the same performance: to 1e-12 relative."""
    shuffled = {name: getattr(run, name).sample(frac=1, random_state=1) for name in ("estimates", "fits", "groups")}
    again = performance(dataclasses.replace(run, **shuffled))
    columns = ("value", "mcse", "lower", "upper", "n_used")
    assert_frame_equal(indexed(again, *columns), indexed(table, *columns), rtol=1e-10, atol=1e-12)


def test_names_of_groups_and_replicates_do_not_matter(run, table):
    """Groups in reverse and replicates numbered from 1,000 backwards give the same performance."""
    last = run.groups.groupby("scenario", observed=True)["group"].max()

    def rename(frame):
        frame = frame.assign(replicate=1000 - frame["replicate"])
        if "group" in frame:
            frame["group"] = frame["scenario"].astype(object).map(last).astype("Int64") - frame["group"]
        return frame

    renamed = {name: rename(getattr(run, name)) for name in ("estimates", "fits", "groups", "chains")}
    again = performance(dataclasses.replace(run, **renamed))
    assert_frame_equal(indexed(again, "value", "mcse"), indexed(table, "value", "mcse"), rtol=1e-10, atol=1e-12)


def test_shift_and_scale_of_the_data():
    """With y -> a + b y errors scale with b, squares with b^2, and what is relative stays."""
    run = fake_run(**SMALL, failure_rate=0.0)
    a, b = 30.0, 7.0
    located = run.estimates["estimand"].isin(["theta", "mu", "theta_mean"])
    scaled = located | run.estimates["estimand"].isin(["tau", "theta_sd"])
    places = ["truth", "mean", "median", *(c for c in run.estimates if c.startswith("q") and c[1].isdigit())]
    estimates = run.estimates.copy()
    for column in places:
        estimates[column] = np.where(scaled, b * estimates[column], estimates[column]) + np.where(located, a, 0)
    for column in ("sd", "crps"):
        estimates[column] = np.where(scaled, b * estimates[column], estimates[column])
    moved = dataclasses.replace(
        run,
        estimates=estimates,
        groups=run.groups.assign(y_mean=a + b * run.groups["y_mean"], y_sd=b * run.groups["y_sd"]),
        scenarios=run.scenarios.assign(sigma=b * run.scenarios["sigma"]),
    )
    keep = ["theta", "mu", "theta_mean", "tau", "theta_sd"]
    # sigma as data: the oracle's sigma is the truth of the estimand.
    is_sigma = estimates["estimand"] == "sigma"
    estimates.loc[is_sigma, "truth"] *= b
    before, after = (t[t["estimand"].isin(keep)] for t in (performance(run), performance(moved)))
    factor = {"bias": b, "empirical_se": b, "rmse": b, "model_se": b, "width": b, "interval_score": b, "crps": b}
    factor |= {"mse": b**2, "regret": b**2}
    same = ["relative_error", "relative_precision", "coverage", "conditional_bias", "shrinkage_slope", "mse_ratio"]
    same += ["pooling_factor", "rank_correlation", "prob_best"]
    factor |= dict.fromkeys(same, 1.0)
    x, y = (indexed(t[t["measure"].isin(factor)], "value", "mcse") for t in (before, after))
    scale = x.index.get_level_values("measure").map(factor).to_numpy()[:, None]
    assert set(x.index.get_level_values("measure")) == set(factor)
    np.testing.assert_allclose(y.to_numpy(), x.to_numpy() * scale, rtol=1e-7, atol=1e-9)


def test_fixed_effects_show_every_group():
    """With fixed effects each group has rows, its relative bias included, and the spread is that within groups."""
    run = fake_run(replicates=3000, groups=(5,), group_size=(2,), tau=(1.0,), effects="fixed", sampler_noise=0)
    table = performance(run)
    rows = table[(table["method"] == "partial, centered") & (table["estimand"] == "theta") & table["bin"].isna()]
    spread = rows[rows["measure"] == "empirical_se"].set_index("group")
    assert set(spread.index) == {"average", "0", "1", "2", "3", "4"}
    s2, weight = 0.5, 0.5 / 1.5
    expected = np.sqrt(s2 * ((1 - weight) ** 2 + (1 - (1 - weight) ** 2) / 5))
    assert (abs(spread["value"] - expected) < 4 * spread["mcse"]).all()
    bias = rows[rows["measure"] == "bias"].set_index("group").drop("average")
    theta = run.estimates[run.estimates["estimand"] == "theta"].groupby("group")["truth"].first()
    np.testing.assert_array_less(abs(bias["value"].to_numpy() + weight * theta.to_numpy()), 4 * bias["mcse"])
    assert "relative_bias" in set(rows["measure"])


def test_each_group_on_request(run):
    """groups="each" adds one row per group whose average is the row over all groups."""
    table = performance(run, groups="each")
    mse = table[(table["measure"] == "mse") & (table["estimand"] == "theta") & table["bin"].isna()]
    is_average = mse["group"] == "average"
    by_group = mse[~is_average].groupby(["scenario", "method"])["value"].mean()
    average = mse[is_average].set_index(["scenario", "method"])["value"]
    pd.testing.assert_series_equal(by_group, average.loc[by_group.index], rtol=1e-10)


def test_real_data_have_no_sampling_distribution():
    """A run on real data is labeled the sampler's and shows neither coverage nor empirical SE nor rejection."""
    table = performance(fake_run(replicates=20, replication="sampler"))
    assert set(table["replication"]) == {"sampler"}
    forbidden = {"coverage", "empirical_se", "rejection", "relative_error", "bias_eliminated_coverage"}
    assert not forbidden & set(table["measure"])
    assert {"mean_estimate", "model_se", "width", "divergence_rate"} <= set(table["measure"])
    assert set(table.loc[table["estimand"] == "theta", "group"].dropna()) == {"average", "0", "1", "2", "3", "4"}


def test_known_sigma_by_group_is_the_oracles(run):
    """Where sigma has a group the oracle weighs by it: regret is 0 for estimates made with the same weights."""
    run = fake_run(
        replicates=200, groups=(4,), group_size=(2,), tau=(1.0,), methods=("none",), failure_rate=0, sampler_noise=0
    )
    sigma = np.array([0.1, 0.5, 1.0, 5.0])
    theta = run.estimates[run.estimates["estimand"] == "theta"]
    own = theta.assign(estimand="sigma", truth=sigma[theta["group"].to_numpy(int)])
    y = theta["mean"].to_numpy().reshape(-1, 4)
    s2 = sigma**2 / 2
    b = s2 / (s2 + 1)
    w = 1 / (s2 + 1)
    oracle = b * (y @ w / w.sum())[:, None] + (1 - b) * y
    others = run.estimates[~run.estimates["estimand"].isin(["sigma", "theta"])]
    # The error must be judged on truths for which these weights are right, so that the oracle is the best of the three.
    truth = oracle + 1e-3
    theta = theta.assign(mean=oracle.ravel(), truth=truth.ravel())
    table = performance(dataclasses.replace(run, estimates=pd.concat([others, theta, own], ignore_index=True)))
    row = table[table["measure"] == "regret"].iloc[0]
    assert row["reference"] == "oracle"
    assert row["value"] == pytest.approx(0.0, abs=1e-12)


def test_wrong_words_are_refused(run):
    """Unknown policies, references and groups are refused with the nearest name."""
    with pytest.raises(TableError, match=r"policy: .*got 'availble'; did you mean 'available'"):
        performance(run, policy="availble")
    with pytest.raises(TableError, match=r"reference: .*did you mean 'complete'"):
        performance(run, reference="complet")
    with pytest.raises(TableError, match="groups: expected one of auto, average, each"):
        performance(run, groups="all")
    with pytest.raises(TableError, match=r"mcse_method: .*did you mean 'normal'"):
        performance(run, mcse_method="norm")


def test_tables_that_do_not_fit_are_refused(run):
    """An estimate of a scenario that the run does not have is an error, not a number somewhere else."""
    with pytest.raises(TableError, match=r"scenario: .* is unknown to the run"):
        performance(dataclasses.replace(run, scenarios=run.scenarios.iloc[1:]))


def test_an_empty_run_has_an_empty_table(run):
    """Before the first fit the table has its columns and no rows."""
    empty = {name: getattr(run, name).head(0) for name in ("groups", "fits", "chains", "estimates", "timings")}
    table = performance(dataclasses.replace(run, **empty))
    assert list(table.columns) == schema.PERFORMANCE.names
    assert table.empty


def test_effects_whose_groups_are_not_known(run, table):
    """Data of a user's own form have no groups: errors of the effects are as ever, and nothing is a group's own."""
    unknown = run.groups.assign(n_obs=pd.array([pd.NA] * len(run.groups), dtype="Int64"))
    own = performance(dataclasses.replace(run, groups=unknown))
    keys = ["scenario", "method", "estimand", "measure", "level"]
    rmse = [t[(t["measure"] == "rmse") & t["bin"].isna()].set_index(keys)["value"] for t in (own, table)]
    assert_frame_equal(rmse[0].to_frame(), rmse[1].to_frame())
    assert "regret" in set(table["measure"])
    assert own.loc[own["measure"] == "regret", "value"].isna().all()
