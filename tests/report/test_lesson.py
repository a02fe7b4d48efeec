"""One data set: the data and the estimates are the run's, and the exact answer is exact."""

import numpy as np
import pytest
from scipy.special import ndtri

from simstudy.measures import performance
from simstudy.report.evidence import Evidence
from simstudy.report.lesson import instructive_scenario, oracle, read_lesson
from tests.fakes import fake_run

DESIGN = {"groups": (5,), "group_size": (), "sizes": [(1, 2, 4, 8, 16)], "tau": (0.0, 0.6, 9.0), "replicates": 12}


def looked_at(**options):
    """Return a run with its lesson."""
    run = fake_run(**DESIGN, sampler_noise=0.0, failure_rate=0.0, **options)
    return run, read_lesson(Evidence(run=run, performance=performance(run)))


def test_the_closed_form_is_the_posterior_that_knows_tau_and_sigma():
    """Partial pooling of the made-up run knows tau and sigma without sampling error: the closed form is the same."""
    run, lesson = looked_at()
    assert lesson.exact == oracle()
    rows = lesson.table[lesson.table["name"].str.startswith("theta")].set_index(["method", "name"])
    known, fitted = rows.loc[oracle()], rows.loc["partial, noncentered"]
    for column in ("mean", "lower", "upper"):
        np.testing.assert_allclose(known[column], fitted.loc[known.index, column])
    np.testing.assert_allclose(known["upper"] - known["lower"], 2 * ndtri(0.975) * _sd(run, lesson))


def _sd(run, lesson):
    here = run.estimates[(run.estimates["scenario"] == lesson.scenario) & (run.estimates["estimand"] == "theta")]
    mine = here[(here["method"] == "partial, centered") & (here["replicate"] == lesson.replicate)]
    return mine.sort_values("group")["sd"]


def test_an_exact_method_of_the_run_is_the_exact_answer():
    """Where the run has the exact sampler on the same model, its posterior stands there and no closed form."""
    _, lesson = looked_at(methods=("complete", "none", "partial, noncentered", "partial, exact"))
    assert lesson.exact == "partial, exact"
    assert oracle() not in set(lesson.table["method"])


def test_the_data_are_those_of_the_replicate():
    """Strokes are the group means of the replicate, crosses its true effects, labels its group sizes."""
    run, lesson = looked_at()
    groups = run.groups[(run.groups["scenario"] == lesson.scenario) & (run.groups["replicate"] == lesson.replicate)]
    np.testing.assert_array_equal(lesson.data, groups.sort_values("group")["y_mean"])
    assert lesson.labels["theta[3]"] == "group 4, n = 8"
    assert lesson.truth["tau"] == pytest.approx(0.6)


def test_the_scenario_is_one_in_which_shrinkage_shows():
    """Of tau = 0 (all is shrunk), 0.6 and 9 (nothing is) the middle one is chosen."""
    run = fake_run(**DESIGN)
    chosen = instructive_scenario(Evidence(run=run, performance=performance(run)))
    assert run.scenarios.set_index("scenario").loc[chosen, "tau"] == 0.6


def test_real_data_have_no_lesson(dataset_run):
    """A run on real data shows all its posteriors anyway."""
    assert read_lesson(Evidence(run=dataset_run, performance=performance(dataset_run))) is None
