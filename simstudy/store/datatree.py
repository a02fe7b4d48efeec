"""A run as an xarray ``DataTree``: its fits, its estimates and its kept draws, on axes that have names.

``fits`` and ``estimates/<estimand>`` are dense over (scenario, method, replicate) and, where there are groups, group;
what was not fitted, and groups that a scenario does not have, are NaN. An estimand that has groups under some methods
alone has its groups in a node of its own, ``estimates/<estimand> by group``. The coordinate of a scenario is its
label, with its id and its factors beside it. ``draws/<method>/<scenario>/<replicate>`` has a ``posterior`` and
``sample_stats``, as ArviZ names them. All numbers lie in memory.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from simstudy.errors import RunError
from simstudy.store.group_names import called, group_names
from simstudy.store.kept import KeptFit, kept_fits
from simstudy.types import RunTables

if TYPE_CHECKING:
    from xarray import DataTree

INSTALL = "to_datatree needs xarray: pip install 'simstudy[arviz]'"
DIMENSIONS = ("scenario", "method", "replicate")
GROUP = "group"
NOT_VALUES = (*DIMENSIONS, GROUP, "estimand")


def to_datatree(run: RunTables, folder: Path) -> "DataTree":
    """Return the tree of a run.

    Args:
        run: the run.
        folder: where it is, with its kept draws.

    Raises:
        RunError: xarray is not installed; says how to.
    """
    xarray = _xarray()
    axes = _axes(run)
    about = {"study": run.study["study"]["name"], "folder": str(folder)}
    nodes: dict[str, Any] = {"/": xarray.Dataset(attrs=about)}
    nodes["fits"] = xarray.Dataset(_dense(run.fits, axes), coords=_coordinates(run, axes))
    for estimand, rows in run.estimates.groupby("estimand", observed=True):
        nodes |= _estimates(xarray, run, _node(str(estimand)), rows, axes)
    names = group_names(run)
    for scenario, label in zip(run.scenarios["scenario"].astype(str), run.scenarios["label"], strict=True):
        for method in axes["method"]:
            for fit in kept_fits(folder, scenario, str(method)):
                place = f"draws/{_node(str(method))}/{_node(str(label))}/{fit.replicate}"
                nodes |= _draws(xarray, fit, place, names.get(scenario, {}))
    return cast("DataTree", xarray.DataTree.from_dict(nodes))


def _xarray() -> Any:
    try:
        return import_module("xarray")
    except ModuleNotFoundError as error:
        raise RunError(INSTALL) from error


def _node(name: str) -> str:
    """Return a name that a node of a tree can have: a slash leads to another."""
    return name.replace("/", "_")


def _axes(run: RunTables) -> dict[str, pd.Index]:
    """Return dimension -> the values by which the tables name it; of replicates, those that have fits."""
    replicates = pd.Index(np.unique(run.fits["replicate"].to_numpy()))
    scenarios, methods = run.scenarios["scenario"].astype(str), run.methods["method"].astype(str)
    return {"scenario": pd.Index(scenarios), "method": pd.Index(methods), "replicate": replicates}


def _coordinates(run: RunTables, axes: Mapping[str, pd.Index]) -> dict[str, Any]:
    """Return the coordinates of all dimensions, scenarios by their labels, beside them their ids and factors."""
    factors = {name: column for name, column in run.scenarios.items() if name != "label" and column.notna().any()}
    taken = {*run.fits, *run.estimates, "id", "group_name"}
    names = {name: f"{name} (factor)" if name in taken else str(name) for name in factors} | {"scenario": "id"}
    beside = {names[name]: column for name, column in factors.items()}
    labels = run.scenarios["label"].astype(str).to_numpy()
    return {**axes, "scenario": labels, **{name: ("scenario", _plain(column)) for name, column in beside.items()}}


def _plain(column: pd.Series) -> np.ndarray:
    return column.to_numpy(float) if pd.api.types.is_numeric_dtype(column) else column.astype(object).to_numpy()


def _estimates(
    xarray: Any, run: RunTables, name: str, rows: pd.DataFrame, axes: Mapping[str, pd.Index]
) -> dict[str, Any]:
    """Return the node of an estimand, or the nodes where it has groups under some methods alone."""
    is_of_group = rows[GROUP].notna().to_numpy()
    out = {}
    if not is_of_group.all():
        whole = _dense(rows[~is_of_group], axes)
        out[f"estimates/{name}"] = xarray.Dataset(whole, coords=_coordinates(run, axes))
    if is_of_group.any():
        of_groups = rows[is_of_group].astype({GROUP: int})
        inside = {**axes, GROUP: pd.Index(np.unique(of_groups[GROUP]))}
        coordinates = {**_coordinates(run, inside), **_group_names(run, inside[GROUP])}
        node = f"estimates/{name} by group" if out else f"estimates/{name}"
        out[node] = xarray.Dataset(_dense(of_groups, inside), coords=coordinates)
    return out


def _group_names(run: RunTables, groups: pd.Index) -> dict[str, Any]:
    """Return the names of the groups as a coordinate, where all scenarios have the same ones."""
    names = {tuple(called(of, group) for group in groups) for of in group_names(run).values()}
    return {"group_name": (GROUP, list(names.pop()))} if len(names) == 1 else {}


def _dense(rows: pd.DataFrame, axes: Mapping[str, pd.Index]) -> dict[str, Any]:
    """Return every column of numbers, and the status, as an array over the axes."""
    places = [axis.get_indexer(pd.Index(rows[name])) for name, axis in axes.items()]
    shape = tuple(map(len, axes.values()))
    flat = np.ravel_multi_index(places, shape)
    out = {}
    for name, column in rows.items():
        if name in NOT_VALUES or not (pd.api.types.is_numeric_dtype(column) or name == "status"):
            continue
        is_number = name != "status"
        whole = np.full(np.prod(shape, dtype=int), np.nan if is_number else "", float if is_number else object)
        whole[flat] = column.to_numpy(float, na_value=np.nan) if is_number else column.astype(str)
        out[str(name)] = (tuple(axes), whole.reshape(shape))
    return out


def _draws(xarray: Any, fit: KeptFit, place: str, names: Mapping[int, str]) -> dict[str, Any]:
    """Return the nodes of a fit's draws."""
    groups = {"posterior": fit.posterior, "sample_stats": fit.sample_stats}
    return {f"{place}/{name}": _of_arrays(xarray, arrays, names) for name, arrays in groups.items() if arrays}


def _of_arrays(xarray: Any, arrays: Mapping[str, np.ndarray], names: Mapping[int, str]) -> Any:
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for name, values in arrays.items():
        dimensions = ("chain", "draw", f"{name}_{GROUP}")[: values.ndim]
        variables[name] = (dimensions, values)
        if values.ndim > 2 and len(names) == values.shape[-1]:
            coordinates[dimensions[-1]] = [names[group] for group in range(values.shape[-1])]
        coordinates |= {d: np.arange(n) for d, n in zip(dimensions[:2], values.shape, strict=False)}
    return xarray.Dataset(variables, coords=coordinates)
