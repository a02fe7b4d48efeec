"""Simulation studies and benchmarks of hierarchical Bayesian models, on NumPyro and JAX.

The names below are imported when they are first used, so that a report opens without JAX.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simstudy.choosing.choose import choose as choose
    from simstudy.comparison import compare as compare
    from simstudy.crate.publish import publish as publish
    from simstudy.crate.verify import verify as verify
    from simstudy.fitting.refitting import refit as refit
    from simstudy.measures.labeled import performance as performance
    from simstudy.measures.registry import register_measure as register_measure
    from simstudy.measures.score import score as score
    from simstudy.models.estimands import Estimand as Estimand
    from simstudy.models.model import Axes as Axes
    from simstudy.planning.plan import plan as plan
    from simstudy.report import CallableReports
    from simstudy.report.publishing import table as table
    from simstudy.running.runner import run as run
    from simstudy.store import Run as Run
    from simstudy.study.registry import register_likelihood as register_likelihood
    from simstudy.study.registry import register_mechanism as register_mechanism
    from simstudy.study.registry import register_model as register_model
    from simstudy.study.registry import register_sampler as register_sampler
    from simstudy.study.registry import register_structure as register_structure
    from simstudy.study.study import Study as Study
    from simstudy.types import GroupedData as GroupedData

    report: CallableReports

_PLACES = {
    "Axes": "simstudy.models.model",
    "Estimand": "simstudy.models.estimands",
    "GroupedData": "simstudy.types",
    "Run": "simstudy.store",
    "Study": "simstudy.study.study",
    "choose": "simstudy.choosing.choose",
    "compare": "simstudy.comparison",
    "performance": "simstudy.measures.labeled",
    "plan": "simstudy.planning.plan",
    "publish": "simstudy.crate.publish",
    "refit": "simstudy.fitting.refitting",
    "register_likelihood": "simstudy.study.registry",
    "register_measure": "simstudy.measures.registry",
    "register_mechanism": "simstudy.study.registry",
    "register_model": "simstudy.study.registry",
    "register_sampler": "simstudy.study.registry",
    "register_structure": "simstudy.study.registry",
    "report": "simstudy",
    "run": "simstudy.running.runner",
    "score": "simstudy.measures.score",
    "table": "simstudy.report.publishing",
    "verify": "simstudy.crate.verify",
}

__all__ = sorted(_PLACES)


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]


if not TYPE_CHECKING:  # a checker would take any name for one that is there

    def __getattr__(name: str) -> Any:
        if name == "report":
            return import_module("simstudy.report")  # a module that can be called: simstudy.report(run, path)
        if name in _PLACES:
            return getattr(import_module(_PLACES[name]), name)
        raise AttributeError(f"module 'simstudy' has no attribute {name!r}")
