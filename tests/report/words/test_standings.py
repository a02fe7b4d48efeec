"""Standings: a method is beaten where another is clearly better on the same data, and the sentence says just that."""

import numpy as np
import pandas as pd
import pytest

from simstudy.report.reading.pairs import paired_differences
from simstudy.report.reading.readings import is_clear
from simstudy.report.reading.standings import cells_of_squares, cells_of_values, standings
from simstudy.report.words.standings import standing_sentence

N = 400


def squares_of(errors, *, noise=0.1, seed=8):
    """Return squared errors whose roots have the ratios wanted.

    Args:
        errors: scenario -> method -> root mean squared error.
        noise: relative, of each method apart from what all share.
        seed: of NumPy's generator.
    """
    rng = np.random.default_rng(seed)
    frames = []
    for scenario, by_method in errors.items():
        shared = rng.chisquare(4, N) / 4
        for method, root in by_method.items():
            square = root**2 * shared * rng.uniform(1 - noise, 1 + noise, N)
            frames.append(
                pd.DataFrame({"scenario": scenario, "method": method, "replicate": range(N), "square": square})
            )
    return pd.concat(frames, ignore_index=True)


def told(errors, *, levels=None, estimand="theta", **options):
    """Return the sentence on such errors."""
    names, cells = cells_of_squares(squares_of(errors, **options))
    return standing_sentence(names, cells, {s: f"τ = {s}" for s in errors}, estimand=estimand, levels=levels)


def test_who_is_beaten_is_what_every_paired_difference_says():
    """A method is best or tied in as many scenarios as no paired difference with any rival is clearly above 0."""
    squares = squares_of({"one": {"a": 1.0, "b": 1.4, "c": 1.0}, "two": {"a": 1.4, "b": 1.0, "c": 1.4}})
    names, cells = cells_of_squares(squares)
    for standing in standings(names, cells):
        tables = pd.concat(
            [paired_differences(squares, standing.method, rival) for rival in set(names) - {standing.method}]
        )
        lost = tables[
            [d > 0 and is_clear(d, m) for d, m in zip(tables["difference"], tables["difference_mcse"], strict=True)]
        ]
        assert standing.unbeaten == 2 - lost["scenario"].nunique()


def test_all_tie():
    """Methods that differ by noise alone are tied, which is not said to be the same, and named where they are few."""
    same = dict.fromkeys("ab", 1.0)
    assert told({"0": same, "1": same, "2": same}, noise=0) == (
        "“a” and “b” are tied for θ (within 2 MCSE) in all 3 scenarios."
    )
    four = dict.fromkeys("abcd", 1.0)
    assert told({"0": four, "1": four}, noise=0) == (
        "All four methods are tied for θ (within 2 MCSE) in both scenarios."
    )


def test_one_wins_everywhere():
    """The winner is named with by how much its error is below the next best's, at least and at most."""
    sentence = told({"0": {"a": 0.5, "b": 1.0, "c": 2.0}, "1": {"a": 0.8, "b": 1.0, "c": 2.0}}, noise=0.01)
    assert sentence == "“a” is the most accurate for θ in both scenarios, with 20 to 50 % less error than the next."


def test_two_tie_and_beat_a_third():
    """Both that tie are the subject, and the third has what is left."""
    wins = {"a": 1.0, "b": 1.0, "c": 2.0}
    assert told({"0": wins, "1": wins}, noise=0) == "“a” and “b” are best or tied for θ in both scenarios, “c” in none."


def test_the_worst_case_is_told_with_who_beats_it_there():
    """The first method's worst case has its scenario, the rival and how much less its error is, each number once."""
    wins = {"a": 1.0, "b": 2.0, "c": 2.0}
    sentence = told({"0": {"a": 1.0, "b": 0.62, "c": 2.0}, "1": wins, "2": wins}, noise=0.01)
    worst = "its worst case is τ = 0, where “b” has 38 % less error."
    assert sentence == f"“a” is best or tied for θ in 2 of 3 scenarios, “b” in 1, “c” in none; {worst}"


def test_of_two_methods_both_worst_cases_are_told_the_larger_loss_first():
    """A prior that wins a little where groups are alike and loses much where they differ is not praised alone."""
    levels = pd.DataFrame({"J": list("4488"), "τ": ["0.2", "2", "0.2", "2"]}, index=list("abcd"))
    little, much = {"tight": 0.9, "wide": 1.0}, {"tight": 1.0, "wide": 0.8}
    sentence = told(dict(zip("abcd", [little, much] * 2, strict=True)), levels=levels, noise=0.01)
    assert sentence == (
        "“wide” and “tight” are each best or tied for θ in 2 of 4 scenarios; “tight” is worst at τ = 2 (“wide” has up "
        "to 20 % less error), “wide” is worst at τ = 0.2 (“tight” has up to 10 % less error)."
    )


def test_methods_that_lose_alike_at_one_place_share_their_words():
    """Two that lead and lose to a third in one scenario have one worst case, with the range of both losses."""
    wins = {"a": 1.0, "b": 1.0, "c": 2.0}
    sentence = told({"0": {"a": 1.0, "b": 1.1, "c": 0.5}, "1": wins, "2": wins}, noise=0)
    assert sentence.endswith("; the worst case is τ = 0, where “c” has 50 to 55 % less error.")


def test_what_worst_cases_share_is_told():
    """Where all scenarios in which the first is beaten have a level in common, that is where its worst cases lie."""
    levels = pd.DataFrame({"J": list("44488"), "τ": list("01201")}, index=list("abcde"))
    beaten, wins = {"x": 1.0, "y": 0.5, "z": 3.0}, {"x": 1.0, "y": 2.0, "z": 3.0}
    errors = {s: beaten if levels.loc[s, "τ"] == "0" else wins for s in levels.index}
    assert told(errors, levels=levels, noise=0.01).endswith(
        "its worst cases have τ = 0, where “y” has up to 50 % less error."
    )


def test_one_scenario():
    """A single scenario has the numbers: the error of the best, and how much more the others have."""
    sentence = told({"0": {"a": 1.0, "b": 1.25, "c": 3.0}}, noise=0.001)
    assert sentence.startswith("“a” is the most accurate for θ (RMSE ")
    assert sentence.endswith("; “b” has 25 % more error and “c” has 3.0 times the error.")
    assert "scenario" not in sentence


def test_one_method_or_none_finite_is_not_compared():
    """Without a rival, and without a data set that all fitted, there is no sentence."""
    assert told({"0": {"a": 1.0}}) == ""
    squares = squares_of({"0": {"a": 1.0, "b": 2.0}})
    names, cells = cells_of_squares(squares[(squares["method"] == "a") == (squares["replicate"] < N / 2)])
    assert standing_sentence(names, cells, {"0": "τ = 0"}) == ""


def test_own_models_have_their_own_names():
    """An estimand that nothing is declared of is called by its name."""
    assert "for half_life in" in told({"0": {"a": 1.0, "b": 2.0}, "1": {"a": 2.0, "b": 1.0}}, estimand="half_life")


@pytest.mark.parametrize("word", ["not ", "No ", "…", "...", "±"])
def test_no_negation_no_ellipsis_and_no_mcse(word):
    """The sentence says who is best, and never that none is better; MCSEs stand in the tables."""
    assert word not in told({"0": {"a": 1.0, "b": 0.62, "c": 3.0}, "1": {"a": 1.0, "b": 2.0, "c": 3.0}})


def test_noise_beats_no_one():
    """Of methods that are alike up to noise one is called beaten in one of twenty comparisons, not in most."""
    n_beaten = 0
    for seed in range(40):
        names, cells = cells_of_squares(squares_of({"0": {"a": 1.0, "b": 1.0}}, seed=seed))
        n_beaten += sum(len(standing.beaten) for standing in standings(names, cells))
    assert n_beaten <= 40 * 0.0455 + 4 * np.sqrt(40 * 0.0455)


def values(rows, **columns):
    """Return rows of the performance table: scenario, method, value, mcse."""
    table = pd.DataFrame(rows, columns=["scenario", "method", "value", "mcse"])
    return table.assign(level=np.nan, **columns)


def test_larger_is_better_where_it_is():
    """Of effective draws the most win; of a coverage the nearest to its level."""
    rows = [("0", "a", 0.2, 0.01), ("0", "b", 0.1, 0.01)]
    names, cells = cells_of_values(values(rows), "larger")
    assert standings(names, cells)[0].method == "a"
    rows = [("0", "a", 0.99, 0.001), ("0", "b", 0.94, 0.001)]
    names, cells = cells_of_values(values(rows).assign(level=0.95), "nominal")
    assert standings(names, cells)[0].method == "b"
    others = [("0", "a", 0.90, 0.02), ("0", "b", 1.0, 0.0)]
    assert standing_sentence(
        *cells_of_values(values(others).assign(level=0.95), "nominal"), {"0": "0"}, measure="coverage", estimand="mu"
    ) == ("“a” and “b” are tied in coverage of μ (distances from nominal within 2 MCSE).")
    assert standing_sentence(names, cells, {"0": "0"}, measure="coverage", estimand="mu") == (
        "“b” has the best coverage of μ (0.9400 ± 0.0010); “a” has 0.9900 ± 0.0010."
    )


def test_what_flatters_cannot_win():
    """A method that is not trusted in a scenario is beaten there, and a scenario in which none is has no cell."""
    rows = [("0", "a", 9.0, 0.01), ("0", "b", 0.1, 0.01), ("1", "a", 9.0, 0.01), ("1", "b", 0.1, 0.01)]
    distrusted = frozenset([("0", "a"), ("1", "a"), ("1", "b")])
    names, cells = cells_of_values(values(rows), "larger", distrusted=distrusted)
    assert [cell.scenario for cell in cells] == ["0"]
    assert [(s.method, s.unbeaten) for s in standings(names, cells)] == [("b", 1), ("a", 0)]
