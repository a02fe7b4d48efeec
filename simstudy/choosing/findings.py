"""What the fits say, as tables: each group under each pooling, the errors on data like these, the sampler's work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from simstudy.choosing.fits import CENTERED, NONCENTERED, Draws
from simstudy.choosing.question import PARTIAL, STRUCTURES, Question
from simstudy.choosing.sensitivity import Sensitivity, sensitivity
from simstudy.choosing.unlike import farthest
from simstudy.measures import performance
from simstudy.measures.calibration import CALIBRATED, DESPITE_FAILED, calibration, worst_groups
from simstudy.measures.policies import count_fits
from simstudy.models.estimands import THETA_NEW
from simstudy.store import Run
from simstudy.store.schema import interval_columns

LEVEL = 0.95
CLEAR = 2.0  # Monte Carlo standard errors
WEIGHT = "shrinkage_weight"
HYPERPARAMETERS = ("mu", "tau")


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What is known of a question.

    Args:
        question: what was asked.
        groups: one row per group: ``label``, ``n`` (observations) or ``se`` (known standard error), ``own`` (mean of
            its data), ``pull`` (posterior mean of the weight of the common mean under partial pooling), and
            ``<method>``, ``<method> lower``, ``<method> upper`` (posterior mean and 95 % interval of its effect) for
            each of the three methods.
        hyperparameters: one row each of mu, tau, the effect of a new group and the residual sd: ``estimand``,
            ``mean``, ``median``, ``lower``, ``upper``, under partial pooling.
        errors: one row per method on simulated data: ``method``, ``rmse``, ``coverage`` (of 95 % intervals) and their
            MCSEs, ``n`` (data sets).
        ratios: (method, reference) -> mean squared error over that of the reference, and its MCSE, paired.
        sampling: one row per parameterization: ``method``, ``divergent`` (share of draws), ``flagged`` (share of
            fits), ``ess_per_leapfrog`` of mu or tau, whichever is smaller, MCSEs, ``n`` (seeds); empty where the
            sampler could not be run, whose ``reason`` says why.
        check: verdicts of the posterior check, one row per estimand.
        ranks: of the check, for its picture.
        sensitivity: what other priors of tau would give.
        tau: (draw,) draws of tau under partial pooling.
        unlike: name of the group that lies farthest from the rest, and how often one of simulated data lies as far
            (posterior predictive p); None where nothing can be said.
        conflicts: sentences, one for each method whose priors contradict the data.
    """

    question: Question
    groups: pd.DataFrame
    hyperparameters: pd.DataFrame
    errors: pd.DataFrame
    ratios: Mapping[tuple[str, str], tuple[float, float]]
    sampling: pd.DataFrame
    reason: str
    check: pd.DataFrame
    ranks: pd.DataFrame
    sensitivity: Sensitivity
    tau: np.ndarray
    unlike: tuple[str, float] | None
    conflicts: Sequence[str]

    @property
    def best(self) -> list[str]:
        """The methods that no other beats by more than 2 MCSE on simulated data, that of the least error first."""
        order = self.errors.sort_values("rmse")["method"].tolist()
        return [name for name in order if not any(self.beats(other, name) for other in order if other != name)]

    def beats(self, method: str, other: str) -> bool:
        """Whether a method's mean squared error is below another's by more than 2 MCSE."""
        ratio, mcse = self.ratios[method, other]
        return bool(1 - ratio > CLEAR * mcse)

    @property
    def parameterization(self) -> str | None:
        """The parameterization that samples best: fewest flagged fits, then most effective draws per leapfrog."""
        if self.sampling.empty:
            return None
        ordered = self.sampling.sort_values(["flagged", "ess_per_leapfrog"], ascending=[True, False])
        return str(ordered["method"].iloc[0])

    @property
    def is_checked(self) -> bool:
        """Whether the sampler's ranks are uniform for every estimand, whatever those of failed fits would have been."""
        return len(self.check) > 0 and bool(self.check["verdict"].isin([CALIBRATED, DESPITE_FAILED]).all())


def of_groups(question: Question, fitted: Run) -> pd.DataFrame:
    """Return one row per group, as ``Findings.groups``."""
    data = question.dataset.replicate.data
    size = {"n": data.n_obs} if data.known_se is None else {"se": data.known_se}
    table = pd.DataFrame({"label": question.labels, **size, "own": data.y_mean})
    lower, upper = interval_columns(LEVEL)
    estimates = fitted.estimates
    for method in STRUCTURES:
        rows = estimates[(estimates["method"] == method) & (estimates["estimand"] == question.effect)]
        rows = rows.sort_values("group")
        for ending, column in (("", "mean"), (" lower", lower), (" upper", upper)):
            table[f"{method}{ending}"] = rows[column].to_numpy(float)
    weights = estimates[(estimates["method"] == PARTIAL) & (estimates["estimand"] == WEIGHT)].sort_values("group")
    return table.assign(pull=weights["mean"].to_numpy(float))


def of_hyperparameters(question: Question, fitted: Run) -> pd.DataFrame:
    """Return mean, median and interval of mu, tau and the scale parameters under partial pooling."""
    names = [*HYPERPARAMETERS, THETA_NEW.name, *(p.name for p in question.dataset.likelihood.parameters)]
    lower, upper = interval_columns(LEVEL)
    rows = fitted.estimates
    rows = rows[(rows["method"] == PARTIAL) & rows["estimand"].isin(names) & rows["group"].isna()]
    table = rows[["estimand", "mean", "median", lower, upper]].rename(columns={lower: "lower", upper: "upper"})
    return table.astype({"estimand": str}).reset_index(drop=True)


def of_errors(question: Question, simulated: Run) -> tuple[pd.DataFrame, dict[tuple[str, str], tuple[float, float]]]:
    """Return errors and coverage by method, and ratios of mean squared errors between any two."""
    ratios: dict[tuple[str, str], tuple[float, float]] = {}
    for reference in STRUCTURES:
        table = _averages(performance(simulated, reference=reference), question.effect)
        own = _by_method(table, "mse_ratio")
        ratios |= {(name, reference): _value(own[name]) for name in STRUCTURES if name != reference}
    rmse, coverage = _by_method(table, "rmse"), _by_method(table[table["level"].eq(LEVEL)], "coverage")
    rows = []
    for method in STRUCTURES:
        (error, error_mcse), (covered, covered_mcse) = _value(rmse[method]), _value(coverage[method])
        rows.append(
            {"method": method, "n": int(rmse[method]["n_used"]), "rmse": error, "rmse_mcse": error_mcse}
            | {"coverage": covered, "coverage_mcse": covered_mcse}
        )
    return pd.DataFrame(rows), ratios


def _by_method(table: pd.DataFrame, measure: str) -> dict[str, dict[str, Any]]:
    """Return method -> the row of a measure."""
    records = table[table["measure"] == measure].astype({"method": str}).to_dict("records")
    return {row["method"]: {str(name): value for name, value in row.items()} for row in records}


def _value(row: Mapping[Any, Any]) -> tuple[float, float]:
    return float(row["value"]), float(row["mcse"])


def of_sampling(sampled: Run) -> pd.DataFrame:
    """Return how the sampler does in each parameterization, as ``Findings.sampling``."""
    table = performance(sampled)
    unflagged = count_fits(sampled.fits, sampled.study["diagnostics"], policy="unflagged")
    rows = []
    for method in (CENTERED, NONCENTERED):
        is_own = (sampled.fits["method"] == method).to_numpy()
        own = table[table["method"] == method]
        divergent, divergent_mcse = _value(own[own["measure"] == "divergence_rate"].to_dict("records")[0])
        of_both = (own["measure"] == "ess_per_leapfrog") & (own["estimand"] == ", ".join(HYPERPARAMETERS))
        speed = own[of_both & own["bin"].isna()].to_dict("records")
        ess, ess_mcse = _value(speed[0]) if speed else (np.nan, np.nan)
        rows.append(
            {"method": method, "n": int(is_own.sum()), "flagged": float(1 - unflagged[is_own].mean())}
            | {"divergent": divergent, "divergent_mcse": divergent_mcse}
            | {"ess_per_leapfrog": ess, "ess_per_leapfrog_mcse": ess_mcse}
        )
    return pd.DataFrame(rows)


def of_check(checked: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the verdict on each estimand (of the group that is the least uniform), and the ranks of these."""
    verdicts = worst_groups(calibration(checked))
    ranks = checked.estimates.merge(
        verdicts[["scenario", "method", "estimand", "group"]], on=["scenario", "method", "estimand", "group"]
    )
    return verdicts, ranks


def of_sensitivity(
    question: Question, draws: Draws, groups: pd.DataFrame, hyperparameters: pd.DataFrame
) -> Sensitivity:
    """Return how mu, tau and each group's effect move with the prior of tau, from the means in the other tables."""
    quantities = {name: draws[name] for name in HYPERPARAMETERS if name in draws}
    effects = {label: draws[question.effect][:, i] for i, label in enumerate(groups["label"])}
    means = {(str(row["label"]), True): float(row[PARTIAL]) for row in groups.to_dict("records")}
    means |= {(str(row["estimand"]), False): float(row["mean"]) for row in hyperparameters.to_dict("records")}
    return sensitivity(draws, question.priors(PARTIAL)["tau"], quantities, effects, means=means)


def of_unlike(question: Question, draws: Draws) -> tuple[str, float] | None:
    """Return the group that lies farthest from the rest, and how often one of simulated data does."""
    estimated = question.dataset.likelihood.group_estimates(question.dataset.replicate.data)
    if estimated is None or (estimated[1] <= 0).all():
        return None
    found = farthest(*estimated, draws)
    return None if found is None else (question.labels[found[0]], found[1])


def _averages(table: pd.DataFrame, estimand: str) -> pd.DataFrame:
    """Return the rows of an estimand over all groups."""
    whole = table["bin"].isna() & (table["group"].isna() | (table["group"] == "average"))
    return table[(table["estimand"] == estimand) & whole]


def named(method: str) -> str:
    """Return a method's name as a page marks it."""
    return f"“{method}”"
