"""The protocol of a study, written before there is a single number: a pre-registration in ADEMP terms, as Markdown.

It needs the study file alone. The parts are those that Siepe et al. 2024 (Psychological Methods, ADEMP-PreReg) ask
for: aims, mechanisms, estimands, methods, performance measures, the number of replicates with its reason, what happens
to fits that fail, what will be claimed, software.
"""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from simstudy.report import ademp
from simstudy.report.reading.wording import estimand_words, number, symbol
from simstudy.store.atomic import canonical_json

PACKAGES = ("simstudy", "numpyro", "jax", "jaxlib", "numpy", "scipy", "pandas")
KINDS = {
    "simulation": "simulation study: data are simulated from known values, which the estimates are compared with",
    "calibration": "calibration study: true values are drawn from the priors that the methods have",
    "dataset": "study of samplers on real data, which are fixed",
}
SIMULATION_MEASURES = (
    "primary: RMSE of the group effects; squared errors are averaged over the groups of a replicate, then over "
    "replicates",
    "bias (mean error), empirical SE (sd of the errors), model SE (root mean posterior variance) and its relative "
    "error, of every estimand; relative measures only where the truth is constant and not 0",
    "conditional bias: slope of the error of θ_j on θ_j − μ, 0 without shrinkage, −1 for complete pooling; it and "
    "coverage also by bins of |θ_j − μ|/τ",
)
SHRINKAGE_MEASURES = {
    "partial": "mean posterior shrinkage weight of a group against that of an oracle that knows τ and σ",
    "none": "MSE ratio to no pooling, on the same data",
    "any": "regret: the MSE less the smallest of those of group means, grand mean and oracle",
}
INTERVALS = "coverage, width and interval score of central intervals at {levels}; coverage with Wilson intervals"
SAMPLER_MEASURES = (
    "sampler: divergent draws per 1,000 and share of fits with any; effective draws of (μ, τ) per leapfrog step, "
    "without and with warm-up; wall-clock speeds describe the machine and decide nothing",
)
SIMULATION_ERRORS = (
    "every measure is given with its Monte Carlo standard error (MCSE); groups of a replicate are dependent, so MCSEs "
    "are made from one value per replicate",
)
DATASET_MEASURES = (
    "posterior mean, sd, median and 90 % interval of every estimand, averaged over the replicates, with the MCSE of "
    "that average",
    "where the data come with a known truth: RMSE over the groups and summed squared error",
    "not assessed, since it needs new data: coverage, empirical SE, rejection",
)
CALIBRATION_MEASURES = (
    "primary: rank of the truth among thinned posterior draws, uniform for a right posterior (Talts et al. 2018), for "
    "every estimand and group, the log likelihood among them (Modrák et al. 2023)",
    "exact test of uniformity by simultaneous bands of the ranks’ distribution (Säilynoja et al. 2022)",
)
DATASET_CLAIMS = (
    "differences between methods are reported as such only where they exceed 2 MCSE of the sampler; they are "
    "differences between posteriors of these data, not between methods in general"
)
CLAIMS = (
    "differences between methods are taken within data sets (paired) and reported as such only where they exceed 2 "
    "MCSE; without a true difference about one comparison in twenty does. All comparisons are shown, with their number"
)
CALIBRATION_CLAIMS = (
    "a method is called not calibrated where its p-value is below 5 % after Holm’s procedure over all tests of the run"
)

CLAIMS_OF = {"simulation": CLAIMS, "dataset": DATASET_CLAIMS, "calibration": CALIBRATION_CLAIMS}
_SPECIAL = re.compile(r"[\\`*#<>\[\]|]")
_EMPHASIS = re.compile(r"(?<!\w)_|_(?!\w)")


def preregistration(study: Mapping[str, Any]) -> str:
    """Return a pre-registration of the study in ADEMP terms, as Markdown, from the canonical study alone.

    Args:
        study: the canonical study (``study.json``), every default spelled out.
    """
    about, kind = study["study"], _kind(study)
    parts = [
        ("Aims", [*ademp.aims(study), f"kind: {KINDS[kind]}"]),
        ("Data-generating mechanisms", [*ademp.mechanisms(study), *_randomness(study)]),
        ("Estimands", _estimands(study)),
        ("Methods", _methods(study)),
        ("Performance measures", _measures(study, kind)),
        ("Number of replicates", ademp.replicates_words(study)),
        ("Fits that fail or are doubtful", _counting(study, kind)),
        ("What will be claimed", [CLAIMS_OF[kind]]),
        ("Deviations", ["whatever is done otherwise, or in addition, is reported as such"]),
        ("Software", _software(study)),
    ]
    sections = [f"## {title}\n\n{_body(content)}" for title, content in parts]
    return f"# Protocol of the study {_plain(str(about['name']))}\n\n" + "\n\n".join(sections) + "\n"


def study_digest(study: Mapping[str, Any]) -> str:
    """Return the SHA-256 digest of a run's ``study.json``, so that a protocol and a run can be held together.

    It covers all that is planned, the number of replicates too.
    """
    return hashlib.sha256(f"{canonical_json(study)}\n".encode()).hexdigest()


def _kind(study: Mapping[str, Any]) -> str:
    if study["mechanism"]["kind"] == "dataset":
        return "dataset"
    return "calibration" if study["study"].get("kind") == "calibration" else "simulation"


def _body(content: Sequence[str] | str) -> str:
    return content if isinstance(content, str) else "\n".join(f"- {_plain(line)}" for line in content)


def _randomness(study: Mapping[str, Any]) -> list[str]:
    shared = study["study"].get("common_random_numbers")
    of = "seed and replicate, the same for all scenarios" if shared else "seed, scenario and replicate"
    lines = [f"seed {study['study']['seed']}"]
    if _kind(study) != "dataset":
        shared = ", not on the method: all methods see the same data" if len(study["methods"]) > 1 else ""
        lines.append(f"random numbers of the data depend on {of}{shared}")
    normal = "in Normal(a, b), b is a standard deviation"
    return [*lines, normal]


def _estimands(study: Mapping[str, Any]) -> list[str]:
    names = ademp.estimands(study)
    if not names:
        return ["those that the methods’ own models name"]
    words = [f"{symbol(name)}: {estimand_words(name).removesuffix(symbol(name)).strip()}" for name in names]
    lines = [*words, "estimate: the posterior mean; a method without the parameter has no estimate of it"]
    if _kind(study) == "dataset":
        return lines
    return [*lines, "truth: the value that the data were simulated from; for a new group a value drawn for it"]


def _methods(study: Mapping[str, Any]) -> str:
    """Return the methods as a table; the sampler is said once where all share it."""
    methods = study["methods"]
    samplers = [ademp.sampler_words(method) for method in methods]
    shared = len(set(samplers)) == 1
    heads = ["method", "model", "priors"] + ([] if shared else ["sampler"])
    rows = [
        [str(method["name"]), ademp.model_words(method), ademp.priors_words(method)] + ([] if shared else [sampler])
        for method, sampler in zip(methods, samplers, strict=True)
    ]
    lines = [heads, ["---"] * len(heads), *([_plain(cell) for cell in row] for row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    whose = "all methods" if len(methods) > 1 else "the method"
    return f"{table}\n\nSampler of {whose}: {_plain(samplers[0])}." if shared else table


def _measures(study: Mapping[str, Any], kind: str) -> list[str]:
    if kind == "calibration":
        return [*CALIBRATION_MEASURES, *SAMPLER_MEASURES]
    if kind == "dataset":
        return [*DATASET_MEASURES, *SAMPLER_MEASURES]
    levels = ", ".join(f"{100 * level:g} %" for level in study.get("summary", {}).get("levels", []))
    structures = {"any", *(str(method.get("structure")) for method in study["methods"])}
    shrinkage = [words for structure, words in SHRINKAGE_MEASURES.items() if structure in structures]
    measures = [*SIMULATION_MEASURES, *(shrinkage if ademp.estimands(study) else [])]
    return [*measures, INTERVALS.format(levels=levels), *SAMPLER_MEASURES, *SIMULATION_ERRORS]


def _counting(study: Mapping[str, Any], kind: str) -> list[str]:
    limits = study.get("diagnostics", {})
    rate = float(limits.get("max_divergence_rate") or 0)
    flags = [
        f"more than {number(rate)} of its draws diverge" if rate else "any of its draws diverges",
        *([f"an R-hat is above {limits['max_rhat']}"] if limits.get("max_rhat") else []),
        *([f"a bulk or tail ESS is below {limits['min_ess']:g}"] if limits.get("min_ess") else []),
    ]
    used = (
        "every fit counts; one without a rank counts as the rank that speaks most against calibration"
        if kind == "calibration"
        else "all fits with finite draws count; failed and non-finite fits are left out of the measures of their method"
    )
    return [
        f"{used}; they are counted and reported with their reasons",
        f"a fit is flagged when {', '.join(flags[:-1])}{' or ' if len(flags) > 1 else ''}{flags[-1]}",
        "flagged fits are counted and not left out: a rule that drops them would select on τ",
    ]


def _software(study: Mapping[str, Any]) -> list[str]:
    versions = [f"Python {platform.python_version()}", *(f"{name} {version}" for name, version in _versions())]
    return [
        f"{', '.join(versions)} (installed when this was written; the run records its own)",
        f"SHA-256 of the run’s study.json: {study_digest(study)}",
    ]


def _plain(text: str) -> str:
    """Return a text with the characters that Markdown would read escaped; an underscore within a word is not read."""
    return _EMPHASIS.sub(r"\\_", _SPECIAL.sub(r"\\\g<0>", " ".join(text.split())))


def _versions() -> list[tuple[str, str]]:
    installed = {d.metadata["Name"]: d.version for d in map(_found, PACKAGES) if d}
    return list(installed.items())


def _found(package: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return None
