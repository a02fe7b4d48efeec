"""ADEMP terms, from a study alone."""

import pytest

from simstudy.report.ademp import mechanisms, n_scenarios, replicates_words
from simstudy.report.reading.description import Description
from tests.fakes import fake_run


@pytest.mark.parametrize("sizes", [(), [(1, 2, 3)], [(1, 2), (3, 4)]])
def test_number_of_scenarios_is_that_of_the_run(sizes):
    """The design counted from the study alone has as many scenarios as the run has rows."""
    run = fake_run(replicates=1, sizes=sizes, tau=(0.0, 1.0))
    assert n_scenarios(run.study) == len(run.scenarios)


def test_replicates_give_the_mcse_of_a_coverage():
    """With 400 replicates the MCSE of a coverage is 1.1 points at 95 % and at most 2.5: sqrt(p (1 - p) / n)."""
    description = Description(study={"study": {"replicates": 400}, "mechanism": {"kind": "exchangeable"}})
    assert replicates_words(description)[1].endswith("1.1 percentage points at 95 %, at most 2.5")


def test_replicates_give_the_relative_mcse_of_an_error():
    """With 201 replicates the MCSE of an empirical SE is 5 % of it under normal errors: 1 / sqrt(2 (n - 1))."""
    description = Description(study={"study": {"replicates": 201}, "mechanism": {"kind": "exchangeable"}})
    assert "about 5.0 % of it" in replicates_words(description)[2]


def test_a_truth_that_is_drawn_is_called_so():
    """A factor that is a prior is no level: its distribution is said, and that it is drawn anew."""
    study = {"mechanism": {"kind": "exchangeable", "groups": 8, "group_size": 2, "mu": "Normal(0, 1)"}}
    assert "μ ~ Normal(0, 1), drawn anew in each replicate" in mechanisms(Description(study=study))


def test_a_mechanism_speaks_for_itself():
    """What data are and whether effects are new come from the description, factors from the study, in this order."""
    study = {"mechanism": {"kind": "mine", "groups": [4, 8], "rate": [0.1, 0.2]}}
    words = {"mechanism": {"words": "counts of sparks", "likelihood": "y ~ Poisson(λ)", "effects": "sparks fly anew"}}
    told = mechanisms(Description(study=study, words=words))
    assert told[:2] == ["counts of sparks", "y ~ Poisson(λ)"]
    assert told[2:4] == ["J, number of groups: 4, 8", "rate: 0.1, 0.2"]
    assert told[4:] == ["sparks fly anew", "4 scenarios: all factors crossed"]
