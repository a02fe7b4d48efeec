"""Public data under models whose posterior is known: a small table that any sampler can be held to in seconds."""
