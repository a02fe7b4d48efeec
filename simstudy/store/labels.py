"""Scenarios by what people call them: the beginning of an id, a label, or parts of one."""

from collections.abc import Iterable, Mapping


def begun_by(labels: Iterable[str], called: str) -> list[str]:
    """Return the ids that begin with a text, none for an empty one.

    >>> begun_by(["a1", "a2", "b1"], "a")
    ['a1', 'a2']
    """
    return [identity for identity in labels if called and identity.startswith(called)]


def labeled(labels: Mapping[str, str], called: str) -> list[str]:
    """Return the ids whose label is the text or, where there is none, those whose labels have every part of it.

    Args:
        labels: id -> label, its parts set apart by commas.
        called: a label or parts of one; spaces do not count.

    >>> labeled({"x": "J = 4, tau = 0.5", "y": "J = 8, tau = 0.5"}, "tau=0.5, J=8")
    ['y']
    """
    parts = {identity: _parts(label) for identity, label in labels.items()}
    wanted = _parts(called)
    whole = [identity for identity, known in parts.items() if known == wanted]
    return whole or [identity for identity, known in parts.items() if wanted and wanted <= known]


def listed(labels: Mapping[str, str], *, most: int, among: Iterable[str] = ()) -> str:
    """Return ids with their labels, a line each, those among some where there are any, and how many more there are."""
    lines = [f"  {identity}  {labels[identity]}" for identity in list(among) or labels]
    more = [f"  and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join([*lines[:most], *more])


def _parts(label: str) -> set[str]:
    return {"".join(part.split()) for part in label.split(",")} - {""}
