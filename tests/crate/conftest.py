"""A small run, and what is published of it; made once."""

import shutil

import pytest

import simstudy
from tests.running.test_runner import STUDY

TOML = """
[study]
name = "small"
seed = 11
replicates = 6

[mechanism]
kind = "exchangeable"
groups = [3, 4]
group_size = 3
tau = [0.5, 1.0]

[[method]]
name = "complete"
structure = "complete"

[[method]]
name = "partial"
structure = "partial"

[sampler]
kind = "nuts"
chains = 2
warmup = 60
draws = 60
"""


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """The study of the runner's tests, whose programs it shares."""
    out = tmp_path_factory.mktemp("runs") / "small"
    return simstudy.run(simstudy.Study.from_dict(STUDY), out=out, workers=0, quiet=True)


@pytest.fixture(scope="session")
def study_file(tmp_path_factory):
    """Its study file."""
    path = tmp_path_factory.mktemp("study") / "small.toml"
    path.write_text(TOML)
    return path


@pytest.fixture(scope="session")
def published(run, tmp_path_factory):
    """The folder that is published of it, which no test may change."""
    return simstudy.publish(run, out=tmp_path_factory.mktemp("published") / "small", license_id="CC-BY-4.0")


@pytest.fixture
def copy(published, tmp_path):
    """A copy of that, to be changed."""
    return shutil.copytree(published.folder, tmp_path / "copy")
