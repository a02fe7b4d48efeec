"""Made-up runs with a known answer, in milliseconds: a stand-in for every sampler.

Data come from y_ij ~ Normal(theta_j, sigma), theta_j ~ Normal(mu, tau). Every method knows tau and sigma and has a flat
prior on mu, so the posteriors of theta, mu and theta_mean are normal with closed forms; the other estimands
are plausible noise around their truth. All methods see the same data.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import ndtr, ndtri

from simstudy.models.estimands import estimand_of
from simstudy.store import schema

LECTURE = np.array([10.0, 12.0, 9.0, 11.0, 8.0])
N_CHAINS, N_WARMUP, N_DRAWS = 4, 500, 500
N_RANK = 99
BOUNDS = {
    "sigma": (0, np.inf),
    "tau": (0, np.inf),
    "theta_sd": (0, np.inf),
    "shrinkage_weight": (0, 1),
    "prob_best": (0, 1),
}
METHODS = {
    "complete": ("complete", "none"),
    "none": ("none", "none"),
    "partial, centered": ("partial", "centered"),
    "partial, noncentered": ("partial", "noncentered"),
}
EXACT: dict[str, tuple[str, str | None]] = {"partial, exact": ("partial", None)}
STRUCTURES = METHODS | EXACT
ESS = {"partial, centered": (300, 900), "partial, exact": (N_CHAINS * N_DRAWS, N_CHAINS * N_DRAWS)}
PRIORS = {"complete": ("mu", "sigma"), "none": ("theta", "sigma"), "partial": ("mu", "tau", "sigma")}
PRIOR_OF = {"mu": "Normal(0, 10)", "theta": "Normal(0, 10)", "tau": "HalfNormal(5)", "sigma": "Exponential(1)"}
MECHANISM_WORDS = {
    "exchangeable": "exchangeable group effects: θ_j ~ Normal(μ, τ)",
    "dataset": "real data, fixed: replicates differ in the sampler’s seed only",
}
EFFECTS_WORDS = {
    "random": "group effects drawn anew in each replicate",
    "fixed": "group effects the same in every replicate, μ + τ times normal scores",
}
STRUCTURE_WORDS = {
    "complete": "complete pooling: one mean for all groups",
    "none": "no pooling: every group by itself",
    "partial": "partial pooling: group effects share Normal(μ, τ)",
}
OF_TRAJECTORIES = (
    "n_divergent",
    "n_max_treedepth",
    "min_ebfmi",
    "mean_accept",
    "n_leapfrog",
    "n_leapfrog_warmup",
)
REASONS = {"failed": "worker died", "non_finite": "log density not finite at the initial point"}


@dataclass(frozen=True, kw_only=True)
class FakeRun:
    """The tables of a made-up run."""

    study: Mapping[str, Any]
    provenance: Mapping[str, Any]
    scenarios: pd.DataFrame
    methods: pd.DataFrame
    estimands: pd.DataFrame
    description: Mapping[str, Any]
    groups: pd.DataFrame
    fits: pd.DataFrame
    chains: pd.DataFrame
    estimates: pd.DataFrame
    timings: pd.DataFrame

    def parts(
        self, table: str, columns: Sequence[str] | None = None, *, where: Mapping[str, Collection[str]] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield the table as one piece."""
        rows = getattr(self, table)
        for name, labels in (where or {}).items():
            rows = rows[rows[name].isin(labels)]
        yield rows if columns is None else rows[list(columns)]


@dataclass(frozen=True, kw_only=True)
class FakeStudy:
    """The study of a made-up run, of which there need be no run: what ``simstudy.Study`` says of itself."""

    run: FakeRun

    @property
    def canonical(self) -> Mapping[str, Any]:
        return self.run.study

    @property
    def description(self) -> Mapping[str, Any]:
        return self.run.description

    @property
    def simulated(self) -> Mapping[str, Any]:
        """Every part is built in."""
        return {}

    def estimand_rows(self) -> list[dict]:
        return self.run.estimands.to_dict("records")

    def level_rows(self) -> list[dict]:
        """No factor has levels of its own."""
        return []

    def method_rows(self) -> list[dict]:
        return self.run.methods.to_dict("records")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One scenario with its data: theta, y_mean and y_ss are (replicate, group), n_obs is (group,)."""

    scenario: str
    label: str
    factors: Mapping[str, Any]
    n_obs: np.ndarray
    mu: float
    tau: float
    sigma: float
    theta: np.ndarray
    y_mean: np.ndarray
    y_ss: np.ndarray

    @property
    def s2(self) -> np.ndarray:
        """(group,) squared standard error of the group means."""
        return self.sigma**2 / self.n_obs

    @property
    def oracle_weight(self) -> np.ndarray:
        """(group,) B_j = s2_j / (s2_j + tau^2)."""
        return self.s2 / (self.s2 + self.tau**2)


def fake_run(
    *,
    replicates: int = 50,
    groups: Iterable[int] = (4, 8),
    group_size: Iterable[int] = (2, 10),
    sizes: Iterable[Sequence[int]] = (),
    mu: float = 0.0,
    tau: Iterable[float] = (0.0, 0.5, 2.0),
    sigma: float = 1.0,
    effects: Literal["random", "fixed"] = "random",
    replication: Literal["data", "sampler"] = "data",
    levels: Sequence[float] = (0.5, 0.8, 0.9, 0.95),
    methods: Iterable[str] = tuple(METHODS),
    sampler_noise: float = 1.0,
    failure_rate: float = 0.01,
    seed: int = 0,
) -> FakeRun:
    """Return the tables of a made-up run.

    Args:
        replicates: replicates per scenario.
        groups: numbers of groups, crossed with ``group_size`` and ``tau``.
        group_size: observations per group of the balanced designs.
        sizes: unbalanced designs, crossed with ``tau``.
        mu: mean of the effects.
        tau: sds of the effects.
        sigma: sd of the observations.
        effects: ``fixed``: theta_j = mu + tau times normal scores in every replicate.
        replication: ``sampler``: the lecture's five observations, replicates differ in the sampler's noise alone.
        levels: levels of the central intervals.
        methods: names out of ``METHODS``, and of ``EXACT``, whose draws are independent and count no leapfrogs.
        sampler_noise: posterior means are off by this many mcse_mean (standard normal); 0 for exact means.
        failure_rate: share of fits that fail, and share that are non-finite.
        seed: of NumPy's generator.
    """
    rng = np.random.default_rng(seed)
    names = list(methods)
    designs = [(j, n, (n,) * j) for j, n in itertools.product(groups, group_size)]
    designs += [(len(s), None, tuple(s)) for s in sizes]
    if replication == "sampler":
        cells = [_lecture_cell(replicates)]
    else:
        cells = [
            _simulate(rng, replicates, design, mu, t, sigma, effects) for design, t in itertools.product(designs, tau)
        ]
    study = _study(names, replicates, cells, designs, tuple(tau), mu, sigma, effects, replication, tuple(levels), seed)
    fits, estimates = [], []
    for cell, name in itertools.product(cells, names):
        fits.append(_fits(rng, cell, name, failure_rate))
        status = fits[-1]["status"]
        estimates.append(_estimates(rng, cell, name, status, tuple(levels), sampler_noise, replication))
    all_fits = _fits_table(fits)
    return FakeRun(
        study=study,
        provenance=_provenance(),
        scenarios=pd.DataFrame([{"scenario": c.scenario, "label": c.label, **c.factors} for c in cells]),
        methods=pd.DataFrame([_method_row(m) for m in study["methods"]]),
        estimands=_declared(names, cells[0]),
        description=_description(study),
        groups=_table(pd.concat([_groups(cell) for cell in cells], ignore_index=True), schema.GROUPS),
        fits=all_fits,
        chains=_chains(rng, all_fits),
        estimates=_estimates_table(estimates, tuple(levels)),
        timings=_timings(rng, all_fits),
    )


def _simulate(
    rng: np.random.Generator,
    replicates: int,
    design: tuple[int, int | None, tuple[int, ...]],
    mu: float,
    tau: float,
    sigma: float,
    effects: str,
) -> Cell:
    n_groups, group_size, sizes = design
    n_obs = np.array(sizes)
    shape = (replicates, n_groups)
    scores = ndtri((np.arange(n_groups) + 0.5) / n_groups)
    theta = mu + tau * (np.broadcast_to(scores, shape) if effects == "fixed" else rng.standard_normal(shape))
    y_mean = theta + sigma / np.sqrt(n_obs) * rng.standard_normal(shape)
    y_ss = sigma**2 * np.where(n_obs > 1, rng.chisquare(np.maximum(n_obs - 1, 1), shape), 0.0)
    text = None if group_size else ",".join(map(str, sizes))
    size_label = f"group_size={group_size}" if group_size else f"sizes={text}"
    label = f"groups={n_groups}, {size_label}, tau={tau:g}"
    factors = {
        "mechanism": "exchangeable",
        "likelihood": "normal",
        "groups": n_groups,
        "group_size": group_size,
        "sizes": text,
        "mu": mu,
        "tau": tau,
        "sigma": sigma,
    }
    return Cell(
        scenario=_hash(label),
        label=label,
        factors=factors,
        n_obs=n_obs,
        mu=mu,
        tau=tau,
        sigma=sigma,
        theta=theta,
        y_mean=y_mean,
        y_ss=y_ss,
    )


def _lecture_cell(replicates: int) -> Cell:
    shape = (replicates, len(LECTURE))
    return Cell(
        scenario=_hash("lecture"),
        label="lecture",
        factors={"mechanism": "dataset", "data": "lecture", "likelihood": "normal", "groups": 5, "group_size": 1},
        n_obs=np.ones(len(LECTURE), int),
        mu=np.nan,
        tau=1.2,
        sigma=1.0,
        theta=np.full(shape, np.nan),
        y_mean=np.broadcast_to(LECTURE, shape),
        y_ss=np.zeros(shape),
    )


def posterior(structure: str, cell: Cell) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return mean and sd of the normal posteriors, (replicate, group) for theta and (replicate, 1) for the others.

    Gelman et al. 2013, Bayesian Data Analysis, section 5.4, with the flat prior on mu.
    """
    s2, y = cell.s2, cell.y_mean
    n_groups = len(s2)
    if structure == "none":
        sd = np.broadcast_to(np.sqrt(s2), y.shape)
        return {"theta": (y, sd), "theta_mean": (y.mean(1, keepdims=True), _column(np.sqrt(s2.sum()) / n_groups, y))}
    precision = 1 / (s2 if structure == "complete" else s2 + cell.tau**2)
    mu_hat = (y * precision).sum(1, keepdims=True) / precision.sum()
    mu_var = 1 / precision.sum()
    weight = np.ones(n_groups) if structure == "complete" else cell.oracle_weight
    theta = weight * mu_hat + (1 - weight) * y
    theta_var = (1 - weight) * s2 + weight**2 * mu_var
    average_var = ((1 - weight) * s2).sum() / n_groups**2 + weight.mean() ** 2 * mu_var
    return {
        "theta": (theta, np.broadcast_to(np.sqrt(theta_var), y.shape)),
        "theta_mean": (theta.mean(1, keepdims=True), _column(np.sqrt(average_var), y)),
        "mu": (mu_hat, _column(np.sqrt(mu_var), y)),
    }


def _column(value: float, like: np.ndarray) -> np.ndarray:
    return np.full((len(like), 1), value)


def _posteriors(
    rng: np.random.Generator, structure: str, cell: Cell
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return mean, sd and truth of every estimand of the structure, each (replicate, group or 1)."""
    theta = cell.theta
    replicates = len(theta)
    mean, sd = posterior(structure, cell)["theta"]
    truth = {"theta": theta, "theta_mean": theta.mean(1, keepdims=True), "mu": _column(cell.mu, theta)}
    known = {name: (*value, truth[name]) for name, value in posterior(structure, cell).items()}
    single = (replicates, 1)
    theta_sd = theta.std(1, ddof=1, keepdims=True)
    pooled_theta_sd = cell.y_mean.std(1, ddof=1, keepdims=True)
    rough = 1 / np.sqrt(2 * theta.shape[1])
    spread = 0.0 if structure == "complete" else rough * (0.2 + pooled_theta_sd)
    new_sd = np.hypot(cell.tau if structure == "partial" else cell.sigma, sd.mean())
    log_lik = -0.5 * cell.n_obs.sum() * (np.log(2 * np.pi * cell.sigma**2) + 1) + rng.standard_normal(single)
    sigma_bias = cell.tau**2 / (2 * cell.sigma) if structure == "complete" else 0.0
    sigma_sd = cell.sigma / np.sqrt(2 * cell.n_obs.sum())
    sigma = cell.sigma + sigma_bias + sigma_sd * rng.standard_normal(single)
    made_up = {
        "sigma": (np.abs(sigma), _column(sigma_sd, theta), _column(cell.sigma, theta)),
        "theta_sd": (pooled_theta_sd * (structure != "complete"), np.broadcast_to(spread, single), theta_sd),
        "theta_new": (
            mean.mean(1, keepdims=True),
            _column(new_sd, theta),
            cell.mu + cell.tau * rng.standard_normal(single),
        ),
        "y_new": (
            mean.mean(1, keepdims=True),
            _column(np.hypot(new_sd, cell.sigma), theta),
            cell.mu + np.hypot(cell.tau, cell.sigma) * rng.standard_normal(single),
        ),
        "log_lik": (log_lik, _column(1.5, theta), log_lik + 1.5 * rng.standard_normal(single)),
    }
    if structure == "partial":
        weight = np.broadcast_to(cell.oracle_weight, theta.shape)
        tau = np.abs(cell.tau + rough * (0.3 + cell.tau) * rng.standard_normal(single))
        made_up["tau"] = (tau, _column(rough * (0.3 + cell.tau), theta), _column(cell.tau, theta))
        estimate = np.clip(weight * rng.uniform(0.8, 1.1, theta.shape), 0, 1)
        made_up["shrinkage_weight"] = (estimate, np.full(theta.shape, 0.1), weight)
    if structure != "complete":
        odds = np.exp(mean / sd.mean())
        best = np.where(np.isnan(theta), np.nan, (theta == theta.max(1, keepdims=True)).astype(float))
        chance = odds / odds.sum(1, keepdims=True)
        made_up["prob_best"] = (chance, np.sqrt(chance * (1 - chance)), best)
    if cell.factors["mechanism"] == "dataset":
        made_up = {name: (m, s, np.full(np.shape(m), np.nan)) for name, (m, s, _) in made_up.items()}
    return {**known, **made_up}


def _estimates(
    rng: np.random.Generator,
    cell: Cell,
    name: str,
    status: np.ndarray,
    levels: tuple[float, ...],
    sampler_noise: float,
    replication: str,
) -> dict[str, np.ndarray]:
    structure = STRUCTURES[name][0]
    posteriors = _posteriors(rng, structure, cell)
    if replication == "sampler":
        posteriors = {k: tuple(np.broadcast_to(v[:1], v.shape) for v in value) for k, value in posteriors.items()}
    ess = ESS.get(name, (900, 2000))
    parts = [
        _estimand_rows(rng, estimand, *posterior, levels, sampler_noise, shared=structure == "complete", ess_bounds=ess)
        for estimand, posterior in posteriors.items()
    ]
    columns = {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}
    status = status[columns["replicate"]]
    numbers = set(columns) - {"replicate", "estimand", "group", "truth", "rank", "n_rank"}
    columns |= {column: np.where(status == "non_finite", np.nan, columns[column]) for column in numbers}
    kept = {column: values[status != "failed"] for column, values in columns.items()}
    n = len(kept["replicate"])
    return {**kept, "scenario": np.full(n, cell.scenario), "method": np.full(n, name), "scale": np.full(n, "natural")}


def _estimand_rows(
    rng: np.random.Generator,
    estimand: str,
    mean: np.ndarray,
    sd: np.ndarray,
    truth: np.ndarray,
    levels: tuple[float, ...],
    sampler_noise: float,
    *,
    shared: bool,
    ess_bounds: tuple[float, float],
) -> dict[str, np.ndarray]:
    replicates, n_groups = mean.shape
    ess = np.broadcast_to(rng.uniform(*ess_bounds, (replicates, 1 if shared else n_groups)), mean.shape)
    mcse_mean = sd / np.sqrt(ess)
    low, high = BOUNDS.get(estimand, (-np.inf, np.inf))
    noise = np.broadcast_to(rng.standard_normal((replicates, 1 if shared else n_groups)), mean.shape)
    mean = np.clip(mean + sampler_noise * mcse_mean * noise, low, high)
    point = sd == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(point, np.sign(truth - mean) * np.inf, (truth - mean) / sd)
        pit = np.where(point & (truth == mean), 0.5, ndtr(z))
        density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
        crps = np.where(point, np.abs(truth - mean), sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)))
        log_score = np.where(point, np.nan, 0.5 * z**2 + 0.5 * np.log(2 * np.pi) + np.log(sd))
    probabilities = schema.interval_probabilities(levels)
    quantiles = {schema.quantile_column(p): np.clip(mean + sd * ndtri(p), low, high) for p in probabilities}
    values = {
        "truth": truth,
        "mean": mean,
        "median": mean,
        "sd": sd,
        **quantiles,
        "rank": np.minimum(np.floor(np.nan_to_num(pit) * (N_RANK + 1)), N_RANK).astype(int),
        "n_rank": np.full(mean.shape, N_RANK),
        "pit": pit,
        "ess_bulk": ess,
        "ess_tail": 0.8 * ess,
        "rhat": 1 + 2 / ess * rng.standard_normal(mean.shape) ** 2,
        "mcse_mean": mcse_mean,
        "mcse_sd": mcse_mean / np.sqrt(2),
        "crps": crps,
        "log_score": log_score,
    }
    group = np.arange(n_groups) if estimand in ("theta", "shrinkage_weight", "prob_best") else np.full(n_groups, -1)
    return {
        "replicate": np.repeat(np.arange(replicates), n_groups),
        "estimand": np.full(mean.size, estimand, dtype="U16"),
        "group": np.tile(group, replicates),
        **{column: np.ravel(array) for column, array in values.items()},
    }


def _fits(rng: np.random.Generator, cell: Cell, name: str, failure_rate: float) -> dict[str, np.ndarray]:
    replicates = len(cell.theta)
    n_draws = N_CHAINS * N_DRAWS
    shrinkage = cell.oracle_weight.mean()
    rate = {"partial, centered": 0.05 * shrinkage**2, "partial, noncentered": 0.001 * shrinkage}.get(name, 0.0)
    n_divergent = rng.binomial(n_draws, rng.beta(0.5, 0.5 / rate, replicates)) if rate else np.zeros(replicates, int)
    trajectory = {"complete": 4, "none": 7, "partial, centered": 7 + 20 * shrinkage}.get(name, 9 + 20 * (1 - shrinkage))
    status = rng.choice(
        ["ok", "non_finite", "failed"], replicates, p=[1 - 2 * failure_rate, failure_rate, failure_rate]
    )
    ess = np.where(n_divergent > 0, rng.uniform(80, 500, replicates), rng.uniform(350, 900, replicates))
    ess = np.where(status == "ok", ess, np.nan)
    of_sampler = {
        "n_divergent": n_divergent,
        "n_max_treedepth": rng.binomial(n_draws, 1e-4 if name.startswith("partial") else 0.0, replicates),
        "max_rhat": 1 + 2 / ess,
        "min_ess_bulk": ess,
        "min_ess_tail": 0.8 * ess,
        "min_ebfmi": rng.uniform(0.5, 1.1, replicates),
        "mean_accept": rng.uniform(0.8, 0.93, replicates),
        "n_leapfrog": rng.poisson(trajectory * n_draws, replicates),
        "n_leapfrog_warmup": rng.poisson(1.2 * trajectory * n_draws, replicates),
        "n_draws": np.full(replicates, n_draws),
    }
    if name in EXACT:
        of_sampler |= dict.fromkeys(OF_TRAJECTORIES, np.full(replicates, np.nan))
    return {
        "scenario": np.full(replicates, cell.scenario),
        "replicate": np.arange(replicates),
        "method": np.full(replicates, name),
        "status": status,
        **{column: np.where(status == "failed", np.nan, values) for column, values in of_sampler.items()},
        "batch": np.full(replicates, _hash(f"{name}/{len(cell.n_obs)}")),
    }


def _fits_table(parts: list[dict[str, np.ndarray]]) -> pd.DataFrame:
    columns = {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}
    frame = pd.DataFrame(columns)
    counts = [column for column in frame if column.startswith("n_")]
    fit = [f"{s}/{r}" for s, r in zip(columns["scenario"], columns["replicate"], strict=True)]
    return _table(
        frame.astype(dict.fromkeys(counts, "Int64")).assign(
            reason=frame["status"].map(REASONS),
            data_key=[_hash(name) for name in fit],
            sampler_key=[_hash(f"{name}/{method}") for name, method in zip(fit, columns["method"], strict=True)],
        ),
        schema.FITS,
    )


def _chains(rng: np.random.Generator, fits: pd.DataFrame) -> pd.DataFrame:
    fits = fits[((fits["status"] == "ok") & fits["n_leapfrog"].notna()).to_numpy()]
    frame = fits.loc[fits.index.repeat(N_CHAINS), ["scenario", "replicate", "method"]]
    n_rows = len(frame)

    def split(column: str) -> np.ndarray:
        return rng.multinomial(fits[column].to_numpy(int), np.full(N_CHAINS, 1 / N_CHAINS)).ravel()

    counts = {c: split(c) for c in ("n_divergent", "n_max_treedepth", "n_leapfrog", "n_leapfrog_warmup")}
    rows = frame.assign(
        chain=np.tile(np.arange(N_CHAINS), len(fits)),
        step_size=rng.uniform(0.1, 0.6, n_rows),
        mean_accept=rng.uniform(0.78, 0.95, n_rows),
        ebfmi=rng.uniform(0.5, 1.1, n_rows),
        **counts,
    )
    return _table(rows, schema.CHAINS)


def _groups(cell: Cell) -> pd.DataFrame:
    replicates, n_groups = cell.theta.shape
    replicate = np.repeat(np.arange(replicates), n_groups)
    n_obs = np.tile(cell.n_obs, replicates)
    with np.errstate(divide="ignore", invalid="ignore"):
        y_sd = np.where(n_obs > 1, np.sqrt(cell.y_ss.ravel() / (n_obs - 1)), np.nan)
    data = np.hstack([cell.y_mean, cell.y_ss])
    digests = [hashlib.sha256(row.tobytes()).hexdigest()[:16] for row in np.ascontiguousarray(data)]
    return pd.DataFrame(
        {
            "scenario": cell.scenario,
            "replicate": replicate,
            "group": np.tile(np.arange(n_groups), replicates),
            "n_obs": n_obs,
            "y_mean": cell.y_mean.ravel(),
            "y_sd": y_sd,
            "data_digest": np.repeat(digests, n_groups),
        }
    )


def _timings(rng: np.random.Generator, fits: pd.DataFrame) -> pd.DataFrame:
    batches = fits.groupby(["batch", "method"], observed=True)
    frame = batches.agg(n_fits=("replicate", "size"), n_leapfrog=("n_leapfrog", "sum")).reset_index()
    warmup = batches["n_leapfrog_warmup"].sum().to_numpy(float)
    frame["n_leapfrog"] = (frame["n_leapfrog"].to_numpy(float) + warmup).astype(int)
    n = len(frame)
    run_seconds = frame["n_leapfrog"].to_numpy() * N_CHAINS * 150e-9 * rng.uniform(0.9, 1.1, n)
    started = pd.Timestamp("2026-01-01T12:00:00Z") + pd.to_timedelta(np.cumsum(run_seconds + 5), unit="s")
    compile_seconds = rng.uniform(4, 9, n)
    frame = frame.assign(
        program=[f"{m}/{b[:6]}" for m, b in zip(frame["method"], frame["batch"], strict=True)],
        compile_seconds=compile_seconds,
        run_seconds=run_seconds,
        summarize_seconds=0.0015 * frame["n_fits"].to_numpy(),
        started=started.floor("us"),
        ended=(started + pd.to_timedelta(compile_seconds + run_seconds, unit="s")).floor("us"),
        warm=False,
        device="fake processor",
        platform="cpu",
        precision="float32",
        threads=1,
        worker=[f"worker-{i % 2}" for i in range(n)],
        peak_memory_mb=rng.uniform(400, 600, n),
    )
    return _table(frame, schema.TIMINGS)


def _study(
    names: list[str],
    replicates: int,
    cells: list[Cell],
    designs: list[tuple[int, int | None, tuple[int, ...]]],
    tau: tuple[float, ...],
    mu: float,
    sigma: float,
    effects: str,
    replication: str,
    levels: tuple[float, ...],
    seed: int,
) -> dict[str, Any]:
    mechanism: dict[str, Any] = {"kind": "dataset", "likelihood": "normal", "data": "lecture"}
    if replication == "data":
        mechanism = {
            "kind": "exchangeable",
            "likelihood": "normal",
            "groups": sorted({j for j, n, _ in designs if n}),
            "group_size": sorted({n for _, n, _ in designs if n}),
            "sizes": [list(s) for _, n, s in designs if n is None],
            "effects": effects,
            "mu": [mu],
            "tau": list(tau),
            "sigma": [sigma],
            "sigma_by": "shared",
        }
    return {
        "schema_version": 1,
        "study": {
            "name": "fake" if replication == "data" else "lecture",
            "aim": "Where does partial pooling pay, and what does it cost the sampler?",
            "seed": seed,
            "replicates": replicates,
            "kind": "simulation",
        },
        "mechanism": mechanism,
        "methods": [_method(name) for name in names],
        "summary": {"levels": list(levels)},
        "diagnostics": {"max_rhat": 1.01, "min_ess": 400, "max_divergence_rate": 0.0},
    }


def _method(name: str) -> dict[str, Any]:
    structure, parameterization = STRUCTURES[name]
    return {
        "name": name,
        "model": None,
        "structure": structure,
        "parameterization": parameterization if structure == "partial" else None,
        "likelihood": "normal",
        "sigma_by": "shared",
        "priors": {key: PRIOR_OF[key] for key in PRIORS[structure]},
        "sampler": {
            "kind": "exact" if name in EXACT else "numpyro",
            "chains": N_CHAINS,
            "warmup": N_WARMUP,
            "draws": N_DRAWS,
            "target_accept": 0.8,
            "precision": "float32",
            "max_treedepth": 10,
        },
    }


def _method_row(method: dict[str, Any]) -> dict[str, Any]:
    flat = {key: value for key, value in method.items() if key not in ("name", "priors", "sampler")}
    priors = "; ".join(f"{key} ~ {value}" for key, value in method["priors"].items())
    traits = {"pooling": method["structure"], "is_exact": method["name"] in EXACT}
    named = {"method": method["name"], "identity": _hash(method["name"])}
    return {**named, **flat, **traits, "priors": priors, **method["sampler"]}


def _declared(names: list[str], cell: Cell) -> pd.DataFrame:
    """Return what the methods declare: quantities of grouped models, those that their posteriors have."""
    rng = np.random.default_rng(0)
    rows = [
        {"method": name, "estimand": estimand, **estimand_of(estimand).row("natural")}
        for name in names
        for estimand in _posteriors(rng, STRUCTURES[name][0], cell)
    ]
    return _table(pd.DataFrame(rows), schema.ESTIMANDS)


def _description(study: Mapping[str, Any]) -> dict[str, Any]:
    """Return the study in words, as the families of the package say them."""
    is_fixed = study["mechanism"]["kind"] == "dataset"
    mechanism = {
        "words": MECHANISM_WORDS[study["mechanism"]["kind"]],
        "likelihood": "normal observations, y_ij ~ Normal(θ_j, σ)",
        "effects": "" if is_fixed else EFFECTS_WORDS[study["mechanism"]["effects"]],
        "symbols": {"groups": "J", "group_size": "n"},
        "has_fixed_data": is_fixed,
        "has_normal_means": True,
    }
    methods = {m["name"]: {"model": _model_words(m), "sampler": _sampler_words(m)} for m in study["methods"]}
    return {"mechanism": mechanism, "methods": methods}


def _model_words(method: Mapping[str, Any]) -> str:
    parameterization = {"partial": "non-centered"}.get(method["structure"], "")
    if method["parameterization"] == "centered":
        parameterization = "centered"
    words = [STRUCTURE_WORDS[method["structure"]], parameterization, "normal observations"]
    return ", ".join(filter(None, words))


def _sampler_words(method: Mapping[str, Any]) -> str:
    if method["name"] in EXACT:
        return f"independent exact draws by quadrature: {N_CHAINS} chains of {N_DRAWS} draws, float32"
    lengths = f"{N_CHAINS} chains of {N_WARMUP} warm-up and {N_DRAWS} draws"
    return f"NUTS of NumPyro: {lengths}, maximum tree depth 10, target acceptance 0.8, float32"


# In alphabetical order they stand as those of grouped models do, so that tables have the same order of rows.
OWN_NAMES = {"mu": "mid", "prob_best": "pick", "shrinkage_weight": "pull", "tau": "sway", "theta": "tract"}
OWN_NAMES |= {"theta_mean": "tract_mean", "theta_new": "tract_new", "theta_sd": "tract_sd"}


def with_own_names(run: FakeRun, names: Mapping[str, str] = OWN_NAMES) -> FakeRun:
    """Return the run as if a user's model had made it, whose estimands have other names and the same declarations."""

    def renamed(column: pd.Series) -> pd.Series:
        return column.map(lambda name: names.get(name, name))

    declared = run.estimands.assign(**{name: renamed(run.estimands[name]) for name in ("estimand", "center", "spread")})
    estimates = run.estimates.assign(estimand=renamed(run.estimates["estimand"].astype(object)).astype("category"))
    mechanism = {names.get(key, key): value for key, value in run.study["mechanism"].items()}
    methods = [
        {**m, "priors": {names.get(key, key): text for key, text in m["priors"].items()}} for m in run.study["methods"]
    ]
    return dataclasses.replace(
        run,
        study={**run.study, "mechanism": mechanism, "methods": methods},
        scenarios=run.scenarios.rename(columns=names),
        estimands=declared,
        estimates=estimates,
    )


def without_declarations(run: FakeRun) -> FakeRun:
    """Return the run as one that was made before runs declared their estimands and told what they are."""
    methods = run.methods.drop(columns=["pooling", "is_exact"])
    return dataclasses.replace(run, estimands=run.estimands.head(0), description={}, methods=methods)


def _provenance() -> dict[str, Any]:
    return {
        "simstudy": "0.1.0",
        "versions": {"python": "3.11.0", "numpy": "2.0.0", "jax": "0.6.0", "numpyro": "0.19.0"},
        "platform": "cpu",
        "processor": "fake processor",
        "cores": 2,
        "commit": "0123456789abcdef",
        "started": "2026-01-01T12:00:00+00:00",
        "ended": "2026-01-01T12:04:00+00:00",
    }


def _table(frame: pd.DataFrame, arrow: pa.Schema) -> pd.DataFrame:
    """Return the frame with the columns and types that reading the run's Parquet parts would give."""
    frame = frame.reindex(columns=arrow.names)
    return pa.Table.from_pandas(frame, schema=arrow, preserve_index=False).to_pandas()


def _estimates_table(parts: list[dict[str, np.ndarray]], levels: tuple[float, ...]) -> pd.DataFrame:
    columns = {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}
    for column in ("scenario", "method", "estimand", "scale"):
        names, codes = np.unique(columns[column], return_inverse=True)
        columns[column] = pd.Categorical.from_codes(codes, categories=names.astype(object))
    group = columns.pop("group")
    columns["group"] = pd.arrays.IntegerArray(np.maximum(group, 0), mask=group < 0)
    return _table(pd.DataFrame(columns), schema.estimates_schema(levels))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fake_repeats(*, repeats: int, replicates: int, **options) -> FakeRun:
    """Return a run in which one scenario is repeated: each repeat has an id of its own and data of its own.

    Args:
        repeats: number of repeats.
        replicates: replicates of each repeat.
        options: of ``fake_run``; they must describe one scenario.
    """
    run = fake_run(replicates=repeats * replicates, **options)
    ids = np.array([f"{i:016x}" for i in range(repeats)], dtype=object)

    def split(table: pd.DataFrame) -> pd.DataFrame:
        repeat, replicate = np.divmod(table["replicate"].to_numpy(), replicates)
        return table.assign(scenario=pd.Categorical.from_codes(repeat, categories=ids), replicate=replicate)

    tables = {name: split(getattr(run, name)) for name in ("groups", "fits", "chains", "estimates")}
    scenarios = run.scenarios.loc[run.scenarios.index.repeat(repeats)].assign(scenario=ids).reset_index(drop=True)
    return dataclasses.replace(run, scenarios=scenarios, **tables)
