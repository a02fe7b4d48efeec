"""Conformance of parts: what every mechanism, likelihood, structure, sampler, model and measure promises.

Built-in parts go through these checks in the tests of the package, and a user who brings a part calls the same
functions. A check says nothing about how good a part is; it says that the part keeps the promises that the rest of the
package builds on. Seeds are fixed: a check that passes once passes always. Statistical bounds are ``BOUND`` Monte Carlo
standard errors, so that a right part fails with a probability of less than one in a million per comparison.

>>> from simstudy.models.likelihoods import Binomial
>>> from simstudy.testing import check_likelihood
>>> check_likelihood(Binomial())
"""

from simstudy.testing.expectation import BOUND, ConformanceError
from simstudy.testing.likelihood import check_likelihood
from simstudy.testing.measure import check_measure
from simstudy.testing.mechanism import check_mechanism
from simstudy.testing.model import check_model
from simstudy.testing.sampler import check_sampler
from simstudy.testing.structure import check_structure
from simstudy.testing.term import check_term

__all__ = [
    "BOUND",
    "ConformanceError",
    "check_likelihood",
    "check_measure",
    "check_mechanism",
    "check_model",
    "check_sampler",
    "check_structure",
    "check_term",
]
