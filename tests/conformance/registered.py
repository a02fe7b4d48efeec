"""Every variant of every registered part: a part is checked by being registered."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import product
from typing import Any, Literal, get_args, get_origin, get_type_hints


def variants(family: type) -> Iterator[Any]:
    """Yield a part for every combination of its options that are one of a few words, the others at their defaults."""
    hints = get_type_hints(family)
    words = {f.name: get_args(hints[f.name]) for f in fields(family) if get_origin(hints[f.name]) is Literal}
    for chosen in product(*words.values()):
        yield family(**dict(zip(words, chosen, strict=True)))
