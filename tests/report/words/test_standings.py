"""Standings: a method is beaten where another is clearly nearer on the same data, and nowhere else."""

import re

import numpy as np
import pandas as pd
import pytest

from simstudy.report.reading.pairs import paired_differences
from simstudy.report.reading.readings import is_clear
from simstudy.report.words.standings import standing_sentences, standings

N = 400


@pytest.fixture(scope="module")
def squares():
    """Three methods in two scenarios: "a" best in the first, "b" in the second, "c" is "a" with noise around it."""
    rng = np.random.default_rng(8)
    parts = []
    for scenario, scale in (("one", {"a": 1.0, "b": 2.0}), ("two", {"a": 2.0, "b": 1.0})):
        chi = rng.chisquare(4, N)
        for method, factor in scale.items():
            parts.append((scenario, method, factor * chi * rng.uniform(0.9, 1.1, N)))
        parts.append((scenario, "c", scale["a"] * chi * rng.uniform(0.9, 1.1, N)))
    frames = [pd.DataFrame({"scenario": s, "method": m, "replicate": range(N), "square": v}) for s, m, v in parts]
    return pd.concat(frames, ignore_index=True)


def test_who_is_beaten_is_what_every_paired_difference_says(squares):
    """A method is unbeaten in as many scenarios as no paired difference with any rival is clearly above 0."""
    found, n = standings(squares)
    assert n == 2
    for standing in found:
        rivals = {"a", "b", "c"} - {standing.method}
        tables = pd.concat([paired_differences(squares, standing.method, rival) for rival in rivals])
        lost = tables[
            [d > 0 and is_clear(d, m) for d, m in zip(tables["difference"], tables["difference_mcse"], strict=True)]
        ]
        assert standing.unbeaten == 2 - lost["scenario"].nunique()


def test_the_worst_is_told_with_the_rival_that_beats_it(squares):
    """RMSEs differ by sqrt 2 where squares differ by 2: 41 % within 5 points, in the scenario where the other wins."""
    standing = next(s for s in standings(squares)[0] if s.method == "b")
    assert standing.worst == "one"
    assert standing.rival in ("a", "c")
    assert standing.excess == pytest.approx(np.sqrt(2) - 1, abs=0.05)


def test_noise_beats_no_one():
    """Methods that are alike are unbeaten everywhere, so every one of them has all scenarios."""
    same = np.random.default_rng(1).chisquare(3, N)
    frames = [
        pd.DataFrame({"scenario": s, "method": m, "replicate": range(N), "square": same}) for s in "xy" for m in "abc"
    ]
    found, _ = standings(pd.concat(frames))
    assert [standing.unbeaten for standing in found] == [2, 2, 2]
    (told,) = standing_sentences(pd.concat(frames), {"x": "x", "y": "y"})
    assert "in 2 of 2 scenarios" in told
    assert "At worst" not in told


def test_words_say_what_was_counted():
    """The sentence claims that none is clearly nearer, not a smallest RMSE, and names the rival that clearly is.

    "d" has the smallest RMSE, with so large an error in one data set that no difference from it is clear; "b" is
    beaten by "a" alone.
    """
    rng = np.random.default_rng(3)
    chi = rng.chisquare(4, N)
    wild = np.where(np.arange(N) == 0, 0.45 * chi.sum(), 0.5 * chi.mean() * rng.uniform(0.9, 1.1, N))
    methods = {"a": 1.0 * chi, "b": 4.0 * chi * rng.uniform(0.99, 1.01, N), "d": wild}
    frames = [
        pd.DataFrame({"scenario": s, "method": m, "replicate": range(N), "square": v})
        for s in "xy"
        for m, v in methods.items()
    ]
    table = pd.concat(frames)
    roots = {name: np.sqrt(square.mean()) for name, square in methods.items()}
    assert min(roots, key=roots.get) == "d"
    beaten = next(s for s in standings(table[table["method"] != "d"])[0] if s.method == "b")
    assert beaten.rival == "a"
    (told,) = standing_sentences(table, {"x": "x", "y": "y"})
    assert told.startswith(
        "No method is clearly nearer to the truth (2 MCSE) than “a” in 2 of 2 scenarios; than “d” in 2"
    )
    assert "smallest" not in told


def test_the_worst_of_the_first_names_who_beats_it(squares):
    """A first method that is beaten somewhere has its numbers told against those of the one that beats it."""
    (told,) = standing_sentences(squares[squares["method"] != "c"].pipe(_with_a_third), {"one": "1", "two": "2"})
    assert re.search(
        r"At worst the RMSE of “(\w)” is \d+ % above that of “(?!\1)\w”, which beats it: .* against .* at [12]\.", told
    )


def _with_a_third(squares):
    """Return the squares with a method that is beaten everywhere."""
    worst = squares.groupby(["scenario", "replicate"], as_index=False)["square"].max()
    return pd.concat([squares, worst.assign(method="c", square=3 * worst["square"])], ignore_index=True)


@pytest.mark.parametrize("left", [["a", "b"], ["a"]])
def test_two_methods_are_left_to_the_sentence_of_their_pair(squares, left):
    """Fewer than three methods have no standings to tell."""
    assert standing_sentences(squares[squares["method"].isin(left)], {"one": "1", "two": "2"}) == []
