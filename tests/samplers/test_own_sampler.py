"""A user's sampler is a sampler: it keeps every promise, and what it does not know is null."""

from simstudy.measures import performance
from simstudy.testing import check_sampler
from tests.random_walk import RandomWalk


def test_a_random_walk_with_enough_draws_keeps_every_promise():
    """Long chains with a good step draw from the posterior; statistics that are None are allowed."""
    check_sampler(RandomWalk(chains=2, warmup=1000, draws=4000, scale=0.9, precision="float64"))


def test_what_it_does_not_know_is_null(walk):
    """Fits and chains have no number of divergences or leapfrogs, and no measure makes a 0 of them."""
    assert (walk.fits["status"] == "ok").all()
    unknown = {"n_divergent", "n_leapfrog", "ebfmi", "min_ebfmi"}
    for table in (walk.fits, walk.chains):
        own = table[table["method"] == "walk"]
        assert len(own)
        assert own[sorted(unknown & set(own))].isna().all().all()
    scores = performance(walk)
    of_paths = scores["measure"].isin(["divergence_rate", "any_divergence", "ess_per_leapfrog"])
    assert scores.loc[of_paths & (scores["method"] == "walk"), "value"].isna().all()
    assert scores.loc[of_paths & (scores["method"] == "NUTS"), "value"].notna().any()
