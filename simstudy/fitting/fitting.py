"""One block of fits, from simulation to rows: what a worker does.

A block gives the same rows in any process, except for its timing. Numbers never raise: a fit that cannot be used is a
row with a status and a reason, and so is a model that cannot be traced or compiled.
"""

import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jax
import numpy as np

from simstudy.fitting.blocks import Block
from simstudy.fitting.compiling import Sampling
from simstudy.fitting.log_density import log_density
from simstudy.fitting.reasons import reason_of
from simstudy.fitting.rows import (
    KEPT_STATISTICS,
    BlockRows,
    Clock,
    Columns,
    KeptDraws,
    failed_rows,
    finished_rows,
    group_columns,
)
from simstudy.models.estimands import LOG_DENSITY
from simstudy.samplers import Program
from simstudy.store.schema import interval_probabilities
from simstudy.study.methods import Method
from simstudy.study.study import Study
from simstudy.summaries.known import with_known
from simstudy.summaries.summaries import Summary, summarize
from simstudy.types import Draws, KnownPosterior, Replicate, SamplerStats

FITS_PER_SLAB = 8  # estimands of this many fits are held at once: more of them leave a core's cache
MOST_PER_SLAB = 2**22  # numbers of the largest site of a slab's fits, where a single one is as large


def fit_block(block: Block) -> BlockRows:
    """Simulate, fit and summarize a block."""
    clock = Clock(started=datetime.now(UTC))
    replicates: Sequence[Replicate] = ()
    try:
        with np.errstate(all="ignore"):  # what is not finite is found in the results, not on the way
            replicates = _simulated(block)
            return _fitted(block, replicates, clock)
    except (Exception, SystemExit) as error:
        # Models and simulators are the user's: whatever they raise is the reason in the fit's row, and a program that
        # asks to exit would take the study with it.
        return failed_rows(block, reason_of(error), replicates, clock=clock)


def _fitted(block: Block, replicates: Sequence[Replicate], clock: Clock) -> BlockRows:
    method = block.study.methods[block.method]
    program, compile_seconds = _program(method, replicates[0].data)
    keys = np.stack([block.study.sampler_key(block.study.scenarios[s], r, method) for s, r in block.fits])
    arrays = method.sampler.arrays(method.model, [r.data for r in replicates])
    sampling = Sampling(program)
    with sampling.timed():
        draws = program.sample(arrays, keys)
    summarizing = time.perf_counter()
    summary, kept = _summarized(block, replicates, draws, keys)
    clock = replace(
        clock,
        compile_seconds=compile_seconds + sampling.compile_seconds,
        run_seconds=sampling.run_seconds,
        summarize_seconds=time.perf_counter() - summarizing,
    )
    return replace(finished_rows(block, replicates, draws, summary, clock), kept=kept)


def _simulated(block: Block) -> list[Replicate]:
    """Simulate the replicates of a block, all replicates of a scenario in one call."""
    out: dict[int, Replicate] = {}
    scenarios = np.array([s for s, _ in block.fits])
    for s in np.unique(scenarios):
        index = np.flatnonzero(scenarios == s)
        scenario = block.study.scenarios[s]
        keys = np.stack([block.study.data_key(scenario, block.fits[i][1]) for i in index.tolist()])
        out |= dict(zip(index.tolist(), scenario.mechanism.simulate(keys), strict=True))
    return [out[i] for i in range(len(block.fits))]


def simulate_groups(block: Block) -> Columns:
    """Return the rows of groups of a block's data, which come from keys alone: nothing is fitted."""
    with np.errstate(all="ignore"):
        return group_columns(block, _simulated(block))


_PROGRAMS: dict[Hashable, Program] = {}


def _program(method: Method, data: Any) -> tuple[Program, float]:
    """Return the program of this process for a method and a shape, and the seconds its compilation took just now."""
    key = (method.model, method.sampler, method.sampler.program_shape(method.model, method.model.shape(data)))
    if key in _PROGRAMS:
        return _PROGRAMS[key], 0.0
    example = jax.tree.map(lambda leaf: leaf[0], method.sampler.arrays(method.model, [data]))
    _PROGRAMS[key] = method.sampler.compile(method.model.bound(data), example)
    return _PROGRAMS[key], _PROGRAMS[key].compile_seconds


def _summarized(
    block: Block, replicates: Sequence[Replicate], draws: Draws, keys: np.ndarray
) -> tuple[Summary, tuple[KeptDraws, ...]]:
    """Turn draws into estimands and these into summaries, a slab of fits at a time."""
    method = block.study.methods[block.method]
    slabs: list[Summary] = []
    kept: list[KeptDraws] = []
    left_out = method.sampler.left_out(method.model)
    largest = max((site[0].size for site in draws.sites.values()), default=1)
    n_at_once = max(1, min(FITS_PER_SLAB, MOST_PER_SLAB // max(1, largest)))
    for start in range(0, len(block.fits), n_at_once):
        fits = slice(start, start + n_at_once)
        sites = {name: site[fits] for name, site in draws.sites.items()}
        estimands = method.model.estimands(sites, [r.data for r in replicates[fits]], keys[fits])
        estimands = {name: value for name, value in estimands.items() if name not in left_out}
        truth: dict[str, np.ndarray] = {}
        if ranked := _log_density(block, replicates[fits], sites, estimands):
            estimands, truth = {**estimands, LOG_DENSITY.name: ranked[0]}, {LOG_DENSITY.name: ranked[1]}
        slabs.append(_summary(block.study, method, replicates[fits], estimands, keys[fits], truth, draws.known))
        kept += _kept(block, fits, estimands, draws.stats)
    summary = Summary.concatenate(slabs)
    if draws.known is not None:
        known = method.model.restored(draws.known, [r.data for r in replicates])
        truth = _truths(block.study, method, replicates, {name: mean.shape[1:] for name, mean in known.mean.items()})
        probabilities = interval_probabilities(block.study.levels)
        summary = with_known(summary, known, truth, probabilities=probabilities, rank_key=_rank_keys(keys))
    return summary, tuple(kept)


def _log_density(
    block: Block, replicates: Sequence[Replicate], sites: Mapping[str, np.ndarray], estimands: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the log density that a calibration study ranks for a user's model, at the draws and at the truth."""
    method = block.study.methods[block.method]
    if not block.study.ranks_log_density or method.model.family is not None:
        return None
    return log_density(block.study.scenarios[0].mechanism, method, replicates, sites, estimands)


def _summary(
    study: Study,
    method: Method,
    replicates: Sequence[Replicate],
    estimands: Mapping[str, np.ndarray],
    keys: np.ndarray,
    further: Mapping[str, np.ndarray],
    known: KnownPosterior | None,
) -> Summary:
    """Return what the draws of some fits say; ``further`` are true values beside those of the replicates."""
    truth = _truths(study, method, replicates, {name: value.shape[3:] for name, value in estimands.items()})
    return summarize(
        estimands,
        {**truth, **further},
        probabilities=interval_probabilities(study.levels),
        rank_key=_rank_keys(keys),
        known=() if known is None else known.mean.keys(),
    )


def _rank_keys(keys: np.ndarray) -> np.ndarray:
    """Return the (fit,) keys of random ranks."""
    return keys[:, 0].astype(np.uint64) << np.uint64(32) | keys[:, 1].astype(np.uint64)


def _truths(
    study: Study, method: Method, replicates: Sequence[Replicate], group_shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """Return the truth of every estimand that has one, (fit, *group), given the shape of its groups."""
    truth = {name: _true(name, shape, replicates) for name, shape in group_shapes.items()}
    if not _same_likelihood(study, method):
        truth.pop("log_lik", None)
    return {name: value for name, value in truth.items() if value is not None}


def _true(name: str, group_shape: tuple[int, ...], replicates: Sequence[Replicate]) -> np.ndarray | None:
    """Return the truth of an estimand, (fit, *group); a truth shared by all groups serves each of them."""
    values = [r.truth.get(name) for r in replicates]
    if any(value is None for value in values):
        return None
    truth = np.stack([np.asarray(value, float) for value in values])
    if truth.ndim == 1 and group_shape:
        return np.broadcast_to(truth[:, None], (len(truth), *group_shape))
    return truth if truth.shape[1:] == group_shape else None


def _same_likelihood(study: Study, method: Method) -> bool:
    """Whether method and mechanism mean the same by the log likelihood."""
    return study.scenarios[0].mechanism.likelihood == method.model.family


def _kept(
    block: Block, fits: slice, estimands: Mapping[str, np.ndarray], stats: SamplerStats | None
) -> Iterator[KeptDraws]:
    method = block.study.methods[block.method]
    for i, (s, replicate) in enumerate(block.fits[fits]):
        if replicate < block.keep_draws:
            told = {name: value for name in KEPT_STATISTICS if (value := getattr(stats, name, None)) is not None}
            yield KeptDraws(
                scenario=block.study.scenarios[s].identity,
                method=method.name,
                replicate=replicate,
                estimands={name: np.array(value[i]) for name, value in estimands.items()},
                stats={name: np.array(value[fits.start + i]) for name, value in told.items()},
                labels=block.study.scenarios[s].mechanism.labels,
            )
