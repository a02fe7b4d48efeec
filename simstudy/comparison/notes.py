"""What a reader of a comparison must know: what was paired, what was left out, what else differs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simstudy.comparison.alignment import SIDES, Aligned
from simstudy.store import study_difference
from simstudy.types import RunTables

MOST_NAMED = 5


def notes_on(
    runs: tuple[RunTables, RunTables], aligned: Aligned, *, left_out: Sequence[str], no_times: str
) -> list[str]:
    """Return the notes, a sentence each.

    Args:
        runs: baseline and candidate, whole.
        aligned: what is compared of them, on common names.
        left_out: what is not compared, as ``left_out_of`` says it.
        no_times: why times are not compared, or nothing.
    """
    return [
        _pairing(aligned),
        *left_out,
        *_unfinished(runs),
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
    return f"Paired on {n_data:,} data sets that both runs saw, in {where}."


def left_out_of(runs: tuple[RunTables, RunTables], aligned: Aligned, *, by_method: bool) -> list[str]:
    """Return what is in one run and is not compared, a sentence each; nothing where both have fits of the same data.

    Args:
        runs: baseline and candidate, whole.
        aligned: what is compared of them, on common names.
        by_method: a method was named on either side, so that the others are left out on purpose.
    """
    return [*_names_alone(runs, ("scenario",) if by_method else ("scenario", "method")), *_fits_alone(aligned)]


def lost_by(runs: tuple[RunTables, RunTables], *, by_method: bool) -> list[str]:
    """Return the methods and scenarios of which the baseline has fits and the candidate has none, a sentence for each.

    Args:
        runs: baseline and candidate, whole.
        by_method: a method was named on either side, so that no other is asked for.
    """
    told = []
    for what in ("scenario",) if by_method else ("method", "scenario"):
        had, has = (set(run.fits[what].astype(str)) for run in runs)
        names = getattr(runs[0], f"{what}s")
        gone = names[names[what].astype(str).isin(had - has)]
        if len(gone):
            listed = gone["label" if what == "scenario" else what].astype(str).tolist()
            n = f"{len(listed)} {what}{'' if len(listed) == 1 else 's'}"
            told.append(f"The candidate has lost {n} of the baseline: {_some(listed)}.")
    return told


def _names_alone(runs: tuple[RunTables, RunTables], compared: Sequence[str]) -> list[str]:
    notes = []
    for side, run, other in zip(SIDES, runs, runs[::-1], strict=True):
        for what in compared:
            names, others = getattr(run, f"{what}s"), getattr(other, f"{what}s")
            alone = names[~names[what].isin(others[what])]
            if len(alone):
                listed = alone["label" if what == "scenario" else what].astype(str).tolist()
                notes.append(f"Left out, since the {side} alone has them: {_some(listed)} ({what}s).")
    return notes


def _fits_alone(aligned: Aligned) -> list[str]:
    """Return how much of the paired scenarios has no partner; the others are compared with all that they have."""
    keys = {side: aligned.labels_of(side).read(aligned.run(side).fits) for side in SIDES}
    notes, codes = [], {side: keys[side].fit[aligned.is_paired[keys[side].scenario]] for side in SIDES}
    n_replicates, n_methods = len(aligned.labels.replicates), len(aligned.labels.methods)
    for side, other in (SIDES, SIDES[::-1]):
        alone = codes[side][~np.isin(codes[side], codes[other])]
        replicates = np.unique(alone // n_methods % n_replicates)
        is_whole = not np.isin(replicates, codes[other] // n_methods % n_replicates).any()
        n, noun = (len(replicates), "replicate") if is_whole else (len(alone), "fit")
        if n:
            notes.append(f"{_several(n, noun)} in the {side} alone and {'was' if n == 1 else 'were'} not compared.")
    shared = np.unique(np.intersect1d(codes["baseline"], codes["candidate"]) // n_methods)
    if n := int((~aligned.same_data.ravel()[shared]).sum()):
        notes.append(f"{_several(n, 'data set')} not the same in both and {'was' if n == 1 else 'were'} not compared.")
    return notes


def _several(n: int, noun: str) -> str:
    return f"{n:,} {noun} is" if n == 1 else f"{n:,} {noun}s are"


def _unfinished(runs: tuple[RunTables, RunTables]) -> list[str]:
    notes = []
    for side, run in zip(SIDES, runs, strict=True):
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
