"""Rows that come back are those of their block, or the failure of it."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest

import simstudy
from simstudy.executors import BlockFailure, InProcessExecutor
from simstudy.executors.messages import decode, encode
from simstudy.fitting.blocks import plan_blocks
from simstudy.fitting.fitting import fit_block
from simstudy.running.received import received
from simstudy.study.study import Study

STUDY = """
[study]
name = "received"
seed = 3
replicates = 2
[mechanism]
kind = "exchangeable"
groups = 3
tau = [0.5, 1.0]
group_size = 3
[[method]]
name = "none"
structure = "none"
[sampler]
kind = "nuts"
chains = 2
warmup = 20
draws = 20
"""


@pytest.fixture(scope="module")
def block():
    (block,) = plan_blocks(Study.from_dict(tomllib.loads(STUDY)), {}, keep_draws=1)
    return block


@pytest.fixture(scope="module")
def rows(block):
    return fit_block(block)


def test_a_blocks_own_rows_are_received(block, rows):
    """As they are."""
    assert received(block, rows) is rows


def test_a_failure_is_received(block):
    """A block that failed stays one."""
    failure = BlockFailure(reason="worker died", error=OSError())
    assert received(block, failure) is failure


def bits(column):
    """What makes two columns the same: class, type, bits or texts, and what is masked."""
    if not isinstance(column, np.ndarray):
        return type(column), column
    content = column.tolist() if column.dtype.kind in "OU" else np.ma.getdata(column).tobytes()
    return type(column), column.dtype, column.shape, content, np.ma.getmaskarray(column).tolist()


def test_rows_travel_bit_by_bit(block, rows):
    """As a message they are the same rows: each column of its type, with its bits and what is masked in it."""
    back = decode(encode(rows))
    assert received(block, back) is back
    for table in ("fits", "chains", "estimates", "groups", "timings"):
        before, after = getattr(rows, table), getattr(back, table)
        assert list(after) == list(before)
        for name, column in before.items():
            assert bits(after[name]) == bits(column)
    assert encode(back) == encode(rows)


def other(columns, **changed):
    return columns | changed


BAD = {
    "no rows": (lambda rows: [1, 2], "is of type list, not rows"),
    "another batch": (lambda rows: replace(rows, batch="../../x"), "names another block"),
    "another batch of times": (
        lambda rows: replace(rows, timings=other(rows.timings, batch=["x"])), "names another block"
    ),
    "a fit less": (
        lambda rows: replace(rows, fits={k: v[1:] if isinstance(v, np.ndarray) else v for k, v in rows.fits.items()}),
        "holds other fits",
    ),
    "other replicates": (
        lambda rows: replace(rows, fits=other(rows.fits, replicate=rows.fits["replicate"] + 7)), "holds other fits"
    ),
    "replicates as texts": (
        lambda rows: replace(rows, fits=other(rows.fits, replicate=rows.fits["replicate"].astype(str))),
        "cannot be read as rows (ValueError",
    ),
    "another method": (lambda rows: replace(rows, fits=other(rows.fits, method="partial")), "holds other fits"),
    "another method's estimates": (
        lambda rows: replace(rows, estimates=other(rows.estimates, method="partial")), "rows of another method"
    ),
    "unknown status": (
        lambda rows: replace(rows, fits=other(rows.fits, status=np.full(4, "fine", object))), "an unknown status"
    ),
    "other groups": (
        lambda rows: replace(rows, groups=other(rows.groups, replicate=rows.groups["replicate"] + 1)),
        "rows of other fits",
    ),
    "no columns": (lambda rows: replace(rows, fits={}), "cannot be read as rows (KeyError"),
    "a time that is none": (
        lambda rows: replace(rows, timings=other(rows.timings, run_seconds=float("nan"))), "took a time that is none"
    ),
    "others' draws": (
        lambda rows: replace(rows, kept=(replace(rows.kept[0], scenario="../.."),)), "draws of other fits"
    ),
    "draws that nobody asked for": (
        lambda rows: replace(rows, kept=(replace(rows.kept[0], replicate=1),)), "draws of other fits"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_what_is_not_received(block, rows, kind):
    """An answer with rows of others, or none, is the failure of the block that was asked for, with its reason."""
    change, why = BAD[kind]
    failure = received(block, change(rows))
    assert isinstance(failure, BlockFailure)
    assert why in failure.reason


class Forger(InProcessExecutor):
    """An executor whose answers are changed on the way."""

    def __init__(self, change):
        self._change = change

    def submit(self, task, /, *args, **kwargs):
        return super().submit(lambda: self._change(task(*args, **kwargs)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rows: replace(rows, batch="x"), "names another block"),
        (lambda rows: replace(rows, estimates=other(rows.estimates, mean=["?"])), "rows that cannot be stored"),
        (lambda rows: replace(rows, estimates=other(rows.estimates, extra=1.0)), "rows that cannot be stored"),
    ],
)
def test_a_run_goes_on(tmp_path, change, why):
    """Fits whose answer is not theirs, or that no table can hold, are stored as failed with the reason."""
    study = Study.from_dict(tomllib.loads(STUDY))
    run = simstudy.run(study, out=tmp_path / "run", executor=Forger(change), workers=1, quiet=True)
    assert len(run.fits) == 4
    assert set(run.fits["status"]) == {"failed"}
    assert run.fits["reason"].str.contains(why).all()
