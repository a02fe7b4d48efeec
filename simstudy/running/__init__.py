"""The driver: it plans, runs, says how far it is, and knows when to stop."""
