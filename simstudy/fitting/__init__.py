"""One block of fits, from simulation to rows."""
