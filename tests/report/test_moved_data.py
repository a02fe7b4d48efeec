"""The report of a user's own table, in any unit and from any origin: every sentence is true of its numbers."""

import html
import re

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.models.likelihoods import Normal
from simstudy.report.protocol import preregistration
from simstudy.types import GroupedData

RNG = np.random.default_rng(11)
NAMES = [f"School {letter}" for letter in "ABCDEFGH"]
SCORES = np.repeat(np.linspace(-0.6, 0.6, 8), 5) + RNG.normal(size=40)
METHODS = ("none", "complete", "partial")
AGAINST = {
    "none": {"theta": "Normal(0, 10)", "sigma": "Exponential(0.02)"},
    "complete": {"mu": "Normal(0, 10)", "sigma": "Exponential(0.02)"},
    "partial": {"mu": "Normal(0, 10)", "tau": "HalfNormal(50)", "sigma": "Exponential(0.02)"},
}
STAYS, TOGETHER = "without pooling the estimates stay with them", "partial pooling draws them together"


def page_of(folder, values, priors=None):
    """Return the run of forty scores in eight schools under exact posteriors, and the text of its report."""
    pd.DataFrame({"school": np.repeat(NAMES, 5), "score": values}).to_csv(
        folder / "scores.csv", index=False, float_format="%.17g"
    )
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "scores", "replicates": 2},
            "mechanism": {"kind": "dataset", "data": "scores.csv", "group": "school", "value": "score"},
            "method": [{"name": m, "structure": m, **({"priors": priors[m]} if priors else {})} for m in METHODS],
            "sampler": {"kind": "exact", "chains": 2, "draws": 200},
        },
        folder=folder,
    )
    run = simstudy.run(study, out=folder / "run", workers=0, quiet=True)
    page = simstudy.report(run, folder / "report.html").read_text("utf-8")
    page = re.sub(r"<(script|style|svg).*?</\1>", " ", page, flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", " ", page)).replace("\u00a0", " ")
    return run, " ".join(text.split())


def distances(run) -> pd.Series:
    """Return how far the estimates without pooling lie from the groups' means, in posterior sds."""
    rows = run.estimates
    rows = rows[(rows["method"] == "none") & (rows["estimand"] == "theta") & (rows["replicate"] == 0)]
    means = run.groups.drop_duplicates("group").set_index("group")["y_mean"]
    rows = rows.set_index("group")
    return (rows["mean"] - means).abs() / rows["sd"]


@pytest.mark.parametrize(
    ("shift", "scale"), [(500.0, 100.0), (1e6, 1.0), (0.0, 1e-3), (1e6, 1e-3), (0.0, 1e6), (1e6, 1e6)]
)
def test_a_table_without_priors_is_told_as_it_is(tmp_path, shift, scale):
    """Without priors, estimates without pooling stay with the data in every unit; the page says so, and is right."""
    run, text = page_of(tmp_path, shift + scale * SCORES)
    assert set(run.fits["status"].astype(str)) == {"ok"}
    assert distances(run).max() < 0.5
    assert STAYS in text
    assert TOGETHER in text
    assert "contradict" not in text
    assert "prior draws them" not in text
    assert "Priors scaled to the data" in text
    assert "θ ~ Normal(m, 2.5 s)" in text
    assert "m is the mean of the groups’ means" in text
    unit = Normal().unit_of(
        GroupedData(
            n_obs=np.full(8, 5),
            y_mean=(shift + scale * SCORES).reshape(8, 5).mean(1),
            y_ss=(shift + scale * SCORES).reshape(8, 5).var(1) * 5,
        )
    )
    assert f"θ ~ {unit.prior('Normal(m, 2.5 s)')}" in text
    assert text.count("School A") > len(METHODS)
    # Numbers that differ are not written alike.
    shown = re.findall(r"theta\[School [A-H]\] (\S+)", text.split("Posterior summary: none")[1])
    assert len(set(shown[:8])) == 8


def test_priors_that_the_data_contradict_are_told_on_the_first_screen(tmp_path, caplog):
    """Scores around 500 under Normal(0, 10): a warning that names method and prior, and no caption that denies it."""
    run, text = page_of(tmp_path, 500 + 100 * SCORES, AGAINST)
    assert distances(run).max() > 10
    assert "Which priors the data contradict" in text
    assert text.index("Which priors the data contradict") < text.index("Data-generating mechanisms")
    assert "the data contradict the prior theta ~ Normal(0, 10)" in text
    assert STAYS not in text
    assert "posterior sds from them, where its prior draws them" in text
    assert "Priors scaled to the data" not in text
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any(message.startswith("none: the data contradict the prior theta ~ Normal(0, 10)") for message in told)
    methods = run.methods.set_index("method")
    assert methods["prior_conflict"].notna().all()
    assert methods["priors_of_data"].isna().all()


def test_the_protocol_tells_where_priors_come_from(tmp_path):
    """The protocol of a study of given data has the formulas, m and s."""
    run, _ = page_of(tmp_path, 500 + 100 * SCORES)
    study = simstudy.Study.from_canonical(run.study, folder=tmp_path)
    text = preregistration(study)
    assert "## Priors scaled to the data" in text
    assert "μ ~ Normal(m, 2.5 s)" in text
