"""Hyperparameters drawn jointly: every replicate takes one draw whole, each draw as often as any other."""

import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.errors import StudyError
from simstudy.mechanisms import Fitted
from simstudy.models.likelihoods import Binomial, Normal
from simstudy.streams import random_key
from simstudy.testing.mechanism import check_mechanism

DRAWS = {"mu": (1.0, -3.0, 20.0, 7.0), "tau": (0.1, 2.0, 0.0, 5.0), "sigma": (1.0, 0.5, 3.0, 2.0)}


def keys(n):
    return np.stack([random_key("fitted", r) for r in range(n)])


def test_it_keeps_what_every_mechanism_promises():
    """Bits by key, consistent truths, an identity in JSON."""
    check_mechanism(Fitted(sizes=(2, 5, 1), draws=DRAWS))


def test_each_replicate_takes_one_draw_with_all_its_parameters():
    """Pairs that are not among the draws never occur, and all draws are taken equally often."""
    taken = [
        tuple(float(r.truth[name]) for name in DRAWS) for r in Fitted(sizes=(2, 2), draws=DRAWS).simulate(keys(800))
    ]
    rows = list(zip(*DRAWS.values(), strict=True))
    assert set(taken) == set(rows)
    assert stats.chisquare([taken.count(row) for row in rows]).pvalue > 1e-4


def test_observations_have_the_drawn_moments():
    """With one draw it is the exchangeable mechanism at these values."""
    replicates = Fitted(sizes=(3, 3), draws={"mu": (4.0,), "tau": (2.0,), "sigma": (1.5,)}).simulate(keys(2_000))
    y = np.array([r.data.y_mean[0] for r in replicates])
    variance = 2.0**2 + 1.5**2 / 3
    assert abs(y.mean() - 4) < 4 * np.sqrt(variance / len(y))
    assert abs(y.var(ddof=1) / variance - 1) < 4 * np.sqrt(2 / len(y))


def test_what_is_not_drawn_has_its_own_value():
    """A binomial needs no residual sd; a normal whose sigma is not drawn has the default."""
    draws = {name: DRAWS[name] for name in ("mu", "tau")}
    sigma = {float(r.truth["sigma"]) for r in Fitted(sizes=(2, 2), draws=draws).simulate(keys(20))}
    assert sigma == {1.0}
    assert "sigma" not in Fitted(likelihood=Binomial(), sizes=(9, 9), draws=draws).simulate(keys(1))[0].truth


def test_a_sigma_of_each_group_is_the_one_that_was_drawn():
    """Under ``sigma_by = "group"`` all groups of a replicate have the draw's sigma."""
    mechanism = Fitted(likelihood=Normal(sigma_by="group"), sizes=(2, 2), draws=DRAWS)
    for replicate in mechanism.simulate(keys(20)):
        assert len(set(replicate.truth["sigma"])) == 1


def test_other_draws_are_another_scenario():
    """The identity holds the draws, in any order of their names."""
    one, same = Fitted(sizes=(2,), draws=DRAWS), Fitted(sizes=(2,), draws=dict(reversed(DRAWS.items())))
    other = Fitted(sizes=(2,), draws={**DRAWS, "mu": (1.0, -3.0, 20.0, 7.1)})
    assert one.fields == same.fields != other.fields


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        ({"mu": (1.0, 2.0), "tau": (1.0,)}, "lists of one length"),
        ({"mu": ()}, "lists of one length"),
        ({"nu": (1.0,)}, "no parameter 'nu'"),
        ({"tau": (1.0, -0.5)}, "tau has -0.5"),
        ({"mu": (float("nan"),)}, "finite numbers"),
    ],
)
def test_draws_that_cannot_be_are_refused(draws, message):
    """With what was expected and what came."""
    with pytest.raises(StudyError, match=message):
        Fitted(sizes=(2, 2), draws=draws)


def test_it_is_a_mechanism_of_a_study_file():
    """Crossed with sizes like any other, and made again from its canonical form."""
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "fitted", "seed": 1, "replicates": 2},
            "mechanism": {"kind": "fitted", "draws": DRAWS, "groups": [4, 8], "group_size": 2},
            "method": [{"name": "partial", "structure": "partial"}],
            "sampler": {"kind": "exact"},
        }
    )
    assert [len(s.mechanism.shape) for s in study.scenarios] == [4, 8]
    again = simstudy.Study.from_canonical(study.canonical)
    assert [s.identity for s in again.scenarios] == [s.identity for s in study.scenarios]
