"""The project's own papers agree: versions, citations, pins, and placeholders that say what they are."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.executed import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LINES = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
PINS = {canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in LINES if "==" in line}


def wanted():
    """Yield every requirement of the project and of what it requires, as far as it is installed here."""
    own = PROJECT["project"]
    todo = [Requirement(text) for text in own["dependencies"]]
    todo += [Requirement(text) for texts in own["optional-dependencies"].values() for text in texts]
    seen = set()
    while todo:
        one = todo.pop()
        name = canonicalize_name(one.name)
        if name in seen or (one.marker and not any(one.marker.evaluate({"extra": e}) for e in ("", *one.extras))):
            continue
        seen.add(name)
        yield name
        try:
            todo += [Requirement(text) for text in requires(one.name) or ()]
        except PackageNotFoundError:
            continue


def test_every_package_is_pinned():
    """constraints.txt is the lock file: what any extra installs has one exact version in it, installers apart."""
    assert sorted(set(wanted()) - {"setuptools"} - set(PINS)) == []
    assert all(re.fullmatch(r"[\w.!+]+", version) for version in PINS.values())


def test_the_version_is_said_once():
    """The version to cite is that of the package."""
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)[1]
    assert cited == PROJECT["project"]["version"]


def test_the_paper_cites_what_its_bibliography_has():
    """Every key that is cited is an entry, and every entry is cited."""
    cited = set(re.findall(r"@([a-z]+\d{4})\b", (ROOT / "paper.md").read_text("utf-8")))
    assert cited == set(re.findall(r"^@\w+\{(\w+),", (ROOT / "paper.bib").read_text("utf-8"), re.MULTILINE))


def test_placeholders_say_what_to_fill_in():
    """What is not known yet is no invented name or address: each file says that it is to be filled in."""
    for name in ("CITATION.cff", "paper.md", "pyproject.toml", ".github/ISSUE_TEMPLATE/config.yml"):
        assert re.search("fill in", (ROOT / name).read_text("utf-8"), re.IGNORECASE), name


def test_hooks_have_the_pinned_versions():
    """Ruff before a commit is the one that lint runs."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert re.search(r"ruff-pre-commit\n +rev: v([\d.]+)", hooks)[1] == PINS["ruff"]
