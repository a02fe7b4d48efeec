"""A study of one method is told by its bias and its coverage, and claims no bias below 2 MCSE."""

import pandas as pd
import pytest

from simstudy.measures import performance
from simstudy.report.evidence import Evidence
from simstudy.report.parts import make_part
from simstudy.report.reading.readings import average
from simstudy.report.words.alone import alone_sentences
from simstudy.store.schema import PERFORMANCE
from tests.fakes import fake_run

LABELS = {"a": "rate = 1", "b": "rate = 2"}
ABOUT = {"method": "exponential", "estimand": "rate"}


def table(bias, mcse, coverage=(0.95, 0.935)):
    """Return bias and coverage of one method, scenario by scenario."""
    keys = {"scenario": list(LABELS)[: len(bias)], "method": "exponential", "estimand": "rate", "policy": "available"}
    biases = pd.DataFrame({**keys, "measure": "bias", "value": bias, "mcse": mcse})
    coverages = pd.DataFrame({**keys, "measure": "coverage", "level": 0.95, "value": coverage[: len(bias)]})
    frames = [frame.reindex(columns=PERFORMANCE.names) for frame in (biases, coverages.assign(mcse=0.012))]
    return pd.concat([frame.astype({"group": object, "bin": object}) for frame in frames], ignore_index=True)


def test_the_largest_clear_bias_and_the_least_coverage_are_told():
    """Of two scenarios the one with the larger clear bias and the one that is covered least are named."""
    told = alone_sentences(table([0.01, -0.12], [0.02, 0.03]), LABELS, **ABOUT)
    assert told == [
        "“exponential”: the bias of rate is largest at rate = 2: −0.120 ± 0.030 (clear in 1 of 2 scenarios); its 95 % "
        "intervals cover 93.5 % ± 1.2 % at worst, at rate = 2."
    ]


def test_a_larger_bias_that_is_not_clear_is_not_told():
    """A bias of 1.5 MCSE is passed over for a smaller clear one, and nothing is called biased where none is clear."""
    (told,) = alone_sentences(table([0.30, 0.12], [0.20, 0.03]), LABELS, **ABOUT)
    assert "at rate = 2: 0.120" in told
    (told,) = alone_sentences(table([0.02, 0.02], [0.01, 0.02]), LABELS, **ABOUT)
    assert told.startswith("“exponential”: no bias of rate is clear (2 MCSE) in 2 scenarios; its")


def test_one_scenario_is_not_named():
    """A single scenario has no place, no count of scenarios and no worst."""
    told = alone_sentences(table([0.12], [0.03]), {"a": "rate = 1"}, **ABOUT)
    assert told == ["“exponential”: the bias of rate is 0.120 ± 0.030; its 95 % intervals cover 95.0 % ± 1.2 %."]


@pytest.fixture(scope="module")
def alone():
    """A run of one method."""
    run = fake_run(groups=(8,), group_size=(2,), tau=(0.5, 2.0), replicates=40, methods=["partial, centered"])
    return Evidence(run=run, performance=performance(run))


def test_a_page_of_one_method_answers_with_its_numbers(alone):
    """The first answer gives the least coverage of the table, and no term speaks of the same data for all methods."""
    part = make_part(alone)
    (told,) = part.answers["How near the estimates are to the truth"]
    least = average(alone.performance, "coverage", estimand="theta")["value"].min()
    assert f"cover {100 * least:.1f} %" in told
    terms = dict(next(section for section in part.sections if section.name == "design").terms)
    assert not any("all methods" in line for line in terms["Performance measures"])


def test_several_methods_are_compared_instead(evidence):
    """With a rival the answer is about differences."""
    assert "How near the estimates are to the truth" not in make_part(evidence).answers


def test_caption_of_one_panel_speaks_of_no_others(alone, evidence):
    """A design with one factor has one panel, one with several settings of the others says what a panel is."""
    assert "panel" not in make_part(alone).picture.caption
    assert "Each panel is one setting" in make_part(evidence).picture.caption
