"""What a user finds by name: public names, runs and studies however they are named, what a console shows of them."""

import html.parser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import simstudy
from simstudy.errors import RunError, StudyError
from simstudy.report.publishing import figure, group_table
from simstudy.store.opening import open_folder, open_run
from simstudy.study.opening import folder_of, open_study
from tests.fakes import fake_run

ROOT = Path(__file__).parents[1]
REGRESS = ROOT / "benchmarks" / "regress"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of a stored run, which is finished."""
    return shutil.copytree(REGRESS / "baseline", tmp_path_factory.mktemp("runs") / "regress")


@pytest.fixture(scope="module")
def run(folder):
    return simstudy.Run.open(folder)


def test_names_are_listed():
    """Every public name is found by ``dir``, and is there; nothing private is."""
    assert set(simstudy.__all__) <= set(dir(simstudy))
    assert all(getattr(simstudy, name) is not None for name in simstudy.__all__)
    assert not [name for name in dir(simstudy) if name.startswith("_") and not name.startswith("__")]


def test_the_package_is_a_command():
    """``python -m simstudy`` is the command line."""
    ended = subprocess.run(
        [sys.executable, "-m", "simstudy", "list", "studies"], capture_output=True, text=True, check=True
    )
    assert "lecture" in ended.stdout


@pytest.mark.parametrize("use", [simstudy.performance, simstudy.table], ids=["performance", "table"])
def test_a_run_and_its_folder_are_alike(run, folder, use):
    """A run, its folder as a text and as a path give the same table."""
    tables = [use(source) for source in (run, str(folder), folder)]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])


def test_a_report_without_a_path_needs_the_folder_of_one_run(folder, run):
    """Several runs, and tables that are in no folder, are told to give a path; docs/python.md has the other case."""
    for source in ([run, folder], fake_run(replicates=3)):
        with pytest.raises(RunError, match="need a path"):
            simstudy.report(source)


def test_a_comparison_takes_runs_and_folders(run, folder):
    """A run beside its own folder is identical to it."""
    found = simstudy.compare(run, str(folder))
    assert found.counts["changed"] == 0


RUNS = {
    "performance": simstudy.performance,
    "report": simstudy.report,
    "table": simstudy.table,
    "figure": lambda source: figure(source, "zip"),
    "group_table": group_table,
    "compare": lambda source: simstudy.compare(source, source),
    "refit": lambda source: simstudy.refit(source, scenario="a", replicate=0, method="b"),
    "publish": lambda source: simstudy.publish(source, out="out"),
    "verify": simstudy.verify,
}


@pytest.mark.parametrize("use", RUNS.values(), ids=RUNS)
def test_what_is_no_run_is_one_message_everywhere(use, tmp_path, monkeypatch):
    """The message says what is expected and what came; nothing is written."""
    monkeypatch.chdir(tmp_path)
    for source, words in ((3, "got 3"), (None, "got NoneType"), ("nowhere", "nowhere is no run folder")):
        with pytest.raises(RunError, match=words):
            use(source)
    assert not list(tmp_path.iterdir())


def test_a_study_in_the_place_of_a_run_is_told_what_to_do():
    """Its run is made first."""
    with pytest.raises(RunError, match=r"got Study; simstudy.run\(study\) makes it"):
        simstudy.performance(open_study("lecture"))


def test_tables_in_no_folder_are_a_run_for_what_reads_them_alone():
    """Measures read them; what needs a folder says so."""
    run = fake_run(replicates=3)
    assert open_run(run) is run
    with pytest.raises(RunError, match="got FakeRun, which is in none"):
        open_folder(run)


def test_a_study_is_named_in_many_ways(run, folder):
    """By file, by name, by its sections, by itself and by a run of it: the same study."""
    file = REGRESS / "study.toml"
    study = open_study(file)
    for source in (str(file), study, run, folder, str(folder)):
        assert open_study(source).canonical == study.canonical
    assert open_study("lecture").canonical == open_study(ROOT / "studies" / "lecture.toml").canonical
    sections = {"study": {"name": "a"}, "mechanism": {"kind": "dataset", "data": "lecture"}}
    sections |= {"method": [{"name": "none", "structure": "none"}], "sampler": {"kind": "exact"}}
    assert open_study(sections).name == "a"
    assert (folder_of(run), folder_of(folder), folder_of(file), folder_of(study)) == (folder, folder, None, None)


@pytest.mark.parametrize(
    ("source", "words"),
    [(3, "or a run of it, got 3"), ("lectur", "did you mean 'lecture'"), (None, "got None")],
)
def test_what_is_no_study_is_one_message(source, words):
    """The message says what is expected and what came."""
    with pytest.raises(StudyError, match=words):
        simstudy.run(source)


def test_a_run_goes_on_in_its_own_folder(run, folder, tmp_path, monkeypatch):
    """A finished run that is run again is itself, and no other folder is made."""
    monkeypatch.chdir(tmp_path)
    for source in (run, os.fspath(folder)):
        again = simstudy.run(source, workers=0, quiet=True)
        assert again.folder == folder
        pd.testing.assert_frame_equal(again.fits, run.fits)
    assert not list(tmp_path.iterdir())


class Tags(html.parser.HTMLParser):
    """The tags of a page that are open, and how many rows it has."""

    def __init__(self):
        super().__init__()
        self.open, self.n_rows = [], 0

    def handle_starttag(self, tag, attrs):
        self.n_rows += tag == "tr"
        self.open += [tag] if tag != "br" else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_what_a_console_and_a_notebook_show(run):
    """One line with the size, and a card whose table has a row for each method; every tag is closed."""
    study = open_study(run)
    assert repr(study) == "<Study regress: 2 scenarios x 3 methods x 24 replicates>"
    assert repr(run) == f"<Run regress: 2 scenarios x 3 methods x 24 replicates, in {run.folder}>"
    found = simstudy.compare(run, run, baseline_method="none", candidate_method="partial, centered")
    assert repr(found).startswith(f"<Comparison of {found.names[0]} and {found.names[1]}: ")
    assert f"{found.counts['same']} the same" in repr(found)
    for shown, n_rows in ((study, 3), (run, 3), (found, min(len(found.changed), 10))):
        tags = Tags()
        tags.feed(shown._repr_html_())
        assert (tags.open, tags.n_rows) == ([], n_rows + (n_rows > 0))
    assert "144 fits" not in repr(run)
    assert "fits: 144" in run._repr_html_()
