"""The source of a part is its text and that of what it names in its module: no more, and no less."""

import importlib
import sys
from textwrap import dedent

import pytest

from simstudy.registry.sources import source_of

TEXT = '''
    """A module."""
    import math

    LIMIT = 3
    OTHER = 4


    def helper(x):
        return math.sqrt(x) + LIMIT


    def unused(x):
        return x


    class Part:
        """A part."""

        reach = 1.0

        def value(self, x):
            return helper(x) * self.reach
'''


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Return a function that gives the source of ``Part`` in a module of a text."""
    monkeypatch.syspath_prepend(tmp_path)
    count = iter(range(100))

    def source(text):
        name = f"module_of_parts_{next(count)}"
        (tmp_path / f"{name}.py").write_text(dedent(text))
        importlib.invalidate_caches()
        return source_of(importlib.import_module(name).Part)

    yield source
    for name in [name for name in sys.modules if name.startswith("module_of_parts_")]:
        del sys.modules[name]


def test_it_is_the_same_wherever_the_text_is(source):
    """Two modules of one text have one source."""
    assert source(TEXT) == source(TEXT)


@pytest.mark.parametrize(
    ("old", "new"),
    [("helper(x) * self", "helper(x) / self"), ("LIMIT = 3", "LIMIT = 5"), ("math.sqrt(x) +", "math.sqrt(x) -")],
    ids=["its own text", "a constant that its helper names", "its helper"],
)
def test_it_changes_with_what_the_part_rests_on(source, old, new):
    """The class, a function that it names, and a constant that this names."""
    assert source(TEXT) != source(TEXT.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("OTHER = 4", "OTHER = 5"),
        ("return x\n", "return -x\n"),
        ("        def value", "        # A comment.\n\n        def value"),
    ],
    ids=["another constant", "a function that it does not name", "a comment and an empty line"],
)
def test_it_stays_with_what_the_part_does_not_rest_on(source, old, new):
    """What stands beside it in its module, lines of comments, and empty ones."""
    assert source(TEXT) == source(TEXT.replace(old, new))


def of_a_cell(text):
    names = {"__name__": "a_cell"}
    exec(compile(dedent(text), "<cell>", "exec"), names)
    return source_of(names["Part"])


def test_a_class_without_a_file_has_its_methods_and_values():
    """As in a notebook: the same each time it is run, another when a method or a value is."""
    assert of_a_cell(TEXT) == of_a_cell(TEXT)
    assert of_a_cell(TEXT) != of_a_cell(TEXT.replace("reach = 1.0", "reach = 2.0"))
    assert of_a_cell(TEXT) != of_a_cell(TEXT.replace("helper(x) * self", "helper(x) / self"))
