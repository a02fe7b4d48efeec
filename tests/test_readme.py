"""What the README says is true, and stands on one screen."""

import json
import re
import tomllib
from pathlib import Path

from reports.side_by_side import contest
from simstudy.study.study import Study

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
MOST_LINES = 100


def test_it_is_short():
    """One screen says what it is, how to begin, and where the rest stands."""
    assert len(README.splitlines()) <= MOST_LINES


def test_the_study_file_is_valid():
    """The example study has three scenarios and three methods."""
    (text,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    study = Study.from_dict(tomllib.loads(text))
    assert len(study.scenarios) == 3
    assert [m.name for m in study.methods] == ["none", "complete", "partial"]


def test_the_two_commands_are_sessions():
    """What a fresh machine runs is there, under these names."""
    sessions = set(re.findall(r"@nox.session\ndef (\w+)", (ROOT / "noxfile.py").read_text()))
    assert {"study", "tests"} <= set(re.findall(r"nox -s (\w+)", README)) <= sessions


def test_rates_are_those_that_were_measured():
    """Fits a second of every contestant are those of the file that the command writes, and a million follows."""
    measured = contest(json.loads((ROOT / "reports" / "samplers" / "side_by_side.json").read_text()))
    rates = [float(rate) for rate in re.findall(r"^\| [^|]+ \| ([\d.]+) \| [\d]+ \w+ \|$", README, re.MULTILINE)]
    known = [float(f"{rate:.3g}") for rate in measured["fits_per_second"]]
    assert len(rates) == 5
    assert set(rates) <= set(known), known
    for rate, amount, unit in re.findall(r"\| ([\d.]+) \| (\d+) (minutes|hours|days) \|$", README, re.MULTILINE):
        seconds = {"minutes": 60, "hours": 3600, "days": 86400}[unit]
        assert round(1e6 / float(rate) / seconds) == int(amount)


def test_links_lead_somewhere():
    """Every relative link is a file of the project."""
    for target in re.findall(r"\]\(([^)h][^)]*)\)", README):
        assert (ROOT / target).exists(), target
