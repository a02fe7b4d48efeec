"""The answer in sentences. Each says what the numbers show; nothing is said on a difference below 2 MCSE."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from simstudy.choosing.findings import CLEAR, LEVEL, Findings, named
from simstudy.choosing.fits import CHECKS, NUTS
from simstudy.choosing.question import PARTIAL, STRUCTURES, plural
from simstudy.choosing.sensitivity import FACTORS, LARGEST_K, SENSITIVE
from simstudy.measures.calibration import NOT_CALIBRATED
from simstudy.models.estimands import THETA
from simstudy.report.reading.wording import MOST_DECIMALS, enumerate_words, number, number_among, with_mcse

WHICH, GROUPS, SAMPLING, PRIORS, CONFLICT = (
    "Which pooling?",
    "What does it do to the groups?",
    "How to sample it?",
    "Does the prior of τ matter?",
    "Do priors and data agree?",
)
SLIGHT = 0.02  # what coverage may lack before it is told
NOTICED = 0.1  # posterior sds: a shift below is not worth a word
OWN_FITS = (
    "That is for fits of your own, as with Stan, brms, PyMC or bambi, where the target acceptance is adapt_delta or "
    "target_accept; the estimates here are by quadrature and need no sampling."
)
UNLIKELY, LEAST = 0.01, 0.001  # of posterior predictive p-values: told, and told as a bound
PERCENT = 100.0
Row = dict[str, Any]


def answers(found: Findings) -> dict[str, list[str]]:
    """Return question -> sentences, the most important first."""
    conflict = {CONFLICT: of_conflicts(found)}
    rest = {
        WHICH: which(found),
        GROUPS: of_groups(found),
        SAMPLING: of_sampling(found),
        PRIORS: [*of_single(found), *of_priors(found)],
    }
    return {**conflict, **rest} if found.conflicts else {**rest, **conflict}


def warnings(found: Findings) -> list[str]:
    """Return what stands in the way of the answer."""
    of_tau = of_priors(found)[1:] if found.sensitivity.is_known else of_priors(found)
    return [*found.conflicts, *of_unlike(found), *of_single(found), *of_tau]


def recommended(found: Findings) -> str:
    """Return the pooling to use: partial pooling unless another beats it, since it need not be chosen beforehand."""
    return PARTIAL if PARTIAL in found.best else found.best[0]


def group_name(found: Findings, label: str) -> str:
    """Return a group's name in a sentence: with what it is where the name is no word.

    A driver called 309 would read as a number.
    """
    return label if any(map(str.isalpha, label)) else f"{found.question.noun} {label}"


def which(found: Findings) -> list[str]:
    """Return which pooling to use, and how near each comes to the truth on data like these."""
    first = recommended(found)
    others = [name for name in STRUCTURES if name != first]
    clauses = [_against(found, first, name) for name in others]
    n, what = int(found.errors["n"].min()), plural(found.question.effect_noun)
    shown = f"on {n:,} data sets simulated from what these {found.question.groups} say, the mean squared error of their"
    is_advised = not found.conflicts
    pooled = "" if is_advised else f" under {named(first)}"
    told = f"{_advice(found, first)}: {shown} {what}{pooled} is {enumerate_words(clauses)}."
    return [told, *(_besides(found, first) if is_advised else []), *_coverage(found)]


def _against(found: Findings, first: str, other: str) -> str:
    ratio, mcse = found.ratios[first, other]
    if found.beats(first, other):
        return f"{with_mcse(1 - ratio, mcse, percent=True)} below that under {named(other)}"
    return f"not to be told from that under {named(other)} (ratio {with_mcse(ratio, mcse)})"


def _advice(found: Findings, first: str) -> str:
    if found.conflicts:
        return "Nothing is advised while priors contradict the data, since what follows is of the priors too"
    return f"Use {named(first)}"


def _besides(found: Findings, first: str) -> list[str]:
    """Return what another choice costs, or what speaks for this one where others do as well."""
    if first != PARTIAL:
        ratio, mcse = found.ratios[PARTIAL, first]
        return [f"{named(PARTIAL)} costs {with_mcse(ratio - 1, mcse, percent=True)} more on groups like these."]
    tied = [name for name in found.best if name != PARTIAL]
    if not tied:
        return []
    return [
        f"{named(PARTIAL)} does as well as {enumerate_words(list(map(named, tied)))} here, and the data choose how "
        "much it pools."
    ]


def _coverage(found: Findings) -> list[str]:
    """Say whose intervals hold the truth less often than they state."""
    missing = LEVEL - found.errors["coverage"]
    low = found.errors[(missing > CLEAR * found.errors["coverage_mcse"]) & (missing > SLIGHT)]
    what, level = f"true {plural(found.question.effect_noun)}", f"{PERCENT * LEVEL:g} %"
    if low.empty and (missing > SLIGHT).any():
        return [f"No {level} intervals hold the {what} less often than they state by over 2 MCSE."]
    if low.empty:
        return [
            f"The {level} intervals of all three hold the {what} as often as they state, or at most "
            f"{PERCENT * SLIGHT:g} points less."
        ]
    told = [f"{named(row['method'])} {PERCENT * row['coverage']:.0f} %" for row in low.to_dict("records")]
    more = f"more than {PERCENT * SLIGHT:g} points (and 2 MCSE)"
    return [f"{level} intervals that hold the {what} less often than stated, by {more}: {enumerate_words(told)}."]


def of_groups(found: Findings) -> list[str]:
    """Return how far partial pooling pulls, and which group it moves most."""
    table, noun = found.groups, found.question.noun
    moved = (table[PARTIAL] - table["own"]).abs()
    most = table.to_dict("records")[int(np.argmax(moved))]
    who = group_name(found, str(most["label"]))
    low, high = (PERCENT * end(table["pull"]) for end in (min, max))
    pull = f"{low:.0f} %" if round(low) == round(high) else f"{low:.0f} to {high:.0f} %"
    start, end = plain(most["own"], table), plain(most[PARTIAL], table)
    moves = f"{who} moves most, from {start} to {end}" if start != end else "no mean moves in the digits shown"
    told = [f"Under {named(PARTIAL)} each {noun} is pulled {pull} of the way to the common mean; {moves}."]
    told += of_unlike(found)
    return [*told, *_population(found)]


def _population(found: Findings) -> list[str]:
    """Return the common mean, a new group, and the spread between groups; log odds as probabilities where they are."""
    noun, known = found.question.noun, _rows(found.hyperparameters, "estimand")
    if found.question.effect == THETA.name:
        return [
            f"The common mean μ is {_interval(known['mu'])}, the {found.question.effect_noun} of a new {noun} "
            f"{_interval(known['theta_new'])}.",
            f"The sd between {plural(noun)}, τ, is {_interval(known['tau'])}.",
        ]
    middle, new = (_probability(known[name]) for name in ("mu", "theta_new"))
    return [
        f"At the common mean μ the probability is {_interval(middle)}, that of a new {noun} {_interval(new)}.",
        f"On the scale of log odds μ is {_interval(known['mu'])}, and the sd between {plural(noun)}, τ, "
        f"{_interval(known['tau'])}.",
    ]


def _probability(row: Row) -> Row:
    """Return a median and an interval of log odds as those of the probability, which keeps their order."""
    return {name: float(expit(row[name])) for name in ("median", "lower", "upper")}


def of_unlike(found: Findings) -> list[str]:
    """Return that a group lies farther from the rest than one of normal effects does."""
    if found.unlike is None or found.unlike[1] >= UNLIKELY:
        return []
    label, p = found.unlike
    share = f"p = {p:.2g}" if p >= LEAST else f"p < {LEAST:g}"
    return [
        f"{group_name(found, label)} lies farther from the rest than normal effects do (posterior predictive {share}): "
        f"{named(PARTIAL)} pulls it as if it were one of them, and the errors above know no such {found.question.noun}."
    ]


def _interval(row: Row) -> str:
    all_three = [row["median"], row["lower"], row["upper"]]
    median, low, high = (number_among(value, all_three) for value in all_three)
    return f"{median} (posterior median; {PERCENT * LEVEL:g} % interval {low} to {high})"


def plain(value: float, table: pd.DataFrame) -> str:
    """Return a number with the digits in which the groups differ."""
    spread = float(np.ptp(table["own"].to_numpy(float))) or abs(float(table["own"].iloc[0])) or 1.0
    decimals = max(0, 2 - int(np.floor(np.log10(spread))))
    if decimals > MOST_DECIMALS:
        return number_among(value, table["own"].tolist())
    return f"{value:,.{decimals}f}".replace("-", "\u2212")


def of_sampling(found: Findings) -> list[str]:
    """Return how partial pooling is to be sampled, and whether the sampler is right there."""
    chosen = found.parameterization
    if chosen is None:
        return [f"The sampler was not tried: {found.reason}"]
    rows = _rows(found.sampling, "method")
    own = rows.pop(chosen)
    ((name, other),) = rows.items()
    n = int(own["n"])
    flagged = round(float(own["flagged"]) * n)
    if flagged > n / 2:
        least = f"{flagged} of {n} runs are flagged {chosen}, {round(float(other['flagged']) * n)} {name}"
        return [f"Neither parameterization samples these data well ({least}); the estimates here are by quadrature."]
    some = f"{flagged} of its {n} runs {'is' if flagged == 1 else 'are'} flagged"
    state = "none of its runs is flagged" if flagged == 0 else some
    sampled = f"{chosen}, target acceptance {NUTS['target_accept']}"
    what = f"Sample it {sampled}" if found.is_checked else f"Sampled {sampled}"
    return [f"{what}: {state}" + _compared(own, other, name, n) + _checked(found), OWN_FITS]


def _compared(own: Row, other: Row, name: str, n: int) -> str:
    flagged = round(float(other["flagged"]) * n)
    spread = float(np.hypot(own["ess_per_leapfrog_mcse"], other["ess_per_leapfrog_mcse"]))
    ratio = own["ess_per_leapfrog"] / other["ess_per_leapfrog"]
    if float(own["ess_per_leapfrog"] - other["ess_per_leapfrog"]) > CLEAR * spread:
        return f" ({name}: {flagged} of {n}), and it has {ratio:.1f} times as many effective draws per step"
    if float(other["ess_per_leapfrog"] - own["ess_per_leapfrog"]) > CLEAR * spread:
        return f" ({name}: {flagged} of {n}, though with {1 / ratio:.1f} times as many effective draws per step)"
    return f" ({name}: {flagged} of {n})"


def _checked(found: Findings) -> str:
    if found.is_checked:
        return f"; checked on {CHECKS} data sets around the posterior, its ranks are uniform for every estimand."
    if (found.check["verdict"] != NOT_CALIBRATED).all():
        return f"; whether it is right here cannot be said: too many of {CHECKS} fits around the posterior failed."
    failing = found.check[found.check["verdict"] == NOT_CALIBRATED]["estimand"].astype(str).tolist()
    return (
        f"; but checked on {CHECKS} data sets around the posterior, its ranks are not uniform for "
        f"{enumerate_words(failing)}: trust no sampled fit of these data."
    )


def of_single(found: Findings) -> list[str]:
    """Return that groups of one observation each leave the two spreads to their priors, where they do."""
    if not found.question.dataset.likelihood.parameters or (found.groups["n"] > 1).any():
        return []
    noun = found.question.noun
    return [
        f"Each {noun} has one observation: what is σ and what is τ the data cannot say, their priors do. Give standard "
        f"errors, or several observations of a {noun}."
    ]


def of_priors(found: Findings) -> list[str]:
    """Return what another prior of tau would change."""
    known = found.sensitivity
    if not known.is_known:
        ends = np.isinf(list(known.k.values())).any()
        why = "they end where the prior does" if ends else f"Pareto k above {LARGEST_K:g}"
        return [
            f"With half or twice the scale of τ's prior {known.prior} the posterior is another one: the draws at hand "
            f"cannot say which ({why}). Fit it with other priors before you rely on it."
        ]
    is_group = known.table["is_group"]
    tau = _rows(known.table[~is_group], "name")["tau"]
    effects = {name: row["shift"] for name, row in _rows(known.table[is_group], "name").items()}
    most = max(effects, key=lambda name: effects[name])
    words = f"With {FACTORS[0]:g} to {FACTORS[1]:g} times the scale of its prior {known.prior}, the posterior mean of τ"
    told = f"{words} goes from {number(tau['halved'])} to {number(tau['doubled'])} ({number(tau['mean'])} now)"
    if effects[most] < NOTICED:
        told += f"; no group's mean moves by more than {effects[most]:.2f} posterior sds."
    else:
        told += f"; the mean of {group_name(found, most)} moves most, by {effects[most]:.2f} posterior sds."
    if tau["of_prior"] < SENSITIVE:
        return [told]
    return [told, f"τ is sensitive to its prior (power-scaling {number(tau['of_prior'])}, above {SENSITIVE:g})."]


def of_conflicts(found: Findings) -> list[str]:
    """Return the priors that contradict the data."""
    return [f"{text}." for text in found.conflicts] or ["No prior contradicts the data."]


def _rows(table: pd.DataFrame, key: str) -> dict[str, Row]:
    """Return the rows of a table by the texts of a column."""
    return {str(row[key]): {str(name): value for name, value in row.items()} for row in table.to_dict("records")}
