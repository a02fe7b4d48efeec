"""Any change to a valid study gives a study or one message; never another error, or a study that cannot be stored."""

import copy
import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simstudy.errors import StudyError
from simstudy.study.study import Study

STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.toml"))
CONTENTS = [tomllib.loads(path.read_text()) for path in STUDIES]
WORDS = (
    "tau",
    "mu",
    "sizes",
    "Normal(0, 1)",
    "HalfNormal(5)",
    "partial",
    "normal",
    "dataset",
    "nuts",
    "=1+1",
    "../x.csv",
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from((0, 1, 2, -1, 0.5, 1e308, 10**400)),
    st.sampled_from(WORDS),
    st.text(max_size=8),
    st.dates(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=5,
)


def places(value, here=()):
    """Return the way to everything in a study, the sections first."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in [(*here, key), *places(inner, (*here, key))]]


@st.composite
def mutated(draw):
    """A built-in study with one to three of its values replaced, removed, or joined by another key."""
    contents = copy.deepcopy(draw(st.sampled_from(CONTENTS)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(places(contents) or [("study",)]))
        inside = contents
        for key in way:
            inside = inside[key]
        action = draw(st.sampled_from(("replace", "replace", "remove", "add")))
        if action == "remove":
            del inside[last]
        elif action == "add" and isinstance(inside, dict):
            inside[draw(st.sampled_from(WORDS) | st.text(max_size=4))] = draw(VALUES)
        else:
            inside[last] = draw(VALUES)
    return contents


def check(build) -> None:
    """Build a study: it is refused with a message, or can be stored and told apart."""
    try:
        study = build()
    except StudyError as error:
        n_lines = len(str(error).splitlines())
    else:
        n_lines = 1
        check_stored(study)
    assert n_lines == 1


def check_stored(study: Study) -> None:
    """Assert that a study comes back from what is stored, and that its scenarios and methods can be told apart."""
    stored = json.loads(json.dumps(study.canonical, allow_nan=False))
    assert Study.from_canonical(stored).canonical == study.canonical
    assert len({scenario.identity for scenario in study.scenarios}) == len(study.scenarios) > 0
    assert len({method.identity for method in study.methods}) == len(study.methods) > 0


@given(mutated())
@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_studies(contents):
    """A study with values of any type in any place is refused with one line, or is a study through and through."""
    check(lambda: Study.from_dict(contents))


@given(data=st.data())
@settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_files(data, tmp_path_factory):
    """So is a file with bytes cut out, put in or repeated anywhere."""
    content = data.draw(st.sampled_from(STUDIES)).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    stop = start + data.draw(st.integers(0, 30))
    more = data.draw(
        st.binary(max_size=5) | st.sampled_from((b"[", b"]", b"=", b'"', b"\n", b"9" * 20, content[start:stop]))
    )
    path = tmp_path_factory.getbasetemp() / "mutated.toml"
    path.write_bytes(content[:start] + more + content[stop:])
    check(lambda: Study.from_toml(path))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_built_in_studies_come_back(path):
    """What is not changed is a study that comes back from its canonical form."""
    check(lambda: Study.from_toml(path))
