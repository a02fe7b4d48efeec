"""What the README says is true."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from simstudy.comparison import read_rules
from simstudy.study.study import Study

README = (Path(__file__).parent.parent / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"), ids=["study", "arviz", "own-model"])
def test_python_examples_run(code, tmp_path):
    """Every Python example runs as it stands, as a script without a `__main__` guard."""
    if "import arviz" in code:
        pytest.importorskip("arviz")
    (tmp_path / "example.py").write_text(code)
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if "simstudy.report(" in code:
        assert (tmp_path / "pilot.html").exists()
        assert "partial" in done.stdout
    if "arviz.summary" in code:
        assert "theta[7]" in done.stdout


def test_the_study_file_is_valid():
    """The example study has three scenarios and three methods; the example of margins is one."""
    text, margins = blocks("toml")
    study = Study.from_dict(tomllib.loads(text))
    assert len(study.scenarios) == 3
    assert [m.name for m in study.methods] == ["none", "partial [tau=HalfNormal(1)]", "partial [tau=HalfNormal(5)]"]
    rules = read_rules(tomllib.loads(margins))
    assert str(rules.margins["ess_per_leapfrog"]) == "10 % of the baseline"


def test_links_lead_somewhere():
    """Every relative link is a file of the project."""
    for target in re.findall(r"\]\(([^)h][^)]*)\)", README):
        assert (Path(__file__).parent.parent / target).exists(), target
