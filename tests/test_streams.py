"""Keys belong to their parts alone."""

import numpy as np

from simstudy.streams import identity, key_text, random_key


def test_a_key_is_the_same_everywhere():
    """A key is a fixed function of its parts: stored runs depend on it."""
    assert key_text(random_key(20260101, "2ec3c72eb111e88e", 0, "data")) == "551a19f306d350a1"


def test_parts_do_not_run_together():
    """Parts that read the same when joined give different keys."""
    assert not np.array_equal(random_key("ab", "c"), random_key("a", "bc"))
    assert not np.array_equal(random_key(1, 23), random_key(12, 3))


def test_no_two_of_many_keys_are_equal():
    """100,000 keys of one study are all different."""
    keys = {random_key(1, "s", r, "data").tobytes() for r in range(100_000)}
    assert len(keys) == 100_000


def test_identity_does_not_depend_on_order():
    """Fields have no order."""
    assert identity("scenario/1", {"a": 1, "b": 2}) == identity("scenario/1", {"b": 2, "a": 1})
    assert identity("scenario/1", {"a": 1}) != identity("scenario/2", {"a": 1})
