"""The gate: any sampler against exact posteriors, chain by chain, until it is shown to be wrong or has run enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from simstudy.errors import StudyError, suggestion
from simstudy.samplers.sampler import Sampler
from simstudy.streams import random_key
from simstudy.testing.gating.baseline import read_baseline
from simstudy.testing.gating.betting import Evidence
from simstudy.testing.gating.chains import Batch, SamplerFunction, runner
from simstudy.testing.gating.observed import Limits, Observed, observe
from simstudy.testing.gating.posteriors import POSTERIORS
from simstudy.testing.gating.problem import Space
from simstudy.testing.gating.verdict import Verdict, joined

Start = Literal["uniform", "exact"]

FALSE_ALARM = 0.001
"""Largest probability that a right sampler is ever refused."""
CHAINS = {"uniform": 256, "exact": 1024}
TOLERANCE = {"uniform": 0.05, "exact": 0.0}
"""Chains of each posterior, and error that is borne in posterior sds, by where chains begin."""
CHAINS_AT_ONCE = 64
DEFAULT = tuple(POSTERIORS)
RADIUS = 2.0
"""Chains begin uniformly within so much of 0, where they do not begin at exact draws, as those of Stan and NumPyro."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One posterior at the gate."""

    name: str
    space: Space
    limits: Limits


def gate(
    sampler: SamplerFunction | Sampler,
    *,
    start: Start = "uniform",
    batch: Batch = "vmap",
    posteriors: Sequence[str] | None = None,
    tolerance: float | None = None,
    chains: int | None = None,
    baseline: str | Path | Mapping[str, float] | None = None,
    slack: float = 1.5,
    seed: int = 0,
) -> Verdict:
    """Hold a sampler to exact posteriors.

    Args:
        sampler: ``(problem, key) -> draws`` of one chain, or ``(draws, cost)``, or a sampler of the package. Draws are
            unconstrained positions (draw, n_dims), or a dict of all latent sites (draw, *site).
        start: where ``problem.position`` is: ``uniform`` within 2 of 0 in every dimension, for samplers that warm up;
            or ``exact``, an independent draw of the posterior, for kernels that begin there and adapt nothing, whose
            draws then are those of the posterior from the first on.
        batch: ``vmap`` for JAX functions, which are mapped over all chains at once; ``loop`` for any other.
        posteriors: names of the packaged posteriors; all by default.
        tolerance: error of a mean, and of a spread, in posterior sds, that is borne: 0.05 for ``uniform``, 0 for
            ``exact``.
        chains: most chains of each posterior: 256 for ``uniform``, 1,024 for ``exact``.
        baseline: cost of an effective draw by posterior, or a file of it (``Verdict.write_baseline``).
        slack: times the baseline that an effective draw may cost.
        seed: of everything that is random.

    Returns:
        The verdict: it has passed unless the evidence against the sampler reached 1,000. A sampler within its
        tolerance gets there with a probability of 0.001 at most.

    Raises:
        StudyError: an argument is misused, or the sampler returns what is no draws.
    """
    wanted = DEFAULT if posteriors is None else tuple(posteriors)
    _check(start, batch, wanted, tolerance=tolerance, chains=chains, slack=slack)
    most = CHAINS[start] if chains is None else chains
    costs = read_baseline(baseline, wanted)
    parts = [
        _part(name, tolerance=TOLERANCE[start] if tolerance is None else tolerance, cost=costs.get(name), slack=slack)
        for name in wanted
    ]
    runs = [runner(sampler, part.space, batch=batch) for part in parts]
    begins = [_positions(part.space, start, most, seed) for part in parts]
    evidence = Evidence(sum(len(part.limits.bets) for part in parts))
    seen: list[list[Observed]] = [[] for _ in parts]
    needed, n_done = None, 0
    while n_done < most and needed is None:
        now = range(n_done, min(n_done + CHAINS_AT_ONCE, most))
        # A round has as many chains as the others, so that a program is compiled once.
        index = np.minimum(np.arange(n_done, n_done + min(CHAINS_AT_ONCE, most)), most - 1)
        for part, run, begin, into in zip(parts, runs, begins, seen, strict=True):
            keys = np.stack([random_key("gate", seed, part.name, "chain", int(i)) for i in index])
            into.append(observe(run(keys, begin[index]), part.space).first(len(now)))
        path = evidence.path(np.concatenate([p.limits.gains(o[-1]) for p, o in zip(parts, seen, strict=True)], axis=1))
        crossed = np.flatnonzero(path >= -np.log(FALSE_ALARM))
        if len(crossed) or any(o[-1].n_lost for o in seen):
            needed = n_done + (int(crossed[0]) + 1 if len(crossed) else len(now))
        n_done += len(now)
    return Verdict(
        sampler=_name(sampler),
        limits={part.name: part.limits for part in parts},
        observed={part.name: joined(of_part) for part, of_part in zip(parts, seen, strict=True)},
        log_each=evidence.each,
        log_total=float(max(path.max(), evidence.log_total)),
        needed=needed,
        alpha=FALSE_ALARM,
    )


def _part(name: str, *, tolerance: float, cost: float | None, slack: float) -> Part:
    space = Space(POSTERIORS[name])
    limit = None if cost is None else cost * slack
    limits = Limits(quantities=space.posterior.quantities, tolerance=tolerance, cost=limit)
    return Part(name=name, space=space, limits=limits)


def _positions(space: Space, start: Start, n: int, seed: int) -> np.ndarray:
    """Return where chains begin, (chain, n_dims)."""
    key = random_key("gate", seed, space.posterior.name, "start")
    if start == "exact":
        return space.positions_of(space.posterior.exact_sites(n, key))
    begin = np.random.default_rng(key).uniform(-RADIUS, RADIUS, (n, space.n_dims))
    return begin.astype(space.precision)


def _check(
    start: str, batch: str, names: Sequence[str], *, tolerance: float | None, chains: int | None, slack: float
) -> None:
    for word, value, allowed in (("start", start, CHAINS), ("batch", batch, ("vmap", "loop"))):
        if value not in allowed:
            raise StudyError(f"gate: {word} = {value!r}; allowed: {', '.join(map(repr, allowed))}")
    for name in names:
        if name not in POSTERIORS:
            raise StudyError(
                f"gate: no posterior named {name!r}{suggestion(name, POSTERIORS)}; there are {', '.join(POSTERIORS)}"
            )
    if not names:
        raise StudyError(f"gate: expected at least one posterior of {', '.join(POSTERIORS)}; got none")
    if tolerance is not None and not 0 <= tolerance < 1:
        raise StudyError(f"gate: expected a tolerance in posterior sds from 0 to below 1; got {tolerance}")
    if chains is not None and chains < 1:
        raise StudyError(f"gate: expected 1 chain or more; got {chains}")
    if not slack >= 1:
        raise StudyError(f"gate: expected a slack of 1 or more; got {slack}")


def _name(sampler: SamplerFunction | Sampler) -> str:
    if isinstance(sampler, Sampler):
        return sampler.words
    named = getattr(sampler, "func", sampler)  # of a functools.partial
    return getattr(named, "__name__", type(named).__name__)
