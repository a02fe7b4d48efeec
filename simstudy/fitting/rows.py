"""Rows of a block: what simulation, sampler and summaries gave, as columns of the tables of ``schema.py``."""

import hashlib
import os
import platform
import resource
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jax
import numpy as np

from simstudy.fitting.blocks import Block
from simstudy.models.likelihoods import Likelihood
from simstudy.streams import key_text
from simstudy.summaries.summaries import INDICATORS, Summary, summarize_chains, summarize_fits
from simstudy.types import Draws, GroupedData, Replicate, SamplerStats

Columns = dict[str, Any]
KEPT_STATISTICS = ("diverging", "accept_prob", "num_steps", "energy")


@dataclass(frozen=True, kw_only=True)
class BlockRows:
    """The rows of a block, as columns of the tables of ``schema.py``."""

    batch: str
    fits: Columns
    chains: Columns
    estimates: Columns
    groups: Columns
    timings: Columns
    kept: tuple["KeptDraws", ...] = ()


@dataclass(frozen=True, kw_only=True)
class KeptDraws:
    """Draws of one fit that the user asked to keep: estimands and statistics, (chain, draw, *group).

    ``labels`` are the names of the groups, none where they are only numbered.
    """

    scenario: str
    method: str
    replicate: int
    estimands: Mapping[str, np.ndarray]
    stats: Mapping[str, np.ndarray]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Clock:
    """When a block started, and the seconds its parts took."""

    started: datetime
    compile_seconds: float = 0.0
    run_seconds: float = 0.0
    summarize_seconds: float = 0.0


def finished_rows(
    block: Block, replicates: Sequence[Replicate], draws: Draws, summary: Summary, clock: Clock
) -> BlockRows:
    """Return the rows of a block that was sampled and summarized; fits that cannot be used have no estimates."""
    non_finite = dict.fromkeys(map(int, summary.non_finite), "draws are not finite") | dict(draws.reasons)
    improper = improper_posteriors(block, replicates)
    reasons = stuck_chains(draws, each=_hierarchy(block) is not None) | non_finite | improper
    n = len(block.fits)
    failed = reasons.keys() - (non_finite.keys() - improper.keys())
    status = ["failed" if i in failed else "non_finite" if i in non_finite else "ok" for i in range(n)]
    used = np.array([i not in reasons for i in range(n)])
    return BlockRows(
        batch=block.batch,
        fits=_fit_columns(block, status, reasons)
        | summarize_fits(draws.stats, summary, indicators=_indicators(block))
        | ({} if draws.n_boundary is None else {"n_boundary": draws.n_boundary}),
        chains=_chain_columns(block, draws.stats),
        estimates=_estimate_columns(block, summary, used),
        groups=group_columns(block, replicates),
        timings=_timing_columns(block, clock, draws.stats),
    )


def improper_posteriors(block: Block, replicates: Sequence[Replicate]) -> dict[int, str]:
    """Return fit -> a reason, for the fits whose data leave their posterior without a finite integral."""
    model = _hierarchy(block)
    if model is None:
        return {}
    of_fits = {
        i: model.likelihood.impropriety(
            replicate.data, dict(model.priors), effects_differ=model.structure.effects_differ
        )
        for i, replicate in enumerate(replicates)
    }
    return {i: reason for i, reason in of_fits.items() if reason}


def stuck_chains(draws: Draws, *, each: bool = False) -> dict[int, str]:
    """Return fit -> a reason, for the fits of a Markov chain sampler with a chain that never left its first draw.

    Args:
        draws: of a block.
        each: whether every site has to move. A built-in model's do, unless rounding takes their steps for none; a
            user's may hold what is the same in every draw.
    """
    if draws.stats is None:
        return {}
    by_site = {name: _still(site) for name, site in draws.sites.items()}
    stuck = np.all(list(by_site.values()), axis=0)
    parts = np.any(list(by_site.values()), axis=0) if each else stuck
    reasons = {
        int(i): f"{parts[i].sum()} of {len(parts[i])} chains never moved in {_still_sites(by_site, int(i))}: its steps "
        "are lost in rounding; give data in another unit or from another origin"
        for i in np.flatnonzero(parts.any(axis=1))
    }
    return reasons | {
        int(i): f"{stuck[i].sum()} of {len(stuck[i])} chains never moved: all draws are where the chain began"
        for i in np.flatnonzero(stuck.any(axis=1))
    }


def _still(site: np.ndarray) -> np.ndarray:
    """Return (fit, chain) whether all draws of a site are equal."""
    values = site.reshape(*site.shape[:3], -1)
    # The last draw first: of nearly all chains it tells enough.
    still = (values[:, :, -1] == values[:, :, 0]).all(axis=-1)
    for i, chain in np.argwhere(still):
        still[i, chain] = (values[i, chain] == values[i, chain, :1]).all()
    return still


def _still_sites(by_site: Mapping[str, np.ndarray], fit: int) -> str:
    return " and ".join(name for name, still in by_site.items() if still[fit].any())


def failed_rows(block: Block, reason: str, replicates: Sequence[Replicate] = (), *, clock: Clock) -> BlockRows:
    """Return the rows of a block whose fits all failed for one reason."""
    n = len(block.fits)
    return BlockRows(
        batch=block.batch,
        fits=_fit_columns(block, ["failed"] * n, dict.fromkeys(range(n), reason)),
        chains={},
        estimates={},
        groups=group_columns(block, replicates) if replicates else {},
        timings=_timing_columns(block, clock, None),
    )


def _hierarchy(block: Block) -> Any:
    """Return the built-in model of a block's method, or None."""
    return block.study.methods[block.method].model.hierarchy


def _identity_columns(block: Block, index: np.ndarray) -> Columns:
    """Return scenario, replicate and method of rows that belong to the fits of an index."""
    scenarios = np.array([block.study.scenarios[s].identity for s, _ in block.fits], dtype=object)
    replicates = np.array([r for _, r in block.fits], dtype=np.int64)
    return {
        "scenario": scenarios[index],
        "replicate": replicates[index],
        "method": block.study.methods[block.method].name,
    }


def _fit_columns(block: Block, status: Sequence[str], reasons: Mapping[int, str]) -> Columns:
    study, method = block.study, block.study.methods[block.method]
    scenarios = [study.scenarios[s] for s, _ in block.fits]
    cells = list(zip(scenarios, (r for _, r in block.fits), strict=True))
    return _identity_columns(block, np.arange(len(block.fits))) | {
        "status": np.array(status, dtype=object),
        "reason": np.array([reasons.get(i) for i in range(len(status))], dtype=object),
        "data_key": np.array([key_text(study.data_key(s, r)) for s, r in cells], dtype=object),
        "sampler_key": np.array([key_text(study.sampler_key(s, r, method)) for s, r in cells], dtype=object),
        "batch": block.batch,
    }


def _chain_columns(block: Block, stats: SamplerStats | None) -> Columns:
    if stats is None:
        return {}
    n_fits, n_chains = stats.shape
    chains = {"chain": np.tile(np.arange(n_chains), n_fits)}
    return _identity_columns(block, np.repeat(np.arange(n_fits), n_chains)) | chains | summarize_chains(stats)


def _indicators(block: Block) -> frozenset[str]:
    """Return the estimands of a block that are 0 or 1 in each draw."""
    described = block.study.methods[block.method].model.described
    return INDICATORS | {estimand.name for estimand in described if estimand.role == "indicator"}


def _estimate_columns(block: Block, summary: Summary, used: np.ndarray) -> Columns:
    """Return the estimates of the fits that can be used."""
    keep = used[summary.fit]
    columns = {name: value[keep] for name, value in summary.columns.items()}
    estimand = columns["estimand"]
    model = block.study.methods[block.method].model
    scales = {name: model.scale_of(str(name)) for name in np.unique(estimand)}
    scale = np.array([scales[name] for name in estimand], dtype=object)
    return _identity_columns(block, summary.fit[keep]) | columns | {"scale": scale}


def group_columns(block: Block, replicates: Sequence[Replicate]) -> Columns:
    """Return the groups of every fit's data."""
    mechanisms = [block.study.scenarios[s].mechanism for s, _ in block.fits]
    each = [_groups_of(r.data, mechanism.likelihood) for r, mechanism in zip(replicates, mechanisms, strict=True)]
    n_groups = [len(columns["group"]) for columns in each]
    identity = _identity_columns(block, np.repeat(np.arange(len(each)), n_groups))
    identity.pop("method")
    names = dict.fromkeys(name for columns in each for name in columns)
    return identity | {name: np.concatenate([_column(columns, name) for columns in each]) for name in names}


def _column(columns: Columns, name: str) -> np.ndarray:
    """Return a column of one data set, nothing where its likelihood has none."""
    return columns[name] if name in columns else np.full(len(columns["group"]), np.nan)


def _groups_of(data: Any, likelihood: Likelihood | None) -> Columns:
    """Return the groups of one data set; data of a user's own form have their digest alone, under group 0."""
    leaves = jax.tree.leaves(data.__dict__ if isinstance(data, GroupedData) else data)
    if isinstance(data, GroupedData):  # what belongs to the design is the scenario's
        leaves = [leaf for leaf in leaves if isinstance(leaf, np.ndarray)]
    digest = hashlib.blake2b(
        b"".join(np.ascontiguousarray(leaf).tobytes() for leaf in leaves), digest_size=8
    ).hexdigest()
    if not isinstance(data, GroupedData):
        return {"group": np.zeros(1, np.int64), "data_digest": np.array([digest], dtype=object)}
    n = data.n_obs
    with np.errstate(invalid="ignore", divide="ignore"):
        y_sd = np.where(n > 1, np.sqrt(data.y_ss / (n - 1)), np.nan)
    return {
        "group": np.arange(len(n)),
        "n_obs": n,
        "y_mean": np.where(n > 0, data.y_mean, np.nan),
        "y_sd": y_sd,
        "known_se": np.full(len(n), np.nan) if data.known_se is None else data.known_se,
        "data_digest": np.full(len(n), digest, dtype=object),
    } | (likelihood.group_columns(data) if likelihood is not None else {})


def _worker() -> str:
    """Return the name of this process among those of all machines, which names no machine."""
    return f"{os.getpid()}.{hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()}"


def _timing_columns(block: Block, clock: Clock, stats: SamplerStats | None) -> Columns:
    method = block.study.methods[block.method]
    device = jax.devices()[0]
    return {
        "batch": [block.batch],
        "method": method.name,
        "program": block.program,
        "compile_seconds": clock.compile_seconds,
        "run_seconds": clock.run_seconds,
        "summarize_seconds": clock.summarize_seconds,
        "n_fits": len(block.fits),
        "n_leapfrog": 0 if stats is None else stats.n_leapfrog,
        "started": clock.started,
        "ended": datetime.now(UTC),
        "warm": clock.compile_seconds == 0,
        "device": device.device_kind,
        "platform": device.platform,
        "precision": method.sampler.precision,
        "threads": 1 if device.platform == "cpu" else threading.active_count(),
        "worker": _worker(),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
