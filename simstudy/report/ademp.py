"""A study in ADEMP terms, from its canonical form alone: aims, mechanisms, estimands, methods, performance measures.

Morris, White & Crowther 2019, Statistics in Medicine 38:2074. The same words open a report and make the
pre-registration text (``protocol.py``), which exists before there is a single number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from simstudy.report.reading.extent import Extent
from simstudy.report.reading.wording import ESTIMANDS, counted, number, symbol

NOT_FACTORS = ("kind", "likelihood", "effects", "sigma_by", "data", "sizes", "standard_errors")
DESIGN = ("groups", "group_size")
FIRST = (*DESIGN, "mu", "tau", "sigma")
LETTERS = {"groups": "J, number of groups", "group_size": "n, observations in each group"}
DATASET = "dataset"
MECHANISMS = {
    "exchangeable": "exchangeable group effects: θ_j ~ Normal(μ, τ)",
    "student_t": "group effects with heavy tails: Student-t around μ with sd τ",
    "two_component": "group effects of two kinds: a mixture of two normals with mean μ and sd τ",
    "dataset": "real data, fixed: replicates differ in the sampler’s seed only",
}
LIKELIHOODS = {
    "normal": "normal observations, y_ij ~ Normal(θ_j, σ)",
    "normal_known_se": "one estimate per group with a known standard error, y_j ~ Normal(θ_j, se_j)",
    "binomial": "binomial counts, successes_j ~ Binomial(n_j, expit(θ_j))",
}
STRUCTURES = {
    "complete": "complete pooling: one mean for all groups",
    "none": "no pooling: every group by itself",
    "partial": "partial pooling: group effects share Normal(μ, τ)",
}
UNEQUAL = {"sizes": "unequal group sizes", "standard_errors": "sets of standard errors"}
EFFECTS = {
    "random": "group effects drawn anew in each replicate",
    "fixed": "group effects the same in every replicate, μ + τ times normal scores",
}
SIGMAS = {
    "group": "a residual sd for each group, independent",
    "hierarchical": "residual sds of the groups share a distribution",
}
LIKELIHOOD_NAMES = {
    "normal": "normal observations",
    "normal_known_se": "normal, standard errors known",
    "binomial": "binomial counts",
}
PARAMETERIZATIONS = {"noncentered": "non-centered"}
SAMPLERS = {"nuts": "NUTS, batched", "numpyro": "NUTS of NumPyro", "exact": "independent exact draws by quadrature"}
EXACT = "exact"
OF_TRAJECTORIES = ("warmup", "max_treedepth", "target_accept")
OPTIONS = {"target_accept": "target acceptance", "max_treedepth": "maximum tree depth"}
PARAMETERS = {"complete": ("mu",), "none": ("theta",), "partial": ("mu", "tau", "theta")}
NOMINAL = 0.95
WORST_SHARE = 0.5
# Half the normal quantile of the pointwise error .0043 that 95 % simultaneous bands have at 250 ranks.
BAND = 1.43


def aims(study: Mapping[str, Any]) -> list[str]:
    """Return the aim."""
    return [study["study"].get("aim") or "not stated"]


def mechanisms(study: Mapping[str, Any]) -> list[str]:
    """Return the mechanism, the levels of its factors and the number of scenarios, one line each."""
    mechanism = study["mechanism"]
    kind = str(mechanism["kind"])
    grouped = kind in MECHANISMS and kind != DATASET
    likelihood = str(mechanism.get("likelihood") or ("normal" if grouped else ""))
    lines = [MECHANISMS.get(kind, kind), LIKELIHOODS.get(likelihood, likelihood)]
    if mechanism.get("data"):
        lines.append(f"data: {mechanism['data']}")
    lines += [_factor(name, mechanism[name]) for name in _factors(mechanism)]
    for name in ("sizes", "standard_errors"):
        if mechanism.get(name):
            lines.append(f"{UNEQUAL[name]}: {_levels(mechanism[name])}")
    if grouped:
        lines.append(EFFECTS[str(mechanism.get("effects") or "random")])
    return [line for line in [*lines, _size_words(study)] if line]


def _factor(name: str, value: Any) -> str:
    letter = LETTERS.get(name, symbol(name))
    drawn = isinstance(value, str) and "(" in value
    return f"{letter} ~ {value}, drawn anew in each replicate" if drawn else f"{letter}: {_levels(value)}"


def _size_words(study: Mapping[str, Any]) -> str:
    """Return how the factors are combined, and how many scenarios that makes."""
    scenarios = counted(n_scenarios(study), "scenario")
    if n_scenarios(study) == 1:
        return scenarios
    unequal = any(study["mechanism"].get(name) for name in UNEQUAL)
    among = "balanced and unequal designs, each crossed with all other factors" if unequal else "all factors crossed"
    return f"{scenarios}: {among}"


def n_scenarios(study: Mapping[str, Any]) -> int:
    """Return the number of scenarios of the factorial design.

    >>> n_scenarios({"mechanism": {"kind": "exchangeable", "groups": [4, 8], "group_size": [2], "tau": [0, 1, 2]}})
    6
    """
    mechanism = study["mechanism"]
    if mechanism["kind"] == DATASET:
        return 1
    balanced = math.prod(len(_listed(mechanism[name])) for name in DESIGN if name in mechanism)
    balanced = balanced if any(mechanism.get(name) for name in DESIGN) else 0
    unequal = sum(len(mechanism.get(name) or ()) for name in ("sizes", "standard_errors"))
    others = [name for name in _factors(mechanism) if name not in DESIGN]
    return max(balanced + unequal, 1) * math.prod(len(_listed(mechanism[name])) for name in others)


def estimands(study: Mapping[str, Any]) -> list[str]:
    """Return the names of the estimands that the methods' structures and likelihoods have; none of a user's models."""
    structures = {str(method.get("structure")) for method in study["methods"]}
    likelihoods = {str(method.get("likelihood")) for method in study["methods"]}
    names = {name for structure in structures & set(PARAMETERS) for name in PARAMETERS[structure]}
    if not names:
        return []
    names |= {"theta", "theta_mean", "theta_sd", "theta_new", "y_new", "log_lik"}
    names |= {name for method in study["methods"] for name in ("sigma", "omega") if name in (method["priors"] or {})}
    names |= {"shrinkage_weight"} if "partial" in structures else set()
    names |= {"prob_best", "theta_var"} if structures != {"complete"} else set()
    names |= {"p"} if "binomial" in likelihoods else set()
    return [name for name in ESTIMANDS if name in names]


def model_words(method: Mapping[str, Any]) -> str:
    """Return what a method fits."""
    if method.get("model"):
        return f"model {method['model']}"
    structure, likelihood, sigma_by = (str(method.get(k)) for k in ("structure", "likelihood", "sigma_by"))
    parameterization = method.get("parameterization")
    words = [
        STRUCTURES.get(structure, structure),
        PARAMETERIZATIONS.get(str(parameterization), parameterization),
        LIKELIHOOD_NAMES.get(likelihood, likelihood),
        SIGMAS.get(sigma_by),
    ]
    return ", ".join(str(word) for word in words if word)


def priors_words(method: Mapping[str, Any]) -> str:
    """Return a method's priors as text."""
    priors = method.get("priors") or {}
    return ", ".join(f"{symbol(k)} {'~ ' if '(' in str(v) else '= '}{v}" for k, v in priors.items()) or "own priors"


def sampler_words(method: Mapping[str, Any]) -> str:
    """Return a method's sampler with its options; the exact one has no warm-up and no trajectories to tell of.

    >>> sampler_words({"sampler": {"kind": "nuts", "chains": 1, "warmup": 500, "draws": 1000, "target_accept": 0.8}})
    'NUTS, batched: 1 chain of 500 warm-up and 1,000 draws, target acceptance 0.8'
    """
    sampler = {key: value for key, value in (method.get("sampler") or {}).items() if value is not None}
    kind = str(sampler.pop("kind", ""))
    if kind == EXACT:
        sampler = {key: value for key, value in sampler.items() if key not in OF_TRAJECTORIES}
    chains, warmup, draws = (sampler.pop(key, None) for key in ("chains", "warmup", "draws"))
    lengths = " and ".join([*([f"{warmup:,} warm-up"] if warmup else []), *([f"{draws:,} draws"] if draws else [])])
    run = [f"{counted(int(chains), 'chain')} of {lengths}" if chains and lengths else lengths]
    precision = [str(sampler.pop("precision"))] if "precision" in sampler else []
    rest = [f"{OPTIONS.get(key, key.replace('_', ' '))} {value}" for key, value in sampler.items()]
    options = ", ".join(filter(None, run + rest + precision))
    return ": ".join(filter(None, [SAMPLERS.get(kind, kind), options]))


def replicates_words(study: Mapping[str, Any], *, extent: Extent | None = None) -> list[str]:
    """Return the number of replicates and the MCSEs of a coverage that it gives.

    Args:
        study: the canonical study.
        extent: how much of it is stored, once there is a run: an unfinished run has
            the MCSEs of the fewest replicates that a method has in a scenario.
    """
    n = int(study["study"]["replicates"])
    words, fewest = counted(n, "replicate"), ""
    if extent is not None and not extent.is_finished:
        n, words = extent.fewest, extent.replicates
        fewest = f"; what follows is for {n:,}" if n else ""
    if study["mechanism"]["kind"] == DATASET:
        return [f"{words} of the sampler on the same data, each from another seed{fewest}", *_ratio_words(n)]
    if study["study"].get("kind") == "calibration":
        return [f"{words} of each scenario{fewest}", *_band_words(n)]
    shared = ", the same data for all methods" if len(study.get("methods", ())) > 1 else ""
    return [f"{words} of each scenario{shared}{fewest}", *_mcse_words(n)]


def _ratio_words(n: int) -> list[str]:
    if n < 1:
        return []
    ratio = number(1 / math.sqrt(n), digits=2)
    return [f"the average of a posterior mean over them has {ratio} times the standard error that one fit has"]


def _band_words(n: int) -> list[str]:
    if n < 1:
        return []
    return [
        f"95 % simultaneous bands of the rank distribution reach about {number(BAND / math.sqrt(n), digits=2)} "
        "either way at its middle; smaller departures cannot be seen"
    ]


def _mcse_words(n: int) -> list[str]:
    if n < 1:
        return []
    nominal, worst = (math.sqrt(p * (1 - p) / n) * 100 for p in (NOMINAL, WORST_SHARE))
    lines = [
        f"MCSE of a coverage with one interval per replicate: {number(nominal, digits=2)} percentage points at 95 %, "
        f"at most {number(worst, digits=2)}",
    ]
    if n > 1:
        relative = number(100 / math.sqrt(2 * (n - 1)), digits=2)
        lines.append(
            f"MCSE of an empirical SE or RMSE: about {relative} % of it, for one estimate per replicate with normal "
            "errors; less where a replicate has several groups"
        )
    return lines


def _factors(mechanism: Mapping[str, Any]) -> list[str]:
    names = [name for name, value in mechanism.items() if name not in NOT_FACTORS and value not in (None, [])]
    return sorted(names, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _levels(value: Any) -> str:
    items = _listed(value)
    inner = [f"({'/'.join(map(_level, item))})" if isinstance(item, list | tuple) else _level(item) for item in items]
    return ", ".join(inner)


def _level(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
