"""``simstudy figures``: which there are, and one as a file."""

from pathlib import Path

import pytest

from simstudy.report.publishing.drawings import DRAWINGS
from tests.cli.test_cli import simstudy

BASELINE = str(Path("benchmarks/regress/baseline").resolve())


def test_the_list_says_what_there_is_and_what_the_run_lacks(tmp_path):
    """A line each; below it what the run would need."""
    done = simstudy("figures", BASELINE, "--list", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(DRAWINGS)
    assert "Not in this run: it needs a study of kind calibration." in done.stdout
    assert lines[-1].startswith("zip")


@pytest.mark.parametrize(("kind", "begin"), [("pdf", b"%PDF"), ("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_a_figure_is_a_file(kind, begin, tmp_path):
    """Of the kind that its name ends in, as wide as it is asked to be."""
    asked = ["figures", BASELINE, "--figure", "zip", "--scenario", "tau=0.5", "--out", f"fig.{kind}"]
    done = simstudy(*asked, "--width", "8.5", "--font", "DejaVu Serif", "--font-size", "7", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"figure: fig.{kind} (8.5 x ")
    assert (tmp_path / f"fig.{kind}").read_bytes().startswith(begin)


def test_a_scenario_has_to_be_named(tmp_path):
    """The message has those that there are; nothing is written."""
    done = simstudy("figures", BASELINE, "--figure", "zip", "--out", "fig.pdf", cwd=tmp_path)
    assert done.returncode == 2
    assert "shows one scenario, and 2 are meant; name one of them: τ = 0.5; τ = 2" in done.stderr
    assert not list(tmp_path.iterdir())
