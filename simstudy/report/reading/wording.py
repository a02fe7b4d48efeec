"""The words of a report: what measures and estimands are called, how a number with its MCSE is written."""

from __future__ import annotations

import math
from collections.abc import Sequence

from simstudy.models.estimands import THETA
from simstudy.report.reading.vocabulary import declared, effects
from simstudy.store.cards import counted as counted
from simstudy.store.declared import RESIDUAL

MEASURES = {
    "bias": "bias",
    "relative_bias": "relative bias",
    "conditional_bias": "conditional bias (slope)",
    "empirical_se": "empirical SE",
    "mse": "MSE",
    "rmse": "RMSE",
    "model_se": "model SE",
    "relative_error": "relative error of model SE, %",
    "relative_precision": "relative precision, %",
    "coverage": "coverage",
    "bias_eliminated_coverage": "bias-eliminated coverage",
    "width": "interval width",
    "interval_score": "interval score",
    "crps": "CRPS",
    "log_score": "log score",
    "rejection": "rejection",
    "mean_estimate": "mean estimate",
    "median_estimate": "median estimate",
    "median_bias": "median bias",
    "trimmed_mse": "trimmed MSE",
    "winsorized_mse": "winsorized MSE",
    "shrinkage_slope": "shrinkage slope",
    "shrinkage_weight": "shrinkage weight",
    "pooling_factor": "pooling factor",
    "mse_ratio": "MSE ratio",
    "regret": "regret",
    "regret_of_parts": "regret",
    "local_bias": "local bias (slope)",
    "rank_correlation": "rank correlation",
    "prob_best": "true best named",
    "divergence_rate": "divergent draws",
    "any_divergence": "fits with a divergence",
    "boundary_rate": "fits at an edge",
    "max_treedepth_rate": "draws cut at maximum depth",
    "ess_per_leapfrog": "ESS per leapfrog",
    "ess_per_second": "ESS per second",
    "error_efficiency": "error-based ESS per leapfrog",
    "error_ess": "error-based ESS",
    "sampler_bias": "bias of the sampler, posterior sds",
    "sampler_z_square": "mean z² of the sampler",
    "sampler_z_beyond_3": "|z| above 3",
    "mse_model": "MSE, model and prior",
    "mse_sampler": "MSE, sampler",
    "fits_per_second": "fits per second",
    "failure_rate": "failed fits",
    "flagged_rate": "flagged fits",
    "rhat": "largest R-hat",
    "ess": "smallest ESS",
    "sampler_error": "squared error of the sampler, posterior variances",
    "time_ratio": "time over the reference",
}
MINUS = "\u2212"
PERCENT = 100.0
CLOSE = 100
"""Sizes over distances from which three digits no longer tell numbers apart."""
MOST_DECIMALS, SMALL = 6, 1e-4
"""Decimals that a number is written with at most, and the size below which one that needs more is written as 2e−08."""


def measure_words(measure: str) -> str:
    """Return what a measure is called in a report."""
    return MEASURES.get(measure, measure.replace("_", " "))


def estimand_words(estimand: str) -> str:
    """Return what an estimand is called in a sentence, or its name where nothing is declared.

    >>> estimand_words("tau"), estimand_words("reaction")
    ('the sd between groups τ', 'reaction')
    """
    return declared()[estimand].words or estimand


def symbol(estimand: str) -> str:
    """Return the letter of an estimand, or its name where it has none."""
    return declared()[estimand].symbol or estimand


def letters() -> tuple[str, str, str]:
    """Return the symbols of the effects, of their center and of their spread.

    >>> letters()
    ('θ', 'μ', 'τ')
    """
    center, spread = effects().center or str(THETA.center), effects().spread or str(THETA.spread)
    return symbol(effects().name), symbol(center), symbol(spread)


def oracle_knows() -> str:
    """Return what the oracle knows and methods do not: the spread of the effects, and the residual sd if there is one.

    >>> oracle_knows()
    'τ and σ'
    """
    has_residual = not declared().estimands or RESIDUAL in declared().estimands
    return f"{letters()[2]} and {symbol(RESIDUAL)}" if has_residual else letters()[2]


def number(value: float | None, *, digits: int = 3) -> str:
    """Return a number with some significant digits and a true minus sign; an empty text where there is none.

    >>> number(0.012345), number(-1234.5), number(9.996), number(float("nan"))
    ('0.0123', '−1,230', '10.0', '')
    """
    if value is None or math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else MINUS + "∞"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    decimals = digits - 1 - math.floor(math.log10(abs(rounded)))
    small = abs(rounded) < 10.0 ** (-digits - 1)
    text = f"{rounded:.{digits - 1}e}" if small else f"{rounded:,.{max(0, decimals)}f}"
    return text.replace("-", MINUS)


def number_among(value: float, values: Sequence[float]) -> str:
    """Return a number with three significant digits, or with as many decimals as tell it from others it stands with.

    >>> number_among(510.0, [500.0, 510.0]), number_among(1000006.0, [999991.94, 1000006.0])
    ('510', '1,000,006.0')
    """
    finite = [float(one) for one in values if math.isfinite(one)]
    apart, size = max(finite, default=0.0) - min(finite, default=0.0), max(map(abs, finite), default=0.0)
    if not apart or size < CLOSE * apart or size < SMALL:
        return number(value)
    return f"{value:,.{max(0, 2 - math.floor(math.log10(apart)))}f}".replace("-", MINUS)


def with_mcse(value: float, mcse: float, *, percent: bool = False) -> str:
    """Return ``value ± mcse``, the MCSE with two digits and the value to the same decimal place.

    >>> with_mcse(0.70712, 0.0123), with_mcse(0.9512, 0.0049, percent=True), with_mcse(3.0, float("nan"))
    ('0.707 ± 0.012', '95.1 % ± 0.5 %', '3.00')
    >>> with_mcse(2.345e-8, 1.2e-10)
    '2.345e−08 ± 1.2e−10'
    >>> with_mcse(0.456992, 1e-17), with_mcse(0.5, 1e-6)
    ('0.457', '0.500000 ± 0.000001')
    """
    unit = " %" if percent else ""
    scale = PERCENT if percent else 1.0
    value, mcse = value * scale, mcse * scale
    if math.isnan(value):
        return ""
    if not mcse > 0 or math.isinf(mcse):
        return number(value) + unit
    decimals = max(0, 1 - math.floor(math.log10(mcse)))
    if abs(value) >= SMALL and round(mcse, MOST_DECIMALS) == 0:
        # Beside such a number it is the rounding of an average, or as good as none.
        return number(value) + unit
    if decimals > MOST_DECIMALS and 0 < abs(value) < SMALL:
        digits = math.floor(math.log10(abs(value))) + decimals + 1
        return f"{number(value, digits=max(1, min(MOST_DECIMALS, digits)))}{unit} ± {number(mcse, digits=2)}{unit}"
    decimals = min(decimals, MOST_DECIMALS)
    decimals = min(decimals, 1) if percent else decimals
    return f"{value:,.{decimals}f}{unit} ± {mcse:,.{decimals}f}{unit}".replace("-", MINUS)


def share(count: int, total: int) -> str:
    """Return ``count of total`` with thousands marked.

    >>> share(1, 1200)
    '1 of 1,200'
    """
    return f"{count:,} of {total:,}"


def enumerate_words(items: list[str]) -> str:
    """Return a list in words.

    >>> enumerate_words(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)
