"""Draws in, rows out: estimates, ranks, effective draws and R-hat, compiled or in NumPy."""
