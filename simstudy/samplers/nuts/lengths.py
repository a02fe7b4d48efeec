"""Lengths that models are padded to, so that data of similar size share a compiled program."""

from bisect import bisect_left

PADDED_GROUPS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)


def padded_groups(n_groups: int) -> int:
    """Return the number of groups that a model of so many is padded to.

    >>> padded_groups(5), padded_groups(8), padded_groups(2000)
    (8, 8, 2000)
    """
    place = bisect_left(PADDED_GROUPS, n_groups)
    return PADDED_GROUPS[place] if place < len(PADDED_GROUPS) else n_groups
