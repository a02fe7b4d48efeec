"""Prior sensitivity: which methods differ in one prior, and what that prior moves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from simstudy.measures import performance
from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.reading.palette import RAMP, ramp_marks
from simstudy.report.reading.prior_families import Family, prior_families
from simstudy.report.reading.readings import average
from simstudy.report.sections.priors import oracle_weights, prior_section
from simstudy.report.words.sensitivity import sensitivity_sentences, shifts
from tests.fakes import fake_run
from tests.report.figures.test_figures import marks_of
from tests.report.words.test_sentences import LABELS, rows

NARROW, WIDE = "partial, noncentered", "partial, centered"
FAMILY = Family(parameter="tau", priors={NARROW: "HalfNormal(1)", WIDE: "HalfNormal(5)"})


def estimates(shift, noise):
    """Return estimates of tau in 40 replicates under two priors, the wider larger by ``shift``, sd ``noise``."""
    rng = np.random.default_rng(3)
    common = rng.normal(1, 0.5, 40)
    moved = common + shift + noise * rng.standard_normal(40)
    parts = [
        pd.DataFrame({"scenario": "a", "replicate": np.arange(40), "method": m, "estimand": "tau", "mean": v})
        for m, v in ((NARROW, common), (WIDE, moved))
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def evidence():
    """Two methods that are made to differ in tau's prior alone."""
    run = fake_run(replicates=30, groups=(4, 8), group_size=(2,), methods=(WIDE, NARROW), failure_rate=0)
    methods = pd.DataFrame(
        {
            "method": [WIDE, NARROW],
            "identity": ["x", "y"],
            "structure": "partial",
            "parameterization": "noncentered",
            "prior_mu": "Normal(0, 10)",
            "prior_tau": ["HalfNormal(5)", "HalfNormal(1)"],
        }
    )
    run = replace(run, methods=methods)
    return Evidence(run=run, performance=performance(run))


def test_families_differ_in_one_prior_alone():
    """Methods that differ in another option, or in two priors, are of no family; numbers order the priors."""
    table = pd.DataFrame(
        [
            ("a", "partial", "Normal(0, 1)", "HalfNormal(10)"),
            ("b", "partial", "Normal(0, 1)", "HalfNormal(2)"),
            ("c", "none", "Normal(0, 1)", None),
            ("d", "partial", "Normal(0, 9)", "HalfNormal(2)"),
        ],
        columns=["method", "structure", "prior_mu", "prior_tau"],
    )
    tau, mu = prior_families(table)
    assert (tau.parameter, list(tau.priors)) == ("tau", ["b", "a"])
    assert (mu.parameter, list(mu.priors)) == ("mu", ["b", "d"])
    assert prior_families(table.iloc[[0, 2, 3]]) == []
    rates = table.iloc[:2].assign(prior_tau=["Exponential(1)", "Exponential(5)"])
    assert list(prior_families(rates)[0].priors) == ["b", "a"]


def test_shift_is_paired_by_replicate():
    """The MCSE of a constant shift is 0 however much the replicates vary, and that of a noisy one is sd / sqrt(n)."""
    (row,) = shifts(estimates(0.25, 0), "tau", method=WIDE, rival=NARROW).to_dict("records")
    assert row["difference"] == pytest.approx(0.25)
    assert row["difference_mcse"] == pytest.approx(0, abs=1e-12)
    (row,) = shifts(estimates(0.25, 0.1), "tau", method=WIDE, rival=NARROW).to_dict("records")
    assert row["difference_mcse"] == pytest.approx(0.1 / np.sqrt(40), rel=0.35)  # 3 sds of a sample sd of 40


def test_shifts_are_told_beyond_2_mcse():
    """A shift of 15 MCSE names both priors; one of half an MCSE is said not to be told; so for coverage."""
    coverage = rows(scenario="a", method=[NARROW, WIDE], estimand="theta", measure="coverage", level=0.95, mcse=0.01)
    told = sensitivity_sentences(estimates(0.25, 0.1), coverage.assign(value=[0.80, 0.95]), LABELS, FAMILY)
    assert told[0].startswith("The estimate of τ is up to 0.2")
    assert "larger under τ ~ HalfNormal(5) than under τ ~ HalfNormal(1) at τ = 0.5" in told[0]
    assert told[1].startswith("The group effects θ are covered in 95.0 % ± 1.0 % under τ ~ HalfNormal(5), 80.0 %")
    told = sensitivity_sentences(estimates(0, 0.1), coverage.assign(value=[0.94, 0.95]), LABELS, FAMILY)
    assert all("cannot be told apart (2 MCSE)" in sentence for sentence in told)


def test_figure_draws_estimate_weight_and_coverage_along_tau(evidence):
    """Rows are tau, B and coverage; columns the numbers of groups; dashed lines truth, oracle and nominal level."""
    (family,) = evidence.families
    oracle = oracle_weights(evidence.run.estimates)
    figure = figures.priors(evidence.performance, evidence.run.scenarios, texts=family.priors, oracle=oracle)
    assert len(figure.axes) == 6
    assert [ax.get_title("left") for ax in figure.axes[:2]] == ["J = 4", "J = 8"]
    known = average(evidence.performance, "mean_estimate", estimand="tau")
    first = set(evidence.run.scenarios.loc[evidence.run.scenarios["groups"] == 4, "scenario"])
    mine = known[(known["method"] == WIDE) & known["scenario"].isin(first)]
    np.testing.assert_allclose(marks_of(figure.axes[0], WIDE)[:, 1], mine["value"])
    targets = [next(line.get_ydata() for line in ax.lines if line.get_linestyle() == "--") for ax in figure.axes[::2]]
    np.testing.assert_allclose(targets, [[0, 0.5, 2], 0.5 / (0.5 + np.array([0, 0.25, 4])), [0.95] * 3])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[:2] == ["τ ~ HalfNormal(1)", "τ ~ HalfNormal(5)"]


def test_section_is_there_for_families_alone(evidence, run, table):
    """The section has a figure and a table with the priors; runs without a family have none."""
    section = prior_section(evidence)
    assert len(section.pictures) == 1
    assert set(section.tables[0].frame["prior"]) == {"HalfNormal(1)", "HalfNormal(5)"}
    assert prior_section(Evidence(run=run, performance=table)) is None


def test_ramp_gets_darker_on_light_paper():
    """Colors of the ramp keep the order of the names, and no two of twelve look alike."""
    chosen = list(ramp_marks(["a", "b", "c"]).values())
    assert [RAMP.index(mark) for mark in chosen] == sorted(RAMP.index(mark) for mark in chosen)
    many = ramp_marks([str(i) for i in range(12)]).values()
    assert len({(mark.light, mark.dash) for mark in many}) == 12


def test_what_is_said_of_priors_is_no_prior():
    """Methods that differ in tau's prior are one family, whatever conflicts are told of one of them."""
    table = pd.DataFrame({"method": ["a", "b"], "prior_tau": ["HalfNormal(5)", "HalfNormal(1)"]})
    told = table.assign(prior_conflict=[None, "tau is never so large"], priors_of_data=["tau ~ HalfNormal(5)", None])
    assert prior_families(told) == prior_families(table)
