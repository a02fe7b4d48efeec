"""The sampler's own error: a method against the exact posterior of the same model on the same data.

The mean squared error of a method has two parts: what the exact posterior of its model and priors already has, and
what the sampler adds. They are told apart where a study has an exact sampler on the same model (structure, likelihood,
sigma_by and priors; the parameterization changes no posterior). With d = mean - exact mean, V the exact
posterior variance, m and m_0 the standard errors (mcse_mean) of both means, and e, e_0 their errors from the truth:

    z = d / sqrt(m^2 + m_0^2),   ESS_err = 1 / E[(d^2 - m_0^2) / V],   MSE = E[e_0^2 - m_0^2] + E[e^2 - e_0^2 + m_0^2].

The exact sampler draws too, independently, so its mean has a standard error m_0 of its own; subtracting its square
makes every part free of it on average (m_0 = 0 where the means are exact).

Effective draws counted by error see what their count by autocorrelation cannot: a chain that never enters a funnel
looks well mixed and is wrong. Fits with and without divergences stand beside each other in bins. A chain diverges where
it went, so the two bins also differ by where chains happened to go; the row over all fits is free of that.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from simstudy.measures.measure import Measure, Setting
from simstudy.measures.rows.labels import Labels
from simstudy.measures.rows.replicates import Replicates, Score, mean_score, proportion_score
from simstudy.measures.rows.rows import Rows
from simstudy.measures.sampling import floats
from simstudy.types import RunTables

NOT_OF_POSTERIOR = ("name", "sampler", "parameterization", "observations")
"""Keys of a method that change no posterior; all others make its model."""
BEYOND = 3.0


def sampler_bias(cells: Replicates, setting: Setting) -> Score:
    """Return the mean of d / sqrt(V): the sampler's bias in posterior sds."""
    return mean_score(cells, cells.reduce(cells["sampler_error"] / cells["exact_sd"]))


def sampler_z_square(cells: Replicates, setting: Setting) -> Score:
    """Return the mean of z^2, 1 for a sampler whose mcse_mean is right."""
    return mean_score(cells, cells.reduce(cells["sampler_z"] ** 2))


def sampler_z_beyond_3(cells: Replicates, setting: Setting) -> Score:
    """Return the share of |z| > 3, .0027 for a sampler whose mcse_mean is right."""
    return proportion_score(cells, np.abs(cells["sampler_z"]) > BEYOND)


def error_ess(cells: Replicates, setting: Setting) -> Score:
    """Return ESS_err, the independent draws whose mean would be as far off; undefined where no error can be seen."""
    return _inverse_score(cells, _relative_square(cells))


def error_efficiency(cells: Replicates, setting: Setting) -> Score:
    """Return ESS_err / mean leapfrogs of a fit, those of the warm-up included."""
    return _inverse_score(cells, _relative_square(cells), cells.reduce(cells["leapfrogs"]))


def mse_model(cells: Replicates, setting: Setting) -> Score:
    """Return E[e_0^2 - m_0^2], the part of the MSE that model and priors have without any sampler."""
    return mean_score(cells, cells.reduce(cells["exact_error"] ** 2 - cells["exact_mcse"] ** 2))


def mse_sampler(cells: Replicates, setting: Setting) -> Score:
    """Return E[e^2 - e_0^2 + m_0^2], the part of the MSE that the sampler adds, paired by replicate."""
    added = cells["error"] ** 2 - cells["exact_error"] ** 2 + cells["exact_mcse"] ** 2
    return mean_score(cells, cells.reduce(added))


def posterior_of(method: Mapping[str, Any]) -> str:
    """Return a text that methods of one posterior share: model and priors, without parameterization and sampler."""
    return json.dumps({key: method[key] for key in method if key not in NOT_OF_POSTERIOR}, sort_keys=True)


def exact_methods(
    methods: Iterable[Mapping[str, Any]], of_exact_samplers: Collection[str], of_no_posterior: Collection[str] = ()
) -> dict[str, str]:
    """Return method -> the first exact method of the same model, for the methods that have one.

    Args:
        methods: those of the study, each with its options.
        of_exact_samplers: names of the methods whose sampler gives the posterior without error.
        of_no_posterior: names of the methods that estimate no posterior, whose distance from one is no error.

    >>> model = {"structure": "complete", "priors": {"mu": "Normal(0, 1)", "sigma": "1"}}
    >>> nuts, exact = {"name": "a", "sampler": {"kind": "nuts"}}, {"name": "b", "sampler": {"kind": "exact"}}
    >>> exact_methods([model | nuts, model | exact], {"b"})
    {'a': 'b'}
    """
    exact: dict[str, str] = {}
    others: dict[str, str] = {}
    for method in methods:
        name, model = str(method["name"]), posterior_of(method)
        if name in of_exact_samplers:
            exact.setdefault(model, name)
        elif name not in of_no_posterior:
            others[name] = model
    return {name: exact[model] for name, model in others.items() if model in exact}


def read_sampler_errors(run: RunTables, rows: Rows, partners: Mapping[str, str]) -> Rows:
    """Return the rows of the methods that have an exact counterpart.

    Columns besides those of the estimates: ``sampler_error`` d, ``sampler_z``, ``exact_sd``, ``exact_mcse``,
    ``exact_error`` e_0, NaN where the exact fit does not count or lacks the estimand; and of the fit ``leapfrogs``, and
    ``has_divergence``, 0 or 1, NaN where its sampler does not say.

    Args:
        run: the run's tables.
        rows: of the estimates that count.
        partners: method -> its exact counterpart.
    """
    labels = rows.keys.labels
    partner = labels.methods.get_indexer(pd.Index([partners.get(name) for name in labels.methods], dtype=object))
    exact = _on_same_data(rows, partner)
    kept = np.flatnonzero(partner[rows.keys.method] >= 0)
    rows, exact = rows.take(kept), {name: values[kept] for name, values in exact.items()}
    # A standard error that is null belongs to a mean without error: exact, or that of a constant.
    mcse = np.nan_to_num(exact["mcse_mean"])
    difference = rows["mean"] - exact["mean"]
    fit = rows.keys.fit
    with np.errstate(divide="ignore", invalid="ignore"):
        z = difference / np.hypot(rows["mcse_mean"], mcse)
    return rows.add(
        sampler_error=difference,
        sampler_z=z,
        exact_sd=np.where(exact["sd"] > 0, exact["sd"], np.nan),
        exact_mcse=mcse,
        exact_error=exact["mean"] - rows["truth"],
        **{name: values[fit] for name, values in _of_fits(run, labels).items()},
    )


def _on_same_data(rows: Rows, partner: np.ndarray) -> dict[str, np.ndarray]:
    """Return mean, sd and mcse_mean of the partner's estimate, (row,): same data, estimand and group."""
    keys = rows.keys
    n_methods = len(keys.labels.methods)
    code = keys.data_estimand * n_methods + keys.method
    order = np.argsort(code, kind="stable")
    wanted = keys.data_estimand * n_methods + partner[keys.method]
    place = order[np.minimum(np.searchsorted(code, wanted, sorter=order), max(len(order) - 1, 0))]
    found = (code[place] == wanted) & (partner[keys.method] >= 0)
    return {name: np.where(found, rows[name][place], np.nan) for name in ("mean", "sd", "mcse_mean")}


def _of_fits(run: RunTables, labels: Labels) -> dict[str, np.ndarray]:
    """Return ``leapfrogs``, those of the warm-up included, and ``has_divergence`` by code of the fit."""
    leapfrogs = floats(run.fits["n_leapfrog"]) + floats(run.fits["n_leapfrog_warmup"])
    n_divergent = floats(run.fits["n_divergent"])
    values = {
        "leapfrogs": np.where(leapfrogs > 0, leapfrogs, np.nan),
        "has_divergence": np.where(np.isnan(n_divergent), np.nan, n_divergent > 0),
    }
    keys = labels.read(run.fits)
    by_fit = {name: np.full(keys.n_fits, np.nan) for name in values}
    for name, column in by_fit.items():
        column[keys.fit] = values[name]
    return by_fit


def _relative_square(cells: Replicates) -> np.ndarray:
    """Return the (unit,) mean of (d^2 - m_0^2) / V."""
    return cells.reduce((cells["sampler_error"] ** 2 - cells["exact_mcse"] ** 2) / cells["exact_sd"] ** 2)


def _inverse_score(cells: Replicates, *factors: np.ndarray) -> Score:
    """Return 1 / the product of the factors' means; MCSE by the delta method, NaN where a mean is not positive."""
    means = [cells.mean(a) for a in factors]
    product = np.prod(means, axis=0)
    value = np.where(np.min(means, axis=0) > 0, 1 / product, np.nan)
    influence = [a / cells.over_units(mean) - 1 for a, mean in zip(factors, means, strict=True)]
    mcse = value * cells.mcse(np.sum(influence, axis=0))
    return Score(value=value, mcse=mcse, mcse_method="delta", n_used=cells.n)


SOURCE = "error against the exact posterior mean; MCSE of paired means"
MEASURES = (
    Measure(
        name="sampler_bias",
        function=sampler_bias,
        needs=("sampler_error", "exact_sd"),
        definition="mean of (posterior mean - exact posterior mean) / exact posterior sd",
        source=SOURCE,
        unit="posterior sd",
        better="nominal",
        rows="sampler_errors",
        which="all",
    ),
    Measure(
        name="sampler_z_square",
        function=sampler_z_square,
        needs=("sampler_z",),
        definition="mean of z^2, z = (posterior mean - exact posterior mean) / mcse_mean; 1 where mcse_mean is right",
        source=SOURCE,
        unit="1",
        better="smaller",
        rows="sampler_errors",
        which="all",
    ),
    Measure(
        name="sampler_z_beyond_3",
        function=sampler_z_beyond_3,
        needs=("sampler_z",),
        definition="share of |z| > 3; .0027 where mcse_mean is right",
        source=SOURCE + "; Wilson 1927",
        unit="1",
        better="smaller",
        rows="sampler_errors",
        which="all",
    ),
    Measure(
        name="error_ess",
        function=error_ess,
        needs=("sampler_error", "exact_sd", "exact_mcse"),
        definition="posterior variance / mean squared distance of the posterior mean from the exact one",
        source=SOURCE,
        unit="draws",
        better="larger",
        rows="sampler_errors",
        which="all",
    ),
    Measure(
        name="error_efficiency",
        function=error_efficiency,
        needs=("sampler_error", "exact_sd", "exact_mcse", "leapfrogs"),
        definition="error_ess / mean leapfrogs of a fit, warm-up included",
        source=SOURCE,
        unit="1",
        better="larger",
        rows="sampler_errors",
        which="all",
    ),
    Measure(
        name="mse_model",
        function=mse_model,
        needs=("exact_error", "exact_mcse"),
        definition="MSE of the exact posterior mean: the part of the MSE that model and priors have",
        source=SOURCE,
        unit="estimand^2",
        better=None,
        rows="sampler_errors",
    ),
    Measure(
        name="mse_sampler",
        function=mse_sampler,
        needs=("error", "exact_error", "exact_mcse"),
        definition="MSE minus that of the exact posterior mean, paired: the part of the MSE that the sampler adds",
        source=SOURCE,
        unit="estimand^2",
        better="smaller",
        rows="sampler_errors",
    ),
)
