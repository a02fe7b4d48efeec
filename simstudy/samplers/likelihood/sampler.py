"""Restricted and full maximum likelihood as samplers: what a study holds Bayes against."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.models.estimands import Parameter
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.model import Model
from simstudy.samplers.exact.stream import stream_of
from simstudy.samplers.likelihood.equations import solve
from simstudy.samplers.likelihood.estimate import Estimate, estimate
from simstudy.samplers.likelihood.frame import Frame, frame_of
from simstudy.samplers.likelihood.known import Confidence
from simstudy.samplers.likelihood.plug_in import plug_in_sites
from simstudy.samplers.likelihood.rows import read
from simstudy.samplers.likelihood.scope import supported
from simstudy.samplers.sampler import Program, Sampler
from simstudy.types import Draws, PyTree

FITS_AT_ONCE = 32
BATCHES_PER_BLOCK = 4
FRAMES = 64
"""Designs that a program remembers."""
OF_PARAMETERS_ALONE = ("share", "weight", "correlation")
"""Roles of derived estimands that would be the same in every plug-in draw."""


@dataclass(frozen=True, kw_only=True)
class REML(Sampler):
    """Restricted maximum likelihood, with the estimates and standard errors that lme4 gives; priors have no part.

    Priors that are constants stay fixed. Numbers are float64 always, and no option of a Markov chain has an effect:
    ``chains`` and ``draws`` say how many draws given the estimated parameters serve estimands without a closed form.
    """

    kind: ClassVar[str] = "reml"
    words: ClassVar[str] = "restricted maximum likelihood, without priors"
    has_trajectories: ClassVar[bool] = False
    has_posterior: ClassVar[bool] = False
    restricted: ClassVar[bool] = True

    @property
    def described(self) -> str:
        """The sampler and its plug-in draws."""
        return f"{self.words}: {self.chains * self.draws:,} draws given the estimated parameters, float64"

    @property
    def fits_at_once(self) -> int:
        """Data sets whose results are kept together."""
        return FITS_AT_ONCE

    @property
    def fits_per_block(self) -> int:
        """A few seconds of work."""
        return FITS_AT_ONCE * BATCHES_PER_BLOCK

    def check(self, model: Model) -> None:
        """Refuse models whose effects and observations are not normal."""
        supported(model, self.kind)

    def left_out(self, model: Model) -> frozenset[str]:
        """Return what follows from the parameters of the covariance alone: it has an estimate and no standard error."""
        return frozenset(
            one.name for one in model.described if one.role in OF_PARAMETERS_ALONE and not isinstance(one, Parameter)
        )

    def compile(self, model: Model, example: PyTree) -> "LikelihoodProgram":
        """Return the program of a model; there is nothing to compile.

        Raises:
            StudyError: the model is out of scope; the message says what is in it.
        """
        return LikelihoodProgram(self, supported(model, self.kind))


@dataclass(frozen=True, kw_only=True)
class ML(REML):
    """Maximum likelihood, as ``reml`` without its correction for the fixed effects; priors have no part."""

    kind: ClassVar[str] = "ml"
    words: ClassVar[str] = "maximum likelihood, without priors"
    restricted: ClassVar[bool] = False


class LikelihoodProgram(Program):
    """Estimates for one model and data of any shape."""

    compile_seconds = 0.0

    def __init__(self, sampler: REML, model: HierarchicalModel | AdditiveModel):
        self._sampler = sampler
        self._model = model
        self._frames: dict[bytes, Frame] = {}
        of_location = model.location.parameters if isinstance(model, AdditiveModel) else ()
        self._singles = frozenset(["mu", *(p.name for p in of_location)])

    def estimates(self, arrays: PyTree) -> list[tuple[Frame, Estimate]]:
        """Return the frame and the estimates of every data set.

        Args:
            arrays: what ``model.arrays`` made.
        """
        return [self._estimate(_of_fit(arrays, i)) for i in range(len(next(iter(arrays.values()))))]

    def sample(self, arrays: PyTree, keys: np.ndarray) -> Draws:
        """Return estimates as what is known, and plug-in draws; a fit without a maximum has a reason."""
        found = self.estimates(arrays)
        n, shape = self._sampler.chains * self._sampler.draws, (self._sampler.chains, self._sampler.draws)
        each = [
            {} if one.reason else plug_in_sites(self._model, frame, one, _of_fit(arrays, i), stream_of(keys[i], 0), n)
            for i, (frame, one) in enumerate(found)
        ]
        estimates = [one for _, one in found]
        reasons = {i: one.reason for i, one in enumerate(estimates) if one.reason}
        is_any = any(not one.reason for one in estimates)
        usable = next((sites for sites in each if sites), None) or self._without_any(found[0][0], arrays)
        sites = {
            name: np.stack(
                [(one[name] if one else np.full(like.shape, np.nan)).reshape(*shape, *like.shape[1:]) for one in each]
            )
            for name, like in usable.items()
        }
        known = Confidence(estimates, self._singles) if is_any else None
        boundary = np.ma.masked_array([one.n_edges for one in estimates], [bool(one.reason) for one in estimates])
        return Draws(sites=sites, stats=None, reasons=reasons, known=known, n_boundary=boundary)

    def _without_any(self, frame: Frame, arrays: PyTree) -> dict[str, np.ndarray]:
        """Return sites of the shape that draws would have, where no fit has any."""
        blank = replace(frame, triangle=np.eye(frame.n_fixed))
        free = np.array([f.usual for f in frame.free])
        one = Estimate(
            free=free,
            sigma=1.0,
            coefficients=np.zeros(frame.n_fixed),
            solution=solve(frame, np.zeros(frame.n_rows), free, 1.0),
        )
        n = self._sampler.chains * self._sampler.draws
        return plug_in_sites(self._model, blank, one, _of_fit(arrays, 0), np.random.default_rng(0), n)

    def _estimate(self, arrays: Mapping[str, np.ndarray]) -> tuple[Frame, Estimate]:
        rows, observed = read(self._model, arrays)
        key = rows.identity
        if key not in self._frames:
            if len(self._frames) >= FRAMES:
                self._frames.clear()
            self._frames[key] = frame_of(self._model, rows)
        frame = self._frames[key]
        restricted = self._sampler.restricted
        return frame, estimate(self._model, frame, observed, arrays, restricted=restricted)


def _of_fit(arrays: Mapping[str, np.ndarray], i: int) -> dict[str, np.ndarray]:
    return {name: leaf[i] for name, leaf in arrays.items()}
