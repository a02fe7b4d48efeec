"""The exact posterior by quadrature in float64: an oracle for samplers, and a sampler of independent draws.

Of the normal likelihood everything but the scales (tau, sigma) is Gaussian and integrated in closed form; of the
binomial everything but (mu, tau) is a one-dimensional integral for each group. The two parameters left are on a grid,
which is as wide and as fine as each posterior needs (``box.py``, ``grid.py``).
"""

from simstudy.samplers.exact.posterior import ExactPosterior, exact_posterior
from simstudy.samplers.exact.sampler import Exact

__all__ = ["Exact", "ExactPosterior", "exact_posterior"]
