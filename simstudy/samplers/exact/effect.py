"""The effect of one binomial group given mu and tau.

It is theta = mu + tau z, with z of log density

    f(z) = k theta - n log(1 + exp theta) - z^2 / 2,

which is concave, with a curvature of at least 1 everywhere. Newton's method for f' = 0 inside a bracket finds the mode.
Started outside, Newton's method for f = constant stays outside: it gives a range that holds all but exp(-36) of the
mass, for the trapezoid rule, and the tangents for exact draws by rejection (Gilks & Wild 1992, Adaptive rejection
sampling for Gibbs sampling, Applied Statistics 41:337).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import expit, logit

from simstudy.samplers.exact.box import nodes
from simstudy.samplers.exact.marginal import SincMixture

_DROP = 36.0  # f falls by this over the range of the trapezoid rule
_NODES = 48  # over a range of at most 17 standard deviations
_WIDEST, _MOST_DOUBLINGS = 0.6, 4  # distance of nodes in theta, with its poles at i pi; the number is doubled for it
_LEAST_SHARE = 1e-14  # lighter nodes have no part in a distribution function
_MODE_STEPS, _RANGE_STEPS = 150, 12
_PEAK_ERROR = 1e-10  # of f at the mode
_RANGE_ERROR = 0.05  # of the distance from the mode: the range is only made shorter
_NEAR = 500.0  # in theta: as a rule the likelihood alone has fallen enough that far from the mode
_TANGENT_DROP = 1.0  # where tangents touch: the proposal then is kept about nine times in ten


TRIALS, COUNTS, NEGATIVE_BINOMIAL = 0, 1, 2
"""Kinds of likelihoods: k theta - n log(1 + exp theta), k theta - n exp theta, and one that is trials in its place."""


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """A trapezoid rule over z for some elements.

    Args:
        index: (element,) of the flattened arrays.
        theta: (element, node).
        relative: (element, node) density relative to its peak.
        spacing: (element,) distance of the nodes in z.
    """

    index: np.ndarray
    theta: np.ndarray
    relative: np.ndarray
    spacing: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Standardized effects of groups at values of mu and tau, all arrays of one shape.

    Args:
        n: trials.
        k: successes.
        mu: mean of the effects.
        tau: their standard deviation, positive.
        mode: z of the largest density.
        peak: f there.
    """

    n: np.ndarray
    k: np.ndarray
    mu: np.ndarray
    tau: np.ndarray
    mode: np.ndarray
    peak: np.ndarray

    @classmethod
    def of(cls, *, n: np.ndarray, k: np.ndarray, mu: np.ndarray, tau: np.ndarray) -> Self:
        """Return the effects of groups; the arguments are broadcast."""
        n, k, mu, tau = np.broadcast_arrays(n, k, mu, tau)
        mode = _mode(n, k, mu, tau)
        return cls(n=n, k=k, mu=mu, tau=tau, mode=mode, peak=_f(mode, n, k, mu, tau)[0])

    @property
    def log_integral(self) -> np.ndarray:
        """The log of p(k | mu, tau) without the binomial coefficient."""
        total = np.empty(self.mode.size)
        for rule in self._rules():
            total[rule.index] = rule.relative.sum(-1) * rule.spacing
        return self.peak + np.log(total.reshape(self.mode.shape) / np.sqrt(2 * np.pi))

    def moments(self) -> dict[str, np.ndarray]:
        """Return mean and variance, (2, ...), of ``theta`` and ``p`` given the data, mu and tau."""
        out = {name: np.empty((2, self.mode.size)) for name in ("theta", "p")}
        for rule in self._rules():
            weights = rule.relative / rule.relative.sum(-1, keepdims=True)
            for name, x in (("theta", rule.theta), ("p", expit(rule.theta))):
                mean = (weights * x).sum(-1)
                out[name][:, rule.index] = mean, (weights * (x - mean[:, None]) ** 2).sum(-1)
        return {name: value.reshape(2, *self.mode.shape) for name, value in out.items()}

    def mixture(self, weights: np.ndarray) -> SincMixture:
        """Return the distribution of theta, averaged over the elements with weights that sum to 1."""
        each, theta, widths = [], [], []
        for rule in self._rules():
            share = weights.ravel()[rule.index, None] * rule.relative / rule.relative.sum(-1, keepdims=True)
            counts = share > _LEAST_SHARE
            width = self.tau.ravel()[rule.index] * rule.spacing
            each.append(share[counts])
            theta.append(rule.theta[counts])
            widths.append(np.broadcast_to(width[:, None], share.shape)[counts])
        all_ = np.concatenate(each)
        return SincMixture(weights=all_ / all_.sum(), locations=np.concatenate(theta), widths=np.concatenate(widths))

    def draw(self, stream: np.random.Generator) -> np.ndarray:
        """Draw z from its posterior, one for each element."""
        parts = np.stack([x.ravel() for x in (self.n, self.k, self.mu, self.tau, self.mode, self.peak)])
        touch = [self._outside(side * np.ones_like(self.mode), _TANGENT_DROP).ravel() for side in (-1, 1)]
        z, left = np.empty(parts.shape[1]), np.arange(parts.shape[1])
        while len(left):
            proposal, log_height = _from_tangents(parts[:, left], [t[left] for t in touch], stream)
            f = _f(proposal, *parts[:4, left])[0]
            keep = stream.random(len(left)) < np.exp(f - log_height)
            z[left[keep]] = proposal[keep]
            left = left[~keep]
        return z.reshape(self.mode.shape)

    def _rules(self) -> Iterator["_Rule"]:
        """Yield the trapezoid rules of all elements, those of one number of nodes together."""
        lower, upper = (self._outside(side * np.ones_like(self.mode), _DROP).ravel() for side in (-1, 1))
        mu, tau, peak = (x.ravel() for x in (self.mu, self.tau, self.peak))
        n, k = (x.ravel() for x in (self.n, self.k))
        doublings = np.log2(np.maximum(tau * (upper - lower) / (_NODES * _WIDEST), 1))
        doublings = np.minimum(np.ceil(doublings), _MOST_DOUBLINGS).astype(int)
        for d in np.unique(doublings):
            index = np.flatnonzero(doublings == d)
            z = nodes(lower[index], upper[index], _NODES << d)
            theta = mu[index, None] + tau[index, None] * z
            log_failure = -np.maximum(theta, 0.0) - np.log1p(np.exp(-np.abs(theta)))
            f = k[index, None] * theta + n[index, None] * log_failure - 0.5 * z**2
            relative = np.exp(f - peak[index, None])
            yield _Rule(index=index, theta=theta, relative=relative, spacing=z[:, 1] - z[:, 0])

    def _outside(self, side: np.ndarray, drop: float) -> np.ndarray:
        """Return a point on a side of the mode where f has fallen by ``drop`` or somewhat more."""
        far = np.full_like(self.mode, np.sqrt(2 * drop))  # enough, as the curvature is at least 1
        near = np.minimum(far, _NEAR / self.tau)
        is_enough = _f(self.mode + side * near, self.n, self.k, self.mu, self.tau)[0] < self.peak - drop
        z = self.mode + side * np.where(is_enough, near, far)
        for _ in range(_RANGE_STEPS):
            f, slope, _ = _f(z, self.n, self.k, self.mu, self.tau)
            step = (f - self.peak + drop) / slope
            z = z - step
            if (np.abs(step) <= _RANGE_ERROR * np.abs(z - self.mode)).all():
                break
        return z


def _f(
    z: np.ndarray, n: np.ndarray, k: np.ndarray, mu: np.ndarray, tau: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return f and its first two derivatives."""
    theta = mu + tau * z
    small = np.exp(-np.abs(theta))  # one exponential for log(1 + exp theta) and for p, each to full precision
    p = np.where(theta > 0, 1.0, small) / (1 + small)
    f = k * theta - n * (np.maximum(theta, 0.0) + np.log1p(small)) - 0.5 * z**2
    return f, tau * (k - n * p) - z, -(n * p * (1 - p) * tau**2) - 1


def _mode(n: np.ndarray, k: np.ndarray, mu: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Return the mode of f, by Newton's method inside a bracket, every third step halving it."""
    parts = np.stack([x.ravel() for x in np.broadcast_arrays(n, k, mu, tau)])
    ends = _mode_bracket(*parts)
    z = ends.mean(0)
    left = np.arange(len(z))
    for step in range(_MODE_STEPS):
        _, slope, curvature = _f(z[left], *parts[:, left])
        ends[0, left] = np.where(slope >= 0, z[left], ends[0, left])
        ends[1, left] = np.where(slope <= 0, z[left], ends[1, left])
        newton = z[left] - slope / curvature
        is_inside = (newton > ends[0, left]) & (newton < ends[1, left]) & (step % 3 < 2)
        following = np.where(is_inside, newton, ends[:, left].mean(0))
        # By concavity f rises to its peak by less than slope times width of the bracket.
        left_to_do = np.abs(slope) * np.ptp(ends[:, left], axis=0) > _PEAK_ERROR
        z[left[left_to_do]] = following[left_to_do]
        left = left[left_to_do]
        if not len(left):
            break
    return z.reshape(np.shape(mu))


def _mode_bracket(n: np.ndarray, k: np.ndarray, mu: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Return ends of an interval of z with the mode, (2, element).

    As f'' <= -1 the mode lies between 0 and f'(0); and theta there between mu and logit(k / n). Where k = 0, p below
    exp(theta) gives mu - theta <= W(x), x = tau^2 n exp(mu), and Lambert's W(x) is below log(1 + x); k = n likewise.
    """
    first_slope = _f(np.zeros_like(mu), n, k, mu, tau)[1]
    log_x = np.log(np.maximum(n, 1)) + 2 * np.log(tau)
    farthest = np.where(k == 0, -np.logaddexp(0, log_x + mu), np.logaddexp(0, log_x - mu))
    is_inner = (k > 0) & (k < n)
    farthest = np.where(is_inner, logit(np.where(is_inner, k / np.maximum(n, 1), 0.5)) - mu, farthest) / tau
    far = np.where(np.abs(first_slope) < np.abs(farthest), first_slope, farthest)
    return np.stack([np.minimum(far, 0.0), np.maximum(far, 0.0)])


def _from_tangents(
    parts: np.ndarray, touch: list[np.ndarray], stream: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw from the envelope of f made of its tangents at two points and its peak; also return the envelope there.

    Args:
        parts: (6, element) n, k, mu, tau, mode, peak.
        touch: the points left and right of the mode, each (element,).
        stream: random numbers.
    """
    peak = parts[5]
    (f_left, slope_left, _), (f_right, slope_right, _) = (_f(t, *parts[:4]) for t in touch)
    start = touch[0] + (peak - f_left) / slope_left  # where the left tangent reaches the peak
    end = touch[1] + (peak - f_right) / slope_right
    left, middle, right = 1 / slope_left, end - start, -1 / slope_right
    place = stream.random(parts.shape[1]) * (left + middle + right) - left
    tail = stream.standard_exponential(parts.shape[1])
    z = np.where(place < 0, start - tail * left, np.where(place < middle, start + place, end + tail * right))
    is_tail = (place < 0) | (place >= middle)
    return z, peak - np.where(is_tail, tail, 0.0)
