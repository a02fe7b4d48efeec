"""Draws in, rows out: estimates, ranks, effective draws and R-hat, vectorized NumPy."""
