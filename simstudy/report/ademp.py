"""A study in ADEMP terms, from its canonical form alone: aims, mechanisms, estimands, methods, performance measures.

Morris, White & Crowther 2019, Statistics in Medicine 38:2074. The same words open a report and make the
pre-registration text, which exists before there is a single number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from simstudy.report.wording import ESTIMANDS, counted, number, symbol

NOT_FACTORS = ("kind", "likelihood", "effects", "sigma_by", "data", "sizes", "standard_errors")
DESIGN = ("groups", "group_size")
FIRST = (*DESIGN, "mu", "tau", "sigma")
LETTERS = {"groups": "J, groups", "group_size": "n, observations in each group"}
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
PARAMETERS = {"complete": ("mu",), "none": ("theta",), "partial": ("mu", "tau", "theta")}
PACKAGES = ("simstudy", "numpyro", "jax", "numpy", "scipy")
NOMINAL = 0.95
WORST_SHARE = 0.5


def aims(study: Mapping[str, Any]) -> list[str]:
    """Return the aim."""
    return [study["study"].get("aim") or "not stated"]


def mechanisms(study: Mapping[str, Any]) -> list[str]:
    """Return the mechanism, the levels of its factors and the number of scenarios, one line each."""
    mechanism = study["mechanism"]
    kind = str(mechanism["kind"])
    likelihood = str(mechanism.get("likelihood") or "")
    lines = [MECHANISMS.get(kind, kind), LIKELIHOODS.get(likelihood, likelihood)]
    if mechanism.get("data"):
        lines.append(f"data: {mechanism['data']}")
    lines += [f"{LETTERS.get(name, symbol(name))}: {_levels(mechanism[name])}" for name in _factors(mechanism)]
    for name in ("sizes", "standard_errors"):
        if mechanism.get(name):
            lines.append(f"{name.replace('_', ' ')} of unequal designs: {_levels(mechanism[name])}")
    if mechanism.get("effects"):
        lines.append(f"effects: {mechanism['effects']} over replicates")
    return [line for line in [*lines, counted(n_scenarios(study), "scenario")] if line]


def n_scenarios(study: Mapping[str, Any]) -> int:
    """Return the number of scenarios of the factorial design.

    >>> n_scenarios({"mechanism": {"kind": "exchangeable", "groups": [4, 8], "group_size": [2], "tau": [0, 1, 2]}})
    6
    """
    mechanism = study["mechanism"]
    if mechanism["kind"] == "dataset":
        return 1
    balanced = math.prod(len(_listed(mechanism[name])) for name in DESIGN if name in mechanism)
    balanced = balanced if any(mechanism.get(name) for name in DESIGN) else 0
    unequal = sum(len(mechanism.get(name) or ()) for name in ("sizes", "standard_errors"))
    others = [name for name in _factors(mechanism) if name not in DESIGN]
    return max(balanced + unequal, 1) * math.prod(len(_listed(mechanism[name])) for name in others)


def estimands(study: Mapping[str, Any]) -> list[str]:
    """Return the estimands that the methods' structures have, in words."""
    structures = [method.get("structure") for method in study["methods"]]
    names = dict.fromkeys(name for s in ("partial", "none", "complete") if s in structures for name in PARAMETERS[s])
    order = [name for name in ESTIMANDS if name in names] + ["theta_mean", "theta_sd", "theta_new", "y_new"]
    if any("sigma" in (method.get("priors") or {}) for method in study["methods"]):
        order.insert(len(names), "sigma")
    if not names:
        return ["those that the methods’ own models name"]
    return [f"{name}: {ESTIMANDS[name]}" for name in order]


def method_lines(study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return, for each method, its name, and its model, priors and sampler in words."""
    return [(str(m["name"]), "; ".join([model_words(m), priors_words(m), sampler_words(m)])) for m in study["methods"]]


def model_words(method: Mapping[str, Any]) -> str:
    """Return what a method fits."""
    if method.get("model"):
        return f"model {method['model']}"
    words = STRUCTURES.get(str(method.get("structure")), str(method.get("structure")))
    extra = [method.get("parameterization"), method.get("likelihood")]
    extra += [f"sigma by {method['sigma_by']}"] if method.get("sigma_by") not in (None, "shared") else []
    return ", ".join([words, *(str(e).replace("_", " ") for e in extra if e)])


def priors_words(method: Mapping[str, Any]) -> str:
    """Return a method's priors as text."""
    priors = method.get("priors") or {}
    return ", ".join(f"{symbol(k)} {'~ ' if '(' in str(v) else '= '}{v}" for k, v in priors.items()) or "own priors"


def sampler_words(method: Mapping[str, Any]) -> str:
    """Return a method's sampler with its options."""
    sampler = dict(method.get("sampler") or {})
    kind = sampler.pop("kind", "")
    lengths = [f"{sampler.pop(k):,} {k}" for k in ("chains", "warmup", "draws") if sampler.get(k) is not None]
    rest = [f"{k.replace('_', ' ')} {v}" for k, v in sampler.items() if v is not None]
    return ", ".join([str(kind), *lengths, *rest])


def replicates_words(study: Mapping[str, Any]) -> list[str]:
    """Return the number of replicates and the MCSEs of a coverage that it gives."""
    n = int(study["study"]["replicates"])
    if study["mechanism"]["kind"] == "dataset":
        return [f"{counted(n, 'replicate')} of the sampler on the same data"]
    nominal, worst = (math.sqrt(p * (1 - p) / n) * 100 for p in (NOMINAL, WORST_SHARE))
    return [
        f"{counted(n, 'replicate')} of each scenario, the same data for all methods",
        f"MCSE of a coverage with one interval per replicate: {number(nominal, digits=2)} percentage points at "
        f"{NOMINAL:.0%}, at most {number(worst, digits=2)}".replace("95%", "95 %"),
    ]


def preregistration(study: Mapping[str, Any]) -> str:
    """Return a pre-registration of the study in ADEMP terms, as Markdown, from the canonical study alone.

    Args:
        study: the canonical study (``study.json``), every default spelled out.
    """
    about, limits = study["study"], study.get("diagnostics", {})
    measures = (
        "bias, conditional bias, empirical SE, RMSE, model SE and its relative error, coverage with Wilson interval, "
        "interval width and score, shrinkage weight, MSE ratio and regret, divergences, ESS per leapfrog; each with "
        "its Monte Carlo standard error (MCSE), with groups nested in replicates"
    )
    parts = [
        ("Aims", aims(study)),
        ("Data-generating mechanisms", mechanisms(study)),
        ("Estimands", estimands(study)),
        ("Methods", [f"**{_plain(name)}**: {_plain(words)}" for name, words in method_lines(study)]),
        ("Performance measures", [measures, _intervals(study)]),
        ("Replicates", [*replicates_words(study), f"seed {about['seed']}"]),
        ("Fits that count", _counting(limits)),
        ("Software", [f"{name} {version}" for name, version in _versions()]),
    ]
    sections = "\n\n".join(f"## {title}\n" + "\n".join(f"- {line}" for line in lines) for title, lines in parts)
    return f"# {_plain(str(about['name']))}: pre-registration\n\n{sections}\n"


def _counting(limits: Mapping[str, Any]) -> list[str]:
    thresholds = ", ".join(f"{name} {value}" for name, value in limits.items() if value is not None)
    return [
        "all fits with finite draws; failed and non-finite fits are counted and reported with their reasons",
        f"fits are flagged, not left out, by: {thresholds or 'no threshold'}",
    ]


def _intervals(study: Mapping[str, Any]) -> str:
    levels = ", ".join(f"{100 * level:g} %" for level in study.get("summary", {}).get("levels", []))
    return f"central intervals at {levels}"


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


def _plain(text: str) -> str:
    """Return a text with the characters that Markdown would read escaped."""
    return "".join(f"\\{c}" if c in "\\`*_#<>[]|" else c for c in text)


def _versions() -> list[tuple[str, str]]:
    installed = {d.metadata["Name"]: d.version for d in map(_found, PACKAGES) if d}
    return list(installed.items())


def _found(package: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return None
