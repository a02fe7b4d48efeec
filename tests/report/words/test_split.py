"""The error split: the model's part and the sampler's, divergent fits, and effective draws counted by error."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from simstudy.measures import performance
from simstudy.measures.sampling import WITH_WARMUP
from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.sections.error_split import error_split_section
from simstudy.report.words.split import divergent_sentences, flattery_sentences, split_sentences, split_table
from tests.fakes import fake_run
from tests.report.figures.test_figures import bars_of, marks_of
from tests.report.words.test_sentences import rows

LABELS = {"a": "τ = 0.5", "b": "τ = 2"}
CENTERED, EXACT = "partial, centered", "partial, exact"


def split_rows(**columns):
    """Return rows of the split with known parts."""
    frame = {"scenario": "a", "method": "m", "estimand": "tau", "mse_model": 0.2, "mse_model_mcse": 0.02, **columns}
    return pd.DataFrame(frame if isinstance(frame["scenario"], list) else {k: [v] for k, v in frame.items()})


@pytest.fixture(scope="module")
def evidence():
    """Samplers and the exact method on the same data; only theta and mu, whose posteriors the fakes share."""
    methods = (CENTERED, "partial, noncentered", EXACT)
    run = fake_run(replicates=80, groups=(4,), group_size=(2,), tau=(0.5, 2.0), methods=methods, failure_rate=0)
    run = replace(run, estimates=run.estimates[run.estimates["estimand"].isin(["theta", "mu"])])
    return Evidence(run=run, performance=performance(run))


def test_parts_add_up_to_the_mse(evidence):
    """On replicates that all methods share, the model's part and the sampler's are the method's MSE."""
    table = evidence.split.set_index(["scenario", "method", "estimand"])
    mse = evidence.performance
    mse = mse[(mse["measure"] == "mse") & mse["bin"].isna() & mse["estimand"].isin(["theta", "mu"])]
    mse = mse[mse["method"] != EXACT].set_index(["scenario", "method", "estimand"])["value"]
    assert len(table) == len(mse) == 8
    np.testing.assert_allclose((table["mse_model"] + table["mse_sampler"])[mse.index], mse)
    np.testing.assert_allclose(table["percent"], 100 * table["mse_sampler"] / table["mse_model"])


@pytest.mark.parametrize(("mcse", "is_told"), [(0.004, True), (0.005, False), (0.0, False), (np.nan, False)])
def test_the_samplers_part_is_told_beyond_2_mcse(mcse, is_told):
    """A part of .01 stands in a sentence when it exceeds 2 MCSE, and is otherwise said not to be told from 0."""
    table = split_rows(mse_sampler=0.01, mse_sampler_mcse=mcse, percent=5.0)
    (told,) = split_sentences(table, LABELS)
    if is_told:
        assert told == (
            "“m”, for τ at τ = 0.5: model and priors have an MSE of 0.200 ± 0.020, the sampler adds 0.0100 ± 0.0040, "
            "5.0 % more."
        )
    else:
        assert "adds nothing to the MSE of τ that can be told from 0 (2 MCSE)" in told


def test_the_largest_clear_part_is_told_with_its_count():
    """Of several clear parts the largest in percent is told; one that lowers the MSE is not said to add to it."""
    table = split_rows(scenario=["a", "b"], mse_sampler=[0.02, -0.1], mse_sampler_mcse=0.001, percent=[10.0, -50.0])
    (told,) = split_sentences(table, LABELS)
    assert "at τ = 2: " in told
    assert "the sampler happens to take off 0.1000 ± 0.0010, 50 % less (clear in 1 of 2 estimands and" in told
    assert told.endswith("scenarios, the other way in 1).")


def test_divergent_fits_are_biased_harmless_or_neither():
    """A bias of .3 sds with an MCSE of .02 is told, one within .05 is harmless, and a wide interval is neither."""
    some = {"tau": (0.3, 0.02), "mu": (0.001, 0.005), "theta": (0.1, 0.2)}
    parts = [
        rows(scenario="a", method="m", estimand=e, measure="sampler_bias", value=[0.01, v], mcse=[0.005, m]).assign(
            bin=["divergences=none", "divergences=some"]
        )
        for e, (v, m) in some.items()
    ]
    (told,) = divergent_sentences(pd.concat(parts, ignore_index=True), {"a": "one"}, ["tau", "mu", "theta"])
    assert told == (
        "Fits of “m” with divergences are biased for τ (0.300 ± 0.020 posterior sds too high; fits without, 0.010); "
        "harmless for μ (bias within 0.05 posterior sds); not known to be either for θ."
    )


def test_flattery_needs_a_clear_gap():
    """Fewer effective draws by error than by autocorrelation are told beyond 2 MCSE of the gap, for mu and tau only."""
    numbers = {"error_efficiency": 0.01, "error_efficiency_mcse": 0.001, "ess_per_leapfrog": 0.05}
    (told,) = flattery_sentences(split_rows(**numbers, ess_per_leapfrog_mcse=0.001), {"a": "one"})
    assert told.startswith("Counted by its error, “m” makes 0.0100 ± 0.0010 effective draws of τ per leapfrog")
    assert told.endswith("it seems to make 0.0500 ± 0.0010.")
    assert flattery_sentences(split_rows(**numbers, ess_per_leapfrog_mcse=0.02), {"a": "one"}) == []
    assert flattery_sentences(split_rows(**numbers, ess_per_leapfrog_mcse=0.001, estimand="theta"), {"a": "one"}) == []


def test_both_counts_of_draws_include_the_warmup(evidence):
    """ESS per leapfrog in the split is that of the performance table with the warm-up's leapfrogs."""
    table = evidence.performance
    known = table[(table["measure"] == "ess_per_leapfrog") & (table["bin"] == WITH_WARMUP)]
    known = known[known["estimand"] == "mu, tau"].set_index(["scenario", "method"])["value"]
    for _, row in evidence.split.iterrows():
        expected = known.get((row["scenario"], row["method"]), np.nan)
        np.testing.assert_equal(row["ess_per_leapfrog"], expected)


def test_figure_and_table_hold_the_split(evidence):
    """Marks are the sampler's parts in percent, bars 2 MCSE of them; the table has a row for each."""
    figure = figures.error_split(evidence.split, evidence.run.scenarios, marks=evidence.marks)
    for ax, estimand in zip(figure.axes, dict.fromkeys(evidence.split["estimand"]), strict=True):
        mine = evidence.split[(evidence.split["estimand"] == estimand) & (evidence.split["method"] == CENTERED)]
        np.testing.assert_allclose(marks_of(ax, CENTERED)[:, 0], mine["percent"])
        np.testing.assert_allclose(np.ptp(bars_of(ax, CENTERED)[:, :, 0], axis=1), 4 * mine["percent_mcse"])
    section = error_split_section(evidence)
    assert len(section.pictures) == len(section.tables) == 1
    assert len(section.tables[0].frame) == len(evidence.split) == 8
    assert f"“{EXACT}” gives the exact posterior" in section.paragraphs[0]


def test_without_an_exact_method_there_is_no_section(run, table):
    """Nothing is split where no method is exact."""
    assert split_table(table).empty
    assert error_split_section(Evidence(run=run, performance=table)) is None
