"""Real data with several factors: the same in every replicate, so that replicates differ in the sampler's seed only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simstudy.mechanisms.cell_rows import CellRows
from simstudy.mechanisms.dataset import digest_of
from simstudy.mechanisms.mechanism import Mechanism
from simstudy.models.design import Design
from simstudy.models.formula import formula_of
from simstudy.models.likelihoods import LIKELIHOODS, Likelihood
from simstudy.models.predictor import Term
from simstudy.types import Replicate


@dataclass(frozen=True, kw_only=True)
class CellDataset(Mechanism):
    """A fixed data set in cells.

    Args:
        name: name of a built-in data set, of the file, or what the table is in words.
        likelihood: the likelihood that the columns call for.
        terms: the terms that a model of the data has where a method says nothing else.
        design: cells and factors.
        digest: hash of the rows: other rows are another data set.
        replicate: the data; there is no truth.
        covariate_names: the covariates.
        labels: names of the cells.
        columns: what a column of the response is -> its name in ``rows``.
        rows: the columns that are used, which a run keeps; None for built-in data. Workers do without.
    """

    kind: ClassVar[str] = "dataset"
    replication: ClassVar[str] = "sampler"
    name: str
    likelihood: Likelihood
    terms: tuple[Term, ...]
    design: Design
    digest: str
    replicate: Replicate = field(compare=False, repr=False)
    covariate_names: tuple[str, ...] = ()
    labels: tuple[str, ...] = field(default=(), compare=False, repr=False)
    columns: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    rows: pa.Table | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of_rows(cls, found: CellRows, terms: tuple[Term, ...], *, name: str, is_built_in: bool) -> "CellDataset":
        """Return the data set of the cells of a table.

        Args:
            found: the cells.
            terms: of a model of them.
            name: of the data set.
            is_built_in: whether a run needs no copy of the rows.
        """
        return cls(
            name=name,
            likelihood=LIKELIHOODS[found.kind](),
            terms=terms,
            design=found.data.design,
            digest=digest_of(found.rows),
            replicate=Replicate(data=found.data, truth={}),
            covariate_names=tuple(covariate for covariate, _ in found.data.covariates),
            labels=found.labels,
            columns=found.columns,
            rows=None if is_built_in else found.rows,
        )

    @property
    def words(self) -> str:
        """That the data are real, and how their factors' levels are taken."""
        each = "; ".join(f"{term.factor}: {term.structure.words}" for term in self.terms)
        formula = formula_of(self.design, self.terms, self.covariate_names)
        return f"real data, fixed: replicates differ in the sampler’s seed only; a sum of terms, {formula}: {each}"

    @property
    def assumed_terms(self) -> tuple[Term, ...]:
        """Its terms."""
        return self.terms

    @property
    def covariates(self) -> tuple[tuple[str, np.ndarray], ...]:  # type: ignore[override]
        """Values of its covariates by cell."""
        return self.replicate.data.covariates

    @property
    def fields(self) -> Mapping[str, Any]:
        """Name and rows of the data set, its design and covariates."""
        return {
            "kind": self.kind,
            "data": self.name,
            "digest": self.digest,
            "design": self.design.digest,
            "columns": dict(self.columns),
            "covariates": list(self.covariate_names),
        }

    @property
    def shape(self) -> Any:
        """The design, and observations in each cell."""
        return self.design, tuple(int(n) for n in self.replicate.data.n_obs)

    @property
    def sizes_of_data(self) -> tuple[int, ...]:
        """Observations in each cell."""
        return self.shape[1]

    def simulate(self, keys: np.ndarray) -> list[Replicate]:
        """Return the data once for each key."""
        return [self.replicate] * len(keys)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the rows out of what is sent to workers."""
        return {**self.__dict__, "rows": None}
