"""What comes back of a block, held to what was asked for before it is stored.

Decides whether rows are those of their block: its fits once each, and nothing of others. Columns and their types are
the writer's to hold to the schema. A worker of a cluster may be broken or somebody else's; what it says of other fits
than its own would be taken for theirs.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from simstudy.executors import BlockFailure
from simstudy.executors.messages import MessageError, carry
from simstudy.fitting.blocks import Block
from simstudy.fitting.rows import BlockRows, KeptDraws
from simstudy.store.schema import STATUSES

for record in (BlockRows, KeptDraws):
    carry(record)

Name = tuple[str, int]
SECONDS = ("compile_seconds", "run_seconds", "summarize_seconds")


def received(block: Block, came: Any) -> BlockRows | BlockFailure:
    """Return the rows of a block, or its failure where what came is none or not the rows of this block."""
    if isinstance(came, BlockFailure):
        return came
    if problem := _problem(block, came):
        error = MessageError(f"a worker's answer to block {block.batch} {problem}")
        return BlockFailure(reason=str(error), error=error)
    return came


def _problem(block: Block, came: Any) -> str:
    """Return what is wrong with an answer, or an empty text."""
    if not isinstance(came, BlockRows):
        return f"is of type {type(came).__name__}, not rows"
    try:
        return _problem_of_rows(block, came)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        return f"cannot be read as rows ({type(error).__name__}: {error})"


def _problem_of_rows(block: Block, rows: BlockRows) -> str:
    method = block.study.methods[block.method].name
    names = [(block.study.scenarios[s].identity, replicate) for s, replicate in block.fits]
    if rows.batch != block.batch or rows.timings["batch"] != [block.batch]:
        return "names another block"
    is_asked = len(rows.fits["replicate"]) == len(names) and _names(rows.fits) == names
    if not is_asked or _values(rows.fits, "method") != [method]:
        return "holds other fits than it was asked for"
    if not set(_values(rows.fits, "status")) <= set(STATUSES):
        return "holds an unknown status"
    if not all(0 <= float(rows.timings[name]) < np.inf for name in SECONDS):
        return "took a time that is none"
    return _problem_of_others(block, rows, method, frozenset(names))


def _problem_of_others(block: Block, rows: BlockRows, method: str, names: Collection[Name]) -> str:
    """Return what is wrong with the tables that have several rows a fit, and with kept draws."""
    for table in (rows.groups, rows.chains, rows.estimates):
        if table and not set(_names(table)) <= set(names):
            return "holds rows of other fits than it was asked for"
    if any(set(_values(table, "method")) - {method} for table in (rows.chains, rows.estimates) if table):
        return "holds rows of another method"
    received: Iterable[Any] = rows.kept
    for kept in received:
        is_ours = isinstance(kept, KeptDraws) and kept.method == method and (kept.scenario, kept.replicate) in names
        if not is_ours or not 0 <= kept.replicate < block.keep_draws:
            return "holds draws of other fits than it was asked for"
    return ""


def _names(table: Mapping[str, Any]) -> list[Name]:
    """Return scenario and replicate of every row; runs of equal ones count once in tables of several rows a fit."""
    scenarios, replicates = np.asarray(table["scenario"]), np.asarray(table["replicate"])
    if scenarios.shape != replicates.shape or scenarios.ndim != 1 or replicates.dtype.kind not in "iu":
        raise ValueError("scenarios and replicates are not columns of one length")
    if not len(scenarios):
        return []
    begins = np.concatenate([[True], (scenarios[1:] != scenarios[:-1]) | (replicates[1:] != replicates[:-1])])
    return [(str(s), int(r)) for s, r in zip(scenarios[begins], replicates[begins], strict=True)]


def _values(table: Mapping[str, Any], name: str) -> list[Any]:
    return np.unique(np.atleast_1d(np.asarray(table[name], dtype=object)).astype(str)).tolist()
