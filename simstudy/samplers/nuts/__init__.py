"""A No-U-Turn sampler for many posteriors of one shape at once.

A *lane* is one chain of one fit. Lanes lie on the last axis of every array and never wait for one another: each is at
its own place in its own trajectory, its own warm-up and its own fit, and takes the next chain when it is done. The
algorithm, its options and its statistics are those of ``numpyro.infer.NUTS`` with a diagonal mass matrix.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from simstudy.samplers.nuts.fits import FinishedFit, Fits, Job, Work
from simstudy.samplers.nuts.options import NUTSOptions, default_lanes

if TYPE_CHECKING:
    from simstudy.samplers.nuts.program import NUTSProgram

__all__ = ["FinishedFit", "Fits", "Job", "NUTSOptions", "NUTSProgram", "Work", "default_lanes"]


def __getattr__(name: str) -> Any:
    if name == "NUTSProgram":  # with JAX: not before something is compiled
        return import_module("simstudy.samplers.nuts.program").NUTSProgram
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
