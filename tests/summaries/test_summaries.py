"""Summaries of draws against NumPy, brute force, closed forms and what they estimate."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom, chisquare, norm

from simstudy.store import schema
from simstudy.summaries import diagnostics, engine, rows, summaries
from simstudy.summaries.diagnostics import diagnose, ebfmi
from simstudy.summaries.summaries import Summary, summarize, summarize_chains, summarize_fits
from simstudy.types import SamplerStats

LEVELS = (0.5, 0.95)
PROBABILITIES = schema.interval_probabilities(LEVELS)
ESS_TOLERANCE = 3e-5  # autocovariances are summed in float32


@pytest.fixture(autouse=True, params=["compiled", "numpy"])
def both_engines(request, monkeypatch):
    """All holds of the rows that compiled functions make, and of NumPy's."""
    if request.param == "numpy":
        monkeypatch.setattr(engine, "row_columns", lambda: rows.row_columns)


def keys(n_fits):
    return np.random.default_rng(99).integers(2**64, size=n_fits, dtype=np.uint64)


def block(n_fits, *, n_chains=2, n_draws=120, seed=0):
    """Draws of a scalar, of a quantity with groups, of a tied one and of a constant; truths for two of them."""
    rng = np.random.default_rng(seed)
    shape = (n_fits, n_chains, n_draws)
    draws = {
        "mu": rng.normal(size=shape),
        "theta": rng.gamma(2.0, size=(*shape, 3)).astype(np.float32),
        "prob_best": rng.random((*shape, 3)) < 0.3,
        "theta_sd": np.zeros(shape),
    }
    truth = {"mu": rng.normal(size=n_fits), "prob_best": rng.random((n_fits, 3)) < 0.3, "theta_sd": np.zeros(n_fits)}
    return draws, truth


def summary_of(draws, truth, **kwargs):
    n_fits = len(next(iter(draws.values())))
    return summarize(draws, truth, **({"probabilities": PROBABILITIES, "rank_key": keys(n_fits)} | kwargs))


def scalar(draws, truth, **kwargs):
    """Columns of the summary of one estimand without groups."""
    return summary_of({"mu": draws}, {"mu": np.asarray(truth, float)}, **kwargs).columns


def sampler_stats(n_fits=3, n_chains=2, n_draws=50):
    rng = np.random.default_rng(5)
    shape = (n_fits, n_chains, n_draws)
    return SamplerStats(
        diverging=rng.random(shape) < 0.1,
        accept_prob=rng.random(shape).astype(np.float32),
        num_steps=rng.choice([1, 3, 7, 1023], size=shape).astype(np.int32),
        energy=rng.normal(size=shape),
        step_size=rng.random(shape[:2]),
        n_leapfrog_warmup=rng.integers(1000, size=shape[:2]),
    )


def assert_equal_columns(left, right):
    assert left.keys() == right.keys()
    for name, value in left.items():
        np.testing.assert_array_equal(np.ma.getmaskarray(value), np.ma.getmaskarray(right[name]), err_msg=name)
        np.testing.assert_array_equal(np.ma.getdata(value), np.ma.getdata(right[name]), err_msg=name)


def test_rows_are_in_the_order_fit_estimand_group():
    """Labels say which draws a row is of; an estimand without a group axis has a masked group."""
    draws, truth = block(2)
    summary = summary_of(draws, truth)
    columns = summary.columns
    names = ["mu", *["theta"] * 3, *["prob_best"] * 3, "theta_sd"]
    assert columns["estimand"].tolist() == names * 2
    assert columns["group"].tolist() == [None, 0, 1, 2, 0, 1, 2, None] * 2
    assert summary.fit.tolist() == [0] * 8 + [1] * 8
    assert (summary.n_fits, summary.n_draws) == (2, 240)
    np.testing.assert_allclose(columns["mean"][8 + 3], draws["theta"][1, ..., 2].mean(dtype=float), rtol=1e-12)
    assert columns["truth"][8 + 4 : 8 + 7].tolist() == truth["prob_best"][1].tolist()
    assert np.isnan(columns["truth"][1:4]).all()


def test_moments_quantiles_and_diagnostics_are_those_of_all_draws():
    """Chains are pooled for what the posterior is, and kept apart for how well it was sampled."""
    draws, truth = block(4, n_draws=121)
    columns = summary_of(draws, truth).columns
    theta = draws["theta"].astype(float)
    is_theta = columns["estimand"] == "theta"
    pooled = np.moveaxis(theta, -1, 1).reshape(12, -1)
    np.testing.assert_allclose(columns["mean"][is_theta], pooled.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(columns["sd"][is_theta], pooled.std(axis=1, ddof=1), rtol=1e-12)
    for name, p in [("median", 0.5), *((schema.quantile_column(p), p) for p in PROBABILITIES)]:
        np.testing.assert_allclose(columns[name][is_theta], np.quantile(pooled, p, axis=1), rtol=1e-13)
    found = diagnose(np.moveaxis(theta, -1, 1).reshape(12, 2, 121))
    for name in diagnostics.DIAGNOSTICS:
        np.testing.assert_allclose(columns[name][is_theta], getattr(found, name), rtol=ESS_TOLERANCE)


def test_crps_is_that_of_pairs_of_different_draws():
    """The direct double sum: mean |x - y| - half the mean |x - x'| over pairs of different draws."""
    rng = np.random.default_rng(1)
    draws, truth = rng.normal(size=(5, 2, 30)), rng.normal(size=5)
    pooled = draws.reshape(5, 60)
    distances = np.abs(pooled[:, :, None] - pooled[:, None, :]).sum(axis=(1, 2)) / (60 * 59)
    expected = np.abs(pooled - truth[:, None]).mean(axis=1) - distances / 2
    np.testing.assert_allclose(scalar(draws, truth)["crps"], expected, rtol=1e-12)


def test_crps_does_not_depend_on_the_number_of_draws():
    """For draws of Normal(0, 1) its expectation is the closed form of Gneiting & Raftery at any number of draws."""
    y = 0.7
    expected = y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi)
    for n_draws in (4, 40):
        crps = scalar(np.random.default_rng(2).normal(size=(4000, 1, n_draws)), np.full(4000, y))["crps"]
        assert abs(crps.mean() - expected) < 4 * crps.std() / np.sqrt(4000)  # 4 Monte Carlo errors


def test_log_score_is_that_of_the_normal_with_the_mean_and_sd_of_the_draws():
    """By scipy's normal density."""
    rng = np.random.default_rng(3)
    draws, truth = rng.normal(2.0, 3.0, size=(5, 2, 50)), rng.normal(size=5)
    columns = scalar(draws, truth)
    expected = -norm.logpdf(truth, columns["mean"], columns["sd"])
    np.testing.assert_allclose(columns["log_score"], expected, rtol=1e-12)


def test_pit_counts_all_draws_and_half_of_the_ties():
    """By brute force, with draws and truths on a coarse grid."""
    rng = np.random.default_rng(4)
    draws, truth = rng.integers(5, size=(20, 2, 70)).astype(float), rng.integers(-1, 6, size=20)
    pooled = draws.reshape(20, 140)
    expected = [((x < y).sum() + (x == y).sum() / 2) / 140 for x, y in zip(pooled, truth, strict=True)]
    np.testing.assert_allclose(scalar(draws, truth)["pit"], expected, rtol=1e-14)


def test_rank_counts_thinned_draws_below_the_truth():
    """All draws where they are few; 99 of many, evenly: a truth above the first k % of an increasing chain."""
    few = np.random.default_rng(6).normal(size=(10, 2, 49))
    truth = np.random.default_rng(7).normal(size=10)
    columns = scalar(few, truth)
    assert columns["n_rank"].tolist() == [98] * 10
    assert columns["rank"].tolist() == (few.reshape(10, 98) < truth[:, None]).sum(axis=1).tolist()
    increasing = np.arange(2000.0).reshape(1, 4, 500).repeat(5, axis=0)
    columns = scalar(increasing, [-1.0, 499.5, 999.5, 1499.5, 2000.0])
    assert columns["n_rank"].tolist() == [99] * 5
    np.testing.assert_allclose(columns["rank"], [0, 24.75, 49.5, 74.25, 99], atol=0.75)


def test_ranks_of_a_calibrated_posterior_are_uniform():
    """Truth and draws from one distribution: 100 ranks, equally likely (Talts et al. 2018)."""
    rng = np.random.default_rng(8)
    rank = scalar(rng.normal(size=(5000, 4, 60)), rng.normal(size=5000))["rank"]
    assert chisquare(np.bincount(rank, minlength=100)).pvalue > 1e-4


def test_ties_of_ranks_are_broken_uniformly():
    """An indicator ties with most of its draws: its ranks are uniform all the same, where truth and draws agree."""
    rng = np.random.default_rng(9)
    p = rng.random(4000)
    draws = rng.random((4000, 1, 99)) < p[:, None, None]
    truth = rng.random(4000) < p
    rank = summary_of({"prob_best": draws}, {"prob_best": truth}).columns["rank"]
    assert chisquare(np.bincount(rank, minlength=100)).pvalue > 1e-4


def test_a_rank_among_ties_only_takes_every_value():
    """All 9 draws equal the truth: ranks 0 to 9 are equally likely."""
    rank = scalar(np.zeros((3000, 1, 9)), np.zeros(3000))["rank"]
    counts = np.bincount(rank, minlength=10)
    assert counts.size == 10
    assert (binom.cdf(counts, 3000, 0.1) > 1e-5).all()
    assert (binom.sf(counts - 1, 3000, 0.1) > 1e-5).all()


def test_broken_ties_depend_on_the_key_and_the_estimand_alone():
    """Another estimand before it changes nothing; another key, or another name, does."""
    tied, truth = np.zeros((200, 1, 99)), np.zeros(200)
    alone = scalar(tied, truth)["rank"]
    with_other = summary_of({"tau": tied, "mu": tied}, {"tau": truth, "mu": truth}).columns
    is_mu = with_other["estimand"] == "mu"
    np.testing.assert_array_equal(with_other["rank"][is_mu], alone)
    assert (with_other["rank"][~is_mu] != alone).mean() > 0.9
    assert (scalar(tied, truth, rank_key=keys(200) + np.uint64(1))["rank"] != alone).mean() > 0.9


def test_an_estimand_without_truth_has_no_scores():
    """NaN and a missing truth are the same; what does not need a truth is there."""
    draws, truth = block(3)
    columns = summary_of(draws, {"mu": np.full(3, np.nan)}).columns
    for name in ("truth", "pit", "crps", "log_score"):
        assert np.isnan(columns[name]).all()
    assert np.ma.getmaskarray(columns["rank"]).all()
    assert np.ma.getmaskarray(columns["n_rank"]).all()
    with_truth = summary_of(draws, truth).columns
    for name in ("mean", "median", "sd", "q2_5", "ess_bulk", "rhat"):
        np.testing.assert_array_equal(columns[name], with_truth[name])


def test_constant_draws_are_summarized_exactly():
    """The spread among groups under complete pooling is exactly 0: no log score, no diagnostics, the rest is plain."""
    columns = scalar(np.full((2, 2, 50), 0.1), [0.1, 0.4])
    assert columns["mean"].tolist() == columns["median"].tolist() == columns["q97_5"].tolist() == [0.1, 0.1]
    assert columns["sd"].tolist() == [0.0, 0.0]
    assert columns["pit"].tolist() == [0.5, 1.0]
    np.testing.assert_allclose(columns["crps"], [0.0, 0.3], atol=1e-15)
    for name in ("log_score", *diagnostics.DIAGNOSTICS):
        assert np.isnan(columns[name]).all()


def test_draws_that_are_not_finite_spoil_their_own_rows():
    """The fit is named, its row is missing throughout, and no other row changes by a bit."""
    draws, truth = block(4)
    clean = summary_of(draws, truth)
    draws["mu"][2, 0, 7] = np.inf
    spoiled = summary_of(draws, truth)
    assert clean.non_finite.tolist() == []
    assert spoiled.non_finite.tolist() == [2]
    bad = (spoiled.fit == 2) & (spoiled.columns["estimand"] == "mu")
    floats = [name for name, value in spoiled.columns.items() if value.dtype == float and name != "truth"]
    assert all(np.isnan(spoiled.columns[name][bad]).all() for name in floats)
    assert np.ma.getmaskarray(spoiled.columns["rank"])[bad].all()
    for name in spoiled.columns:
        np.testing.assert_array_equal(spoiled.columns[name][~bad], clean.columns[name][~bad])


def test_rows_do_not_depend_on_the_block(monkeypatch):
    """A fit alone, in a block, and in slabs that are cut elsewhere: the same bits."""
    draws, truth = block(7)
    together = summary_of(draws, truth)
    monkeypatch.setattr(diagnostics, "SLAB_DRAWS", 3 * 8 * 240)
    assert_equal_columns(summary_of(draws, truth).columns, together.columns)
    alone = [
        summary_of(
            {name: value[i : i + 1] for name, value in draws.items()},
            {name: value[i : i + 1] for name, value in truth.items()},
            rank_key=keys(7)[i : i + 1],
        )
        for i in range(7)
    ]
    joined = Summary.concatenate(alone)
    assert_equal_columns(joined.columns, together.columns)
    np.testing.assert_array_equal(joined.fit, together.fit)
    assert joined.n_fits == 7


def test_non_finite_fits_are_counted_on_when_summaries_are_joined():
    """The second part's first fit is the whole's third."""
    draws, truth = block(2)
    clean = summary_of(draws, truth)
    draws["mu"][0, 0, 0] = np.nan
    assert Summary.concatenate([clean, summary_of(draws, truth)]).non_finite.tolist() == [2]


def test_columns_are_those_of_the_estimates_table():
    """Each column goes into the Arrow schema without loss, and masked numbers are null there."""
    columns = summary_of(*block(2)).columns
    table = schema.estimates_schema(LEVELS)
    assert set(columns) == set(table.names) - {"scenario", "replicate", "method", "scale"}
    for name, value in columns.items():
        if pa.types.is_integer(table.field(name).type):
            array = pa.array(np.ma.getdata(value), mask=np.ma.getmaskarray(value))
            assert array.cast(table.field(name).type).to_pylist() == value.tolist()
            assert -1 not in array.to_pylist()


@pytest.mark.parametrize(
    ("draws", "truth", "message"),
    [
        ({"mu": np.zeros((2, 3))}, {}, "chain, draw"),
        ({"mu": np.zeros((2, 1, 5)), "tau": np.zeros((2, 1, 4))}, {}, "agree in the first three axes"),
        ({"theta": np.zeros((2, 1, 5, 3))}, {"theta": np.zeros(2)}, r"truth of 'theta' of shape \(2, 3\), got \(2,\)"),
    ],
)
def test_arrays_that_do_not_agree_are_refused(draws, truth, message):
    """The message says what was expected and what came."""
    with pytest.raises(ValueError, match=message):
        summary_of(draws, truth)


def test_rank_keys_must_be_one_a_fit():
    """The message says how many."""
    with pytest.raises(ValueError, match="one rank key for each of 2 fits"):
        scalar(np.zeros((2, 1, 5)), np.zeros(2), rank_key=keys(3))


def test_one_draw_a_fit_is_summarized():
    """A single draw has a mean and a rank, and nothing that needs two."""
    columns = scalar(np.full((1, 1, 1), 3.0), [4.0])
    assert (columns["mean"][0], columns["rank"][0], columns["n_rank"][0], columns["pit"][0]) == (3.0, 1, 1, 1.0)
    assert np.isnan([columns["sd"][0], columns["crps"][0], columns["rhat"][0]]).all()


def test_extremes_of_a_fit_are_over_its_estimands():
    """The worst row counts; constants, estimands that are left out and rows without diagnostics do not."""
    draws, truth = block(3)
    draws["mu"][1] += np.array([[0.0], [5.0]])
    summary = summary_of(draws, truth)
    found = summarize_fits(None, summary)
    columns = {name: value.reshape(3, -1)[:, :4] for name, value in summary.columns.items()}
    assert found["max_rhat"].tolist() == columns["rhat"].max(axis=1).tolist()
    assert found["max_rhat"][1] > 1.5
    assert found["min_ess_bulk"].tolist() == columns["ess_bulk"].min(axis=1).tolist()
    assert found["min_ess_tail"].tolist() == columns["ess_tail"].min(axis=1).tolist()
    without_mu = summarize_fits(None, summary, indicators={"mu", "prob_best"})
    assert without_mu["max_rhat"][1] == columns["rhat"][1, 1:].max()
    only_constant = summarize_fits(None, summary, indicators={"mu", "theta", "prob_best"})
    assert np.isnan(only_constant["max_rhat"]).all()


def test_counters_of_fits_are_sums_over_their_chains():
    """What the sampler says, counted once in the fits and once in the chains."""
    stats = sampler_stats()
    fits = summarize_fits(stats, summary_of(*block(3, n_draws=50)))
    chains = summarize_chains(stats)
    assert fits["n_divergent"].tolist() == stats.diverging.sum(axis=(1, 2)).tolist()
    assert fits["n_max_treedepth"].tolist() == (stats.num_steps == 1023).sum(axis=(1, 2)).tolist()
    assert fits["n_leapfrog"].tolist() == stats.num_steps.sum(axis=(1, 2)).tolist()
    assert fits["n_draws"].tolist() == [100] * 3
    for name in ("n_divergent", "n_max_treedepth", "n_leapfrog", "n_leapfrog_warmup"):
        assert chains[name].reshape(3, 2).sum(axis=1).tolist() == fits[name].tolist()
    np.testing.assert_allclose(fits["mean_accept"], stats.accept_prob.mean(axis=(1, 2), dtype=float), rtol=1e-12)
    np.testing.assert_array_equal(chains["ebfmi"], ebfmi(stats.energy).ravel())
    assert fits["min_ebfmi"].tolist() == chains["ebfmi"].reshape(3, 2).min(axis=1).tolist()
    np.testing.assert_array_equal(chains["step_size"], stats.step_size.ravel())


def test_columns_are_those_of_the_tables_of_fits_and_chains():
    """No column of another name, and all that are promised."""
    fits = summarize_fits(sampler_stats(), summary_of(*block(3, n_draws=50)))
    identity = {"scenario", "replicate", "method"}
    of_blocks = {"status", "reason", "n_boundary", "data_key", "sampler_key", "batch"}
    assert set(fits) == set(schema.FITS.names) - identity - of_blocks
    assert set(summarize_chains(sampler_stats())) == set(schema.CHAINS.names) - identity - {"chain"}


def test_exact_draws_have_no_counters():
    """A sampler without trajectories has neither divergences nor an energy: missing, not 0."""
    fits = summarize_fits(None, summary_of(*block(3)))
    for name in ("n_divergent", "n_max_treedepth", "n_leapfrog", "n_leapfrog_warmup"):
        assert np.ma.getmaskarray(fits[name]).all()
    assert np.isnan(fits["mean_accept"]).all()
    assert np.isnan(fits["min_ebfmi"]).all()
    assert (fits["max_rhat"] < 1.1).all()


def test_what_a_sampler_does_not_say_is_missing():
    """A random walk has an acceptance and no trajectory: its divergences and leapfrogs are missing, not 0."""
    shape = (3, 2, 50)
    stats = SamplerStats(accept_prob=np.full(shape, 0.25), step_size=np.full(shape[:2], 0.1), max_treedepth=0)
    for columns in (summarize_fits(stats, summary_of(*block(3, n_draws=50))), summarize_chains(stats)):
        for name in ("n_divergent", "n_max_treedepth", "n_leapfrog", "n_leapfrog_warmup"):
            assert np.ma.getmaskarray(columns[name]).all()
        assert columns["mean_accept"].tolist() == [0.25] * len(columns["mean_accept"])
    assert stats.n_leapfrog == 0


def test_a_sampler_without_trees_has_no_depth():
    """Trajectories of a fixed length are not cut at a depth that is not there."""
    stats = replace(sampler_stats(), max_treedepth=0)
    assert np.ma.getmaskarray(summarize_chains(stats)["n_max_treedepth"]).all()
    assert not np.ma.getmaskarray(summarize_chains(stats)["n_divergent"]).any()


def test_ranks_are_thinned_to_the_documented_number():
    """The number that tables and reports name."""
    assert scalar(np.random.default_rng(0).normal(size=(1, 4, 500)), [0.0])["n_rank"][0] == summaries.N_RANK == 99


def test_groups_of_equal_draws_keep_their_own_truths():
    """Complete pooling's theta is mu in every group: each group's row is that of a scalar with the group's truth."""
    rng = np.random.default_rng(8)
    mu, truth = rng.normal(size=(2, 3, 80)), rng.normal(size=(2, 4))
    columns = summary_of({"mu": np.repeat(mu[..., None], 4, axis=-1)}, {"mu": truth}).columns
    for group in range(4):
        alone = scalar(mu, truth[:, group])
        for name in alone.keys() - {"group"}:
            np.testing.assert_array_equal(columns[name][group::4], alone[name], err_msg=name)


def test_rows_that_differ_in_one_draw_are_told_apart():
    """A group whose draws are another's but for one has its own mean, wherever that draw is."""
    draws = np.repeat(np.random.default_rng(9).normal(size=(1, 2, 60, 1)), 120, axis=-1)
    chain, draw = np.divmod(np.arange(120), 60)
    draws[0, chain, draw, np.arange(120)] += 1.0
    columns = summary_of({"theta": draws}, {}).columns
    np.testing.assert_allclose(columns["mean"], draws.mean((1, 2))[0], rtol=1e-12)
    assert len(np.unique(columns["mcse_mean"])) > 100
