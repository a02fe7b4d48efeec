"""Every table of a run and its columns, from the schemas that parts are held to."""

import pyarrow as pa

from docs.making.reference.columns import MEANINGS, ROWS
from docs.making.reference.markdown import cell, code, table
from simstudy.crate.dictionary import PERFORMANCE
from simstudy.store import schema

SCHEMAS = {
    "fits": schema.FITS,
    "estimates": schema.estimates_schema((0.95,)),
    "chains": schema.CHAINS,
    "groups": schema.GROUPS,
    "timings": schema.TIMINGS,
    "estimands": schema.ESTIMANDS,
    "labels": schema.LABELS,
    "levels": schema.LEVELS,
    "cells": schema.CELLS,
    "performance": schema.PERFORMANCE,
}
HEAD = """# Tables and columns

A run is a folder of Parquet tables. `run.fits`, `run.estimates`, `run.chains`, `run.groups`, `run.timings`,
`run.scenarios` and `run.methods` are pandas tables in Python; each folder reads with `pandas.read_parquet(folder)`.
Any value may be empty where there is none. The tables `scenarios` and `methods` have a row for each scenario and
method; their columns are the factors of the design and the options of the methods, by their [keys](keys.md).
"""
WORDS = {"double": "number", "int64": "whole number", "string": "text", "bool": "true or false"}


def tables_page() -> str:
    """Return the page on tables.

    Raises:
        LookupError: a column has no meaning, or a meaning no column.
    """
    columns = {(name, column) for name, held in SCHEMAS.items() for column in held.names}
    told = {(name, column): _meaning(name, column) for name, column in columns}
    known = {("performance", column) for column in PERFORMANCE} | set(MEANINGS)
    if wordless := sorted(key for key, meaning in told.items() if not meaning):
        raise LookupError(f"columns without a meaning: {wordless}; add them to {MEANINGS_IN}")
    if stale := sorted(key for key in known - columns if key[0] not in ("", "performance")):
        raise LookupError(f"meanings without a column: {stale}; take them from {MEANINGS_IN}")
    return "\n".join([HEAD, *(_section(name, held) for name, held in SCHEMAS.items())])


MEANINGS_IN = "docs/making/reference/columns.py"


def _section(name: str, held: pa.Schema) -> str:
    rows = [[code(field.name), _type(field.type), cell(_meaning(name, field.name))] for field in held]
    return f"## {name}\n\n{cell(ROWS[name])}\n\n" + table(["column", "type", "meaning"], rows) + "\n"


def _meaning(name: str, column: str) -> str:
    if name == "performance":
        return PERFORMANCE[column][1]
    return MEANINGS.get((name, column)) or MEANINGS.get(("", column), "")


def _type(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return "text"
    if pa.types.is_list(kind):
        return "list"
    return "time" if pa.types.is_timestamp(kind) else WORDS[str(kind)]
