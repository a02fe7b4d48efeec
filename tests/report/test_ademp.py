"""ADEMP terms and the pre-registration text, from a study alone."""

import copy

import pytest

from simstudy.report import preregistration
from simstudy.report.ademp import n_scenarios, replicates_words
from tests.fakes import fake_run


@pytest.mark.parametrize("sizes", [(), [(1, 2, 3)], [(1, 2), (3, 4)]])
def test_number_of_scenarios_is_that_of_the_run(sizes):
    """The design counted from the study alone has as many scenarios as the run has rows."""
    run = fake_run(replicates=1, sizes=sizes, tau=(0.0, 1.0))
    assert n_scenarios(run.study) == len(run.scenarios)


def test_preregistration_holds_every_part(run):
    """Aim, factors, methods with priors and sampler, replicates with their MCSE and the seed stand in the text."""
    text = preregistration(run.study)
    headings = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert headings[:5] == ["Aims", "Data-generating mechanisms", "Estimands", "Methods", "Performance measures"]
    for words in (
        run.study["study"]["aim"],
        "τ: 0, 0.5, 2",
        "**partial, noncentered**: partial pooling",
        "τ \\~ HalfNormal(5)".replace("\\~", "~"),
        "4 chains, 500 warmup, 500 draws",
        "60 replicates of each scenario",
        "6 scenarios",
        "seed 0",
        "simstudy ",
    ):
        assert words in text


def test_markdown_of_names_is_escaped(run):
    """A method's name cannot add a heading, a link or HTML to the text."""
    study = copy.deepcopy(dict(run.study))
    study["methods"][0]["name"] = "# [x](y) <b>"
    assert "\\# \\[x\\](y) \\<b\\>" in preregistration(study)


def test_replicates_give_the_mcse_of_a_coverage():
    """With 400 replicates the MCSE of a coverage is 1.1 points at 95 % and at most 2.5: sqrt(p (1 - p) / n)."""
    study = {"study": {"replicates": 400}, "mechanism": {"kind": "exchangeable"}}
    assert replicates_words(study)[1].endswith("1.1 percentage points at 95 %, at most 2.5")
