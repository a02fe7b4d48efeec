"""What a worker of a cluster answers, as typed data: names, numbers, texts and arrays, never code.

A message is a mark, a version, a header in JSON that says what there is, and the bytes of the arrays. Reading one makes
nothing but plain values, NumPy arrays, and records of the classes that the driver named before, so that what comes back
cannot be more than it claims to be. Leaves to ``running.received`` whether records are those that were asked for.
"""

import json
import math
import pickle
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from itertools import chain
from traceback import format_exc
from typing import Any, NoReturn, TypeVar

import numpy as np

from simstudy import errors
from simstudy.errors import SimstudyError, shown

MARK = b"simstudy"
VERSION = 1
_FRAME = struct.Struct("<8sIQ")  # mark, version, bytes of the header
NUMBERS = re.compile(r"\|b1|[|<>][iu]1|[<>][iuf][248]")
TEXTS = re.compile(r"[<>]U[0-9]{1,9}")
RAW_KINDS = "biuf"
MOST_ERROR_CHARACTERS = 10_000

Record = TypeVar("Record", bound=type)
_RECORDS: dict[str, type] = {}


class MessageError(Exception):
    """A message of a worker that cannot be read, or is none; its block has failed."""


class RemoteError(Exception):
    """An exception that a task raised on a worker, in words: its class's name and its text.

    Args:
        text: ``Class: text``.
        details: the traceback there, or an empty text.
    """

    def __init__(self, text: str, details: str = ""):
        super().__init__(text)
        if details:
            self.add_note(details)


def carry(record: Record) -> Record:
    """Let messages hold a dataclass, under its name; returns the class."""
    _RECORDS[record.__name__] = record
    return record


def encode(value: Any) -> bytes:
    """Return a value as a message.

    Args:
        value: None, booleans, numbers, texts, times, arrays of numbers or texts (masked or not), dataclasses, and
            lists, tuples and mappings of these.

    Raises:
        TypeError: it holds something else.

    >>> decode(encode({"mean": np.array([1.5, np.nan]), "batch": "a"}))
    {'mean': array([1.5, nan]), 'batch': 'a'}
    """
    buffers: list[bytes] = []
    header = json.dumps(_described(value, buffers), allow_nan=False).encode()
    return b"".join([_FRAME.pack(MARK, VERSION, len(header)), header, *buffers])


def decode(message: Any) -> Any:
    """Return the value of a message.

    Raises:
        MessageError: it is no message of this version, is cut short, or holds something that messages do not.
    """
    if not isinstance(message, bytes | bytearray | memoryview):
        raise MessageError(f"a worker answered {shown(type(message).__name__)} instead of a message")
    view = memoryview(message).cast("B")
    try:
        header, start = _header(view)
        reader = _Reader(view[start:])
        value = reader.read(header)
    except Exception as error:
        # Whatever reading meets (a struct, a codec, memory) is the message's fault: a block must not wait for ever.
        raise MessageError(f"a worker's message cannot be read ({type(error).__name__}: {error})") from None
    if reader.n_left:
        raise MessageError(f"a worker's message has {reader.n_left} bytes too many")
    return value


def answer(task: bytes) -> bytes:
    """Run a pickled task, (function, args, kwargs), and return its result, or its exception in words, as a message."""
    try:
        function, args, kwargs = pickle.loads(task)  # noqa: S301 - from our own driver
        return encode({"returned": function(*args, **kwargs)})
    except Exception as error:
        details = f"in a worker process:\n{format_exc()}"
        said = {"raised": type(error).__name__, "text": str(error), "details": details}
        return encode({name: text[-MOST_ERROR_CHARACTERS:] for name, text in said.items()})


def decode_answer(message: Any) -> tuple[bool, Any]:
    """Return (True, result) or (False, exception) of a task that ran elsewhere.

    Raises:
        MessageError: what came is no answer.
    """
    match decode(message):
        case {"returned": value, **others} if not others:
            return True, value
        case {"raised": str(name), "text": str(text), "details": str(details), **others} if not others:
            return False, _exception(name, text, details)
    raise MessageError("a worker's message is no answer to a task")


def _exception(name: str, text: str, details: str) -> Exception:
    """Return an error of ours as itself, because it ends the run; any other in words."""
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, SimstudyError):
        return kind(text)
    return RemoteError(f"{name}: {text}", details)


def _header(view: memoryview) -> tuple[Any, int]:
    if len(view) < _FRAME.size:
        raise ValueError("it is too short")
    mark, version, n_bytes = _FRAME.unpack_from(view)
    if mark != MARK:
        raise ValueError("it has no mark of simstudy")
    if version != VERSION:
        raise ValueError(f"it has version {version}, this simstudy reads {VERSION}")
    start = _FRAME.size + n_bytes
    if start > len(view):
        raise ValueError("it is cut short")
    return json.loads(bytes(view[_FRAME.size : start]), parse_constant=_refuse_constant), start


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} stands bare in its header")


def _described(value: Any, buffers: list[bytes]) -> Any:
    """Return what JSON says of a value; bytes of arrays go to the buffers, in order."""
    match value:
        case None | bool() | str():
            return value if value is None or type(value) is bool else str(value)
        case np.ma.MaskedArray():
            parts = (np.ma.getdata(value), np.ma.getmaskarray(value))
            return {"masked": [_described(part, buffers) for part in parts]}
        case np.ndarray() | np.generic():
            return _described_array(np.asarray(value), buffers)
        case int():
            return int(value)
        case float():
            return {"float": float(value).hex()}
        case bytes():
            buffers.append(value)
            return {"bytes": len(value)}
        case datetime():
            return {"datetime": value.isoformat()}
        case Mapping():
            return {"mapping": [[_described(item, buffers) for item in pair] for pair in value.items()]}
        case list() | tuple():
            return {type(value).__name__: [_described(item, buffers) for item in value]}
    if is_dataclass(value) and not isinstance(value, type):
        content = {field.name: getattr(value, field.name) for field in fields(value)}
        return {"record": type(value).__name__, "fields": _described(content, buffers)}
    raise TypeError(f"a value of type {type(value).__name__} cannot travel in a message")


def _described_array(array: np.ndarray, buffers: list[bytes]) -> dict[str, Any]:
    shape = list(array.shape)
    if array.dtype.kind in RAW_KINDS and NUMBERS.fullmatch(array.dtype.str):
        buffers.append(np.ascontiguousarray(array).tobytes())
        return {"array": array.dtype.str, "shape": shape}
    if array.dtype.kind not in "OU":
        raise TypeError(f"an array of {array.dtype} cannot travel in a message")
    texts = array.ravel().tolist()
    if not all(text is None or isinstance(text, str) for text in texts):
        raise TypeError("an array of objects other than texts cannot travel in a message")
    return {"texts": texts, "dtype": array.dtype.str, "shape": shape}


class _Reader:
    """Makes values of what a header describes, and takes the bytes of arrays in their order."""

    def __init__(self, buffers: memoryview):
        self._buffers = buffers

    @property
    def n_left(self) -> int:
        """Bytes that no array has taken."""
        return len(self._buffers)

    def read(self, described: Any) -> Any:
        """Return the value that was described."""
        match described:
            case None | bool() | str() | int():
                return described
            case {"float": str(text), **others} if not others:
                return float.fromhex(text)
            case {"bytes": int(n), **others} if not others:
                return bytes(self._take(n))
            case {"datetime": str(text), **others} if not others:
                return datetime.fromisoformat(text)
            case {"mapping": list(pairs), **others} if not others:
                return {self._key(name): self.read(value) for name, value in pairs}
            case {"list": list(items), **others} if not others:
                return [self.read(item) for item in items]
            case {"tuple": list(items), **others} if not others:
                return tuple(self.read(item) for item in items)
            case {"record": str(name), "fields": content, **others} if not others:
                return self._record(name, self.read(content))
            case {"array": str(dtype), "shape": list(shape), **others} if not others:
                return self._array(dtype, _lengths(shape))
            case {"masked": [values, mask], **others} if not others:
                return np.ma.MaskedArray(self.read(values), mask=self.read(mask))
            case {"texts": list(texts), "dtype": str(dtype), "shape": list(shape), **others} if not others:
                return _texts(texts, dtype, _lengths(shape))
        raise ValueError(f"it holds {shown(described)}")

    def _take(self, n: int) -> memoryview:
        if not 0 <= n <= self.n_left:
            raise ValueError("it is cut short")
        taken, self._buffers = self._buffers[:n], self._buffers[n:]
        return taken

    def _key(self, name: Any) -> str | int:
        if not isinstance(name, str | int):
            raise TypeError(f"the name {shown(name)} is none")
        return name

    def _record(self, name: str, content: Any) -> Any:
        if name not in _RECORDS:
            raise ValueError(f"it holds a record {shown(name)}, which is not expected")
        return _RECORDS[name](**content)

    def _array(self, dtype: str, shape: tuple[int, ...]) -> Any:
        if not NUMBERS.fullmatch(dtype):
            raise ValueError(f"it holds an array of {shown(dtype)}")
        kind = np.dtype(dtype)
        content = self._take(math.prod(shape) * kind.itemsize)
        if kind.kind == "b" and not np.isin(np.frombuffer(content, np.uint8), (0, 1)).all():
            raise ValueError("it holds truth values that are neither true nor false")
        return np.frombuffer(content, kind).reshape(shape).copy()[()]


def _lengths(shape: Sequence[Any]) -> tuple[int, ...]:
    if not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"it holds an array of shape {shown(list(shape))}")
    return tuple(shape)


def _texts(texts: Sequence[Any], dtype: str, shape: tuple[int, ...]) -> Any:
    if not all(text is None or isinstance(text, str) for text in texts) or len(texts) != math.prod(shape):
        raise ValueError("it holds texts that are none, or not as many as it says")
    if dtype != "|O" and (not TEXTS.fullmatch(dtype) or None in texts):
        raise ValueError(f"it holds texts of {shown(dtype)}")
    longest = max(chain([1], (len(text) for text in texts if text is not None)))
    return np.array(texts, dtype=object if dtype == "|O" else f"U{longest}").reshape(shape)[()]
