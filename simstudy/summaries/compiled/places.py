"""Where the statistics of a row stand: the fixed ones, then the kept quantiles, then their errors."""

(
    MEAN,
    SD,
    HALF_SPREAD,
    LOWER,
    UPPER,
    RHAT,
    ESS_BULK,
    ESS_TAIL,
    MCSE_MEAN,
    MCSE_SD,
    PIT,
    DISTANCE,
    BELOW,
    TIED,
    FINITE,
    N_FIXED,
) = range(16)
