"""Exact posteriors of public data, to hold a sampler to.

``exact_posteriors.csv`` has a row for each number: ``posterior``, ``estimand``, ``group``, ``mean``, ``sd`` and
quantiles, by quadrature (``samplers/exact``), whose stated error is below .01 posterior standard deviations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from simstudy.study.study import Study
from simstudy.testing.known.cases import CASES, Case

if TYPE_CHECKING:
    from simstudy.types import RunTables

QUANTILES = ("q5", "q25", "median", "q75", "q95")
NUMBERS = ("mean", "sd", *QUANTILES)
METHOD = "model"


@dataclass(frozen=True, kw_only=True)
class KnownPosterior:
    """A public data set under a model whose posterior is known.

    Args:
        name: of the posterior.
        case: data and model.
    """

    name: str
    case: Case

    @property
    def words(self) -> str:
        """The data set and the model."""
        return f"{self.case.data}: {self.case.words}"

    @property
    def table(self) -> pd.DataFrame:
        """What is known: ``estimand``, ``group``, ``mean``, ``sd``, and quantiles; a row a number."""
        rows = _table()
        return rows[rows["posterior"] == self.name].drop(columns="posterior").reset_index(drop=True)

    def study(self, sampler: str | Mapping[str, Any] = "nuts") -> Study:
        """Return the study of one fit by a sampler.

        Args:
            sampler: the kind of a sampler, built in or registered, or a section ``[sampler]`` with options.
        """
        section = {"kind": sampler} if isinstance(sampler, str) else dict(sampler)
        return Study.from_dict(
            {
                "study": {"name": self.name, "seed": 1, "replicates": 1},
                "mechanism": {"kind": "dataset", "data": self.case.data, **self.case.mechanism},
                "method": [{"name": METHOD, **self.case.method, "priors": self.case.priors}],
                "sampler": section,
            }
        )

    def errors(self, run: "RunTables") -> pd.DataFrame:
        """Return how far a run of ``study`` is from what is known.

        Args:
            run: of this posterior's study.

        Returns:
            ``estimand``, ``group``, ``error`` of the mean in posterior standard deviations, and ``z``, the error over
            its Monte Carlo standard error: standard normal for a right sampler.

        Raises:
            ValueError: the run has none of the numbers.
        """
        rows = run.estimates.assign(estimand=run.estimates["estimand"].astype(str))
        both = self.table.merge(rows, on=["estimand", "group"], suffixes=("", "_run"))
        if both.empty:
            raise ValueError(f"the run has no number of {self.name}; expected a run of its study")
        error = both["mean_run"] - both["mean"]
        with np.errstate(divide="ignore", invalid="ignore"):
            return both[["estimand", "group"]].assign(error=error / both["sd"], z=error / both["mcse_mean"])


def exact_posteriors() -> dict[str, KnownPosterior]:
    """Return the packaged posteriors, name -> posterior.

    >>> sorted(exact_posteriors())[:3]
    ['baseball_complete', 'baseball_none', 'baseball_partial']
    >>> exact_posteriors()["penicillin_crossed"].words
    'penicillin: plates and samples'
    """
    return {name: KnownPosterior(name=name, case=case) for name, case in CASES.items()}


@cache
def _table() -> pd.DataFrame:
    with resources.files("simstudy.testing.known").joinpath("exact_posteriors.csv").open() as file:
        return pd.read_csv(file).astype({"group": "Int64"})
