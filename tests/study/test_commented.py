"""Commented study files: the same study of another name, whatever is taken in from the comments."""

import re
import tomllib

import pytest

from simstudy.errors import StudyError
from simstudy.study.built_in_studies import built_in_studies
from simstudy.study.commented import commented
from simstudy.study.keys import study_keys
from simstudy.study.study import Study

STUDIES = built_in_studies()
AT_DEFAULT = re.compile(r"^# (\w+ = .*)$", re.MULTILINE)


@pytest.mark.parametrize("name", STUDIES)
def test_it_is_the_same_study_of_another_name(name):
    """Comments are comments: what is read is what was there, but for the name."""
    text = STUDIES[name].read_text("utf-8")
    original, new = tomllib.loads(text), tomllib.loads(commented(text, name="mine"))
    assert new["study"]["name"] == "mine"
    original["study"]["name"] = "mine"
    new = {section: content for section, content in new.items() if content or section in original}
    assert new == original


@pytest.mark.parametrize("name", ["lecture", "crossed"])
def test_what_is_commented_out_is_at_its_default(name):
    """Taken in as it stands, every option leaves the study as it was, to its last default."""
    text = commented(STUDIES[name].read_text("utf-8"), name=name)
    whole, n_options = AT_DEFAULT.subn(r"\1", text)
    assert n_options > 5
    assert Study.from_dict(tomllib.loads(whole)).canonical == Study.from_dict(tomllib.loads(text)).canonical


@pytest.mark.parametrize("name", STUDIES)
def test_every_entry_is_told_once(name):
    """Before the first entry of a key its words stand, and before no other."""
    text = commented(STUDIES[name].read_text("utf-8"), name="mine")
    flat = re.sub(r"\n# ", " ", text)
    for key in study_keys():
        assert flat.count(f"# {key.words} (") <= 1
    lines = text.splitlines()
    first = lines.index("[study]")
    entries = [k for k, line in enumerate(lines[first:], first) if line.startswith(("seed =", "kind =", "draws ="))]
    assert all(lines[k - 1].startswith("# ") for k in entries)


def test_the_words_are_those_of_the_kind_that_the_study_has():
    """A key of many kinds is told as the kind of the study has it."""
    of_terms, of_groups = (commented(STUDIES[name].read_text("utf-8"), name="mine") for name in ("crossed", "pooling"))
    assert "# number of levels" in of_terms
    assert "# number of groups" in of_groups
    assert "# mean of the effects" in of_groups
    assert "# of all terms that say nothing else" in of_terms


def test_lists_over_several_lines_stay_as_they_are():
    """A line within a list is no entry, even if it looks like one."""
    text = '[study]\nname = "a"\n[mechanism]\nsizes = [\n  [1, 2],\n  [3],\n]\nmu = 0.0\n'
    new = commented(text, name="b")
    assert "sizes = [\n  [1, 2],\n  [3],\n]\n" in new
    assert tomllib.loads(new)["mechanism"] == {"sizes": [[1, 2], [3]], "mu": 0.0}


def test_a_name_that_no_study_can_have_is_refused():
    """The message is that of a study file."""
    with pytest.raises(StudyError, match=r"\[study\] name: expected letters, digits"):
        commented('[study]\nname = "a"\n', name="a b")
