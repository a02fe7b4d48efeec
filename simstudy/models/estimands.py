"""What a quantity of a model is called, where it can lie and what part it plays: declared once, by who makes it.

The default priors for given data are weakly informative in the unit of the data, as those of rstanarm (Goodrich et al.
2024, Prior Distributions for rstanarm Models), bambi (Capretto et al. 2022, JSS 103(15)) and brms (Buerkner 2017, JSS
80(1)) are: with m their center and s their spread (``Likelihood.unit_of``), mu and theta ~ Normal(m, 2.5 s),
tau ~ HalfNormal(s), sigma ~ Exponential(1/s).

Samplers, measures and reports ask these declarations; none of them knows a quantity by its name. A run stores them in
its table of estimands, so that whoever reads the run needs no model. Here stand the quantities of grouped models; a
family with others declares them in its own file. Plain data, without JAX.
"""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from simstudy.models.unit import Moves, Unit

Role = Literal[
    "effects", "mean", "location", "scale", "correlation", "share", "weight", "indicator", "prediction", "fit"
]
Support = Literal["real", "positive", "unit", "correlation"]


@dataclass(frozen=True, kw_only=True)
class Estimand:
    """A quantity that a study asks about.

    Args:
        name: what it is called in study files and tables.
        role: ``effects`` (one of each group), ``mean`` (of an observation, under a link function), ``location``,
            ``scale`` (a standard deviation or variance), ``correlation``, ``share`` (of a variance), ``weight`` (of the
            common mean in an effect), ``indicator`` (0 or 1 in each draw), ``prediction`` or ``fit``.
        symbol: its letter; its name where empty.
        words: what it is called in a sentence; its name where empty.
        lower: least value that it can have.
        upper: largest value that it can have.
        center: estimand around which it lies, for effects.
        spread: estimand that is its standard deviation around the center, for effects.
        on_effect_scale: whether it is on the scale of the effects, that of the link function where there is one.
        factor: grouping factor that it belongs to; None where there is a single one.
        moves: how it moves with the origin and the unit of the data (``models.unit``); None where that is not known, so
            that a model with it is fitted in the unit of its data.
    """

    name: str
    role: Role | None = None
    symbol: str = ""
    words: str = ""
    lower: float = -math.inf
    upper: float = math.inf
    center: str | None = None
    spread: str | None = None
    on_effect_scale: bool = False
    factor: str | None = None
    moves: Moves | None = None

    def row(self, scale: str) -> dict[str, Any]:
        """Return its row of the table of estimands, given the scale of the effects, ``natural`` or ``link``."""
        declared = asdict(self)
        own = {name: declared[name] for name in ROW}
        return {**own, "scale": scale if self.on_effect_scale else "natural"}


ROW = ("factor", "role", "lower", "upper", "center", "spread", "symbol", "words")
"""What the table of estimands holds of one, beside its scale."""


@dataclass(frozen=True, kw_only=True)
class Parameter(Estimand):
    """A quantity that a model puts a prior on, and a mechanism a value.

    Args:
        support: where it can lie.
        default: default prior, as text.
        default_of_data: default prior where the data are given and not simulated, made of their center m and spread s;
            None where it is the same.
        value: what a mechanism has where none is given.
        default_on_link: default prior under a link function, where that is another.
        may_be_zero: whether a mechanism may have it at 0, a positive one that is.
    """

    support: Support = "real"
    default: str
    default_of_data: str | None = None
    value: float = 1.0
    default_on_link: str | None = None
    may_be_zero: bool = False

    @property
    def range(self) -> str:
        """What a constant in the parameter's place may be, for messages."""
        if self.support != "positive":
            return {"real": "a finite number", "unit": "a number from 0 to 1", "correlation": "a number from -1 to 1"}[
                self.support
            ]
        return "a number >= 0" if self.may_be_zero else "a number > 0"

    def default_prior(self, scale: str, unit: Unit | None = None) -> str:
        """Return the default prior on a scale of the effects, ``natural`` or ``link``.

        Args:
            scale: of the effects.
            unit: of given data, on that scale; None where data are simulated.

        >>> TAU.default_prior("natural"), TAU.default_prior("link")
        ('HalfNormal(5)', 'HalfNormal(1)')
        >>> TAU.default_prior("natural", Unit(center=298.5, spread=56.36))
        'HalfNormal(56.36)'
        """
        if unit is not None and self.default_of_data:
            return unit.prior(self.default_of_data)
        return self.default_on_link if scale == "link" and self.default_on_link else self.default


THETA = Parameter(
    name="theta",
    role="effects",
    symbol="θ",
    words="the group effects θ",
    center="mu",
    spread="tau",
    on_effect_scale=True,
    default="Normal(0, 10)",
    default_of_data="Normal(m, 2.5 s)",
    moves="value",
)
MU = Parameter(
    name="mu",
    role="location",
    symbol="μ",
    words="the mean of the groups μ",
    on_effect_scale=True,
    default="Normal(0, 10)",
    value=0.0,
    default_of_data="Normal(m, 2.5 s)",
    moves="value",
)
TAU = Parameter(
    name="tau",
    role="scale",
    symbol="τ",
    words="the sd between groups τ",
    lower=0.0,
    on_effect_scale=True,
    support="positive",
    default="HalfNormal(5)",
    default_on_link="HalfNormal(1)",
    may_be_zero=True,
    default_of_data="HalfNormal(s)",
    moves="difference",
)
SIGMA = Parameter(
    name="sigma",
    role="scale",
    symbol="σ",
    words="the residual sd σ",
    lower=0.0,
    support="positive",
    default="Exponential(1)",
    default_of_data="Exponential(1/s)",
    moves="difference",
)
OMEGA = Parameter(
    name="omega",
    role="scale",
    symbol="ω",
    words="the spread of the groups' residual sds ω",
    lower=0.0,
    support="positive",
    default="HalfNormal(1)",
    value=0.5,
    moves="none",
)
THETA_MEAN = Estimand(
    name="theta_mean",
    role="location",
    symbol="mean θ",
    words="the average of these groups' effects",
    on_effect_scale=True,
    moves="value",
)
THETA_SD = Estimand(
    name="theta_sd",
    role="scale",
    symbol="sd of θ",
    words="the sd of these groups' effects",
    lower=0.0,
    on_effect_scale=True,
    moves="difference",
)
THETA_VAR = Estimand(
    name="theta_var",
    role="scale",
    symbol="var of θ",
    words="the variance of these groups' effects",
    lower=0.0,
    on_effect_scale=True,
    moves="variance",
)
THETA_NEW = Estimand(
    name="theta_new",
    role="prediction",
    symbol="new θ",
    words="the effect of a new group",
    on_effect_scale=True,
    moves="value",
)
Y_NEW = Estimand(name="y_new", role="prediction", symbol="new y", words="an observation in a new group", moves="value")
SIGMA_MEDIAN = Estimand(
    name="sigma_median",
    role="scale",
    symbol="median σ",
    words="the median of the groups' residual sds",
    lower=0.0,
    moves="difference",
)
LOG_LIK = Estimand(name="log_lik", role="fit", symbol="log lik", words="the log likelihood", moves="log_density")
LOG_DENSITY = Estimand(
    name="log_density",
    role="fit",
    symbol="log density",
    words="the log density of the observations",
    moves="log_density",
)
P = Estimand(name="p", role="mean", words="the probabilities p", lower=0.0, upper=1.0)
RATE = Estimand(name="rate", role="mean", symbol="λ", words="the rates λ", lower=0.0)
SHRINKAGE_WEIGHT = Estimand(
    name="shrinkage_weight",
    role="weight",
    symbol="B",
    words="the shrinkage weights B",
    lower=0.0,
    upper=1.0,
    moves="none",
)
PROB_BEST = Estimand(
    name="prob_best",
    role="indicator",
    symbol="P(best)",
    words="the probability of being the best group",
    lower=0.0,
    upper=1.0,
    moves="none",
)

OF_GROUPED_MODELS: dict[str, Estimand] = {
    estimand.name: estimand
    for estimand in (
        *(THETA, MU, TAU, SIGMA, THETA_MEAN, THETA_SD, THETA_VAR, THETA_NEW, Y_NEW),
        *(OMEGA, SIGMA_MEDIAN, LOG_LIK, LOG_DENSITY, P, SHRINKAGE_WEIGHT, PROB_BEST),
    )
}
"""In the order in which reports list them."""


def estimand_of(name: str) -> Estimand:
    """Return the declaration of a quantity of grouped models, or one that says nothing but the name.

    What a run does not declare (one made before runs did, or a user's model that says nothing) is read like this.

    >>> estimand_of("tau").symbol, estimand_of("reaction").role
    ('τ', None)
    """
    return OF_GROUPED_MODELS.get(name, Estimand(name=name))


def listed(estimands: Iterable[Estimand]) -> list[Estimand]:
    """Return each estimand once, those of grouped models in their order and then the others as they come.

    >>> [estimand.name for estimand in listed([TAU, Estimand(name="rho"), THETA, TAU])]
    ['theta', 'tau', 'rho']
    """
    given = {estimand.name: estimand for estimand in estimands}
    first = [given.pop(name) for name in OF_GROUPED_MODELS if name in given]
    return [*first, *given.values()]
