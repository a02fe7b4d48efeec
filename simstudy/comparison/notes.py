"""What a reader of a comparison must know: what was paired, what was left out, what else differs."""

from collections.abc import Mapping, Sequence
from typing import Any

from simstudy.comparison.alignment import Aligned
from simstudy.store import study_difference
from simstudy.types import RunTables

MOST_NAMED = 5


def notes_on(runs: tuple[RunTables, RunTables], aligned: Aligned, *, by_method: bool, no_times: str) -> list[str]:
    """Return the notes, a sentence each.

    Args:
        runs: baseline and candidate, whole.
        aligned: what is compared of them, on common names.
        by_method: a method was named on either side, so that the others are left out on purpose.
        no_times: why times are not compared, or nothing.
    """
    return [
        _pairing(aligned),
        *_left_out(runs, ("scenario",) if by_method else ("scenario", "method")),
        *_studies(runs),
        *_versions(runs),
        *([f"{no_times}."] if no_times else []),
    ]


def _pairing(aligned: Aligned) -> str:
    n, n_paired = len(aligned.is_paired), int(aligned.is_paired.sum())
    n_data = int(aligned.same_data[aligned.is_paired].sum())
    if not n_paired:
        return "Unpaired: the runs saw other data, and a difference has the noise of both."
    where = "all scenarios" if n_paired == n else f"{n_paired} of {n} scenarios, the others are compared unpaired"
    alone = [f"{n:,} of the {side} alone" for side, n in aligned.n_alone.items() if n]
    aside = f"; {' and '.join(alone)} are left aside" if alone else ""
    return f"Paired on {n_data:,} data sets that both runs saw, in {where}{aside}."


def _left_out(runs: tuple[RunTables, RunTables], compared: Sequence[str]) -> list[str]:
    notes = []
    for side, run, other in zip(("baseline", "candidate"), runs, runs[::-1], strict=True):
        for what in compared:
            names, others = getattr(run, f"{what}s"), getattr(other, f"{what}s")
            alone = names[~names[what].isin(others[what])]
            if len(alone):
                listed = alone["label" if what == "scenario" else what].astype(str).tolist()
                notes.append(f"Left out, since the {side} alone has them: {_some(listed)} ({what}s).")
        stored, promised = run.fits["replicate"].nunique(), run.study["study"].get("replicates")
        if promised and stored < promised:
            notes.append(f"The {side} has {stored} of the {promised} replicates that its study asks for.")
    return notes


def _studies(runs: tuple[RunTables, RunTables]) -> list[str]:
    shared = [_with_methods(run.study, other.study) for run, other in zip(runs, runs[::-1], strict=True)]
    differences = [str(difference) for difference in study_difference(*shared)]
    told = [text.replace(": stored ", ": baseline ").replace(", new ", ", candidate ") for text in differences]
    return [f"The studies differ: {_some(told, joint='; ')}."] if told else []


def _with_methods(study: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study with the methods that another has too, since those that it lacks are named by themselves."""
    names = {method["name"] for method in other["methods"]}
    return {**study, "methods": [method for method in study["methods"] if method["name"] in names]}


def _versions(runs: tuple[RunTables, RunTables]) -> list[str]:
    first, second = (_flat(run.provenance.get("versions")) for run in runs)
    changed = [
        f"{name} {first.get(name, 'none')} and {second.get(name, 'none')}"
        for name in sorted(first.keys() | second.keys())
        if first.get(name) != second.get(name)
    ]
    return [f"Versions differ: {_some(changed)}."] if changed else []


def _flat(versions: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in versions.items()} if isinstance(versions, Mapping) else {}


def _some(names: Sequence[str], *, joint: str = ", ") -> str:
    more = f"{joint}and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return joint.join(map(str, names[:MOST_NAMED])) + more
