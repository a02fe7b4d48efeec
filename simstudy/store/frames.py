"""Arrow parts out as pandas frames whose look does not depend on the order in which the parts were written."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from simstudy.store.schema import LABEL

Where = Mapping[str, Collection[Any]]

KEYS = {
    "groups": ("scenario", "replicate", "group"),
    "fits": ("scenario", "replicate", "method"),
    "chains": ("scenario", "replicate", "method", "chain"),
    "estimates": ("scenario", "replicate", "method", "estimand", "group"),
    "timings": ("batch",),
}


def as_frame(table: pa.Table, *, key: Sequence[str], order: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return a table as a frame sorted by its key.

    Args:
        table: rows in any order, labels encoded in any way.
        key: columns to sort by; those that the table lacks are passed over.
        order: label column -> its values in the order of the study; others follow in alphabetical order.

    Returns:
        Labels as categories, ``group`` as nullable ``Int64``, other integers as ``int64``, or as floats with NaN in a
        column where some are missing.
    """
    frame = table.unify_dictionaries().to_pandas()
    for field in table.schema:
        if field.type == LABEL:
            frame[field.name] = _ordered(frame[field.name], order.get(field.name, ()))
        elif field.name == "group":
            frame["group"] = table["group"].to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    sort_key = [name for name in key if name in frame]
    return frame.sort_values(sort_key, ignore_index=True) if sort_key else frame


def chosen(table: pa.Table, where: Where) -> pa.Table:
    """Return the rows whose values are among those wanted, in every column of labels or whole numbers that is named.

    >>> table = pa.table({"method": pa.array(["none", "partial"]).dictionary_encode(), "mean": [1.0, 2.0]})
    >>> chosen(table, {"method": {"partial"}}).to_pylist()
    [{'method': 'partial', 'mean': 2.0}]
    """
    keep = np.ones(table.num_rows, dtype=bool)
    for name, values in where.items():
        column = table[name].combine_chunks()
        if table.schema.field(name).type != LABEL:
            keep &= np.isin(column.to_numpy(zero_copy_only=False), list(values))
        elif len(labels := column.dictionary.to_pylist()):
            keep &= np.array([label in values for label in labels])[column.indices.to_numpy()]
    return table if keep.all() else table.filter(pa.array(keep))


def _ordered(labels: pd.Series, order: Sequence[str]) -> pd.Series:
    found = set(labels.cat.categories)
    return labels.cat.set_categories([*order, *sorted(found - set(order))])
