"""Sentences about scored estimates say what the tables were made to hold, and nothing below 2 MCSE."""

import numpy as np
import pandas as pd
import pytest

from simstudy.report.reading.vocabulary import speaking
from simstudy.report.scoring.sentences import answers
from tests.report.scoring.conftest import make_table, scored_of


def told(scored):
    """Return the sentences in one text."""
    with speaking(scored.vocabulary):
        return "\n".join(sentence for sentences in answers(scored).values() for sentence in sentences)


def test_each_truth_of_the_table_is_told(scored):
    """The best by RMSE, the biased one, the one whose intervals and standard errors are too small, each by name."""
    text = told(scored)
    assert "By RMSE no method beats “good” in 4 of 4, “wide” in 0 of 4 and “off” in 0 of 4 scenarios" in text
    assert "The 95 % intervals of “off” cover less than that in 4 of 4 scenarios, least at site 0" in text
    assert "The estimates of “off” are clearly biased in 4 of 4 scenarios" in text
    assert "The standard errors of “off” are too small in 4 of 4 scenarios, most at site 0" in text
    assert "All 3,600 estimates are usable." in text
    assert "“good” is farthest behind" not in text


def test_excess_and_amounts_are_those_of_the_table(scored):
    """“wide” has twice the error of “good”: about 100 % above; its numbers stand in the performance table."""
    text = told(scored)
    rmse = scored.table[scored.table["measure"] == "rmse"].pivot_table(index="site", columns="method", values="value")
    excess = (rmse["wide"] / rmse["good"] - 1).max()
    site = (rmse["wide"] / rmse["good"]).idxmax()
    assert f"“wide” is farthest behind at {site}: {100 * excess:.0f} % above “good”" in text


def test_methods_alike_are_not_told_apart():
    """Two methods with errors of one distribution: neither beats the other, no bias and no departure is claimed."""
    rng = np.random.default_rng(0)
    rows = [
        pd.DataFrame({"site": "a", "m": m, "rep": range(400), "truth": 0.0, "x": rng.standard_normal(400), "se": 1.0})
        for m in ("one", "two")
    ]
    text = told(scored_of(pd.concat(rows)))
    assert "The smallest RMSE have “one” (" in text
    assert "which cannot be told apart (2 MCSE)." in text
    assert "No bias of “one” and “two” is clear (2 MCSE)." in text
    assert "The coverage of “one” and “two” cannot be told from 95 %." in text
    for claim in ("beats", "behind", "biased", "too small", "too large", "less", "more than"):
        assert claim not in text.replace("not usable", "")


def test_pairing_finds_what_unpaired_replicates_hide():
    """Methods that differ by little on the same data: clear by pairs, not without a column of replicates."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(200)
    rows = [
        pd.DataFrame({"site": "a", "m": m, "rep": range(200), "truth": 0.0, "x": scale * noise, "se": 1.0})
        for m, scale in (("near", 1.0), ("far", 1.03))
    ]
    table = pd.concat(rows)
    assert "“near” (" in told(scored_of(table)).split("has the smallest RMSE, clearly (2 MCSE)")[0]
    assert "cannot be told apart" in told(scored_of(table, replicate=None))


def test_what_is_missing_is_told(table):
    """Counts by method, and the cell that has nothing."""
    gaps = table.copy()
    gaps.loc[(gaps["m"] == "off") & (gaps["site"] == "site 03"), "x"] = np.nan
    gaps.loc[gaps.index[:5], "x"] = np.nan
    text = told(scored_of(gaps))
    assert "305 of 3,600 estimates are not usable: 5 of “good” and 300 of “off”." in text
    assert "“off” has no usable estimate at site 03." in text
    assert "with --pairs complete it rests on the replicates that all have" in text
    assert "“off” in 0 of 3 where it can be told" in text
    complete = told(scored_of(gaps, pairs="complete"))
    assert "estimates do not count: they, or another method’s of their replicate, are not usable" in complete


def test_many_methods_share_a_sentence():
    """Five methods at 20 sites: one sentence counts for all and says how many would be so by chance."""
    rng = np.random.default_rng(2)
    rows = [
        pd.DataFrame(
            {"site": f"s{i}", "m": f"m{k}", "rep": range(60), "x": 0.4 * k + rng.standard_normal(60), "se": 1.0}
        )
        for i in range(20)
        for k in range(5)
    ]
    text = told(scored_of(pd.concat(rows), truth=0.0))
    assert (
        "The estimates are clearly biased in so many of 20 scenarios: 20 under “m2”, 20 under “m3”, 20 under “m4”"
        in text
    )
    assert "by chance alone it would be about 1. Most under “m4” at s" in text
    assert text.count("are clearly biased") == 1


def test_one_method_is_told_by_itself():
    """Without names there is nothing to compare: no quotes, no method."""
    text = told(scored_of(make_table(n=100).query("m == 'off'"), method=None))
    assert "The RMSE lies between " in text
    assert "The estimates are clearly biased in 4 of 4 scenarios" in text
    assert "“" not in text


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_sentences_do_not_depend_on_origin_and_unit(table, shift, scale):
    """Shifted and scaled data have the same findings; shares, percents and names are the same."""
    moved = table.assign(**{name: shift + scale * table[name] for name in ("x", "truth")}, se=scale * table["se"])
    first, second = (told(scored_of(one)) for one in (table, moved))
    names = [
        [word for word in text.split() if "%" in word or "“" in word or word in ("of", "4")] for text in (first, second)
    ]
    assert names[0] == names[1]


def test_several_estimands_are_named():
    """Each sentence begins with its estimand."""
    both = pd.concat([make_table(n=80).assign(estimand=name) for name in ("beta", "log sd")])
    scored = scored_of(both, by=["site", "estimand"])
    with speaking(scored.vocabulary):
        found = answers(scored)
    for question, sentences in found.items():
        if question != "What is missing":
            assert {sentence.split(":")[0] for sentence in sentences} == {"beta", "log sd"}
