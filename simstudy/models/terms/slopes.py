"""Intercepts and slopes that vary over the levels and are correlated: b_j ~ Normal(0, diag(tau) R diag(tau)).

With L the Cholesky factor of R, b_j = diag(tau) L z_j. Two columns have the correlation rho itself. More have R ~ LKJ
with a shape by independent partial correlations (Lewandowski, Kurowicka & Joe 2009, section 2.4): the partial
correlation of columns i < k of K, given those before i, is 2 B - 1 with B ~ Beta(b, b), b = shape + (K - 2 - i) / 2,
counted from 0; under a shape of 1 every correlation matrix is equally likely.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from simstudy.errors import StudyError
from simstudy.models.design import Factor
from simstudy.models.estimands import TAU, Estimand, Parameter
from simstudy.models.mixing import mixed
from simstudy.models.shapes import Array
from simstudy.models.terms.structure import EFFECT, NOISE, Constants, TermStructure, Values, slope_name

TAU_AT_ZERO = replace(TAU, default_of_data="HalfNormal(s_0)")
TAU_SLOPE = replace(TAU, name="tau_slope", symbol="τ_slope", words="the sd of the slopes", default_of_data=None)
RHO = Parameter(
    name="rho",
    role="correlation",
    symbol="ρ",
    words="the correlation of intercepts and slopes",
    lower=-1.0,
    upper=1.0,
    support="correlation",
    default="Uniform(-1, 1)",
    value=0.0,
    moves="none",
)
PARTIAL = Parameter(
    name="partial", role="share", lower=0.0, upper=1.0, support="unit", default="Beta(1, 1)", value=0.5, moves="none"
)


@dataclass(frozen=True, kw_only=True)
class Slopes(TermStructure):
    """Correlated intercepts and slopes.

    Args:
        covariates: of the slopes, at least one.
        correlated: whether they hang together; if not, R is the identity.
        shape: of the LKJ distribution of R, above 0, for three columns and more; for two, rho has a prior of its own.
    """

    kind: ClassVar[str] = "slopes"
    formula: ClassVar[str] = "(u_j, b_j) ~ Normal(0, diag(τ) R diag(τ))"
    has_new: ClassVar[bool] = True
    covariates: tuple[str, ...] = ()
    correlated: bool = True
    shape: Annotated[float, Field(gt=0)] = 1.0

    @property
    def words(self) -> str:  # type: ignore[override]
        """Whether correlated, and on what."""
        how = "correlated" if self.correlated else "independent"
        return f"{how} intercepts and slopes on {', '.join(self.covariates)}"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Standard deviations of intercepts and of each slope, and correlations or partial correlations."""
        several = len(self.covariates) > 1
        of_data = [replace(TAU_SLOPE, default_of_data=f"HalfNormal(s/s_{x})") for x in self.covariates]
        slopes = [
            replace(slope, name=f"tau_{x}", symbol=f"τ_{x}", words=f"the sd of the slopes on {x}") if several else slope
            for x, slope in zip(self.covariates, of_data, strict=True)
        ]
        return (TAU_AT_ZERO, *slopes, *(self._correlations if self.correlated else ()))

    @property
    def scales(self) -> tuple[str, ...]:
        """The standard deviation of every column."""
        return tuple(parameter.name for parameter in self.parameters[: len(self.columns)])

    @property
    def columns(self) -> tuple[str, ...]:
        """The intercept, and the slope of each covariate."""
        return (EFFECT, *(slope_name(name, self.covariates) for name in self.covariates))

    def check(self, factor: Factor) -> None:
        """Refuse slopes on nothing, or twice on the same."""
        if not self.covariates:
            raise StudyError('slopes need a covariate; give one, such as covariates = ["x"]')
        twice = sorted(name for name in set(self.covariates) if self.covariates.count(name) > 1)
        if twice:
            raise StudyError(f"covariates: {twice[0]!r} stands twice; give every covariate once")

    def parts(self, factor: Factor) -> dict[str, int]:
        """Return the noise of each column, apart."""
        return {f"{NOISE}{k}": factor.n_levels for k in range(len(self.columns))}

    def scale(self, p: Values, constants: Constants, xp: ModuleType) -> dict[str, Array]:
        """Return the standard deviation of each column given those before it, tau_k L_kk."""
        tau, rows = self._scales(p), self._rows(p, xp)
        return {f"{NOISE}{k}": tau[k] * rows[k][k] for k in range(len(tau))}

    def conditional_mean(self, part: str, p: Values, z: Mapping[str, Array], xp: ModuleType) -> Array | None:
        """Return tau_k sum over j < k of L_kj z_j."""
        k = int(part.removeprefix(NOISE))
        if not k or not self.correlated:
            return None
        row = self._rows(p, xp)[k]
        return self._scales(p)[k] * sum(row[j] * z[f"{NOISE}{j}"] for j in range(k))

    def effects(self, p: Values, z: Mapping[str, Array], constants: Constants, xp: ModuleType) -> dict[str, Any]:
        """Return diag(tau) L z, a column apart."""
        tau, rows = self._scales(p), self._rows(p, xp)
        weights = [[None if w is None else tau[k] * w for w in row] for k, row in enumerate(rows)]
        noise = [z[f"{NOISE}{k}"] for k in range(len(rows))]
        return dict(zip(self.columns, mixed(weights, noise, xp), strict=True))

    def variance(self, p: Values, constants: Constants, xp: ModuleType) -> Array:
        """Return that of the intercepts, tau^2."""
        return p["tau"] ** 2

    def new_effect(
        self,
        p: Values,
        z: Mapping[str, np.ndarray],
        effects: Mapping[str, Any],
        constants: Constants,
        noise: np.ndarray,
    ) -> np.ndarray:
        """Draw the intercept of a new level."""
        return p["tau"] * noise

    @property
    def derived(self) -> tuple[Estimand, ...]:
        """The correlation of each pair of columns, where partial ones are the parameters."""
        if not self.correlated or len(self.columns) == 2:
            return ()
        names = ("effect", *self.covariates)
        return tuple(
            Estimand(
                name=f"rho_{names[i]}_{names[k]}",
                role="correlation",
                symbol=f"ρ_{names[i]},{names[k]}",
                words=f"the correlation of {names[i]} and {names[k]}",
                lower=-1.0,
                upper=1.0,
                moves="none",
            )
            for k in range(1, len(names))
            for i in range(k)
        )

    def derive(self, p: Values, xp: ModuleType) -> dict[str, Any]:
        """Return R = L L' below its diagonal."""
        if not self.derived:
            return {}
        rows, names = self._rows(p, xp), iter(self.derived)
        pairs = [(i, k) for k in range(1, len(rows)) for i in range(k)]
        return {next(names).name: sum(rows[i][j] * rows[k][j] for j in range(i + 1)) for i, k in pairs}

    @property
    def _correlations(self) -> tuple[Parameter, ...]:
        """Return rho of two columns; of more, each partial correlation as its place between -1 and 1, from 0 to 1."""
        names = ("effect", *self.covariates)
        if len(names) == 2:
            return (RHO,)
        out = []
        for k in range(1, len(names)):
            for i in range(k):
                b = self.shape + (len(names) - 2 - i) / 2
                given = f" given {', '.join(names[:i])}" if i else ""
                out.append(
                    replace(
                        PARTIAL,
                        name=f"partial_{names[i]}_{names[k]}",
                        words=f"half of 1 plus the partial correlation of {names[i]} and {names[k]}{given}",
                        default=f"Beta({b:g}, {b:g})",
                    )
                )
        return tuple(out)

    def _scales(self, p: Values) -> list[Any]:
        return [p[name] for name in self.scales]

    def _rows(self, p: Values, xp: ModuleType) -> list[list[Any]]:
        """Return the rows of the Cholesky factor L of R, from partial correlations (eq. 5 of the reference)."""
        n = len(self.columns)
        if not self.correlated:
            return [[1.0 if i == k else None for i in range(k + 1)] for k in range(n)]
        partial = iter(self._correlations)
        rows: list[list[Any]] = [[1.0]]
        for _ in range(1, n):
            row, left = [], 1.0
            for _ in range(len(rows)):
                value = p[next(partial).name]
                correlation = value if n == 2 else 2 * value - 1
                row.append(correlation * left)
                left = left * xp.sqrt((1 - correlation) * (1 + correlation))
            rows.append([*row, left])
        return rows
