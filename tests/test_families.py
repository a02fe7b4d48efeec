"""A likelihood, a structure and a sampler of a stranger's module go through a whole study and its report."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
import pytest
from pydantic import Field
from scipy import special

import simstudy
from simstudy.errors import StudyError
from simstudy.models.estimands import THETA, Estimand, Parameter
from simstudy.models.likelihoods.likelihood import Likelihood
from simstudy.models.model import GROUP
from simstudy.models.structures.structure import Structure
from simstudy.samplers.sampler import Program, Sampler
from simstudy.testing import check_likelihood, check_structure
from simstudy.types import Draws

SHAPE = Parameter(
    name="shape",
    role="scale",
    symbol="k",
    words="the shape of the waiting times k",
    lower=0.0,
    support="positive",
    default="Exponential(0.5)",
    value=2.0,
)
MEAN_WAIT = Estimand(name="wait", role="mean", symbol="w", words="the mean waits w", lower=0.0)
WIDTH = Parameter(
    name="width",
    role="scale",
    symbol="h",
    words="the half width of the effects h",
    lower=0.0,
    on_effect_scale=True,
    support="positive",
    default="HalfNormal(2)",
)


@dataclass(frozen=True, kw_only=True)
class GammaWaits(Likelihood):
    """Positive waiting times, y ~ Gamma(k, k / exp(theta)): mean exp(theta), coefficient of variation 1 / sqrt(k)."""

    kind: ClassVar[str] = "gamma_waits"
    scale: ClassVar[str] = "link"
    formula: ClassVar[str] = "waiting times, y_ij ~ Gamma(k, k / exp(θ_j))"
    mean: ClassVar[Estimand | None] = MEAN_WAIT
    every_parameter: ClassVar[tuple[Parameter, ...]] = (SHAPE,)

    @property
    def words(self) -> str:
        return "gamma waiting times"

    @property
    def statistic_axes(self) -> Mapping[str, tuple[str, ...]]:
        return {"n": (GROUP,), "total": (GROUP,), "log_total": ()}

    def statistics(self, data):
        each = np.split(data.y, np.cumsum(data.n_obs)[:-1])
        log_total = np.asarray(sum(np.log(y).sum() for y in each))
        return {"n": data.n_obs.astype(float), "total": np.array([y.sum() for y in each]), "log_total": log_total}

    def log_likelihood(self, theta, scale, stats, *, xp=jnp):
        k, n = scale["shape"], stats["n"]
        gammaln = jax.scipy.special.gammaln if xp is jnp else special.gammaln
        of_groups = n * (k * (xp.log(k) - theta) - gammaln(k)) - k * stats["total"] * xp.exp(-theta)
        return of_groups.sum(0) + (k - 1) * stats["log_total"]

    def raw_log_likelihood(self, theta, scale, raw):
        k = scale["shape"]
        mean = jnp.exp(jnp.take_along_axis(theta, raw["group_of"], axis=0))
        return dist.Gamma(k, k / mean).log_prob(raw["y"]).sum(0)

    def draw(self, key, theta, scale, known_se):
        k = jnp.broadcast_to(scale["shape"], theta.shape)
        return jax.random.gamma(key, k) * jnp.exp(theta) / k

    def new_observation(self, theta_new, scale, noise):
        # Wilson and Hilferty's cube of a normal, near enough for a test.
        k = scale["shape"]
        return np.exp(theta_new) * np.maximum(1 - 1 / (9 * k) + noise.normal() / (3 * np.sqrt(k)), 0) ** 3

    def shrinkage_weight(self, tau, mu, scale, stats):
        return 1 / (1 + stats["n"] * scale["shape"] * tau**2)

    def inverse_link(self, theta):
        return np.exp(theta)


@dataclass(frozen=True, kw_only=True)
class UniformEffects(Structure):
    """Effects that are uniform over an interval around 0.

    Args:
        margin: how far the prior is widened, a share.
    """

    kind: ClassVar[str] = "uniform_effects"
    pooling: ClassVar = "partial"
    margin: Annotated[float, Field(ge=0, le=1)] = 0.0

    @property
    def words(self) -> str:
        return "partial pooling: group effects are uniform on (−h, h)"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (WIDTH,)

    @property
    def described(self) -> tuple[Estimand, ...]:
        return WIDTH, THETA

    @property
    def site_axes(self) -> Mapping[str, tuple[str, ...]]:
        return {"width": (), "place": (GROUP,)}

    def effects(self, priors, shape, mask):
        width = priors["width"].site("width", shape[1:])
        with numpyro.handlers.mask(mask=True if mask is None else mask):
            place = numpyro.sample("place", dist.Uniform(-1, 1).expand(shape))
        return width * (1 + self.margin) * place

    def restore(self, posterior, priors, shape):
        width = priors["width"].draws(posterior.get("width"), shape[:-1])
        return {"width": width, "theta": (width * (1 + self.margin))[..., None] * posterior["place"]}

    def new_effect(self, restored, priors, noise):
        return restored["width"] * (1 + self.margin) * (2 * noise.uniform() - 1)


@dataclass(frozen=True, kw_only=True)
class Walker(Sampler):
    """Random-walk Metropolis on the unconstrained scale, all fits of a block in one array.

    Args:
        reach: standard deviation of a proposal.
    """

    kind: ClassVar[str] = "walker"
    words: ClassVar[str] = "a random walk"
    has_trajectories: ClassVar[bool] = False
    reach: Annotated[float, Field(gt=0)] = 0.4

    @property
    def fits_at_once(self) -> int:
        return 8

    @property
    def fits_per_block(self) -> int:
        return 16

    def compile(self, model, example):
        return WalkerProgram(self, model, example)


class WalkerProgram(Program):
    compile_seconds = 0.0

    def __init__(self, sampler, model, example):
        from simstudy.models.density import density_of

        self._sampler = sampler
        with jax.enable_x64(True):
            self._density = density_of(model, example)
            self._log_density = jax.jit(self._density.log_density)

    def sample(self, arrays, keys):
        options, n_dims = self._sampler, self._density.n_dims
        each = [self._chain(jax.tree.map(lambda leaf, i=i: leaf[i], arrays), key) for i, key in enumerate(keys)]
        draws = np.stack(each).reshape(len(keys), options.chains, options.draws, n_dims)
        with jax.enable_x64(True):
            return Draws(sites=self._density.constrain(draws, arrays))

    def _chain(self, data, key):
        options, n_dims = self._sampler, self._density.n_dims
        rng = np.random.default_rng(key.tolist())
        lanes = jax.tree.map(lambda leaf: np.repeat(np.asarray(leaf)[..., None], options.chains, -1), data)
        q = np.zeros((n_dims, options.chains))
        kept = []
        with jax.enable_x64(True):
            density = np.asarray(self._log_density(q, lanes))
            for _ in range(options.warmup + options.draws):
                proposal = q + options.reach * rng.normal(size=q.shape)
                other = np.asarray(self._log_density(proposal, lanes))
                accepted = np.log(rng.uniform(size=options.chains)) < other - density
                q, density = np.where(accepted, proposal, q), np.where(accepted, other, density)
                kept.append(q.T)
        return np.moveaxis(np.stack(kept[options.warmup :]), 1, 0)


@pytest.fixture(scope="module", autouse=True)
def registered():
    """Register the three, as a user does."""
    simstudy.register_likelihood(GammaWaits)
    simstudy.register_structure(UniformEffects)
    simstudy.register_sampler(Walker)


@pytest.fixture(scope="module")
def run(registered, tmp_path_factory):
    """Return a run of a study that has all three, beside built-in parts."""
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "waits", "aim": "What do uniform effects cost?", "seed": 3, "replicates": 6},
            "mechanism": {
                "kind": "exchangeable",
                "likelihood": "gamma_waits",
                "groups": 5,
                "group_size": 20,
                "tau": 0.5,
                "shape": [1.5, 3.0],
            },
            "method": [
                {"name": "uniform", "structure": "uniform_effects", "margin": 0.1, "sampler": {"kind": "walker"}},
                {"name": "partial", "structure": "partial", "priors": {"shape": "Gamma(2, 1)"}},
                {"name": "none", "structure": "none", "priors": {"theta": "Normal(0, 2)"}},
            ],
            "sampler": {"kind": "nuts", "chains": 2, "warmup": 300, "draws": 300},
        }
    )
    return simstudy.run(study, out=tmp_path_factory.mktemp("waits") / "run", workers=0)


def test_new_families_keep_the_promises_of_all():
    """They conform, like built-in ones."""
    check_likelihood(GammaWaits())
    check_structure(UniformEffects(margin=0.2))


def test_their_fits_are_used(run):
    """Every fit ends well, and the new parameters are estimated near their truth."""
    assert set(run.fits["status"]) == {"ok"}, run.fits["reason"].dropna().tolist()
    shape = run.estimates[(run.estimates["estimand"] == "shape") & (run.estimates["method"] == "partial")]
    error = (shape["mean"] - shape["truth"]) / shape["sd"]
    assert abs(error.mean()) < 4 / np.sqrt(len(error))
    assert shape["truth"].isin([1.5, 3.0]).all()


def test_estimands_are_declared_in_the_run(run):
    """The table of estimands has what the families say, and the scale of effects under the link."""
    declared = run.estimands.set_index(["method", "estimand"])
    assert declared.loc[("uniform", "width"), "symbol"] == "h"
    assert declared.loc[("partial", "wait"), "role"] == "mean"
    assert declared.loc[("uniform", "width"), "scale"] == "link"
    assert declared.loc[("uniform", "shape"), "scale"] == "natural"
    scales = run.estimates.drop_duplicates("estimand").set_index("estimand")["scale"]
    assert scales["width"] == "link"
    assert scales["shape"] == "natural"


def test_measures_ask_for_roles(run):
    """The new mean and scale are scored, the weight is the new likelihood's, and the structure plays its part."""
    performance = simstudy.performance(run)
    scored = set(performance.loc[performance["measure"] == "rmse", "estimand"])
    assert {"theta", "wait", "shape"} <= scored
    weights = performance[(performance["measure"] == "shrinkage_weight") & (performance["method"] == "partial")]
    assert weights["value"].between(0, 1).all()
    assert len(weights)
    assert run.methods.set_index("method")["pooling"].to_dict() == {
        "uniform": "partial",
        "partial": "partial",
        "none": "none",
    }


def test_the_report_speaks_their_words(run, tmp_path):
    """Words, formulas and symbols of the families stand on the page; no family is called by its key alone."""
    page = simstudy.report(run, tmp_path / "waits.html").read_text()
    text = re.sub(r"<[^>]+>", " ", page)
    assert GammaWaits.formula in text
    assert "partial pooling: group effects are uniform on (−h, h), gamma waiting times" in text
    assert re.search(r"a random walk: 2 chains of 300 warm-up and 300 draws, reach 0\.4", text)
    assert "h ~ HalfNormal(2)" in text
    assert "k ~ Gamma(2, 1)" in text


def test_their_options_are_checked_where_they_stand(run):
    """An option's bounds, and keys of other families, are refused in a sentence."""
    contents = {
        "study": {"name": "waits"},
        "mechanism": {"kind": "exchangeable", "groups": 5, "group_size": 20},
        "method": [{"name": "uniform", "structure": "uniform_effects", "margin": 2.0}],
        "sampler": {"kind": "nuts"},
    }
    with pytest.raises(StudyError, match=r"margin: expected a number of at most 1, got 2\.0"):
        simstudy.Study.from_dict(contents)
    contents["method"] = [{"name": "partial", "structure": "partial", "margin": 0.5}]
    with pytest.raises(StudyError, match="margin: only the structure 'uniform_effects' has one"):
        simstudy.Study.from_dict(contents)
    contents["method"] = [{"name": "partial", "structure": "partial"}]
    contents["mechanism"]["shape"] = 3.0
    with pytest.raises(
        StudyError, match=r"shape: the mechanism 'exchangeable' with the likelihood 'normal' has no such"
    ):
        simstudy.Study.from_dict(contents)
    contents["sampler"] = {"kind": "walker", "reach": 0.0}
    del contents["mechanism"]["shape"]
    with pytest.raises(StudyError, match=r"reach: expected a number above 0, got 0\.0"):
        simstudy.Study.from_dict(contents)


def test_their_rows_are_tables_as_ever(run):
    """Runs of new families are read by pandas like any other."""
    assert {"scenario", "method", "mean"} <= set(pd.read_parquet(run.folder / "estimates").columns)
