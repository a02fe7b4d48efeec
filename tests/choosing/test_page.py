"""The page of an answer: every group by name, and never more of them than can be read."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from simstudy.choosing.page import MOST_DRAWN, PULLED, choice_part, drawn, write_choices
from simstudy.choosing.question import PARTIAL, plural
from simstudy.mechanisms.dataset import LIKELIHOODS
from tests.choosing.made import made


def test_it_is_one_file_with_every_name(tmp_path):
    """No other file, no network, every school."""
    found = made([4.0, 2.0, 1.0])
    text = write_choices([found], tmp_path / "page.html").read_text()
    assert all(f">{label}<" in text for label in found.question.labels)
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_several_factors_stand_apart(tmp_path):
    """A part each, with ids of their own."""
    text = write_choices([made([4.0, 2.0, 1.0]), made([1.0, 2.0, 1.5])], tmp_path / "page.html").read_text()
    assert text.count("Every group by name") >= 2


def test_of_many_groups_those_that_move_most_are_drawn():
    """And the caption says so."""
    table = pd.DataFrame({"label": range(100), "own": range(100)})
    table[PARTIAL] = [own + (own % 10) for own in table["own"]]
    shown = drawn(table)
    assert len(shown) == MOST_DRAWN
    assert set(shown["label"] % 10) == {7, 8, 9}
    assert shown["own"].is_monotonic_increasing


def test_without_a_sampler_the_page_says_why():
    """No empty table."""
    part = choice_part(made([4.0, 2.0, 1.0], sampling=pd.DataFrame(), check=pd.DataFrame(), reason="too far from 1"))
    section = next(section for section in part.sections if section.name == "sampler")
    assert section.paragraphs == ["The sampler was not tried: too far from 1"]
    assert not section.tables


def test_groups_are_called_by_their_column():
    """Words get a plural, other names do not."""
    assert [plural(noun) for noun in ("driver", "box", "day", "County", "x1")] == [
        "drivers",
        "boxes",
        "days",
        "groups of County",
        "groups of x1",
    ]


@pytest.mark.parametrize("kind", LIKELIHOODS)
def test_the_weight_of_the_common_mean_is_that_of_the_likelihood(kind):
    """Every likelihood of a table has a formula; that of known standard errors has no sigma."""
    assert "τ²" in PULLED[kind]


def test_the_page_says_the_formula_of_its_likelihood(tmp_path):
    """The eight schools have known standard errors."""
    text = write_choices([made([4.0, 2.0, 1.0])], tmp_path / "page.html").read_text()
    assert "B = se² / (se² + τ²)" in text
    assert "σ² / (σ² + n τ²)" not in text


def test_small_numbers_are_no_zeros_in_the_table(tmp_path):
    """The data of nanometers in meters."""
    found = made([4.0, 2.0, 1.0])
    small = found.groups.assign(own=found.groups["own"] * 1e-9)
    text = write_choices([made([4.0, 2.0, 1.0], groups=small)], tmp_path / "page.html").read_text()
    assert "2.80e−08" in text
    assert ">0.000000<" not in text


def test_weights_that_cannot_be_are_told_as_such(tmp_path):
    """In the caption, with a sign and no word of Python."""
    found = made([4.0, 2.0, 1.0])
    known = replace(found.sensitivity, k={0.5: 0.0, 2.0: np.inf})
    text = write_choices([made([4.0, 2.0, 1.0], sensitivity=known)], tmp_path / "page.html").read_text()
    assert "(Pareto k 0, ∞)" in text
