"""Conformance of parts: what every mechanism, likelihood, structure, sampler, model and measure promises.

Built-in parts go through these checks in the tests of the package, and a user who brings a part calls the same
functions. A check says nothing about how good a part is; it says that the part keeps the promises that the rest of the
package builds on. Seeds are fixed: a check that passes once passes always. Statistical bounds are ``BOUND`` Monte Carlo
standard errors, so that a right part fails with a probability of less than one in a million per comparison.

How good a sampler is, the package's or any other, the ``gate`` says: it holds it to exact posteriors.

The names below are imported when they are first used, so that a plugin of pytest loads without JAX.

>>> from simstudy.models.likelihoods import Binomial
>>> from simstudy.testing import check_likelihood
>>> check_likelihood(Binomial())
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simstudy.testing.expectation import BOUND as BOUND
    from simstudy.testing.expectation import ConformanceError as ConformanceError
    from simstudy.testing.gating.gate import gate as gate
    from simstudy.testing.gating.problem import Problem as Problem
    from simstudy.testing.gating.verdict import Verdict as Verdict
    from simstudy.testing.known.posteriors import exact_posteriors as exact_posteriors
    from simstudy.testing.likelihood import check_likelihood as check_likelihood
    from simstudy.testing.measure import check_measure as check_measure
    from simstudy.testing.mechanism import check_mechanism as check_mechanism
    from simstudy.testing.model import check_model as check_model
    from simstudy.testing.sampler import check_sampler as check_sampler
    from simstudy.testing.structure import check_structure as check_structure
    from simstudy.testing.term import check_term as check_term

_PLACES = {
    "BOUND": "expectation",
    "ConformanceError": "expectation",
    "Problem": "gating.problem",
    "Verdict": "gating.verdict",
    "check_likelihood": "likelihood",
    "check_measure": "measure",
    "check_mechanism": "mechanism",
    "check_model": "model",
    "check_sampler": "sampler",
    "check_structure": "structure",
    "check_term": "term",
    "exact_posteriors": "known.posteriors",
    "gate": "gating.gate",
}

__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
