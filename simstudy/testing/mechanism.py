"""Conformance of a mechanism: a replicate is a function of its key, and its truth is true."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from simstudy.mechanisms import Mechanism
from simstudy.streams import canonical_json, random_key
from simstudy.testing.expectation import check_choice, differing, expect, expect_close, leaves_of
from simstudy.types import GroupedData, Replicate

N_KEYS = 5
NOT_NEGATIVE = ("tau", "sigma", "sigma_median", "omega", "theta_sd", "theta_var")
SHARES = ("p", "shrinkage_weight", "prob_best")


def check_mechanism(mechanism: Mechanism) -> None:
    """Check what every mechanism promises.

    - It is a choice: frozen, hashable, equal to its copy, and it can be pickled.
    - ``fields`` is JSON with a ``kind``, the same every time: the identity of scenarios rests on it.
    - A replicate is the same bit for bit whenever its key is: alone, in company and in any order. Replicates of
      different keys have different data; or all the same where ``replication`` is ``"sampler"``.
    - Grouped data are consistent: sizes as in ``shape`` and at least 1, mean and sum of squares those of the raw
      observations, standard errors positive.
    - Truths have the same names and shapes in all replicates, one value or one for each group; none is infinite; NaN is
      for what has no truth at all. Those that follow from theta (mean, sd, variance, the best group) do follow.

    Args:
        mechanism: with every factor at one level.

    Raises:
        ConformanceError: a promise that is not kept.

    >>> from simstudy.mechanisms.dataset import load_dataset
    >>> check_mechanism(load_dataset("eight_schools"))
    """
    check_choice(mechanism)
    _check_fields(mechanism)
    keys = np.stack([random_key("conformance", i) for i in range(N_KEYS)])
    replicates = mechanism.simulate(keys)
    expect(mechanism, "a replicate for each key", holds=len(replicates) == N_KEYS, got=len(replicates))
    _check_keys(mechanism, keys, replicates)
    for replicate in replicates:
        if isinstance(replicate.data, GroupedData):
            _check_groups(mechanism, replicate.data)
        _check_truth(mechanism, replicate)
    shapes = {json.dumps({n: np.shape(v) for n, v in r.truth.items()}, sort_keys=True) for r in replicates}
    expect(mechanism, "truths of the same names and shapes in all replicates", holds=len(shapes) == 1, got=shapes)


def _check_fields(mechanism: Mechanism) -> None:
    fields = dict(mechanism.fields)
    try:
        text = canonical_json(fields)
    except (TypeError, ValueError) as error:
        expect(mechanism, "fields that are JSON", holds=False, got=error)
    expect(mechanism, "a text as kind among the fields", holds=isinstance(fields.get("kind"), str), got=fields)
    again = canonical_json(dict(mechanism.fields))
    expect(mechanism, "the same fields whenever they are asked for", holds=text == again, got=f"{text}, then {again}")


def _check_keys(mechanism: Mechanism, keys: np.ndarray, replicates: Sequence[Replicate]) -> None:
    last = N_KEYS - 1
    company = {
        "asked for again": mechanism.simulate(keys)[last],
        "alone": mechanism.simulate(keys[last:])[0],
        "in another order": mechanism.simulate(keys[::-1])[0],
    }
    for how, replicate in company.items():
        changed = differing(_arrays(replicate), _arrays(replicates[last]))
        promise = f"the same replicate from the same key {how}, bit for bit"
        expect(mechanism, promise, holds=not changed, got=f"differences in {', '.join(changed)}")
    first, *others = (leaves_of(replicate.data) for replicate in replicates)
    differ = any(differing(first, other) for other in others)
    if mechanism.replication == "sampler":
        expect(mechanism, "the same data for every key", holds=not differ, got="data that differ")
    else:
        expect(mechanism, "different data from different keys", holds=differ, got=f"the same from {N_KEYS} keys")


def _arrays(replicate: Replicate) -> dict[str, np.ndarray]:
    truth = {f"truth of {name}": np.asarray(value) for name, value in replicate.truth.items()}
    return leaves_of(replicate.data) | truth


def _check_groups(mechanism: Mechanism, data: GroupedData) -> None:
    n = data.n_obs
    least = 1 if mechanism.design is None else 0
    is_whole = np.issubdtype(n.dtype, np.integer) and n.min() >= least
    expect(mechanism, f"whole numbers of observations, at least {least} in each group", holds=is_whole, got=n)
    if sizes := mechanism.sizes_of_data:
        expect(mechanism, f"groups of the sizes {sizes}", holds=tuple(n) == sizes, got=tuple(n))
    for name in ("y_mean", "y_ss", "known_se"):
        values = getattr(data, name)
        if values is not None:
            is_finite = values.dtype == np.float64 and values.shape == n.shape and np.isfinite(values).all()
            expect(mechanism, f"{name} to be finite float64, one for each group", holds=is_finite, got=repr(values))
    expect(mechanism, "y_ss of 0 for single observations, else >= 0", holds=_are_squares(n, data.y_ss), got=data.y_ss)
    if data.known_se is not None:
        expect(mechanism, "standard errors above 0", holds=data.known_se.min() > 0, got=data.known_se)
    if data.y is not None:
        expect(mechanism, f"{n.sum()} raw observations", holds=data.y.shape == (n.sum(),), got=data.y.shape)
        each = np.split(data.y, np.cumsum(n)[:-1])
        expect_close(mechanism, "y_mean of the raw y", found=data.y_mean, expected=[y.mean() for y in each])
        expect_close(mechanism, "y_ss of the raw y", found=data.y_ss, expected=[y.var() * y.size for y in each])


def _are_squares(n: np.ndarray, y_ss: np.ndarray) -> bool:
    return bool(np.all(y_ss >= 0) and np.all(y_ss[n == 1] == 0))


def _check_truth(mechanism: Mechanism, replicate: Replicate) -> None:
    truth = {name: np.asarray(value, float) for name, value in replicate.truth.items()}
    n_groups = replicate.data.n_groups if isinstance(replicate.data, GroupedData) else None
    levels = {factor.name: factor.n_levels for factor in mechanism.design.factors} if mechanism.design else {}
    for name, value in truth.items():
        n_own = levels.get(name.partition("[")[2].removesuffix("]"), n_groups)
        is_known = n_groups is None or value.shape in ((), (n_own,))
        promise = f"one truth of {name}, or one for each of {n_own} groups"
        expect(mechanism, promise, holds=is_known, got=f"shape {value.shape}")
        is_given = bool(np.isfinite(value).all() or np.isnan(value).all())
        expect(mechanism, f"a finite truth of {name}, or none (NaN)", holds=is_given, got=value)
        _check_range(mechanism, name, value)
    if "theta" in truth:
        _check_effects(mechanism, truth, truth["theta"])


def _check_range(mechanism: Mechanism, name: str, value: np.ndarray) -> None:
    if name in NOT_NEGATIVE:
        expect(mechanism, f"a truth of {name} that is not negative", holds=not (value < 0).any(), got=value)
    if name in SHARES:
        is_share = not ((value < 0) | (value > 1)).any()
        expect(mechanism, f"a truth of {name} in [0, 1]", holds=is_share, got=value)


def _check_effects(mechanism: Mechanism, truth: dict[str, np.ndarray], theta: np.ndarray) -> None:
    """Compare what follows from theta with theta; a truth of NaN claims nothing."""
    follows: dict[str, Any] = {"theta_mean": theta.mean()}
    if theta.size > 1:
        follows |= {"theta_sd": theta.std(ddof=1), "theta_var": theta.var(ddof=1), "prob_best": theta == theta.max()}
    for name in follows.keys() & truth.keys():
        if not np.isnan(truth[name]).all():
            promise = f"the truth of {name} to follow from that of theta"
            expect_close(mechanism, promise, found=truth[name], expected=follows[name])
