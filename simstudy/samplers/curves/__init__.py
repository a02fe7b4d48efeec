"""Distribution functions as curves, and what follows from them, by Numba."""
