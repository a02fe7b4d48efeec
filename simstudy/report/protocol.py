"""The protocol of a study, written before there is a single number: a pre-registration in ADEMP terms, as Markdown.

It needs the study alone. The parts are those that Siepe et al. 2024 (Psychological Methods, ADEMP-PreReg) ask
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
from simstudy.report.reading.description import Description, Planned
from simstudy.report.reading.vocabulary import speaking
from simstudy.report.reading.wording import estimand_words, letters, number, symbol
from simstudy.store.atomic import canonical_json
from simstudy.store.declared import RESIDUAL

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
    "conditional bias: slope of the error of {theta}_j on {theta}_j − {mu}, 0 without shrinkage, −1 for complete "
    "pooling; it and coverage also by bins of |{theta}_j − {mu}|/{tau}",
)
TERM_MEASURES = (
    "primary: RMSE of {theta}, the predictor of a cell; squared errors are averaged over a replicate’s cells, then "
    "over replicates; also of the effects of the levels of each factor",
    SIMULATION_MEASURES[1],
    "of effects whose levels are exchangeable: conditional bias, the slope of the error on the effect, and rank "
    "correlation with the truth; of levels with neighbors: local bias, the slope of the error on what sets a level "
    "apart from its neighbors",
    "pooling factor of each factor (Gelman & Pardoe 2006), 1 less the variance of the estimates over the expected "
    "variance of the effects; MSE ratio to the reference method; regret: the MSE less the smallest of those of the "
    "methods of no, complete and partial pooling",
)
SHRINKAGE_MEASURES = {
    "partial": "mean posterior shrinkage weight of a group against that of an oracle that knows {tau} and {sigma}",
    "none": "MSE ratio to no pooling, on the same data",
    "any": "regret: the MSE less the smallest of those of group means, grand mean and oracle",
}
INTERVALS = "coverage, width and interval score of central intervals at {levels}; coverage with Wilson intervals"
SAMPLER_MEASURES = (
    "sampler: divergent draws per 1,000 and share of fits with any; effective draws of ({mu}, {tau}) per leapfrog "
    "step, without and with warm-up; wall-clock speeds describe the machine and decide nothing",
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


def preregistration(planned: Planned) -> str:
    """Return a pre-registration of a study in ADEMP terms, as Markdown.

    Args:
        planned: a study, of which there need be no run.
    """
    description = Description.of_planned(planned)
    with speaking(description.vocabulary):
        return _protocol(description)


def _protocol(description: Description) -> str:
    study, kind = description.study, _kind(description)
    about = study["study"]
    parts = [
        ("Aims", [*ademp.aims(study), f"kind: {KINDS[kind]}"]),
        ("Data-generating mechanisms", [*ademp.mechanisms(description), *_randomness(study, kind)]),
        ("Estimands", _estimands(description, kind)),
        ("Methods", _methods(description)),
        *([("Priors scaled to the data", made)] if (made := ademp.default_priors(description)) else []),
        ("Performance measures", _measures(description, kind)),
        ("Number of replicates", ademp.replicates_words(description)),
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


def _kind(description: Description) -> str:
    if description.has_fixed_data:
        return "dataset"
    return "calibration" if description.study["study"].get("kind") == "calibration" else "simulation"


def _body(content: Sequence[str] | str) -> str:
    return content if isinstance(content, str) else "\n".join(f"- {_plain(line)}" for line in content)


def _randomness(study: Mapping[str, Any], kind: str) -> list[str]:
    shared = study["study"].get("common_random_numbers")
    of = "seed and replicate, the same for all scenarios" if shared else "seed, scenario and replicate"
    lines = [f"seed {study['study']['seed']}"]
    if kind != "dataset":
        shared = ", not on the method: all methods see the same data" if len(study["methods"]) > 1 else ""
        lines.append(f"random numbers of the data depend on {of}{shared}")
    normal = "in Normal(a, b), b is a standard deviation"
    return [*lines, normal]


def _estimands(description: Description, kind: str) -> list[str]:
    names = list(description.declared.estimands)
    if not names:
        return ["those that the methods’ own models name"]
    words = [f"{symbol(name)}: {estimand_words(name).removesuffix(symbol(name)).strip()}" for name in names]
    lines = [*words, "estimate: the posterior mean; a method without the parameter has no estimate of it"]
    if kind == "dataset":
        return lines
    return [*lines, "truth: the value that the data were simulated from; for a new group a value drawn for it"]


def _methods(description: Description) -> str:
    """Return the methods as a table; the sampler is said once where all share it."""
    methods = description.study["methods"]
    said = [description.of_method(method) for method in methods]
    samplers = [words["sampler"] for words in said]
    shared = len(set(samplers)) == 1
    heads = ["method", "model", "priors"] + ([] if shared else ["sampler"])
    rows = [
        [str(method["name"]), words["model"], ademp.priors_words(method)] + ([] if shared else [words["sampler"]])
        for method, words in zip(methods, said, strict=True)
    ]
    lines = [heads, ["---"] * len(heads), *([_plain(cell) for cell in row] for row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    whose = "all methods" if len(methods) > 1 else "the method"
    return f"{table}\n\nSampler of {whose}: {_plain(samplers[0])}." if shared else table


def _measures(description: Description, kind: str) -> list[str]:
    named = dict(zip(("theta", "mu", "tau"), letters(), strict=True)) | {"sigma": symbol(RESIDUAL)}
    sampler = [words.format(**named) for words in SAMPLER_MEASURES]
    if kind == "calibration":
        return [*CALIBRATION_MEASURES, *sampler]
    if kind == "dataset":
        return [*DATASET_MEASURES, *sampler]
    levels = ", ".join(f"{100 * level:g} %" for level in description.study.get("summary", {}).get("levels", []))
    parts = {"any", *description.pooling}
    shrinkage = [words for part, words in SHRINKAGE_MEASURES.items() if part in parts]
    measures = [*SIMULATION_MEASURES, *(shrinkage if description.declared.estimands else [])]
    if any(e.factor is not None for e in description.declared.effects):
        measures = list(TERM_MEASURES)
    measures = [words.format(**named) for words in measures]
    return [*measures, INTERVALS.format(levels=levels), *sampler, *SIMULATION_ERRORS]


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
        f"flagged fits are counted and not left out: a rule that drops them would select on {letters()[2]}",
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
