"""A study: scenarios x methods x replicates, with everything that decides its numbers.

The canonical form of a study (``Study.canonical``) spells every default out; it is the ``study.json`` of a run.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simstudy.errors import StudyError, shown
from simstudy.mechanisms import MECHANISMS, Dataset
from simstudy.mechanisms.built_in import is_built_in_with_terms
from simstudy.mechanisms.dataset import BUILT_IN, KeptData, is_file_name
from simstudy.models.options import checked
from simstudy.models.priors import number_or_text
from simstudy.store.cards import card, size_words
from simstudy.streams import random_key
from simstudy.study.additive_methods import terms_text
from simstudy.study.conflict import Conflict, conflicts
from simstudy.study.data_priors import PriorsOfData, priors_of_data
from simstudy.study.design import Scenario, plain_mechanism, scenarios_of
from simstudy.study.extensions import Sources, check_extensions, described, sources_of_functions
from simstudy.study.level_rows import cell_rows, level_rows
from simstudy.study.matching import check_matching
from simstudy.study.methods import Method, methods_of, refuse_twins
from simstudy.study.multilevel_factors import left_out
from simstudy.study.registry import check_source
from simstudy.study.study_file import (
    DiagnosticsSection,
    StudySection,
    SummarySection,
    check_sections,
    read_study_file,
)
from simstudy.study.truth_conflict import truth_conflicts
from simstudy.study.units import at_home
from simstudy.tables import Table

SCHEMA_VERSION = 1
MOST_FITS = 1_000_000_000
# A user's model has none of these; its rows show them empty.
MODEL_COLUMNS = dict.fromkeys(("model", "structure", "parameterization", "likelihood", "sigma_by", "observations"))


@dataclass(frozen=True, kw_only=True)
class Study:
    """A simulation study.

    Args:
        section: name, aim, seed and number of replicates.
        scenarios: the cells of the design.
        methods: what is compared.
        summary: levels of the stored intervals, and whether the log density of users' models is ranked.
        diagnostics: thresholds of the flags.
        mechanism: the mechanism's section as it was given, for people.
    """

    section: StudySection
    scenarios: tuple[Scenario, ...]
    methods: tuple[Method, ...]
    summary: SummarySection
    diagnostics: DiagnosticsSection
    mechanism: Mapping[str, Any]

    def __post_init__(self) -> None:
        n_fits = len(self.scenarios) * len(self.methods) * self.section.replicates
        if n_fits > MOST_FITS:
            raise StudyError(
                f"[study] {len(self.scenarios):,} scenarios x {len(self.methods):,} methods x "
                f"{self.section.replicates:,} replicates: makes {n_fits:,} fits, more than {MOST_FITS:,}; ask for "
                "fewer, or make several studies"
            )

    def __repr__(self) -> str:
        return f"<Study {self.name}: {self._size}>"

    def _repr_html_(self) -> str:
        section = self.section
        facts = {"aim": section.aim, "design": self._size, "mechanism": self.scenarios[0].mechanism.words}
        methods = [
            {"method": m.name, "model": m.model.words, "priors": m.priors_text, "sampler": m.sampler.described}
            for m in self.methods
        ]
        return card(f"Study {self.name}", facts, methods)

    @property
    def _size(self) -> str:
        return size_words(len(self.scenarios), len(self.methods), self.replicates)

    @classmethod
    def from_toml(cls, path: str | Path) -> "Study":
        """Return the study of a TOML file.

        Raises:
            StudyError: the message names file, section, key, value and what is allowed.
        """
        path = Path(path)
        contents = read_study_file(path)
        try:
            return cls.from_dict(contents, folder=path.parent)
        except StudyError as error:
            raise StudyError(f"{path}: {error}") from error

    @classmethod
    def from_dict(cls, contents: Mapping[str, Any], *, folder: Path | None = None) -> "Study":
        """Return the study of a mapping with the sections of a study file.

        Args:
            contents: ``study``, ``mechanism``, ``method`` (a list), ``sampler``, ``summary``, ``diagnostics``. What
                ``register_model`` returned may stand as a method's ``model``, and what ``register_mechanism``
                returned as the mechanism's ``kind``.
            folder: what the path of a data file is relative to.
        """
        check_sections(contents)
        scenarios = tuple(scenarios_of(contents["mechanism"], folder))
        methods = tuple(methods_of(contents["method"], contents["sampler"], scenarios[0].mechanism))
        refuse_twins(methods)
        methods = tuple(at_home(scenarios, methods))
        section = checked(StudySection, contents["study"], "[study]")
        if section.kind == "calibration":
            check_matching(scenarios, methods)
        return cls(
            section=section,
            scenarios=scenarios,
            methods=methods,
            summary=checked(SummarySection, contents.get("summary", {}), "[summary]"),
            diagnostics=checked(DiagnosticsSection, contents.get("diagnostics", {}), "[diagnostics]"),
            mechanism=plain_mechanism(contents["mechanism"], scenarios[0].mechanism, folder),
        )

    @classmethod
    def from_canonical(
        cls, canonical: Mapping[str, Any], *, folder: Path | None = None, rows: Table | None = None
    ) -> "Study":
        """Return the study of a run's ``study.json``: the inverse of ``canonical``.

        Args:
            canonical: what ``canonical`` gave.
            folder: what the path of a data file is relative to; a run may come from anybody, so that no file is read
                unless its folder is named.
            rows: the data that the run kept, which are read where no folder is named.

        Raises:
            StudyError: a model is not registered, or its source is another one now; or there is a data file and
                neither rows nor a folder.
        """
        kind = canonical["mechanism"]["kind"]
        if kind not in MECHANISMS:
            raise StudyError(f"no mechanism {shown(kind)} is registered; load its file with --load FILE.py")
        check_extensions(canonical.get("extensions", {}))
        methods = [_plain_method(method) for method in canonical["methods"]]
        sections = {name: canonical[name] for name in ("study", "mechanism", "summary", "diagnostics")}
        sections["mechanism"] = _with_rows(canonical["mechanism"], folder, rows)
        sections["summary"] = {"log_density": False, **canonical["summary"]}  # no run made before has it
        # Every method has a sampler of its own: options that were left at defaults would be taken from a shared one.
        return cls.from_dict({**sections, "method": methods, "sampler": {}}, folder=folder)

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.section.name

    @property
    def replicates(self) -> int:
        """Replicates of every scenario."""
        return self.section.replicates

    @property
    def levels(self) -> tuple[float, ...]:
        """Levels of the stored intervals, ascending."""
        return tuple(sorted(set(self.summary.levels)))

    @property
    def ranks_log_density(self) -> bool:
        """Whether the log density of the observations is ranked for users' models, which say no log likelihood."""
        is_calibration = self.section.kind == "calibration"
        return is_calibration and self.summary.log_density and any(m.model.family is None for m in self.methods)

    def with_replicates(self, n: int) -> "Study":
        """Return the study with another number of replicates."""
        section = checked(StudySection, {**self.section.model_dump(), "replicates": n}, "[study]")
        return replace(self, section=section)

    def data_key(self, scenario: Scenario, replicate: int) -> np.ndarray:
        """Return the (2,) key of a replicate's data; no method is in it, so that methods are paired."""
        of = "" if self.section.common_random_numbers else scenario.identity
        return random_key(self.section.seed, of, replicate, "data")

    def sampler_key(self, scenario: Scenario, replicate: int, method: Method) -> np.ndarray:
        """Return the (2,) key of a fit's sampler."""
        return random_key(self.section.seed, scenario.identity, replicate, "sampler", method.identity)

    @property
    def canonical(self) -> dict[str, Any]:
        """The study as JSON values with every default spelled out (``study.json``)."""
        return {
            "schema_version": SCHEMA_VERSION,
            "study": self.section.model_dump(exclude_none=True),
            "mechanism": dict(self.mechanism),
            "methods": [{"name": m.name, **dict(m.options), "sampler": m.sampler.told_options} for m in self.methods],
            "summary": {"levels": list(self.levels), **({"log_density": True} if self.ranks_log_density else {})},
            "diagnostics": self.diagnostics.model_dump(),
            **({"extensions": dict(self.sources)} if self.sources else {}),
        }

    @property
    def sources(self) -> Sources:
        """The families that do not come with the package, each with its source."""
        of_data = {pair for scenario in self.scenarios for pair in scenario.sources}
        return tuple(sorted(of_data.union(*(method.sources for method in self.methods))))

    @property
    def description(self) -> dict[str, Any]:
        """What its parts are in their own words, as JSON, for reports, which know no family (``description.json``).

        ``mechanism`` has ``words``, ``likelihood`` (how observations arise), ``effects`` (new in each replicate or
        fixed), each empty where there is nothing to say, ``symbols`` (factor -> letter), ``defaults`` (parameter ->
        value that the study does not give), ``has_fixed_data`` and ``has_normal_means``; ``methods`` has name ->
        ``model``, ``sampler``, ``has_posterior`` where it is false, ``priors_of_data`` where priors are made of given
        data, and ``unused`` where a log
        density is ranked: of which data a user's program makes nothing. ``extensions`` has, where there are any, the
        parts that do not come with the package, in their own words.
        """
        mechanism = self.scenarios[0].mechanism
        likelihood = mechanism.likelihood
        unused = self._unused if self.ranks_log_density else {}
        return {
            "mechanism": {
                "words": mechanism.words,
                "likelihood": likelihood.formula if likelihood is not None and mechanism.replication == "data" else "",
                "effects": mechanism.effects_text,
                "symbols": dict(mechanism.symbols),
                **({"defaults": self._defaults} if self._defaults else {}),
                "has_fixed_data": mechanism.replication == "sampler",
                "has_normal_means": likelihood is not None and likelihood.has_normal_means,
            },
            "methods": {
                m.name: {
                    "model": m.model.words,
                    "sampler": m.sampler.described,
                    **({} if m.sampler.has_posterior else {"has_posterior": False}),
                    **({"priors_of_data": made.described} if (made := self.priors_of_data.get(m.name)) else {}),
                    **({"unused": unused[m.name]} if m.name in unused else {}),
                }
                for m in self.methods
            },
            **({"extensions": self.extensions} if self.extensions else {}),
        }

    @property
    def extensions(self) -> list[dict[str, str]]:
        """The parts that do not come with the package, in their own words."""
        own = sources_of_functions(self.scenarios[0].mechanism, (method.model for method in self.methods))
        return described((*self.sources, *own))

    @property
    def packages(self) -> tuple[str, ...]:
        """The installed packages that bring its extensions, whose versions a run records."""
        return tuple(sorted({one["package"].rpartition(" ")[0] for one in self.extensions} - {""}))

    @cached_property
    def simulated(self) -> dict[str, Any]:
        """What one replicate tells where a part is a user's own (``study.simulated``), which runs the user's code.

        Raises:
            StudyError: a part cannot be run.
        """
        mechanism = self.scenarios[0].mechanism
        if mechanism.kind != "user" and all(method.model.declared is not None for method in self.methods):
            return {}
        from simstudy.study.simulated import simulated  # with JAX, which traces the programs

        return simulated(mechanism, self.data_key(self.scenarios[0], 0), self.methods)

    @property
    def _defaults(self) -> dict[str, Any]:
        """Parameter -> its value in every scenario, where the study leaves it out."""
        first, contents = self.scenarios[0], self.canonical["mechanism"]
        return left_out(contents, dict(first.factors), first.mechanism.symbols) if "terms" in contents else {}

    @property
    def _unused(self) -> dict[str, list[str]]:
        """Method -> the data of which its program makes nothing, where there are any and they can be told."""
        with suppress(StudyError):  # what cannot be run is each fit's failure, with its reason
            return {name: said["unused"] for name, said in self.simulated["programs"].items() if said["unused"]}
        return {}

    @cached_property
    def priors_of_data(self) -> dict[str, PriorsOfData]:
        """Method -> its priors that are made of given data; methods without any are left out."""
        return priors_of_data(self.scenarios[0].mechanism, self.methods)

    @cached_property
    def conflicts(self) -> dict[str, list[Conflict]]:
        """Method -> its priors that given data, or the truth of simulated ones, contradict; only methods with any."""
        inferring = [m for m in self.methods if m.sampler.has_posterior]
        if self.scenarios[0].mechanism.replication == "data":
            return truth_conflicts(self.scenarios, inferring)
        return conflicts(self.scenarios[0].mechanism, inferring)

    def estimand_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the estimands table: what every method declares of its estimands."""
        return [
            {"method": m.name, "estimand": estimand.name, **estimand.row(m.model.effect_scale)}
            for m in self.methods
            for estimand in m.model.described
            if estimand.name not in m.sampler.left_out(m.model)
        ]

    @property
    def data(self) -> pa.Table | None:
        """The rows of a user's own data set, which a run keeps; None for simulated and for built-in data."""
        return self.scenarios[0].mechanism.rows

    def label_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the labels table: what the groups of each scenario are called, where they have names."""
        return [
            {"scenario": scenario.identity, "group": group, "label": label}
            for scenario in self.scenarios
            for group, label in enumerate(scenario.mechanism.labels)
        ]

    def level_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the levels table: those of each factor of each scenario; none for a single grouping."""
        return [row for scenario in self.scenarios for row in level_rows(scenario.identity, scenario.mechanism)]

    def cell_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the cells table: levels and covariates of each cell; none for a single grouping."""
        return [row for scenario in self.scenarios for row in cell_rows(scenario.identity, scenario.mechanism)]

    def scenario_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the scenarios table."""
        return [{"scenario": s.identity, "label": s.label, **dict(s.factors)} for s in self.scenarios]

    def method_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the methods table: every option, priors as text."""
        rows = []
        is_given = self.scenarios[0].mechanism.replication == "sampler"
        told_of_samplers = dict.fromkeys(name for m in self.methods for name in m.sampler.told_options)
        for m in self.methods:
            options = dict(m.options)
            options.pop("priors", None)
            priors: dict[str, str | None] = {f"prior_{name}": text for name, text in m.priors_that_count.items()}
            if "terms" in options:
                options["terms"] = terms_text(options["terms"])
                options["covariates"] = ", ".join(options["covariates"] or ()) or None
            options |= {"pooling": m.model.pooling, "is_exact": m.sampler.is_exact}
            if not all(one.sampler.has_posterior for one in self.methods):
                options["has_posterior"] = m.sampler.has_posterior
            if is_given:
                made = self.priors_of_data.get(m.name)
                priors["priors_of_data"] = made.text if made else None
            if is_given or self.conflicts:
                told = "; ".join(conflict.text for conflict in self.conflicts.get(m.name, ()))
                priors["prior_conflict"] = told or None
            sampler = {
                "sampler" if name == "kind" else name: getattr(m.sampler, name, None) for name in told_of_samplers
            }
            rows.append({"method": m.name, "identity": m.identity, **MODEL_COLUMNS, **options, **priors, **sampler})
        return rows


def _with_rows(mechanism: Mapping[str, Any], folder: Path | None, rows: Table | None) -> dict[str, Any]:
    """Return the section of a run's mechanism with the data that the run kept, where it needs them.

    Raises:
        StudyError: it needs a file or a table that is not there.
    """
    said = mechanism.get("data")
    if mechanism.get("kind") != Dataset.kind or said is None or said in BUILT_IN or is_built_in_with_terms(said):
        return dict(mechanism)
    if folder is not None and is_file_name(str(said)):
        return dict(mechanism)
    if rows is not None:
        return {**mechanism, "data": KeptData(str(said), rows)}
    if is_file_name(str(said)):
        raise StudyError(f"data: the study reads the file {shown(said)}; name the folder where it lies (--folder)")
    raise StudyError(f"data: the study was made from {shown(said)}, which the run has lost; restore its data.parquet")


def _plain_method(canonical: Mapping[str, Any]) -> dict[str, Any]:
    """Return a canonical method as a ``[[method]]`` section."""
    section = {name: value for name, value in canonical.items() if value is not None and name != "source"}
    if "model" in section:
        check_source(section["model"], canonical["source"])
    if "priors" in section:
        section["priors"] = {name: number_or_text(text) for name, text in section["priors"].items()}
    return section
