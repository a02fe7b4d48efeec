"""Options that take one of a few words."""

from collections.abc import Collection

from simstudy.errors import TableError, suggestion


def check_choice(option: str, value: str, allowed: Collection[str]) -> None:
    """Check that an option has one of its words.

    Raises:
        TableError: it has not.
    """
    if value not in allowed:
        near = suggestion(str(value), allowed)
        raise TableError(f"{option}: expected one of {', '.join(allowed)}, got {value!r}{near}")
