"""What may be wrong with a table of groups though it can be read: told, and taken as it stands."""

from collections import defaultdict

import numpy as np

from simstudy.errors import shown
from simstudy.mechanisms import Dataset
from simstudy.study.alike import folded

MOST_NAMED = 3
FEWEST_VALUES = 10  # fewer are often farther apart than that
SHARE_FAR = 0.02  # of the values; more are no slips


def doubts(dataset: Dataset, *, noun: str = "group") -> list[str]:
    """Return clauses on names that differ in little, values far from all others, and groups of one observation.

    Args:
        dataset: the data.
        noun: what one group is called.
    """
    return [*_alike(dataset, noun), *_far(dataset), *_single(dataset, noun)]


def _alike(dataset: Dataset, noun: str) -> list[str]:
    written = defaultdict(list)
    for label in dataset.labels:
        written[" ".join(folded(label).split())].append(label)
    several = [names for names in written.values() if len(names) > 1]
    if not several:
        return []
    first = [" and ".join(map(shown, names)) for names in several]
    return [f"{_some(first)} differ only in blanks, case or forms of a character; each is a {noun} of its own here"]


def _far(dataset: Dataset) -> list[str]:
    """Return values beside which all others lie together: the gap to them is wider than all that they span."""
    y = dataset.replicate.data.y
    if dataset.likelihood.kind != "normal" or y is None or len(y) < FEWEST_VALUES or dataset.rows is None:
        return []
    values = dataset.rows[dataset.columns["value"]].to_numpy().astype(float)
    names = dataset.rows[dataset.columns["group"]].to_pylist()
    order = np.argsort(values, kind="stable")
    for n_far in range(max(1, int(SHARE_FAR * len(values))), 0, -1):
        for far, rest in ((order[-n_far:], order[:-n_far]), (order[:n_far], order[n_far:])):
            low, high = values[rest].min(), values[rest].max()
            if min(abs(values[far] - end).min() for end in (low, high)) > high - low > 0:
                said = [f"{values[row]:.6g} of {names[row]} in row {row + 1}" for row in sorted(far)]
                lie = "lies" if len(far) == 1 else "lie"
                return [
                    f"{_some(said)} of {len(values):,} {lie} farther from all other values ({low:.6g} to {high:.6g}) "
                    "than these lie apart; a typing error?"
                ]
    return []


def _single(dataset: Dataset, noun: str) -> list[str]:
    """Return that groups of one observation each leave two spreads to their priors, or that some have only one."""
    data = dataset.replicate.data
    is_single = data.n_obs == 1
    if dataset.likelihood.kind != "normal" or not is_single.any():
        return []
    if is_single.all():
        is_count = data.y is not None and bool((data.y == np.rint(data.y)).all() and (data.y >= 0).all())
        counts = "; if they are counts, name them as successes and trials" if is_count else ""
        return [
            f"each {noun} has one observation: what is σ and what is τ the data cannot say, their priors do. Give "
            f"standard errors, or several observations of a {noun}{counts}"
        ]
    names = [label for label, alone in zip(dataset.labels, is_single, strict=True) if alone]
    have = "has" if len(names) == 1 else "have"
    return [
        f"{_some(names)} {have} one observation: how far it may be off is known from the spread within others alone"
    ]


def _some(names: list[str]) -> str:
    """Return a few names in words, and how many more there are."""
    shown_names, rest = names[:MOST_NAMED], len(names) - MOST_NAMED
    return ", ".join(shown_names) + (f" and {rest:,} more" if rest > 0 else "")
