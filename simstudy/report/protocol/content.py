"""What stands in a protocol.

The parts are those that Siepe et al. 2024 (Psychological Methods, ADEMP-PreReg) ask for: aims, mechanisms, estimands,
methods, performance measures, the number of replicates with its reason, what happens to fits that fail, what will be
claimed, software. Of users' parts it says what one simulated replicate and the traces of their programs tell.
"""

from __future__ import annotations

import hashlib
import math
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from simstudy.report import ademp
from simstudy.report.protocol.paper import Block, Grid, Paper, Points, Prose
from simstudy.report.protocol.promises import KINDS, claims, counting, kind_of, measures
from simstudy.report.reading.description import Description, Planned
from simstudy.report.reading.vocabulary import speaking
from simstudy.report.reading.wording import counted, enumerate_words, estimand_words, symbol
from simstudy.store.atomic import canonical_json

PACKAGES = ("simstudy", "numpyro", "jax", "jaxlib", "numpy", "scipy", "pandas")
WRITTEN = "%Y-%m-%d %H:%M:%S"
RATES = {"Gamma(": "in Gamma(a, b), b is a rate", "Exponential(": "in Exponential(a), a is a rate"}
READ, UNREAD = "as its program says, below", "as its program says, which was not at hand"


def protocol(planned: Planned, *, written: datetime | None = None) -> Paper:
    """Return the protocol of a study.

    Args:
        planned: a study, of which there need be no run.
        written: when, which the protocol says; it says no time where left out.

    Raises:
        StudyError: a part of a user's own cannot be run.
    """
    description = Description.of_planned(planned)
    with speaking(description.vocabulary):
        return _protocol(description, planned.simulated, written)


def study_digest(study: Mapping[str, Any]) -> str:
    """Return the SHA-256 digest of a run's ``study.json``, so that a protocol and a run can be held together.

    It covers all that is planned, the number of replicates too.
    """
    return hashlib.sha256(f"{canonical_json(study)}\n".encode()).hexdigest()


def _protocol(description: Description, simulated: Mapping[str, Any], written: datetime | None) -> Paper:
    study, kind, is_own = description.study, kind_of(description), bool(simulated)
    about = study["study"]
    mechanism = _own_mechanism(description) if simulated.get("mechanism") else ademp.mechanisms(description)
    parts: list[tuple[str, list[str] | tuple[Block, ...]]] = [
        ("Aims", [*ademp.aims(study), f"kind: {KINDS[kind]}"]),
        ("Data-generating mechanisms", [*mechanism, *_randomness(study, kind, simulated)]),
        ("Estimands", _estimands(description, kind, simulated)),
        ("Methods", tuple(_methods(description, simulated))),
        *([("Priors scaled to the data", made)] if (made := ademp.default_priors(description)) else []),
        ("Performance measures", [*measures(description, is_own=is_own), *ademp.own_measures()]),
        ("Number of replicates", ademp.replicates_words(description)),
        ("Fits that fail or are doubtful", counting(description, is_own=is_own)),
        ("What will be claimed", claims(description)),
        ("Deviations", ["whatever is done otherwise, or in addition, is reported as such"]),
        *([("Extensions", description.extensions)] if description.extensions else []),
        ("Software", _software(study, written)),
    ]
    sections = [(title, (Points(tuple(said)),) if isinstance(said, list) else said) for title, said in parts]
    return Paper(title=f"Protocol of the study {about['name']}", sections=tuple(sections))


def _own_mechanism(description: Description) -> list[str]:
    """Return a user's mechanism, its factors and the number of scenarios: what a factor means is the user's to say."""
    factors = {name: value for name, value in description.study["mechanism"].items() if name != "kind"}
    levels = {name: value if isinstance(value, list | tuple) else [value] for name, value in factors.items()}
    n = math.prod(len(values) for values in levels.values())
    lines = [f"{name}: {', '.join(map(_level, values))}" for name, values in levels.items()]
    crossed = ": all factors crossed" if n > 1 else ""
    return [str(description.mechanism.get("words")), *lines, f"{counted(n, 'scenario')}{crossed}"]


def _level(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _randomness(study: Mapping[str, Any], kind: str, simulated: Mapping[str, Any]) -> list[str]:
    shared = study["study"].get("common_random_numbers")
    of = "seed and replicate, the same for all scenarios" if shared else "seed, scenario and replicate"
    lines = [f"seed {study['study']['seed']}"]
    if kind != "dataset":
        shared = ", not on the method: all methods see the same data" if len(study["methods"]) > 1 else ""
        lines.append(f"random numbers of the data depend on {of}{shared}")
    programs = simulated.get("programs", {})
    said = " ".join(line for program in programs.values() for line in [*program["priors"], *program["observed"]])
    is_built_in = any(not method.get("model") for method in study["methods"])
    normal = ["in Normal(a, b), b is a standard deviation"] if is_built_in or "Normal(" in said else []
    rates = [words for name, words in RATES.items() if name in said]
    return [*lines, *normal, *rates]


def _estimands(description: Description, kind: str, simulated: Mapping[str, Any]) -> list[str]:
    truth, estimates = simulated.get("truth", {}), simulated.get("estimates", {})
    names = list(dict.fromkeys([*description.declared.estimands, *estimates]))
    if not names:
        return ["those that the methods’ own models name"]
    words = [_estimand(name, estimates.get(name, 1)) for name in names]
    lines = [*words, "estimate: the posterior mean; a method without the parameter has no estimate of it"]
    if kind == "dataset":
        return lines
    new_group = "; for a new group a value drawn for it" if description.declared.estimands else ""
    lines.append(f"truth: the value that the data were simulated from{new_group}")
    own = [name for name in estimates if name not in truth and name not in description.declared.estimands]
    unasked = [name for name in truth if name not in names] if simulated.get("mechanism") else []
    if own:
        lines.append(f"without a truth, so that no error is known: {enumerate_words(own)}")
    if unasked:
        lines.append(f"in the truth, and estimated by no method: {enumerate_words(unasked)}")
    return lines


def _estimand(name: str, n: int) -> str:
    said, letter = estimand_words(name), symbol(name)
    words = said.removesuffix(letter).strip()
    return (f"{letter}: {words}" if words else letter) + (f" ({n:,} numbers)" if n > 1 else "")


def _methods(description: Description, simulated: Mapping[str, Any]) -> Iterator[Block]:
    """Yield the methods as a table, the sampler said once where all share it, and then what users' programs say."""
    methods, programs = description.study["methods"], simulated.get("programs", {})
    said = [description.of_method(method) for method in methods]
    samplers = [words["sampler"] for words in said]
    shared = len(set(samplers)) == 1
    heads = ["method", "model", "priors"] + ([] if shared else ["sampler"])
    rows = [
        (
            str(method["name"]),
            words["model"],
            _priors(method, programs),
            *([] if shared else [words["sampler"]]),
        )
        for method, words in zip(methods, said, strict=True)
    ]
    yield Grid(heads=tuple(heads), rows=tuple(rows))
    if shared:
        whose = "all methods" if len(methods) > 1 else "the method"
        yield Prose(f"Sampler of {whose}: {samplers[0]}.")
    for name, program in programs.items():
        yield Prose(f"Program of “{name}”, read from its trace on one simulated data set; priors first, then data:")
        unused = [f"it makes nothing of {enumerate_words(program['unused'])}"] if program["unused"] else []
        observed = program["observed"] or ["no site is observed"]
        yield Points((*program["priors"], *(f"data: {line}" for line in observed), *unused))


def _priors(method: Mapping[str, Any], programs: Mapping[str, Any]) -> str:
    if method.get("model"):
        return READ if method["name"] in programs else UNREAD
    return ademp.priors_words(method)


def _software(study: Mapping[str, Any], written: datetime | None) -> list[str]:
    versions = [f"Python {platform.python_version()}", *(f"{name} {version}" for name, version in _versions())]
    return [
        f"{', '.join(versions)} (installed when this was written; the run records its own)",
        f"SHA-256 of the run’s study.json: {study_digest(study)}",
        *([] if written is None else [f"written {written.astimezone(UTC):{WRITTEN}} UTC"]),
    ]


def _versions() -> list[tuple[str, str]]:
    installed = {d.metadata["Name"]: d.version for d in map(_found, PACKAGES) if d}
    return list(installed.items())


def _found(package: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return None
