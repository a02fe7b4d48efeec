"""Every file of a run, damaged in every way, in everything that is done with a run: a sentence, or the right result."""

import pytest

from tests.damage import ACTIONS, DAMAGES, make_tiny, outcome


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The run that is damaged."""
    return make_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("action", [pytest.param(a, marks=pytest.mark.faults(full=True)) for a in ACTIONS])
def test_damaged_file(tiny, tmp_path, faults, action, damage):
    """Every file in turn: refused in a sentence, or the numbers of the undamaged run; never a traceback."""
    others = []
    for file in tiny.files:
        kind = f"damaged files: {action}"
        faults.tried(kind)
        try:
            outcome(tiny, tmp_path / "case", file=file, damage=damage, action=action)
            faults.survived(kind)
        except Exception as error:  # every other end is counted and named
            others.append(f"{file}: {type(error).__name__}: {error}"[:300])
    assert others == []
