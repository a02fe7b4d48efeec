"""The whole way from a table to an answer, and a check of the sampler that can fail."""

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.choosing import fits
from simstudy.choosing.choose import choose
from simstudy.choosing.findings import of_check, of_sampling
from simstudy.choosing.page import choice_part
from simstudy.choosing.question import PARTIAL, ask
from simstudy.errors import SimstudyError, StudyError
from tests.choosing.made import made

NAMES = ["Lincoln", "St. Mary", "North", "Hill", "Lake", "01"]


@pytest.fixture(scope="module")
def trials():
    """Six estimates around 500 with known standard errors, in the order in which they came."""
    effects = [460.0, 541.0, 498.0, 505.0, 470.0, 530.0]
    return pd.DataFrame({"site": NAMES, "score": effects, "se": [20.0, 25.0, 15.0, 30.0, 20.0, 25.0]})


@pytest.fixture(scope="module")
def choice(trials):
    """The answer for them; few seeds, data sets and checks, since the long way is the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fits, "SEEDS", 4)
        patch.setattr(fits, "MOST_SIMULATED", 150)
        patch.setattr(fits, "CHECKS", 40)
        return choose(trials, group="site", value="score", standard_error="se", workers=0)


def test_groups_keep_their_names_and_their_order(choice):
    """Also one that looks like a number."""
    assert choice.groups["label"].tolist() == NAMES
    assert choice.groups["own"].tolist() == [460.0, 541.0, 498.0, 505.0, 470.0, 530.0]


def test_poolings_lie_where_they_must(choice):
    """No pooling near the data, complete pooling at one value, the weighted mean, partial pooling between."""
    groups = choice.groups
    near = (groups["no pooling"] - groups["own"]).abs()
    assert (near < 0.2 * np.array([20.0, 25.0, 15.0, 30.0, 20.0, 25.0])).all()
    assert np.ptp(groups["complete pooling"]) == 0
    weights = 1 / np.array([20.0, 25.0, 15.0, 30.0, 20.0, 25.0]) ** 2
    assert abs(groups["complete pooling"].iloc[0] - np.average(groups["own"], weights=weights)) < 1.0
    ends = groups[["no pooling", "complete pooling"]]
    assert ((ends.min(axis=1) - 1 < groups[PARTIAL]) & (groups[PARTIAL] < ends.max(axis=1) + 1)).all()


def test_errors_on_data_like_these_are_those_of_theory(choice):
    """Without pooling the error is the standard error's, and intervals hold what they state."""
    row = choice.findings.errors.set_index("method").loc["no pooling"]
    theory = np.sqrt(np.mean(np.array([20.0, 25.0, 15.0, 30.0, 20.0, 25.0]) ** 2))
    assert abs(row["rmse"] - theory) < 4 * row["rmse_mcse"] + 0.02 * theory  # the prior shrinks by 2 % at most
    assert abs(row["coverage"] - 0.95) < 4 * row["coverage_mcse"] + 0.01
    assert PARTIAL in choice.best


def test_ratios_agree_both_ways(choice):
    """a against b is one over b against a, and the MCSEs belong to each other."""
    for (a, b), (ratio, mcse) in choice.findings.ratios.items():
        back, back_mcse = choice.findings.ratios[b, a]
        assert ratio * back == pytest.approx(1, rel=1e-6)
        assert mcse / ratio == pytest.approx(back_mcse / back, rel=1e-3)


def test_it_answers_in_three_sentences_and_on_a_page(choice, tmp_path):
    """With the names in them, and no hole."""
    assert len(choice.sentences) == 3
    assert "6 sites" in choice.sentences[0]
    assert "nan" not in " ".join(choice.sentences)
    page = choice.report(tmp_path / "page.html").read_text()
    assert all(name in page for name in NAMES)
    assert repr(choice) == "\n".join(choice.sentences)


@pytest.mark.parametrize(("factor", "is_right"), [(1.0, True), (2.5, False)])
def test_the_check_passes_a_right_posterior_and_fails_a_wrong_one(trials, tmp_path, factor, is_right, monkeypatch):
    """Draws whose tau is stretched are no draws of the posterior: their ranks are too high."""
    monkeypatch.setattr(fits, "CHECKED", {"kind": "exact", "chains": 1, "draws": 499})
    monkeypatch.setattr(fits, "CHECKS", 200)
    columns = {"group": "site", "value": "score", "standard_error": "se"}
    question = ask(trials, columns=columns, priors={}, seed=1)
    _, draws = fits.fit_data(question, tmp_path / "data")
    wrong = {**draws, "tau": factor * draws["tau"]}
    verdicts, _ = of_check(fits.check_sampler(question, wrong, tmp_path / "check", parameterization="non-centered"))
    assert verdicts["verdict"].eq("calibrated").all() == is_right


def test_flags_are_those_that_the_page_names(tmp_path, monkeypatch):
    """The eight schools, centered: a run with a divergence or two in a thousand is flagged, though not in a study."""
    monkeypatch.setattr(fits, "SEEDS", 3)
    question = ask("eight_schools", columns={}, priors={}, seed=1)
    sampled = fits.sample_data(question, tmp_path / "sampler", workers=0)
    of_each = sampled.fits.set_index("method")
    ess = of_each[["min_ess_bulk", "min_ess_tail"]].min(axis=1)
    by_hand = (of_each["n_divergent"] > 0) | (of_each["max_rhat"] > 1.01) | (ess < 400)
    found = of_sampling(sampled).set_index("method")
    for name in ("centered", "non-centered"):
        assert found.loc[name, "flagged"] == by_hand[name].mean()
    assert found.loc["centered", "flagged"] == 1
    assert (of_each.loc["centered", "n_divergent"] > 0).all()
    sampler = next(section for section in choice_part(made([4.0, 2.0, 1.0])).sections if section.name == "sampler")
    assert sampler.tables[0].note.startswith(
        "Flagged: a divergence, an R-hat above 1.01, or fewer than 400 effective draws, as befits a fit whose "
        "posterior is the answer. (A fit of a study, one of many, is flagged for more than 1 % of divergent draws, an "
        "R-hat above 1.04, or fewer than 100 effective draws.)"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group": "school"}, "no column 'school'"),
        ({"value": "site"}, "named for value too"),
        ({"standard_error": "SE"}, "no column 'SE'"),
        ({"priors": {"tau": "HalfNormal(-1)"}}, "tau"),
        (
            {"priors": {"sd": "HalfNormal(2)"}},
            r"priors.sd: there is no such parameter; did you mean 'tau'\?; expected mu \(the mean of the groups μ\), "
            r"tau \(the sd between groups τ\), theta \(the group effects θ\)",
        ),
        ({"priors": {"sigma": "HalfNormal(2)"}}, "priors.sigma: there is no such parameter; expected mu"),
        ({"standard_error": None, "priors": {"nu": "Normal(0, 1)"}}, r"sigma \(the residual sd σ\), theta"),
        ({"priors": {"tau": 2.0}}, "tau: expected a distribution as text, such as 'HalfNormal\\(10\\)', got 2.0"),
        ({"priors": {"mu": 0}}, "mu: expected a distribution as text"),
    ],
)
def test_what_cannot_be_answered_is_refused(trials, change, message):
    """With what was expected, before anything is fitted."""
    with pytest.raises(SimstudyError, match=message):
        choose(trials, **{"group": "site", "value": "score", "standard_error": "se", **change}, workers=0)


def test_a_link_leads_to_its_file(tmp_path):
    """Also to one in another folder, and the message of what is not there speaks of no study file."""
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "scores.csv").write_text("site,score\na,1\na,2\n")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "now.csv").symlink_to(tmp_path / "raw" / "scores.csv")
    with pytest.raises(StudyError, match="at least two groups"):
        choose(tmp_path / "links" / "now.csv", group="site", value="score", workers=0)


def test_one_group_is_no_question():
    """Nothing to pool."""
    table = pd.DataFrame({"site": ["a", "a"], "score": [1.0, 2.0]})
    with pytest.raises(StudyError, match="at least two groups"):
        simstudy.choose(table, group="site", value="score", workers=0)
