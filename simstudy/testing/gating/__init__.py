"""The gate for samplers: exact posteriors, numbers of each chain, and bets that a sampler is wrong."""
