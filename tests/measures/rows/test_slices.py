"""Scoring in slices and pieces: no number may depend on how much of a run is read at once, or in which order."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from simstudy.measures import calibration, performance
from simstudy.measures.rows.labels import Labels
from simstudy.measures.rows.slices import slices
from tests.fakes import FakeRun, fake_run

N_PIECES = 7
FIT = ["scenario", "replicate", "method"]


@dataclass(frozen=True, kw_only=True)
class ShuffledRun(FakeRun):
    """A run that is read in pieces of shuffled fits, in an order of their own."""

    seed: int = 0

    def parts(self, table, columns=None, *, where=None):
        (rows,) = super().parts(table, where=where)
        rng = np.random.default_rng(self.seed)
        fit = rows.groupby([name for name in FIT if name in rows], observed=True).ngroup().to_numpy()
        piece_of = rng.integers(0, N_PIECES, fit.max(initial=0) + 1)
        for piece in rng.permutation(N_PIECES):
            shuffled = rows[piece_of[fit] == piece].sample(frac=1, random_state=self.seed)
            yield shuffled if columns is None else shuffled[list(columns)]


def shuffled(run: FakeRun, seed: int) -> ShuffledRun:
    return ShuffledRun(**vars(run), seed=seed)


def same(a: pd.DataFrame, b: pd.DataFrame) -> None:
    """Assert equal rows in equal order, numbers up to the rounding of sums in another order."""
    pd.testing.assert_frame_equal(a, b, rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module")
def run():
    """An unbalanced design at two values of tau, an exact method, failed fits: about 600 estimates of a scenario."""
    return fake_run(
        replicates=10,
        groups=(),
        sizes=[(1, 2, 5)],
        tau=(0.0, 0.5),
        methods=("none", "partial, centered", "partial, exact"),
        failure_rate=0.05,
    )


def test_performance_does_not_depend_on_slices_or_pieces(run):
    """Every measure, bin, level, policy and MCSE is that of the tables read at once."""
    policies = ["available", "worst_case"]
    whole = performance(run, policy=policies)
    assert set(whole["policy"]) == set(policies)
    same(performance(shuffled(run, seed=1), policy=policies, most_rows=300), whole)


def test_fixed_effects_do_not_depend_on_slices_or_pieces():
    """Where groups keep their effects, the means of the groups are those over all pieces."""
    options = {"groups": (3,), "group_size": (2,), "tau": (0.5,), "methods": ("none", "partial, centered")}
    run = fake_run(replicates=8, effects="fixed", **options)
    same(performance(shuffled(run, seed=2), most_rows=150), performance(run))


def test_calibration_does_not_depend_on_pieces(run):
    """Verdicts stand on all ranks, in whatever order they are read."""
    study = {**run.study, "study": {**run.study["study"], "kind": "calibration"}}
    run = replace(run, study=study)
    same(calibration(shuffled(run, seed=2)), calibration(run))


@pytest.mark.parametrize("most_rows", [1, 700, 10**9])
def test_slices_are_a_partition(run, most_rows):
    """Every estimate is in exactly one slice, and no slice is larger than asked for unless it cannot be divided."""
    labels = Labels.of(run)
    rows = [part.n_rows(labels) for part in slices(labels, most_rows=most_rows)]
    found = [
        run.estimates.index.isin(next(run.parts("estimates", where=part.where)).index)
        for part in slices(labels, most_rows=most_rows)
    ]
    assert (np.sum(found, axis=0) == 1).all()
    assert [mask.sum() for mask in found] == rows
    largest = labels.n_estimates.sum(axis=1).max()
    assert all(n <= max(most_rows, largest) for n in rows)
    assert (len(rows) == 1) == (most_rows == 10**9)
