"""A study file with every key told in words, and with the options that it leaves to their defaults as comments.

What is commented out is at its default: taken in as it stands, it changes nothing.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from simstudy.errors import printable
from simstudy.models.options import checked
from simstudy.study.key_words import toml_text
from simstudy.study.keys import COVARIATE, METHOD, SAMPLER, TERMS, Key, study_keys
from simstudy.study.study_file import StudySection

WIDTH = 100
OPTIONS = ("[study]", SAMPLER, "[summary]", "[diagnostics]")
"""Sections whose keys are independent of each other, so that all of them can stand there."""
NAMED = {"mechanism.terms": TERMS, "mechanism.covariates": COVARIATE}
HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\"'-]+)\s*\]\]?\s*(#.*)?$")
ENTRY = re.compile(r"\s*(\w+)\s*=")
Kinds = Mapping[str, list[str]]


def commented(text: str, *, name: str) -> str:
    r"""Return a study file of another name, with comments; without them and the name it is the same study.

    Args:
        text: of a valid study file.
        name: of the new study.

    Raises:
        StudyError: the name is none that a study can have.

    >>> lines = commented('[study]\nname = "a"', name="mine").splitlines()
    >>> lines[0], lines[3], lines[5]
    ('[study]', 'name = "mine"', '# aim = ""')
    """
    checked(StudySection, {"name": name}, "[study]")
    contents = tomllib.loads(text)
    kinds, keys = _kinds(contents), study_keys()
    blocks = list(_blocks(text.splitlines(), contents))
    given = {section for section, _ in blocks}
    out: list[str] = []
    told: set[Key] = set()
    for section, lines in blocks:
        of_section = [key for key in keys if key.section == section and key.fits(kinds)]
        out += _with_comments(lines, section, of_section, told, name)
    for section in OPTIONS:
        if section not in given:
            left = [line for key in keys if key.section == section for line in _left_out(key)]
            out += ["", section, *left]
    return "\n".join(out) + "\n"


def _blocks(lines: list[str], contents: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield each section as the list of keys names it, with its lines; first what stands before any."""
    section = ""
    block: list[str] = []
    for line in lines:
        if header := HEADER.match(line):
            yield section, block
            section, block = _section_of(header[1], header[2]), []
        block.append(line)
    yield section, block


def _section_of(bracket: str, path: str) -> str:
    outer = path.rpartition(".")[0]
    if outer in NAMED:
        return NAMED[outer]
    return METHOD if bracket == "[[" else f"[{path}]"


def _with_comments(lines: list[str], section: str, keys: list[Key], told: set[Key], name: str) -> Iterator[str]:
    """Yield the lines of a section, before each entry what it is, and at the end the options that are left out.

    Args:
        lines: of the section.
        section: as the list of keys names it.
        keys: of the section, in a study of these kinds.
        told: keys that were told before, in another method or term; those of this section are added.
        name: of the new study.
    """
    body = "\n".join(lines).rstrip("\n").split("\n") if lines else []
    given: set[str] = set()
    depth = 0  # of open brackets, where lines are the values of a list
    for line in body:
        entry = ENTRY.match(line) if depth == 0 else None
        if entry is not None:
            given.add(entry[1])
            key = next((key for key in keys if key.name == entry[1]), None)
            if key is not None and key not in told:
                yield from _comment(key)
                told.add(key)
        if entry is not None or depth:
            depth += line.count("[") - line.count("]")
        is_name = section == "[study]" and entry is not None and entry[1] == "name"
        yield f"name = {toml_text(name)}" if is_name else line
    if section in OPTIONS:
        for key in keys:
            if key.name not in given:
                yield from _left_out(key)
    yield from lines[len(body) :]


def _comment(key: Key) -> list[str]:
    return [f"# {line}" for line in wrap(f"{key.words} ({key.allowed})", WIDTH)]


def _left_out(key: Key) -> list[str]:
    """Return an option at its default, as a comment; nothing of a key without one."""
    return [*_comment(key), f"# {key.name} = {printable(key.default)}"] if key.default else []


def _kinds(contents: Mapping[str, Any]) -> Kinds:
    """Return which kinds of parts a study has."""
    mechanism, methods = contents.get("mechanism", {}), contents.get("method", [])
    has_terms = "terms" in mechanism or mechanism.get("kind") == "multilevel"
    terms = mechanism.get("terms", {}).values()
    return {
        "kind": [str(mechanism.get("kind")), *_each(contents.get("sampler", {}).get("kind"))],
        "likelihood": [*_each(mechanism.get("likelihood", "normal")), *_all(methods, "likelihood")],
        "structure": [*_all(methods, "structure"), *(str(term.get("structure", "exchangeable")) for term in terms)],
        "data with terms" if has_terms else "data in groups": [""],
    }


def _all(tables: Any, key: str) -> list[str]:
    return [each for table in tables if key in table for each in _each(table[key])]


def _each(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value])]
