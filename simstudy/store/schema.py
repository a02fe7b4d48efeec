"""The tables of a run: one explicit Arrow schema each.

A table without a fixed schema breaks when parts are read together (a part whose ``group`` is all null would infer
another type), so every part is written with the schema of this module. Names follow the contract of the project.
"""

import pyarrow as pa

LABEL = pa.dictionary(pa.int32(), pa.string())
STATUSES = ("ok", "non_finite", "failed")
LATER = ("n_boundary",)
HDI_COLUMNS = ("hdi90_lower", "hdi90_upper")  # highest-density interval, for posteriors of real data

_FIT = [("scenario", LABEL), ("replicate", pa.int64()), ("method", LABEL)]

GROUPS = pa.schema(
    [
        ("scenario", LABEL),
        ("replicate", pa.int64()),
        ("group", pa.int64()),
        ("n_obs", pa.int64()),
        ("y_mean", pa.float64()),
        ("y_sd", pa.float64()),
        ("n_success", pa.int64()),
        ("n_trials", pa.int64()),
        ("known_se", pa.float64()),
        ("data_digest", pa.string()),
    ]
)

FITS = pa.schema(
    [
        *_FIT,
        ("status", LABEL),
        ("reason", pa.string()),
        ("n_divergent", pa.int64()),
        ("n_max_treedepth", pa.int64()),
        ("max_rhat", pa.float64()),
        ("min_ess_bulk", pa.float64()),
        ("min_ess_tail", pa.float64()),
        ("min_ebfmi", pa.float64()),
        ("mean_accept", pa.float64()),
        ("n_leapfrog", pa.int64()),
        ("n_leapfrog_warmup", pa.int64()),
        ("n_draws", pa.int64()),
        ("n_boundary", pa.int64()),
        ("data_key", pa.string()),
        ("sampler_key", pa.string()),
        ("batch", pa.string()),
    ]
)

CHAINS = pa.schema(
    [
        *_FIT,
        ("chain", pa.int64()),
        ("step_size", pa.float64()),
        ("n_divergent", pa.int64()),
        ("n_max_treedepth", pa.int64()),
        ("mean_accept", pa.float64()),
        ("n_leapfrog", pa.int64()),
        ("n_leapfrog_warmup", pa.int64()),
        ("ebfmi", pa.float64()),
    ]
)

TIMINGS = pa.schema(
    [
        ("batch", pa.string()),
        ("method", LABEL),
        ("program", pa.string()),
        ("compile_seconds", pa.float64()),
        ("run_seconds", pa.float64()),
        ("summarize_seconds", pa.float64()),
        ("n_fits", pa.int64()),
        ("n_leapfrog", pa.int64()),
        ("started", pa.timestamp("us", tz="UTC")),
        ("ended", pa.timestamp("us", tz="UTC")),
        ("warm", pa.bool_()),
        ("device", pa.string()),
        ("platform", pa.string()),
        ("precision", pa.string()),
        ("threads", pa.int64()),
        ("worker", pa.string()),
        ("peak_memory_mb", pa.float64()),
    ]
)

ESTIMANDS = pa.schema(
    [
        ("method", pa.string()),
        ("estimand", pa.string()),
        ("factor", pa.string()),
        ("role", pa.string()),
        ("scale", pa.string()),
        ("lower", pa.float64()),
        ("upper", pa.float64()),
        ("center", pa.string()),
        ("spread", pa.string()),
        ("symbol", pa.string()),
        ("words", pa.string()),
    ]
)

LABELS = pa.schema([("scenario", pa.string()), ("group", pa.int64()), ("label", pa.string())])

LEVELS = pa.schema(
    [
        ("scenario", pa.string()),
        ("factor", pa.string()),
        ("layout", pa.string()),
        ("within", pa.string()),
        ("level", pa.int64()),
        ("label", pa.string()),
        ("parent", pa.int64()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("neighbors", pa.list_(pa.int64())),
    ]
)
"""The levels of each factor of data with terms, how they lie to each other, and what they are called."""

CELLS = pa.schema(
    [
        ("scenario", pa.string()),
        ("cell", pa.int64()),
        ("name", pa.string()),
        ("level", pa.int64()),
        ("value", pa.float64()),
    ]
)
"""The level that each cell has of each factor, and its value of each covariate, by their names."""

PERFORMANCE = pa.schema(
    [
        ("scenario", pa.string()),
        ("method", pa.string()),
        ("estimand", pa.string()),
        ("group", pa.string()),
        ("bin", pa.string()),
        ("level", pa.float64()),
        ("measure", pa.string()),
        ("value", pa.float64()),
        ("mcse", pa.float64()),
        ("mcse_method", pa.string()),
        ("lower", pa.float64()),
        ("upper", pa.float64()),
        ("reference", pa.string()),
        ("n_replicates", pa.int64()),
        ("n_used", pa.int64()),
        ("n_excluded", pa.int64()),
        ("policy", pa.string()),
        ("replication", pa.string()),
    ]
)


def quantile_column(probability: float) -> str:
    """Return the column that holds a quantile.

    >>> quantile_column(0.025), quantile_column(0.5), quantile_column(0.975)
    ('q2_5', 'q50', 'q97_5')
    """
    return "q" + f"{100 * probability:.6g}".replace(".", "_")


def mcse_column(statistic: str) -> str:
    """Return the column that holds the Monte Carlo standard error of a statistic.

    >>> mcse_column("q97_5")
    'mcse_q97_5'
    """
    return f"mcse_{statistic}"


def is_later(column: str) -> bool:
    """Whether runs of earlier versions lack a column of estimates or fits: it is read as null from them."""
    return column in LATER or column.startswith((mcse_column("q"), mcse_column("median")))


def interval_columns(level: float) -> tuple[str, str]:
    """Return the columns of the ends of the central interval of a level.

    >>> interval_columns(0.95)
    ('q2_5', 'q97_5')
    """
    return quantile_column((1 - level) / 2), quantile_column((1 + level) / 2)


def interval_probabilities(levels: tuple[float, ...]) -> tuple[float, ...]:
    """Return the sorted probabilities whose quantiles bound the central intervals of the levels.

    >>> interval_probabilities((0.5, 0.95))
    (0.025, 0.25, 0.75, 0.975)
    """
    ends = {round(p, 12) for level in levels for p in ((1 - level) / 2, (1 + level) / 2)}
    return tuple(sorted(ends))


def estimates_schema(levels: tuple[float, ...]) -> pa.Schema:
    """Return the schema of the estimates for the interval levels of a study."""
    return pa.schema(
        [
            *_FIT,
            ("estimand", LABEL),
            ("group", pa.int64()),
            ("truth", pa.float64()),
            ("scale", LABEL),
            ("mean", pa.float64()),
            ("median", pa.float64()),
            ("sd", pa.float64()),
            *((quantile_column(p), pa.float64()) for p in interval_probabilities(levels)),
            *((name, pa.float64()) for name in HDI_COLUMNS),
            (mcse_column("median"), pa.float64()),
            *((mcse_column(quantile_column(p)), pa.float64()) for p in interval_probabilities(levels)),
            ("rank", pa.int64()),
            ("n_rank", pa.int64()),
            ("pit", pa.float64()),
            ("ess_bulk", pa.float64()),
            ("ess_tail", pa.float64()),
            ("rhat", pa.float64()),
            ("mcse_mean", pa.float64()),
            ("mcse_sd", pa.float64()),
            ("crps", pa.float64()),
            ("log_score", pa.float64()),
        ]
    )
