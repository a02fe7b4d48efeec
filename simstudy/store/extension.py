"""Which changes of a study extend a finished run, and which make it another study.

More scenarios (new values in a mechanism's lists), more methods, more or fewer replicates, another aim or primary
measure and other diagnostics extend: nothing that is stored is refitted, and nothing that is stored is dropped. All
else is refused: a stored method or factor value that the study no longer has would stay in every table and report
unasked.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simstudy.errors import RunError

DATASET = "dataset"  # a mechanism whose lists are data, not factors
ABSENT, PRESENT = "(absent)", "(present)"
FREE = (("study", "aim"), ("study", "primary"), ("study", "replicates"), ("diagnostics",))

Key = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value that a stored study and a new one do not share.

    Args:
        key: where it stands, as a study file has it: ``study.seed``, ``method 'partial' target_accept``.
        stored: value in the run folder, or ``"(absent)"``.
        new: value in the new study, or ``"(absent)"``.
    """

    key: str
    stored: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.key}: stored {_text(self.stored)}, new {_text(self.new)}"


def study_difference(stored: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Return what keeps a new study from extending a stored one; an empty list where it extends it.

    Args:
        stored: canonical study of the run folder.
        new: canonical study that is to be run there.

    >>> stored = {"study": {"seed": 1}, "mechanism": {"tau": [0.0, 1.0]}, "methods": []}
    >>> study_difference(stored, {"study": {"seed": 1}, "mechanism": {"tau": [0.0, 1.0, 2.0]}, "methods": []})
    []
    >>> [str(d) for d in study_difference(stored, {"study": {"seed": 2}, "mechanism": {"tau": [1.0]}, "methods": []})]
    ['mechanism.tau: stored [0.0, 1.0], new [1.0]', 'study.seed: stored 1, new 2']
    """
    known, asked = (_by_method(study) for study in (stored, new))
    gone = [name for name in known["methods"] if name not in asked["methods"]]
    old, now = (dict(leaves(study)) for study in (stored, new))
    has_factors = stored.get("mechanism", {}).get("kind") != DATASET
    changed = [
        Difference(key=_place(key), stored=old.get(key, ABSENT), new=now.get(key, ABSENT))
        for key in sorted(old | now)
        if not (_of_method(key, gone) or _free(key, set(known["methods"])))
        and not _extends(key, old.get(key, ABSENT), now.get(key, ABSENT), has_factors=has_factors)
    ]
    return changed + [Difference(key=f"method '{name}'", stored=PRESENT, new=ABSENT) for name in gone]


def extended(stored: Mapping[str, Any], new: Mapping[str, Any], *, folder: str) -> dict[str, Any]:
    """Return the study that describes a run folder once a new study extends the stored one.

    It is the new study, with the replicates that are stored where it asks for fewer.

    Raises:
        RunError: The new study does not extend the stored one; lists each key, its stored and its new value.
    """
    if differences := study_difference(stored, new):
        lines = "\n".join(f"  {difference}" for difference in differences)
        raise RunError(
            f"{folder} holds a run of another study:\n{lines}\n"
            "Give another folder with --out, or restore these values; "
            "more replicates, scenarios or methods would have extended the run."
        )
    study = json.loads(json.dumps(new))
    replicates = [study["study"]["replicates"] for study in (stored, new) if "replicates" in study.get("study", {})]
    return study | {"study": study["study"] | {"replicates": max(replicates)}} if replicates else study


def leaves(study: Mapping[str, Any]) -> Iterator[tuple[Key, Any]]:
    """Yield the values of a canonical study, each with the keys that lead to it; methods by their names.

    >>> list(leaves({"study": {"seed": 1}, "methods": [{"name": "a", "priors": {"tau": "HalfNormal(1)"}}]}))
    [(('study', 'seed'), 1), (('methods', 'a', 'name'), 'a'), (('methods', 'a', 'priors', 'tau'), 'HalfNormal(1)')]
    """
    yield from _leaves(_by_method(study))


def _by_method(study: Mapping[str, Any]) -> dict[str, Any]:
    """Key the methods by name, so that their order is none of the study's identity."""
    plain = json.loads(json.dumps(study))
    return plain | {"methods": {method["name"]: method for method in plain.get("methods", [])}}


def _leaves(value: Mapping[str, Any], key: Key = ()) -> Iterator[tuple[Key, Any]]:
    for name, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            yield from _leaves(inner, (*key, name))
        elif inner != {}:
            yield (*key, name), inner


def _of_method(key: Key, names: Collection[str]) -> bool:
    return key[0] == "methods" and len(key) > 1 and key[1] in names


def _free(key: Key, known_methods: set[str]) -> bool:
    """True where any change is welcome: the aim, the primary measure, the diagnostics, a method that is not stored."""
    added = key[0] == "methods" and key[1] not in known_methods
    return added or any(key[: len(free)] == free for free in FREE)


def _extends(key: Key, stored: Any, new: Any, *, has_factors: bool) -> bool:
    """True where the values are equal, or a list of factors of the mechanism has kept all that is stored."""
    if has_factors and key[0] == "mechanism" and isinstance(stored, list) and isinstance(new, list):
        return all(_contains(new, value) for value in stored)
    if key[0] == "extensions" and stored == ABSENT:
        return True  # what a method or scenario that is not stored brings along
    return _same(stored, new)


def _contains(values: Sequence[Any], value: Any) -> bool:
    return any(_same(value, other) for other in values)


def _same(a: Any, b: Any) -> bool:
    """Equality of JSON values, where true is not 1."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _place(key: Key) -> str:
    if key[0] != "methods":
        return ".".join(key)
    return f"method '{key[1]}'" + (f" {'.'.join(key[2:])}" if key[2:] != ("name",) else "")


def _text(value: Any) -> str:
    return value if value in (ABSENT, PRESENT) else json.dumps(value, ensure_ascii=False)
