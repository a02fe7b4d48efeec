"""What is asked about: the user's data, what their groups are called, and the models that can be put to them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simstudy.errors import StudyError
from simstudy.mechanisms import Dataset
from simstudy.mechanisms.built_in import refuse_terms
from simstudy.mechanisms.dataset import BUILT_IN, load_dataset
from simstudy.models.estimands import THETA
from simstudy.study.of_table import check_given_priors, without_section
from simstudy.study.study import Study

NONE, COMPLETE, PARTIAL = "no pooling", "complete pooling", "partial pooling"
STRUCTURES = {NONE: "none", COMPLETE: "complete", PARTIAL: "partial"}
EXACT = {"kind": "exact", "chains": 4, "draws": 1000, "precision": "float64"}
WORD = re.compile(r"[a-z]{3,20}")


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which pooling for these groups?

    Args:
        study: the three models on the data, fitted exactly, one replicate.
        noun: what one group is called: the name of its column.
    """

    study: Study
    noun: str

    @property
    def dataset(self) -> Dataset:
        """The data."""
        mechanism = self.study.scenarios[0].mechanism
        assert isinstance(mechanism, Dataset)  # as ``ask`` made it; for the type checker
        return mechanism

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the groups, in the order of the data."""
        return self.dataset.labels

    @property
    def n_groups(self) -> int:
        """How many groups there are."""
        return len(self.dataset.shape)

    @property
    def groups(self) -> str:
        """The groups in words: ``8 schools``."""
        return f"{self.n_groups:,} {plural(self.noun) if self.n_groups != 1 else self.noun}"

    @property
    def effect(self) -> str:
        """The estimand that is asked about: the mean of an observation of a group."""
        mean = self.dataset.likelihood.mean
        return THETA.name if mean is None else mean.name

    @property
    def effect_noun(self) -> str:
        """What is estimated of a group, in a word; the estimates of a table may be of anything."""
        return {"normal": "mean", "binomial": "probability"}.get(self.dataset.likelihood.kind, "effect")

    def priors(self, method: str) -> dict[str, str]:
        """Return parameter -> prior, as text, of one of the three methods."""
        options = next(dict(m.options) for m in self.study.methods if m.name == method)
        return dict(options["priors"])


def ask(
    data: Any, *, columns: Mapping[str, str], priors: Mapping[str, Any], seed: int, folder: Path | None = None
) -> Question:
    """Return the question about a table.

    Args:
        data: a frame, or the path of a file in ``folder``, or the name of a built-in data set.
        columns: ``group``, ``value``, ``standard_error``, ``successes``, ``trials`` -> the column.
        priors: parameter -> prior, where it is not the default.
        seed: of everything that is drawn.
        folder: where the file lies.

    Raises:
        StudyError: the data cannot be read as what the columns say, or a prior is none.
    """
    if fixed := [name for name, prior in priors.items() if not isinstance(prior, str)]:
        raise StudyError(
            f"priors.{fixed[0]}: expected a distribution as text, such as 'HalfNormal(10)', got {priors[fixed[0]]!r}"
        )
    refuse_terms(data)
    if priors:
        check_given_priors(priors, load_dataset(data, folder=folder, columns=columns), besides=(THETA,))
    study = _study(
        {
            "study": {"name": "choose", "aim": "Which pooling fits these groups?", "seed": seed, "replicates": 1},
            "mechanism": {"kind": "dataset", "data": data, **columns},
            "method": [
                {"name": name, "structure": structure, "priors": _of(structure, priors)}
                for name, structure in STRUCTURES.items()
            ],
            "sampler": EXACT,
        },
        folder=folder,
    )
    dataset = study.scenarios[0].mechanism
    assert isinstance(dataset, Dataset)  # of a mechanism of this kind; for the type checker
    named = BUILT_IN.get(dataset.name, dataset.columns) if isinstance(data, str) else dataset.columns
    return Question(study=study, noun=named.get("group", "group"))


def _study(contents: Mapping[str, Any], *, folder: Path | None) -> Study:
    """Return the study, in whose messages no section of a study file is spoken of: there is none."""
    try:
        return Study.from_dict(contents, folder=folder)
    except StudyError as error:
        raise StudyError(without_section(str(error))) from None


def _of(structure: str, priors: Mapping[str, Any]) -> dict[str, str]:
    """Return those of the given priors that a structure has: the effects' own without pooling, mu's and tau's else."""
    apart = {"none": ("mu", "tau"), "complete": ("tau", "theta"), "partial": ("theta",)}[structure]
    return {name: prior for name, prior in priors.items() if name not in apart}


def plural(noun: str) -> str:
    """Return the plural of a plain English word; of anything else ``groups of``.

    >>> plural("school"), plural("city"), plural("class"), plural("site_id")
    ('schools', 'cities', 'classes', 'groups of site_id')
    """
    if not WORD.fullmatch(noun):
        return f"groups of {noun}"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
