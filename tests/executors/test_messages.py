"""What travels as a message, and that nothing else is read as one."""

import json
import os
import pickle
import struct
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simstudy.errors import StudyError
from simstudy.executors.messages import (
    MARK,
    VERSION,
    MessageError,
    RemoteError,
    answer,
    carry,
    decode,
    decode_answer,
    encode,
)


@carry
@dataclass(frozen=True)
class Parcel:
    """A record that messages may hold."""

    content: object
    weight: float


ARRAYS = [
    np.array([1.0, -0.0, np.nan, np.inf, 5e-324]),
    np.arange(6, dtype=np.int64).reshape(2, 3).T,
    np.array([True, False]),
    np.zeros((0, 4), np.float32),
    np.array(["a", None, "ü\n"], dtype=object),
    np.array(["ab", "c"]),
    np.array([], dtype=object),
]


def forged(header, buffers=b"", *, mark=MARK, version=VERSION, n_bytes=None):
    """A message of any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<8sIQ", mark, version, len(text) if n_bytes is None else n_bytes) + text + buffers


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}-{array.shape}")
def test_arrays_come_back_bit_by_bit(array):
    """Type, shape and every bit, those of NaN and -0 included."""
    back = decode(encode(array))
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tolist() == array.tolist() if array.dtype.kind in "OU" else back.tobytes() == array.tobytes()
    assert back.flags.writeable


def test_masks_come_back():
    """A masked array keeps its mask, and what lies under it."""
    back = decode(encode(np.ma.MaskedArray([1, 2, 3], mask=[True, False, True])))
    assert isinstance(back, np.ma.MaskedArray)
    assert (back.mask.tolist(), back.data.tolist()) == ([True, False, True], [1, 2, 3])


def test_records_come_back():
    """A dataclass that was named before, with all that may stand in it."""
    parcel = Parcel({"a": [1, (2.5, None)], "at": datetime(2026, 1, 2, tzinfo=UTC), 3: b"raw"}, float("inf"))
    assert decode(encode(parcel)) == parcel


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
        max_leaves=8,
    )
)
@settings(max_examples=200, deadline=None)
def test_plain_values_come_back(value):
    """What was encoded is what is decoded."""
    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, np.array([{}], dtype=object), np.array(["2026-01-01"], "datetime64[D]"), len, 1 + 2j]
)
def test_what_cannot_travel(value):
    """Code, objects and sets are refused where they would be sent."""
    with pytest.raises(TypeError, match="cannot travel in a message"):
        encode(value)


class Intruder:
    """An object whose unpickling leaves a mark."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_pickle_is_not_read(tmp_path):
    """An answer that is a pickle is refused, and nothing in it runs."""
    with pytest.raises(MessageError, match="no mark of simstudy"):
        decode_answer(pickle.dumps((True, Intruder(str(tmp_path / "came"))), protocol=4) + b"." * 20)
    assert not (tmp_path / "came").exists()


BAD = {
    "no bytes": (None, "answered 'NoneType' instead of a message"),
    "nothing": (b"", "it is too short"),
    "another mark": (forged(1, mark=b"parquet!"), "no mark of simstudy"),
    "another version": (forged(1, version=7), "it has version 7, this simstudy reads 1"),
    "header cut short": (forged(1, n_bytes=10**18), "it is cut short"),
    "no JSON": (forged(b"{"), "JSONDecodeError"),
    "no text": (forged(b"\xff"), "cannot be read"),
    "bare NaN": (forged(b"NaN"), "NaN stands bare"),
    "bare float": (forged(1.5), "it holds 1.5"),
    "unknown form": (forged({"pickle": "x"}), "it holds {'pickle': 'x'}"),
    "one form too many": (forged({"float": "0x1p0", "list": []}), "it holds"),
    "a record of another class": (forged({"record": "Popen", "fields": {"mapping": []}}), "which is not expected"),
    "a record of other fields": (forged({"record": "Parcel", "fields": {"mapping": [["x", 1]]}}), "TypeError"),
    "a record of no fields": (forged({"record": "Parcel", "fields": 3}), "TypeError"),
    "objects": (forged({"array": "|O", "shape": [1]}, b"8" * 8), "an array of '|O'"),
    "structures": (forged({"array": "<f8,<f8", "shape": [1]}, b"8" * 16), "an array of '<f8,<f8'"),
    "array cut short": (forged({"array": "<f8", "shape": [10**12]}, b"8" * 8), "it is cut short"),
    "negative lengths": (forged({"array": "<f8", "shape": [-1, -1]}, b"8" * 8), "an array of shape"),
    "truth of 7": (forged({"array": "|b1", "shape": [1]}, b"\x07"), "neither true nor false"),
    "numbers as texts": (forged({"texts": [1], "dtype": "|O", "shape": [1]}), "texts that are none"),
    "fewer texts": (forged({"texts": [], "dtype": "|O", "shape": [1]}), "texts that are none"),
    "texts of numbers": (forged({"texts": ["1"], "dtype": "<f8", "shape": [1]}), "texts of '<f8'"),
    "bytes left": (forged({"bytes": 1}, b"ab"), "1 bytes too many"),
    "a list for a name": (forged({"mapping": [[{"list": []}, 1]]}), "is none"),
    "deep": (forged(b"[" * 200_000 + b"]" * 200_000), "cannot be read"),
    "long number": (forged(b"9" * 10_000), "cannot be read"),
    "no time": (forged({"datetime": "tomorrow"}), "cannot be read"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_not_read(kind):
    """Whatever is not a message is one error that says why, never another."""
    message, why = BAD[kind]
    with pytest.raises(MessageError) as caught:
        decode(message)
    assert why in str(caught.value)


WHOLE = encode({"returned": Parcel({"a": np.arange(3.0), "b": np.array(["x"], object)}, 1.0)})


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 7))
@example(len(MARK), 0)
@settings(max_examples=300, deadline=None)
def test_flipped_bits(place, bit):
    """A bit that flips gives a value of the allowed kinds, or the error that a message has."""
    content = bytearray(WHOLE)
    content[place] ^= 1 << bit
    with suppress(MessageError):
        decode(bytes(content))


@given(st.integers(0, len(WHOLE) - 1))
def test_cut_short(length):
    """A message without its end is never read."""
    with pytest.raises(MessageError):
        decode(WHOLE[:length])


def task(value):
    if isinstance(value, Exception):
        raise value
    return value


def answered(value):
    return decode_answer(answer(pickle.dumps((task, (value,), {}))))


class TestAnswers:
    """What came of a task elsewhere."""

    def test_results(self):
        """A result comes back as it was."""
        assert answered([1, 2]) == (True, [1, 2])

    def test_exceptions_in_words(self):
        """An exception comes back as its name and its words, its traceback beside it."""
        returned, error = answered(ValueError("bad news"))
        assert (returned, type(error), str(error)) == (False, RemoteError, "ValueError: bad news")
        assert "in a worker process:\nTraceback" in error.__notes__[0]

    def test_misuse_stays_misuse(self):
        """An error that the user must mend stays what it is, and ends the run."""
        returned, error = answered(StudyError("no such prior"))
        assert (returned, type(error), str(error)) == (False, StudyError, "no such prior")

    def test_results_that_cannot_travel(self):
        """They are an exception that says what cannot travel."""
        assert "a value of type set cannot travel" in str(answered({1})[1])

    @pytest.mark.parametrize("value", [3, {}, {"returned": 1, "raised": "x"}, {"raised": "ValueError"}])
    def test_what_is_no_answer(self, value):
        """A message of something else is refused."""
        with pytest.raises(MessageError, match="no answer to a task"):
            decode_answer(encode(value))


def test_equal_messages_for_equal_values():
    """The same value gives the same bytes, another one others."""
    parcel = Parcel(np.arange(2), 1.0)
    assert encode(parcel) == encode(replace(parcel, content=np.arange(2)))
    assert encode(parcel) != encode(replace(parcel, weight=2.0))
