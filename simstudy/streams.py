"""Random keys from (seed, scenario, replicate, purpose): the same on every machine, in every order.

A key is the BLAKE2b digest of the names it belongs to, so that adding scenarios, methods or replicates moves no other
key, and no chain of fold-ins has to be compiled. Python's own ``hash`` is salted per process and never used.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

KEY_BYTES = 8  # a threefry key is two 32-bit words


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, no NaN.

    >>> canonical_json({"b": 1.0, "a": [1, 2]})
    '{"a":[1,2],"b":1.0}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def identity(kind: str, fields: Mapping[str, Any]) -> str:
    """Return the 64-bit identity (16 hex digits) of a choice: its kind and its non-default fields.

    >>> identity("scenario/1", {"tau": 0.5}) == identity("scenario/1", {"tau": 0.5})
    True
    """
    return _digest(kind, canonical_json(dict(fields))).hex()


def random_key(*parts: str | int) -> np.ndarray:
    """Return a (2,) uint32 key for ``jax.random.wrap_key_data`` that belongs to these parts and to no others.

    >>> random_key(1, "a").tolist() != random_key(1, "b").tolist()
    True
    """
    return np.frombuffer(_digest(*map(str, parts)), dtype=">u4").astype(np.uint32)


def key_text(key: np.ndarray) -> str:
    """Return a key as it stands in the tables.

    >>> key_text(np.array([1, 255], np.uint32))
    '00000001000000ff'
    """
    return "".join(f"{word:08x}" for word in key)


def _digest(*parts: str) -> bytes:
    """Hash the parts with their lengths, so that ("ab", "c") and ("a", "bc") differ."""
    digest = hashlib.blake2b(digest_size=KEY_BYTES)
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.digest()
