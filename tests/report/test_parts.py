"""A page of several runs: a part for each, told apart by name, ids unique, each part as on its own page."""

import re

import pytest

from simstudy.measures import performance
from simstudy.report import write_report, write_reports
from simstudy.report.document import lay_out
from simstudy.report.parts import Part, with_anchors
from tests.fakes import fake_run
from tests.report.test_document import Outline
from tests.report.test_tables import embedded

SMALL = {"groups": (4,), "group_size": (2,), "tau": (0.5,), "replicates": 12, "methods": ("none", "complete")}


@pytest.fixture(scope="module")
def runs():
    """Three runs, two of them of the same study."""
    twins = [fake_run(**SMALL, seed=seed) for seed in (1, 2)]
    return [*twins, fake_run(replication="sampler", replicates=10, methods=("none",))]


@pytest.fixture(scope="module")
def page(runs, tmp_path_factory):
    """Their page, as text."""
    path = tmp_path_factory.mktemp("several") / "report.html"
    return write_reports(runs, [performance(run) for run in runs], path).read_text("utf-8")


def part(title, **fields):
    """Return an empty part with a title."""
    empty = dict(kind="", aim="", facts=[], answers={}, remark="", picture=None, sections=[], marks={}, origin="")
    return Part(title=title, **(empty | fields))


def test_every_run_has_its_part(page):
    """Each run has an anchor, which the first screen links to, and every id stands once."""
    outline = Outline(page)
    assert outline.open == []
    ids = [attrs["id"] for _, attrs in outline.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {"fake-1", "fake-2", "lecture"} <= set(ids)
    links = [attrs["href"] for tag, attrs in outline.elements if tag == "a"]
    assert {"#fake-1", "#fake-2", "#lecture"} <= set(links)
    assert all(link[1:] in ids for link in links)
    assert sum(tag == "h1" for tag, _ in outline.elements) == 1


def test_what_pictures_refer_to_is_their_own(page):
    """Every clip path, marker and hatch that a picture uses is defined once on the page, within the same picture."""
    pictures = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    for svg in pictures:
        used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg))
        assert {a or b for a, b in used} <= set(re.findall(r'\bid="([^"]+)"', svg))
    assert len(pictures) > 20


def test_a_part_holds_what_the_page_of_its_run_holds(runs, page, tmp_path):
    """The tables of a part are, byte for byte, those of the run's own page."""
    alone = embedded(write_report(runs[1], performance(runs[1]), tmp_path / "alone.html").read_text("utf-8"))
    mine = {name.removeprefix("fake-2-"): csv for name, csv in embedded(page).items() if name.startswith("fake-2-")}
    assert mine == alone


def test_parts_of_one_name_are_told_apart_by_folder_then_by_number():
    """Different studies keep their names; one study twice shows the folders; one folder twice is numbered."""
    titles = [p.title for p in with_anchors([part("a"), part("b")], ["x", "y"])]
    assert titles == ["a", "b"]
    parts = with_anchors([part("a"), part("a"), part("a")], ["x", "y", "y"])
    assert [p.title for p in parts] == ["a (x)", "a (y) 2", "a (y) 3"]
    assert [p.anchor for p in parts] == ["a-x", "a-y-2", "a-y-3"]


def test_names_without_a_letter_still_have_anchors_of_their_own():
    """Names that leave nothing for an id, or the same, get numbers."""
    assert [p.anchor for p in with_anchors([part("!"), part("?")], ["", ""])] == ["run-1", "run-2"]


def test_the_first_two_questions_lead():
    """Beside the picture stand the first two questions; the others follow, in order."""
    answers = {str(i): [f"sentence {i}"] for i in range(4)}
    page = lay_out([part("a", answers=answers)])
    assert [page.index(f"sentence {i}") for i in range(4)] == sorted(page.index(f"sentence {i}") for i in range(4))
    assert page.index("sentence 1") < page.index('class="further"') < page.index("sentence 2")
