"""What the gate says of a sampler: whether it passed, at what evidence, and how far it is off in each quantity."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from simstudy.testing.expectation import ConformanceError
from simstudy.testing.gating.observed import CONTENT, LEAST_CONTENT, OUTSIDE, Limits, Observed

MOST_REASONS = 3
LARGEST_EXPONENT = 99.0
"""Powers of ten of evidence that are told; more says nothing more."""
MOST_WRITTEN = 6
"""Powers of ten from which evidence is written with its power."""
COLUMNS = ("posterior", "quantity", "check", "found", "mcse", "expected", "evidence")


def joined(parts: Sequence[Observed]) -> Observed:
    """Return what successive chains say, as one."""
    arrays = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Observed)
        if isinstance(getattr(parts[0], field.name), np.ndarray)
    }
    return Observed(**arrays, n_draws=parts[0].n_draws, n_lost=sum(part.n_lost for part in parts))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the gate says of a sampler.

    Args:
        sampler: its name.
        limits: posterior -> what was asked.
        observed: posterior -> what its chains say.
        log_each: (bet,) log of the evidence of each bet, those of one posterior after those of another.
        log_total: largest log of the mean evidence of all bets after any chain.
        needed: chains of each posterior after which the sampler was refused; None where it passed.
        alpha: probability of refusing a right sampler, at most.
    """

    sampler: str
    limits: Mapping[str, Limits]
    observed: Mapping[str, Observed]
    log_each: np.ndarray
    log_total: float
    needed: int | None
    alpha: float

    @property
    def passed(self) -> bool:
        """Whether nothing was shown to be wrong."""
        return self.needed is None

    @property
    def is_too_short(self) -> bool:
        """Whether it was refused for coverage, and would have passed without: no error of a draw is shown."""
        if self.passed or self._is_lost:
            return False
        checks = [check for limits in self.limits.values() for check, _ in limits.bets]
        others = self.log_each[[check != "coverage" for check in checks]]
        return bool(logsumexp(others) - np.log(len(self.log_each)) < -np.log(self.alpha))

    @property
    def _is_lost(self) -> bool:
        return any(observed.n_lost for observed in self.observed.values())

    @property
    def n_chains(self) -> int:
        """Chains of each posterior that were run."""
        return len(next(iter(self.observed.values())).location)

    @property
    def cost(self) -> dict[str, float]:
        """Cost of an effective draw by posterior: of all draws, times the mean squared error of their mean."""
        return {name: float(observed.cost.mean()) for name, observed in self.observed.items()}

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row per posterior, quantity and check: what was found, its Monte Carlo standard error, what is expected.

        ``error`` is the mean of the draws less that of the posterior, in its sds; ``calibration`` the root mean square
        distance of draws from the exact mean, in its sds; ``tails`` the share of draws outside the exact central 99 %
        interval; ``coverage`` the exact probability of a chain's own central 90 % interval, with what independent
        draws would give; ``efficiency`` the cost of an effective draw, with the largest that is allowed. ``evidence``
        is the power of ten of what its bets add to the evidence, which is the mean over all bets: 3 alone refuses a
        sampler.
        """
        rows = [row for name in self.limits for row in self._rows(name)]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    @property
    def reasons(self) -> list[str]:
        """Why the sampler was refused, strongest evidence first; empty where it passed."""
        if self.passed:
            return []
        lost = [
            f"{observed.n_lost} of {self.n_chains} chains of {name} have draws that are not finite"
            for name, observed in self.observed.items()
            if observed.n_lost
        ]
        ranked = self.table.sort_values("evidence", ascending=False, kind="stable").head(MOST_REASONS)
        shown = ranked[ranked["evidence"] >= min(ranked["evidence"].max(), -np.log10(self.alpha))]
        return lost or [_sentence(row, self.limits[row["posterior"]]) for _, row in shown.iterrows()]

    def check(self) -> None:
        """Raise unless the sampler passed.

        Raises:
            ConformanceError: what is wrong, by how much, at what evidence.
        """
        if not self.passed:
            raise ConformanceError(str(self))

    def write_baseline(self, path: str | Path) -> None:
        """Write the cost of an effective draw, for later runs to be held to."""
        costs = {name: float(f"{cost:.4g}") for name, cost in self.cost.items()}
        Path(path).write_text(json.dumps(costs, indent=2) + "\n", "utf-8")

    def __str__(self) -> str:
        posteriors = f"{len(self.limits)} posterior{'s' if len(self.limits) > 1 else ''}"
        if self.passed:
            return (
                f"{self.sampler} passes the gate: {self.n_chains:,} chains on each of {posteriors}, evidence "
                f"{_odds(self.log_total / np.log(10))} where {1 / self.alpha:,.0f} refuses"
            )
        head = f"{self.sampler} does not pass the gate, after {self.needed:,} chains on each of {posteriors}"
        if not self._is_lost:
            head += f", evidence {_odds(self.log_total / np.log(10))} where {1 / self.alpha:,.0f} refuses"
        head += "; no error of its draws is shown, its chains are too short:" if self.is_too_short else ":"
        return "\n".join([head, *(f"  {reason}" for reason in self.reasons)])

    def _rows(self, name: str) -> list[tuple[str, str, str, float, float, float, float]]:
        limits, observed = self.limits[name], self.observed[name]
        evidence = self._evidence(name)
        root = np.sqrt(observed.square.mean(axis=0))
        found = {
            "error": (*_mean_and_mcse(observed.error), 0.0),
            "calibration": (root, _mean_and_mcse(observed.square)[1] / (2 * root), 1.0),
            "tails": (*_mean_and_mcse(observed.tails), OUTSIDE),
            "coverage": (*_mean_and_mcse(observed.content), CONTENT),
        }
        rows = [
            (name, quantity.name, check, float(value[i]), float(mcse[i]), expected, evidence[check, quantity.name])
            for check, (value, mcse, expected) in found.items()
            for i, quantity in enumerate(limits.quantities)
        ]
        if limits.cost is not None:
            value, mcse = _mean_and_mcse(observed.cost[:, None])
            row = (float(value[0]), float(mcse[0]), limits.cost, evidence["efficiency", ""])
            rows.append((name, "", "efficiency", *row))
        return rows

    def _evidence(self, name: str) -> dict[tuple[str, str], float]:
        """Return (check, quantity) -> power of ten of the evidence, the larger of two directions."""
        names = list(self.limits)
        lengths = [len(self.limits[one].bets) for one in names]
        begin = sum(lengths[: names.index(name)])
        each = (self.log_each - np.log(len(self.log_each))) / np.log(10)
        out: dict[tuple[str, str], float] = {}
        for bet, power in zip(self.limits[name].bets, each[begin:], strict=False):
            out[bet] = max(out.get(bet, -np.inf), float(power))
        return out


def _mean_and_mcse(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and Monte Carlo standard error over chains."""
    n = len(values)
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(values.shape[1], np.nan)


def _sentence(row: pd.Series, limits: Limits) -> str:
    """Return what is wrong, in words."""
    found, mcse, what = row["found"], row["mcse"], f"{row['quantity']} of {row['posterior']}"
    if row["check"] == "error":
        side = "high" if found > 0 else "low"
        text = f"{what}: draws are {abs(found):.2f} ± {mcse:.2f} posterior sds too {side}"
    elif row["check"] == "calibration":
        text = f"{what}: draws spread {found:.2f} ± {mcse:.2f} posterior sds about the exact mean, not 1"
    elif row["check"] == "tails":
        text = f"{what}: {found:.1%} ± {mcse:.1%} of the draws lie outside the exact 99 % interval, not {OUTSIDE:.0%}"
    elif row["check"] == "coverage":
        text = (
            f"{what}: a chain's own 90 % interval holds {found:.0%} of the posterior, below {LEAST_CONTENT:.0%}: "
            "chains are too short for how they move, or stand still"
        )
    else:
        text = f"{row['posterior']}: an effective draw costs {found:.4g} ± {mcse:.2g}, above {limits.cost:.4g}"
    is_borne = limits.tolerance > 0 and row["check"] in ("error", "calibration", "tails")
    borne = f"; an error of {limits.tolerance:g} posterior sds is borne" if is_borne else ""
    return f"{text} ({_odds(row['evidence'])} of the evidence{borne})"


def _odds(power: float) -> str:
    """Return evidence as a number, from its power of ten.

    >>> _odds(-2.43), _odds(2.64), _odds(3.01), _odds(7.1), _odds(1000.0)
    ('0.0037', '440', '1,000', '1e+07', 'over 1e+99')
    """
    if power > LARGEST_EXPONENT:
        return f"over 1e+{LARGEST_EXPONENT:.0f}"
    if power >= MOST_WRITTEN:
        return f"{10**power:.1g}"
    return f"{10**power:.2g}" if power < 2 else f"{float(f'{10**power:.2g}'):,.0f}"
