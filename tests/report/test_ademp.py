"""ADEMP terms, from a study alone."""

import pytest

from simstudy.report.ademp import mechanisms, n_scenarios, replicates_words, sampler_words
from tests.fakes import fake_run


@pytest.mark.parametrize("sizes", [(), [(1, 2, 3)], [(1, 2), (3, 4)]])
def test_number_of_scenarios_is_that_of_the_run(sizes):
    """The design counted from the study alone has as many scenarios as the run has rows."""
    run = fake_run(replicates=1, sizes=sizes, tau=(0.0, 1.0))
    assert n_scenarios(run.study) == len(run.scenarios)


def test_replicates_give_the_mcse_of_a_coverage():
    """With 400 replicates the MCSE of a coverage is 1.1 points at 95 % and at most 2.5: sqrt(p (1 - p) / n)."""
    study = {"study": {"replicates": 400}, "mechanism": {"kind": "exchangeable"}}
    assert replicates_words(study)[1].endswith("1.1 percentage points at 95 %, at most 2.5")


def test_replicates_give_the_relative_mcse_of_an_error():
    """With 201 replicates the MCSE of an empirical SE is 5 % of it under normal errors: 1 / sqrt(2 (n - 1))."""
    study = {"study": {"replicates": 201}, "mechanism": {"kind": "exchangeable"}}
    assert "about 5.0 % of it" in replicates_words(study)[2]


def test_a_truth_that_is_drawn_is_called_so():
    """A factor that is a prior is no level: its distribution is said, and that it is drawn anew."""
    study = {"mechanism": {"kind": "exchangeable", "groups": 8, "group_size": 2, "mu": "Normal(0, 1)"}}
    assert "μ ~ Normal(0, 1), drawn anew in each replicate" in mechanisms(study)


def test_exact_draws_have_no_options_of_trajectories():
    """Quadrature has chains and draws, but no warm-up, tree or acceptance; other samplers have all of them."""
    options = {"chains": 4, "warmup": 500, "draws": 500, "max_treedepth": 10, "target_accept": 0.8}
    told = {kind: sampler_words({"sampler": {"kind": kind, **options}}) for kind in ("exact", "numpyro")}
    assert told["exact"] == "independent exact draws by quadrature: 4 chains of 500 draws"
    for words in ("500 warm-up", "maximum tree depth 10", "target acceptance 0.8"):
        assert words in told["numpyro"]
