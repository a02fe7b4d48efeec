"""docs/extending.md is run as it stands: a part of each kind is proven by its check, and all of them make a report."""

import re
import tomllib

import matplotlib as mpl
import pytest

from docs.making.pages import BLOCK
from simstudy.measures import MEASURES
from simstudy.store import Run
from simstudy.study.extensions import REGISTRIES
from simstudy.study.registry import MODELS
from tests.executed import ROOT, execute

PAGE = ROOT / "docs" / "extending.md"
CHECKS = ("check_mechanism", "check_model", "check_measure", "check_likelihood", "check_term", "check_sampler")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the page has been run."""
    folder = tmp_path_factory.mktemp("extending")
    with pytest.MonkeyPatch.context() as patch, mpl.rc_context():
        patch.chdir(folder)
        execute(PAGE)
    return folder


@pytest.mark.usefixtures("folder")
def test_each_kind_is_proven_by_its_check():
    """Every kind of part is registered on the page, and its check is called."""
    blocks = BLOCK.finditer(PAGE.read_text("utf-8"))
    called = "\n".join(block["content"] for block in blocks if block["language"] == "python")
    assert [name for name in CHECKS if not re.search(rf"^{name}\(", called, re.MULTILINE)] == []
    registered = {registry.what: list(registry.extensions) for registry in (*REGISTRIES.values(), MODELS, MEASURES)}
    assert registered == {
        "mechanism": ["waiting"],
        "likelihood": ["waits"],
        "structure": [],
        "term": ["season"],
        "sampler": ["walk"],
        "model": ["exponential"],
        "measure": ["mean_absolute_error", "rmse_of_the_median"],
    }


def test_they_make_a_report(folder):
    """The page says what the parts are, and that the short walk did not converge, as the text beside it says."""
    run = Run.open(folder / "runs" / "waits")
    assert (run.fits["status"] == "ok").all()
    page = re.sub(r"<[^>]+>", " ", (folder / "waits.html").read_text("utf-8"))
    assert "sampler walk: Random-walk Metropolis with one step size for all parameters (source " in page
    assert re.search(r"walk\s+did not converge in 4 of 4 fits", page)
    assert "Measures of your own" in page


def test_groups_of_entry_points_are_those_of_registries(folder):
    """Each group that the page names is one that a registry looks in, and all but that of structures are named."""
    groups = set(tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"])
    looked = {registry.group for registry in (*REGISTRIES.values(), MODELS, MEASURES)}
    assert groups == looked - {"simstudy.structures"}
