"""What exact posteriors take long for, by Numba: distribution functions as curves, and searches."""
