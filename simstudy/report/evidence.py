"""All that the sections of a report draw on: one run, its performance table and how both are read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
from pandas.api.types import union_categoricals

from simstudy.measures.calibration import KIND, calibration
from simstudy.measures.performance import performance
from simstudy.measures.policies import convergence_table, falls_short, flag
from simstudy.measures.primary import Primary, primary_of
from simstudy.measures.rows.labels import Labels
from simstudy.measures.sampler_error import exact_methods, posterior_of
from simstudy.report.reading.converged import Converged
from simstudy.report.reading.description import Description
from simstudy.report.reading.design import Design, read_design
from simstudy.report.reading.extent import Extent, read_extent
from simstudy.report.reading.pairs import differences, paired_differences, squared_errors
from simstudy.report.reading.palette import Mark, assign_marks, ramp_marks
from simstudy.report.reading.prior_families import Family, prior_families
from simstudy.report.reading.readings import average
from simstudy.report.reading.roles import Roles, read_roles
from simstudy.report.reading.vocabulary import speaking
from simstudy.report.words.convergence import MOST_SHORT, TOLD
from simstudy.report.words.split import split_table
from simstudy.store.declared import Declared
from simstudy.store.factors import levels_of, names_by_level
from simstudy.store.group_names import group_names
from simstudy.store.kept import KeptFit, kept_fits
from simstudy.store.traits import exact_samplers, has_fixed_data, without_posterior
from simstudy.types import RunTables

HEADLINE_ROLES = ("effects", "mean")
REAL_HEADLINE_ROLES = ("mean", "effects")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A run and its performance table.

    Args:
        run: the run's tables.
        performance: its performance table.
    """

    run: RunTables
    performance: pd.DataFrame

    @cached_property
    def description(self) -> Description:
        """The study in its own words."""
        return Description.of(self.run)

    @cached_property
    def design(self) -> Design:
        """The factorial design, its factors by their letters."""
        with speaking(self.description.vocabulary):
            return read_design(self.run.scenarios)

    @cached_property
    def marks(self) -> dict[str, Mark]:
        """One color and marker for each method, the same in every figure.

        Methods that differ in one prior have a ramp of colors, those of the first such family.
        """
        ramp = ramp_marks(list(self.families[0].priors)) if self.families else {}
        return {**assign_marks(self.run.methods), **ramp}

    @cached_property
    def roles(self) -> Roles:
        """Which methods are no, complete and partial pooling."""
        return read_roles(self.run.methods)

    @cached_property
    def extent(self) -> Extent:
        """How many of the planned replicates and fits are stored."""
        return read_extent(self.run)

    @property
    def study(self) -> Mapping[str, Any]:
        """The canonical study."""
        return self.run.study

    @property
    def labels(self) -> dict[str, str]:
        """Scenario -> what it is called."""
        return self.design.labels

    @cached_property
    def group_names(self) -> dict[int, str]:
        """Group -> what it is called in real data; empty where groups are only numbered, and in a run made before."""
        names = group_names(self.run) if self.is_dataset else {}
        return next(iter(names.values()), {})

    def names_of(self, estimand: str) -> dict[int, str]:
        """Return group or level -> what it is called; empty where they are only numbered.

        An effect of a factor has the names of its levels, which are not those of groups.
        """
        if (factor := self._declared[estimand].factor) is None:
            return self.group_names
        levels = levels_of(self.run)
        levels = levels[(levels["factor"] == factor) & (levels["scenario"] == levels["scenario"].iloc[0])]
        return names_by_level(levels)

    @cached_property
    def has_terms(self) -> bool:
        """Whether the data have factors with levels of their own, so that effects are not those of groups alone."""
        return len(levels_of(self.run)) > 0

    @property
    def is_dataset(self) -> bool:
        """Whether the data are real and fixed, so that replicates differ in the sampler's seed only."""
        return has_fixed_data(self.study, self.run.description)

    @property
    def is_calibration(self) -> bool:
        """Whether the truth is drawn from the priors of the methods, so that ranks are uniform."""
        return self.study["study"].get("kind") == KIND

    @cached_property
    def calibration(self) -> pd.DataFrame:
        """The verdict on every estimand and group of every method and scenario of a calibration study."""
        return calibration(self.run)

    @cached_property
    def exact_of(self) -> dict[str, str]:
        """Method -> the exact method on the same model, for the methods that have one."""
        return exact_methods(self.study["methods"], exact_samplers(self.run), without_posterior(self.run))

    @cached_property
    def split(self) -> pd.DataFrame:
        """How much of each error is the model's and how much the sampler's; empty without an exact counterpart."""
        return split_table(self.performance)

    @cached_property
    def families(self) -> list[Family]:
        """The sets of methods that differ in one prior alone."""
        return prior_families(self.run.methods)

    @cached_property
    def primary(self) -> Primary | None:
        """What the study says that it is about, or None."""
        return primary_of(self.study)

    @cached_property
    def headline(self) -> str | None:
        """The estimand that the answer is about, or None where none has an RMSE.

        It is that of the study's primary measure, the group effects, or the first that the models name.
        """
        known = self.performance.loc[self.performance["measure"] == "rmse", "estimand"].dropna().unique()
        if self.primary is not None and self.primary.estimand in known:
            return self.primary.estimand
        wanted = REAL_HEADLINE_ROLES if self.is_dataset else HEADLINE_ROLES
        return ([*self.with_role(*wanted, among=known), *self._as_named(known), None])[0]

    def _as_named(self, names: Collection[str]) -> list[str]:
        """Return names of estimands in the order in which the models name them, not that of the alphabet."""
        declared = self.run.estimands["estimand"].astype(str)
        stored = next(iter(self.run.parts("estimates", ["estimand"])))["estimand"].astype(str)
        named = [name for name in dict.fromkeys([*declared, *stored.unique()]) if name in set(names)]
        return named + [name for name in names if name not in named]

    @cached_property
    def shares_posterior(self) -> bool:
        """Whether several methods have one model and one prior, so that they differ in how they are sampled alone."""
        if without_posterior(self.run):
            return False
        return len(self.marks) > 1 and len({posterior_of(method) for method in self.study["methods"]}) == 1

    @cached_property
    def convergence(self) -> pd.DataFrame:
        """How many fits of each method did not converge; independent draws and maxima have no chains."""
        without_chains = exact_samplers(self.run) | without_posterior(self.run)
        exact = self.run.fits["method"].astype(str).isin(without_chains).to_numpy()
        return convergence_table(self.run.fits[~exact], self.flags[~exact])

    @cached_property
    def short(self) -> list[str]:
        """The methods with fits that did not converge, as far as they are told."""
        return [str(name) for name, row in self.convergence.iterrows() if row["short"] > TOLD * row["fits"]]

    @cached_property
    def doubtful(self) -> list[str]:
        """The methods of which so many fits did not converge that an error that is not seen proves nothing."""
        return [str(name) for name, row in self.convergence.iterrows() if row["short"] > MOST_SHORT * row["fits"]]

    @cached_property
    def converged(self) -> Evidence | None:
        """The same of the fits that converged alone, for what the answer is about; None where hardly any did not."""
        names = {self.headline, self.primary and self.primary.estimand, *self.hyperparameters} & set(self.estimands)
        if not self.short or not names:
            return None
        kept = ~(falls_short(self.flags) & (self.run.fits["status"] == "ok").to_numpy())
        run = Converged(run=self.run, is_kept=kept, kept_estimands=frozenset(map(str, names)))
        return Evidence(run=run, performance=performance(run)) if len(run.fits) else None

    @property
    def hyperparameters(self) -> list[str]:
        """Center and spread of the effects, whose effective draws are counted."""
        return [*self._declared.centers, *self._declared.spreads]

    @cached_property
    def estimands(self) -> list[str]:
        """The names of the estimands, in alphabetical order."""
        return list(self._labels.estimands)

    def with_role(self, *roles: str, among: Iterable[str] | None = None) -> list[str]:
        """Return the estimands of the run, or those of some, that play a role, role by role."""
        return self._declared.with_role(self.estimands if among is None else among, *roles)

    def is_grouped(self, estimand: str) -> bool:
        """Whether some method has the estimand by group."""
        return bool(self._labels.is_grouped[self._labels.code_of(estimand)])

    def estimates_of(self, estimand: str, columns: Sequence[str], **where: Collection[str]) -> pd.DataFrame:
        """Return some columns of the estimates of one estimand.

        Args:
            estimand: its name.
            columns: columns to read besides ``estimand``.
            where: further label columns -> the labels whose rows are wanted.
        """
        pieces = self.run.parts("estimates", [*columns, "estimand"], where={"estimand": {estimand}, **where})
        return pd.concat(_same_categories(list(pieces)), ignore_index=True)

    def weights(self, columns: Sequence[str]) -> pd.DataFrame:
        """Return some columns of the estimates of shrinkage weights, besides ``estimand``."""
        pieces = self.run.parts("estimates", [*columns, "estimand"], where={"estimand": set(self.with_role("weight"))})
        return pd.concat(_same_categories(list(pieces)), ignore_index=True)

    def first_replicates(self, methods: Collection[str]) -> dict[str, int]:
        """Return for every scenario the first replicate that all the methods fitted; not those that have none."""
        fits = self.run.fits[["scenario", "replicate", "method", "status"]]
        fits = fits[(fits["status"] == "ok") & fits["method"].isin(methods)]
        n_methods = fits.groupby(["scenario", "replicate"], observed=True).size()
        every = n_methods[n_methods == len(methods)].reset_index()
        return {str(s): int(r) for s, r in every.groupby("scenario", observed=True)["replicate"].min().items()}

    def estimates_at(
        self, replicates: Mapping[str, int], columns: Sequence[str], **where: Collection[str]
    ) -> pd.DataFrame:
        """Return some columns of the estimates of one replicate of each scenario.

        Args:
            replicates: scenario -> its replicate.
            columns: columns to read besides ``scenario`` and ``replicate``.
            where: further label columns -> the labels whose rows are wanted.
        """
        wanted: dict[str, Collection[Any]] = {
            "scenario": set(replicates),
            "replicate": set(replicates.values()),
            **where,
        }
        pieces = list(self.run.parts("estimates", ["scenario", "replicate", *columns], where=wanted))
        rows = pd.concat(_same_categories(pieces), ignore_index=True)
        return rows[rows["replicate"] == rows["scenario"].astype(str).map(replicates)].reset_index(drop=True)

    @cached_property
    def _declared(self) -> Declared:
        return Declared.of(self.run)

    @cached_property
    def _labels(self) -> Labels:
        return Labels.of(self.run)

    @cached_property
    def squares(self) -> pd.DataFrame:
        """The mean squared error of the headline estimand by scenario, method and replicate."""
        columns = ["scenario", "replicate", "method", "estimand", "mean", "truth"]
        pieces = self.run.parts("estimates", columns, where={"estimand": {str(self.headline)}})
        squares = [squared_errors(piece, str(self.headline)) for piece in pieces]
        return pd.concat(_same_categories(squares), ignore_index=True)

    def error_differences(self, method: str, rival: str) -> pd.DataFrame:
        """Return the differences in RMSE between two methods: paired where they saw the same data."""
        paired = paired_differences(self.squares, method, rival)
        if len(paired):
            return paired
        return differences(average(self.performance, "rmse", estimand=self.headline), method, rival)

    @cached_property
    def flags(self) -> pd.DataFrame:
        """One bool column per flag, one row per fit."""
        return flag(self.run.fits, self.study.get("diagnostics", {}))

    def kept(self, scenario: str, method: str) -> list[KeptFit]:
        """The fits of a method in a scenario whose draws were kept, if the run lies in a folder."""
        folder = getattr(self.run, "folder", None)
        return [] if folder is None else list(kept_fits(folder, scenario, method))


def _same_categories(pieces: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Give the pieces one set of categories in each label column, so that together they are labels still."""
    for name in [name for name in pieces[0] if isinstance(pieces[0][name].dtype, pd.CategoricalDtype)]:
        every = union_categoricals([piece[name] for piece in pieces], sort_categories=False).categories
        pieces = [piece.assign(**{str(name): piece[name].cat.set_categories(every)}) for piece in pieces]
    return pieces
