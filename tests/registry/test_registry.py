"""A registry knows built-in parts, those that are registered, and those of installed packages, and refuses others."""

import os
import pickle
import subprocess
import sys
from collections import Counter

import pytest

from simstudy.errors import StudyError
from simstudy.registry import Extension, Registry
from tests.registry.packages import install

LOADS: Counter[str] = Counter()


def adapt(name, found):
    if not isinstance(found, int):
        raise StudyError(f"the number {name!r}: expected a number, got {found!r}")
    return Extension(part=found, source=str(found), module="here", words="A number.")


@pytest.fixture
def numbers():
    """A registry of numbers with one built in."""
    return Registry("number", {"one": 1}, adapt=adapt)


def test_registered_parts_stand_behind_built_in_ones(numbers):
    """What is registered is found by its name, after the built-in ones, and known as an extension."""
    assert numbers.register(2, name="two") == 2
    assert dict(numbers) == {"one": 1, "two": 2}
    assert list(numbers.extensions) == ["two"]
    assert "three" not in numbers
    assert numbers.get("three") is None


def test_a_name_is_taken_once(numbers):
    """A built-in name and that of another module are refused; the same module replaces its own."""
    with pytest.raises(StudyError, match="the number 'one': the name is that of a built-in one; choose another"):
        numbers.register(7, name="one")
    numbers.register(2, name="two")
    numbers.register(22, name="two")
    assert numbers["two"] == 22
    elsewhere = Registry(
        "number", {}, adapt=lambda name, found: Extension(part=found, source=str(found), module=f"module_{found}")
    )
    elsewhere.register(1, name="n")
    with pytest.raises(StudyError, match="the name is taken by that of module_1; choose another, or leave one out"):
        elsewhere.register(2, name="n")
    assert elsewhere["n"] == 1


@pytest.mark.parametrize("name", ["", " ", "a\nb", 3, None])
def test_names_are_printable_texts(numbers, name):
    """Anything else is refused, and nothing is registered."""
    with pytest.raises(StudyError, match="expected a name of printable characters"):
        numbers.register(2, name=name)
    assert dict(numbers) == {"one": 1}


def test_what_is_registered_inside_a_block_is_gone_behind_it(numbers):
    """``restored`` takes back all that came in between."""
    numbers.register(2, name="two")
    with numbers.restored():
        numbers.register(3, name="three")
        assert "three" in numbers
    assert list(numbers) == ["one", "two"]


def test_a_package_is_loaded_when_its_name_is_not_known_or_parts_are_listed(numbers, tmp_path, monkeypatch):
    """A known name loads nothing; an unknown one and going through the parts load, once."""
    text = "from tests.registry.test_registry import LOADS\nLOADS['parts'] += 1\ntwo = 2\n"
    install(
        tmp_path,
        monkeypatch,
        name="some-parts",
        files={"some_parts": text},
        entry_points={"simstudy.numbers": {"two": "some_parts:two"}},
    )
    LOADS.clear()
    assert numbers["one"] == 1
    assert not LOADS
    assert numbers["two"] == 2
    assert list(numbers) == ["one", "two"]
    assert LOADS == {"parts": 1}
    assert numbers.extensions["two"].package == "some-parts 1.2"


def test_a_broken_package_is_named_and_stops_nobody(numbers, tmp_path, monkeypatch, caplog):
    """What cannot be loaded is a warning; an error only where its own name is asked for."""
    install(
        tmp_path,
        monkeypatch,
        name="broken-parts",
        files={"broken_parts": "1 / 0\n", "odd_parts": "word = 'two'\n"},
        entry_points={
            "simstudy.numbers": {"two": "broken_parts:two", "odd": "odd_parts:word", "one": "odd_parts:word"}
        },
    )
    assert list(numbers) == ["one"]
    said = " ".join(record.message for record in caplog.records)
    assert "the number 'two' of the package broken-parts 1.2 cannot be loaded (ZeroDivisionError" in said
    assert "the number 'odd': expected a number, got 'two'" in said
    with pytest.raises(StudyError, match="mend or uninstall the package"):
        numbers["two"]
    assert numbers["one"] == 1


def test_start_up_loads_no_package(tmp_path, monkeypatch):
    """``import simstudy``, and the registry of measures, import no package of extensions."""
    install(
        tmp_path,
        monkeypatch,
        name="loud-parts",
        files={"loud_parts": "print('loaded')\n"},
        entry_points={"simstudy.measures": {"loud": "loud_parts:loud"}},
    )
    code = "import simstudy, simstudy.measures; simstudy.measures.MEASURES['rmse']"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""


def test_extensions_can_be_pickled():
    """An extension goes to another process as it is."""
    one = Extension(part=1, source="1", module="here")
    assert pickle.loads(pickle.dumps(one)) == one
