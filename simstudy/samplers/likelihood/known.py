"""What estimates and standard errors say of every estimand: the distribution of confidence around each estimate.

Coefficients and predicted effects: normal or t, so that quantiles are the ends of Wald intervals. Parameters of the
covariance: by their profiles. The mean and the median are the estimate, the sd is the standard error. A profile has no
shortest interval and no score here, since it has no mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats
from scipy.special import betaln

from simstudy.samplers.likelihood.estimate import Estimate, Linear
from simstudy.samplers.likelihood.profile import Profile

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Confidence:
    """Estimates of a block of data sets, a ``KnownPosterior``.

    Args:
        estimates: of each data set; those with a reason are NaN. At least one has none.
        singles: linear estimands that are no groups'.
    """

    estimates: Sequence[Estimate]
    singles: frozenset[str]

    @cached_property
    def mean(self) -> dict[str, np.ndarray]:
        """Estimand -> (fit, *group) estimate."""
        of_parameters = {
            name: np.array([one.parameters.get(name, np.nan) for one in self.estimates]) for name in self._parameters
        }
        return of_parameters | {name: one.mean for name, one in self._linear.items()}

    @cached_property
    def sd(self) -> dict[str, np.ndarray]:
        """Estimand -> (fit, *group) standard error."""
        of_parameters = {
            name: np.array([np.nan if one is None else one.sd for one in self._profiles(name)])
            for name in self._parameters
        }
        return of_parameters | {name: one.sd for name, one in self._linear.items()}

    def quantiles(self, probabilities: Sequence[float]) -> dict[str, np.ndarray]:
        """Return the ends of one-sided intervals, estimand -> (fit, *group, probability)."""
        p = np.asarray(probabilities, float)
        out = {
            name: np.array([[np.nan if o is None else o.quantile(q) for q in p] for o in self._profiles(name)])
            for name in self._parameters
        }
        for name, one in self._linear.items():
            with np.errstate(invalid="ignore"):
                reach = stats.t.ppf(p, one.df[..., None])
            out[name] = one.mean[..., None] + one.sd[..., None] * reach
        return out

    def hdi(self, level: float) -> dict[str, np.ndarray]:
        """Return the ends of the shortest interval, estimand -> (fit, *group, 2); NaN for parameters."""
        ends = self.quantiles(((1 - level) / 2, (1 + level) / 2))
        return {name: np.full_like(v, np.nan) if name in self._parameters else v for name, v in ends.items()}

    def cdf(self, values: Values) -> dict[str, np.ndarray]:
        """Return the confidence that an estimand is less than given values, estimand -> (fit, *group)."""
        out: dict[str, np.ndarray] = {}
        for name, value in values.items():
            if name in self._parameters:
                at = np.broadcast_to(value, len(self.estimates))
                profiles = self._profiles(name)
                out[name] = np.array(
                    [np.nan if o is None else o.cdf(float(x)) for o, x in zip(profiles, at, strict=True)]
                )
                continue
            one = self._linear[name]
            with np.errstate(invalid="ignore", divide="ignore"):
                out[name] = np.asarray(stats.t.cdf((value - one.mean) / one.sd, one.df))
        return out

    def crps(self, values: Values) -> dict[str, np.ndarray]:
        """Return the continuous ranked probability score at given values; NaN for parameters."""
        out = {}
        for name, value in values.items():
            if name in self._parameters:
                out[name] = np.full(len(self.estimates), np.nan)
                continue
            one = self._linear[name]
            with np.errstate(invalid="ignore", divide="ignore"):
                out[name] = one.sd * standard_crps((value - one.mean) / one.sd, one.df)
        return out

    @property
    def _parameters(self) -> tuple[str, ...]:
        return tuple(self._first.parameters)

    @property
    def _first(self) -> Estimate:
        return next(one for one in self.estimates if not one.reason)

    @cached_property
    def _linear(self) -> dict[str, Linear]:
        """Estimand -> estimates of all data sets, (fit, *group)."""
        out = {}
        for name, first in self._first.linear.items():
            lacking = Linear(**dict.fromkeys(("mean", "sd", "df"), np.full(first.mean.shape, np.nan)))
            each = [one.linear.get(name, lacking) for one in self.estimates]
            parts = {field: np.stack([getattr(one, field) for one in each]) for field in ("mean", "sd", "df")}
            out[name] = Linear(**{f: v[:, 0] if name in self.singles else v for f, v in parts.items()})
        return out

    def _profiles(self, name: str) -> list[Profile | None]:
        return [one.profiles.get(name) for one in self.estimates]


def standard_crps(z: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Return the score of a standard t distribution, a normal one where df is infinite; NaN up to 1 degree of freedom.

    Jordan, Krueger & Lerch 2019, Evaluating probabilistic forecasts with scoringRules, appendix A.

    >>> float(standard_crps(np.array(0.0), np.array(np.inf)).round(4))
    0.2337
    """
    z, df = np.broadcast_arrays(np.asarray(z, float), np.asarray(df, float))
    with np.errstate(invalid="ignore"):
        is_normal = np.isinf(df)
        nu = np.where(df > 1, np.where(is_normal, 2.0, df), np.nan)
    of_t = z * (2 * stats.t.cdf(z, nu) - 1) + 2 * stats.t.pdf(z, nu) * (nu + z**2) / (nu - 1)
    of_t -= 2 * np.sqrt(nu) / (nu - 1) * np.exp(betaln(0.5, nu - 0.5) - 2 * betaln(0.5, nu / 2))
    of_normal = z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi)
    return np.where(is_normal, of_normal, of_t)
