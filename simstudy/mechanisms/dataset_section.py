"""``[mechanism]`` of kind ``dataset``: which data a study names or holds, and the section as JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from simstudy.errors import StudyError, shown
from simstudy.mechanisms.built_in import WITH_TERMS
from simstudy.mechanisms.dataset import BUILT_IN, Dataset, KeptData, dataset_of_table, load_dataset
from simstudy.mechanisms.grouping import COLUMN_KEYS
from simstudy.mechanisms.inline import inline_table, is_inline
from simstudy.models.options import Section
from simstudy.tables import ENDINGS

INLINE = "values in the study"


class DatasetSection(Section):
    """``[mechanism]`` of kind ``dataset``: columns by name, or the data themselves as lists.

    Args:
        kind: of the mechanism: data that are given.
        data: built-in data set, or a CSV or Parquet file, from the study file on.
        group: column of the groups' names.
        value: column of observations, or of estimates.
        standard_error: column of the estimates' standard errors.
        successes: column of successes; or the numbers themselves.
        trials: column of trials; or the numbers themselves.
        count: column of counts; or the numbers themselves.
        exposure: column of the counts' exposures; or the numbers themselves.
        truth: column of the true effects; or the numbers themselves.
        values: the observations themselves, in place of a file.
        standard_errors: those of values.
        labels: names of the groups of values.
    """

    kind: Literal["dataset"]
    data: Annotated[Any, Field(examples=["lecture"])] = None
    group: Annotated[str, Field(examples=["school"])] | None = None
    value: Annotated[str, Field(examples=["score"])] | None = None
    standard_error: Annotated[str, Field(examples=["se"])] | None = None
    successes: Annotated[Any, Field(examples=["cured", [3, 5]])] = None
    trials: Annotated[Any, Field(examples=["n", [10, 12]])] = None
    count: Annotated[Any, Field(examples=["accidents", [3, 0]])] = None
    exposure: Annotated[Any, Field(examples=["years", [1.5, 2.0]])] = None
    truth: Annotated[Any, Field(examples=["theta", [0.3, -0.1]])] = None
    values: Annotated[Any, Field(examples=[[10, 12, 9]])] = None
    standard_errors: Annotated[Any, Field(examples=[[1.5, 2.0, 1.0]])] = None
    labels: Annotated[Any, Field(examples=[["A", "B", "C"]])] = None


def section_dataset(section: DatasetSection, folder: Path | None) -> Dataset:
    """Return the data set of a ``[mechanism]`` section.

    Raises:
        StudyError: as ``load_dataset`` and ``inline_table``; or there are neither data nor values.
    """
    contents = {name: getattr(section, name) for name in DatasetSection.model_fields}
    if is_inline(contents):
        return dataset_of_table(inline_table(contents), {}, INLINE)
    if alone := [key for key in ("values", "standard_errors", "labels") if contents[key] is not None]:
        raise StudyError(
            f"{alone[0]}: expected a list, such as values = [10, 12, 9], got {shown(contents[alone[0]])}; a column of "
            'a file is named value = "score"'
        )
    if section.data is None:
        known = ", ".join((*BUILT_IN, *WITH_TERMS))
        raise StudyError(
            f"data: the key is missing; expected one of {known}, a {' or '.join(ENDINGS)} file, or "
            "values = [10, 12, 9] in the study itself"
        )
    columns = {key: contents[key] for key in COLUMN_KEYS if contents[key] is not None}
    for key, column in columns.items():
        if not isinstance(column, str):
            raise StudyError(f"{key}: expected the name of a column, got {shown(column)}")
    return load_dataset(section.data, folder=folder, columns=columns)


def plain_section(contents: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """Return a ``[mechanism]`` section as JSON values: tables in words, arrays as lists, every column named."""
    plain = {name: plain_value(value) for name, value in contents.items() if value is not None}
    if is_inline(plain):
        return plain
    return {**plain, "data": said_data(contents["data"], dataset.name), **dataset.columns}


def said_data(data: Any, name: str) -> str:
    """Return what a study says of its data: a name, a path, or a table by the name that it has as a data set."""
    if isinstance(data, KeptData):
        return data.said
    return str(data) if isinstance(data, str | Path) else name


def plain_value(value: Any) -> Any:
    """Return an array as a list, and anything else as it is."""
    return value.tolist() if isinstance(value, np.ndarray | pd.Series) else value
