"""The calibration section: verdicts in sentences, no fit left out, ranks drawn against their bands."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from simstudy.measures import performance, worst_groups
from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.sections.answer import answers, key_picture
from simstudy.report.sections.calibration import calibration_section, worst_ranks
from simstudy.report.words.verdicts import missing_sentences, verdict_sentences
from tests.fakes import fake_run

N, N_RANK = 200, 99
LABELS = {"a": "τ = 0.5", "b": "τ = 2"}


def verdicts(*rows):
    """Return rows of verdicts: (scenario, method, estimand, p_holm, verdict)."""
    names = ["scenario", "method", "estimand", "p_holm", "verdict"]
    return pd.DataFrame(rows, columns=names).assign(n_replicates=N, n_used=N)


@pytest.fixture(scope="module")
def calibrated():
    """A calibration run with planted ranks: "none" uniform, "partial, centered" with one tail too heavy for mu."""
    run = fake_run(replicates=N, groups=(4,), group_size=(2,), tau=(1.0,), methods=("none", "partial, centered"))
    rows = run.estimates[run.estimates["estimand"].isin(["theta", "theta_mean", "mu"])]
    ranks = np.random.default_rng(5).integers(0, N_RANK + 1, len(rows))
    ranks = np.where(rows["estimand"] == "mu", ranks // 3, ranks)
    estimates = rows.assign(rank=pd.array(ranks, dtype="Int64"), n_rank=N_RANK)
    study = {**run.study, "study": {**run.study["study"], "kind": "calibration"}}
    return replace(run, study=study, estimates=estimates.reset_index(drop=True))


@pytest.fixture(scope="module")
def evidence(calibrated):
    """Its evidence."""
    return Evidence(run=calibrated, performance=performance(calibrated))


def test_every_method_has_its_verdict_failing_ones_first():
    """A failing method is named with its estimands, scenario and Holm p; a passing one with its smallest p."""
    table = verdicts(
        ("a", "good", "mu", 0.4, "calibrated"),
        ("a", "good", "tau", 1.0, "calibrated"),
        ("a", "bad", "mu", 0.6, "calibrated"),
        ("a", "bad", "tau", 1e-10, "not calibrated"),
        ("b", "bad", "tau", 1e-3, "not calibrated"),
    )
    first, second = verdict_sentences(table, LABELS)
    assert first == ("“bad” is not calibrated for τ (Holm p < 0.0001 at τ = 0.5, in 2 of 2 scenarios); μ passes.")
    assert second == (
        "“good” is calibrated for all 2 estimands, as far as 200 replicates can tell (smallest Holm p = 0.40)."
    )


def test_failed_fits_are_told_from_miscalibration():
    """A verdict that failed fits alone decide says so, and so does one that holds in spite of them."""
    (told,) = verdict_sentences(verdicts(("a", "m", "mu", 0.01, "not calibrated for failed fits")), {"a": "one"})
    assert told == "“m” cannot be called calibrated, for its failed fits alone, for μ (Holm p = 0.010)."
    (told,) = verdict_sentences(verdicts(("a", "m", "mu", 0.9, "calibrated despite failed fits")), {"a": "one"})
    assert "is calibrated for μ, whatever its failed fits would have given" in told
    (told,) = verdict_sentences(verdicts(("a", "m", None, np.nan, "not calibrated for failed fits")), {"a": "one"})
    assert told == "“m” cannot be judged: not one of its fits is usable."


def test_fits_without_a_rank_are_counted():
    """Fits without a rank are told by method; without any, that no fit is left out."""
    table = verdicts(("a", "m", "mu", 0.9, "calibrated"), ("a", "n", "mu", 0.9, "calibrated"))
    assert missing_sentences(table) == [
        "Every fit has its ranks: none is left out, those with divergences are among them."
    ]
    (told,) = missing_sentences(table.assign(n_used=[N - 3, N]))
    assert told.startswith("3 of 200 fits of “m” have no rank. None is left out")


def test_first_screen_names_the_planted_fault(evidence):
    """The first answer and the first picture of a calibration run are about calibration, and name mu alone."""
    question, told = next(iter(answers(evidence).items()))
    assert question == "Which methods are calibrated"
    assert "“partial, centered” is not calibrated for μ (" in told[0]
    assert "“none” " in told[1]
    assert "Ranks of the truth" in key_picture(evidence).title


def test_section_shows_raw_and_adjusted_p_values(evidence, calibrated):
    """The table has one row per method and estimand with p, Holm p and verdict; groups stand in their own table."""
    section = calibration_section(evidence)
    table, groups = section.tables
    known = worst_groups(evidence.calibration)
    np.testing.assert_array_equal(table.frame["p_value"], known["p_value"])
    np.testing.assert_array_equal(table.frame["p_holm"], known["p_holm"])
    assert len(groups.frame) == 2 * 4
    heads = [column.head for column in table.columns]
    assert heads == ["method", "estimand", "group", "ranks", "replicates", "p", "p, Holm", "verdict"]
    assert any("no rank" in words for words in section.paragraphs)
    assert calibration_section(Evidence(run=fake_run(replicates=1), performance=evidence.performance)) is None


def test_lines_are_the_ecdf_and_the_band_is_simultaneous(evidence, calibrated):
    """Lines are the ranks' distribution less the uniform one; the band holds the pointwise 95 % interval; mu leaves."""
    known = worst_groups(evidence.calibration)
    ranks = worst_ranks(calibrated.estimates, known)
    figure = figures.calibration(ranks, marks=evidence.marks)
    assert [ax.get_title("left") for ax in figure.axes] == ["θ", "μ", "mean θ"]
    ax = figure.axes[1]
    (line,) = [line for line in ax.lines if line.get_label() == "partial, centered"]
    x, y = line.get_data()
    mine = ranks[(ranks["estimand"] == "mu") & (ranks["method"] == "partial, centered")]["rank"].to_numpy(int)
    below = np.array([(mine < round(point * (N_RANK + 1))).mean() for point in x])
    np.testing.assert_allclose(y, below - x, atol=1e-12)
    (path,) = ax.collections[0].get_paths()
    half = path.vertices[np.isclose(path.vertices[:, 0], 0.5), 1]
    pointwise = binom.ppf(0.975, len(mine), 0.5) / len(mine) - 0.5
    assert half.max() > pointwise
    assert np.abs(y).max() > half.max()
