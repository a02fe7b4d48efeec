"""What a protocol promises: measures, what will be claimed, what happens to fits that fail."""

from __future__ import annotations

from simstudy.measures.primary import primary_of
from simstudy.measures.rows.trio import FEWEST, PARTS
from simstudy.report.reading.description import Description
from simstudy.report.reading.wording import (
    PERCENT,
    enumerate_words,
    estimand_words,
    letters,
    measure_words,
    number,
    oracle_knows,
)

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
    "variance of the effects; MSE ratio to the reference method",
)
TERM_REGRET = "regret: the MSE less the smallest of those of the methods of {parts} pooling"
SHRINKAGE_MEASURES = {
    "partial": "mean posterior shrinkage weight of a group against that of an oracle that knows {known}",
    "none": "MSE ratio to no pooling, on the same data",
    "any": "regret: the MSE less the smallest of those of group means, grand mean and oracle",
}
INTERVALS = "coverage, width and interval score of central intervals at {levels}; coverage with Wilson intervals"
SAMPLER_MEASURES = (
    "sampler: divergent draws per 1,000 and share of fits with any; effective draws of ({mu}, {tau}) per leapfrog "
    "step, without and with warm-up; wall-clock speeds describe the machine and decide nothing",
)
EXACT_SAMPLER_MEASURES = (
    "sampler: its draws are independent, so that none diverges; wall-clock speeds describe the machine and decide "
    "nothing",
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

CLAIMS_OF_ONE = (
    "there is one method, so that no difference between methods is claimed; bias and coverage are said to differ from "
    "0 and from their levels only where they do by more than 2 MCSE"
)

CLAIMS_OF = {"simulation": CLAIMS, "dataset": DATASET_CLAIMS, "calibration": CALIBRATION_CLAIMS}
OWN_MEASURES = (
    "RMSE, bias (mean error), empirical SE (sd of the errors), model SE (root mean posterior variance) and its "
    "relative error, of every estimand that has a truth; of one with several numbers squared errors are averaged "
    "within a replicate, then over replicates; relative measures only where the truth is constant and not 0",
)
OWN_SAMPLER_MEASURES = (
    "sampler: divergent draws per 1,000 and share of fits with any; wall-clock speeds describe the machine and decide "
    "nothing",
)
OWN_RANKS = (
    "primary: rank of the truth among thinned posterior draws, uniform for a right posterior (Talts et al. 2018), for "
    "every estimand that has a truth, and each number of it"
)
LOG_DENSITY = (
    "the log density of the observations is ranked with them where the truth names every site that it depends on "
    "(Modrák et al. 2023)"
)
BLIND = (
    "where neither log density nor log likelihood is ranked, data that a model leaves out pass unnoticed: parameters "
    "have uniform ranks under the posterior given any part of the data"
)


def has_effects(description: Description) -> bool:
    """Whether the methods have effects of groups or levels, around a center and with a spread, to speak of."""
    return any(e.role == "effects" for e in description.declared.estimands.values())


def claims(description: Description) -> list[str]:
    """Return what will be claimed."""
    kind = kind_of(description)
    is_alone = kind == "simulation" and len(description.study["methods"]) == 1
    return [CLAIMS_OF_ONE if is_alone else CLAIMS_OF[kind]]


def kind_of(description: Description) -> str:
    """Return what kind of study it is: ``simulation``, ``calibration`` or ``dataset``."""
    if description.has_fixed_data:
        return "dataset"
    return "calibration" if description.study["study"].get("kind") == "calibration" else "simulation"


def measures(description: Description, *, is_own: bool) -> list[str]:
    """Return the measures of performance, a line each; nothing is said of what no method has.

    Args:
        description: of the study.
        is_own: whether a part of it is a user's own.
    """
    lines, primary = _measures(description, is_own=is_own), primary_of(description.study)
    if primary is None:
        return lines
    of = f" of {estimand_words(primary.estimand)}" if primary.estimand else ""
    others = [line.replace("primary: ", "", 1) if line.startswith("primary: ") else line for line in lines]
    return [f"primary: {measure_words(primary.measure)}{of}", *others]


def _measures(description: Description, *, is_own: bool) -> list[str]:
    kind = kind_of(description)
    named = dict(zip(("theta", "mu", "tau"), letters(), strict=True)) | {"known": oracle_knows()}
    speaks_of_effects = has_effects(description) or not is_own
    sampler = [words.format(**named) for words in (SAMPLER_MEASURES if speaks_of_effects else OWN_SAMPLER_MEASURES)]
    if description.is_exact:
        sampler = list(EXACT_SAMPLER_MEASURES)
    if kind == "calibration":
        return [*_ranks(description, is_own=is_own), *sampler]
    if kind == "dataset":
        return [*DATASET_MEASURES, *sampler]
    levels = ", ".join(f"{100 * level:g} %" for level in description.study.get("summary", {}).get("levels", []))
    return [
        *(words.format(**named) for words in _of_errors(description, speaks_of_effects=speaks_of_effects)),
        INTERVALS.format(levels=levels),
        *sampler,
        *SIMULATION_ERRORS,
    ]


def _ranks(description: Description, *, is_own: bool) -> list[str]:
    if not is_own:
        return list(CALIBRATION_MEASURES)
    ranks_density = description.study.get("summary", {}).get("log_density")
    return [OWN_RANKS, *([LOG_DENSITY] if ranks_density else []), BLIND, CALIBRATION_MEASURES[1]]


def _of_errors(description: Description, *, speaks_of_effects: bool) -> list[str]:
    if not speaks_of_effects:
        return list(OWN_MEASURES)
    played = [part for part in PARTS if part in description.pooling]
    if any(e.factor is not None for e in description.declared.effects):
        named = enumerate_words(["no" if part == "none" else part for part in played])
        return [*TERM_MEASURES, *([TERM_REGRET.format(parts=named)] if len(played) >= FEWEST else [])]
    if not description.declared.estimands:
        return list(SIMULATION_MEASURES)
    # The rivals of regret have a closed form for normal means alone.
    parts = {*played, *(["any"] if description.mechanism.get("has_normal_means", True) else [])}
    return [*SIMULATION_MEASURES, *(words for part, words in SHRINKAGE_MEASURES.items() if part in parts)]


def _divergence(rate: float) -> str:
    return f"more than {number(PERCENT * rate)} % of its draws diverge" if rate else "any of its draws diverges"


def has_maxima(description: Description) -> bool:
    """Whether a method goes by no priors."""
    methods = description.words.get("methods", {}).values()
    return any(not one.get("has_posterior", True) for one in methods)


def counting(description: Description, *, is_own: bool) -> list[str]:
    """Return which fits count, and which are flagged.

    Args:
        description: of the study.
        is_own: whether a part of it is a user's own.
    """
    limits = description.study.get("diagnostics", {})
    rate = float(limits.get("max_divergence_rate") or 0)
    diverges = [] if description.is_exact else [_divergence(rate)]
    flags = [
        *diverges,
        *([f"an R-hat is above {limits['max_rhat']}"] if limits.get("max_rhat") else []),
        *([f"a bulk or tail ESS is below {limits['min_ess']:g}"] if limits.get("min_ess") else []),
        *(["maximum likelihood puts a parameter at the edge of where it can lie"] if has_maxima(description) else []),
    ]
    used = (
        "every fit counts; one without a rank counts as the rank that speaks most against calibration"
        if kind_of(description) == "calibration"
        else "all fits with finite draws count; failed and non-finite fits are left out of the measures of their method"
    )
    selected = letters()[2] if has_effects(description) or not is_own else "the data"
    return [
        f"{used}; they are counted and reported with their reasons",
        f"a fit is flagged when {', '.join(flags[:-1])}{' or ' if len(flags) > 1 else ''}{flags[-1]}"
        if flags
        else "no fit is flagged",
        f"flagged fits are counted and not left out: a rule that drops them would select on {selected}",
    ]
