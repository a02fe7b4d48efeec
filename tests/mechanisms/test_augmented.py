"""Data with new observations from their posterior: closed forms of what comes together, and a check that can fail."""

from dataclasses import replace

import numpy as np
import pytest

from simstudy.mechanisms import augmented
from simstudy.mechanisms.augmented import Augmented
from simstudy.models.likelihoods import Binomial, Normal, NormalKnownSE
from simstudy.streams import random_key
from simstudy.testing.mechanism import check_mechanism
from simstudy.types import GroupedData

N_DRAWS = 500


def keys(n):
    return np.stack([random_key("augmented", r) for r in range(n)])


def draws(theta, **scale):
    """Draws of a posterior at one point."""
    theta = np.asarray(theta, float)
    shared = {"mu": 0.0, "tau": 1.0, "theta_new": 0.0, "y_new": 0.0, **scale}
    return {"theta": np.tile(theta, (N_DRAWS, 1)), **{name: np.full(N_DRAWS, v) for name, v in shared.items()}}


def normal():
    y = np.array([1.0, 2.0, 4.0, -1.0, 0.5])
    n, mean = np.array([3, 2]), np.array([7 / 3, -0.25])
    ss = np.array([y[:3].var() * 3, y[3:].var() * 2])
    data = GroupedData(n_obs=n, y_mean=mean, y_ss=ss, y=y)
    return Augmented(likelihood=Normal(), sizes=(3, 2), data=data, draws=draws([2.0, 0.0], sigma=0.5))


def known_se():
    data = GroupedData(
        n_obs=np.ones(2, np.int64), y_mean=np.array([3.0, -1.0]), y_ss=np.zeros(2), known_se=np.array([2.0, 0.5])
    )
    return Augmented(likelihood=NormalKnownSE(), sizes=(1, 1), data=data, draws=draws([5.0, 0.0]))


def binomial():
    data = GroupedData(n_obs=np.array([40, 10]), y_mean=np.array([0.25, 0.5]), y_ss=np.array([7.5, 2.5]))
    return Augmented(likelihood=Binomial(), sizes=(40, 10), data=data, draws=draws([-1.0, 0.5]))


@pytest.mark.parametrize("make", [normal, known_se, binomial])
def test_it_keeps_what_every_mechanism_promises(make):
    """Bits by key and consistent truths."""
    check_mechanism(make())


def test_new_observations_join_the_old_by_their_moments():
    """Sizes double; the mean has the expectation (old + theta) / 2, the sum of squares that of all together."""
    replicates = normal().simulate(keys(4_000))
    first = np.array([[r.data.y_mean[0], r.data.y_ss[0]] for r in replicates])
    assert {tuple(r.data.n_obs) for r in replicates} == {(6, 4)}
    # The mean of three new ones is Normal(2, .5 / sqrt 3).
    expected, sd = (7 / 3 + 2) / 2, 0.5 / np.sqrt(3) / 2
    assert abs(first[:, 0].mean() - expected) < 4 * sd / np.sqrt(len(first))
    # E ss = ss_old + 2 sigma^2 + (3 / 2) E (new mean - old mean)^2
    within = np.array([1.0, 2.0, 4.0]).var() * 3 + 2 * 0.25 + 1.5 * ((7 / 3 - 2) ** 2 + 0.25 / 3)
    assert abs(first[:, 1].mean() - within) < 4 * first[:, 1].std() / np.sqrt(len(first))


def test_two_estimates_of_one_error_are_one_of_half_the_variance():
    """Their mean is sufficient, with a standard error smaller by the root of 2."""
    replicates = known_se().simulate(keys(4_000))
    mean = np.array([r.data.y_mean for r in replicates])
    assert replicates[0].data.known_se == pytest.approx(np.array([2.0, 0.5]) / np.sqrt(2))
    assert abs(mean[:, 0].mean() - 4.0) < 4 * 1.0 / np.sqrt(len(mean))
    assert abs(mean[:, 1].mean() + 0.5) < 4 * 0.25 / np.sqrt(len(mean))


def test_successes_add_up():
    """k is whole, and new ones have the share of the drawn effect."""
    replicates = binomial().simulate(keys(2_000))
    k = np.array([r.data.y_mean * r.data.n_obs for r in replicates])
    assert {tuple(r.data.n_obs) for r in replicates} == {(80, 20)}
    assert np.allclose(k, np.rint(k))
    p = 1 / (1 + np.exp(1.0))
    assert abs((k[:, 0] - 10).mean() - 40 * p) < 4 * np.sqrt(40 * p * (1 - p) / len(k))
    ss = np.array([r.data.y_ss for r in replicates])
    assert np.allclose(ss, k * (1 - k / [80, 20]))


@pytest.mark.parametrize("make", [normal, known_se, binomial])
def test_the_size_of_a_chunk_changes_no_bit(make, monkeypatch):
    """Each replicate has the observations of its own draw, wherever a chunk begins."""
    built = make()
    varied = {**built.draws, "theta": np.random.default_rng(1).normal(size=built.draws["theta"].shape)}
    built = replace(built, draws=varied)
    whole = [r.data.y_mean for r in built.simulate(keys(7))]
    monkeypatch.setattr(augmented, "MAX_CHUNK_OBSERVATIONS", 2 * sum(built.sizes))
    assert np.array_equal([r.data.y_mean for r in built.simulate(keys(7))], whole)
