"""The page of an answer: every group by name, and never more of them than can be read."""

import pandas as pd

from simstudy.choosing.page import MOST_DRAWN, choice_part, drawn, write_choices
from simstudy.choosing.question import PARTIAL, plural
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
