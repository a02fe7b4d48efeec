"""docs/gate.md runs as it stands, with few chains of one posterior here, and with all in the statistical tests."""

from pathlib import Path

import pytest

from simstudy.testing.gating import gate
from tests.executed import execute

PAGE = Path(__file__).parents[2] / "docs" / "gate.md"


def test_the_page(monkeypatch):
    """NumPyro, BlackJAX and a random walk pass; a factor of 2 in the acceptance does not."""
    pytest.importorskip("blackjax")
    monkeypatch.setattr(gate, "CHAINS", {"uniform": 16, "exact": 1024})
    monkeypatch.setattr(gate, "DEFAULT", ("lecture",))
    assert not execute(PAGE)["verdict"].passed


@pytest.mark.statistical
def test_the_page_in_full():
    """The same with all chains and posteriors."""
    pytest.importorskip("blackjax")
    assert not execute(PAGE)["verdict"].passed
