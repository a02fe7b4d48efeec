"""Seconds that go into compiling while fits are drawn, which are no time of sampling.

A sampler may compile when the first fits come, as ``jax.jit`` does by itself. JAX tells what it traced and compiled; a
program that compiles otherwise adds to its ``compile_seconds``.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import jax

from simstudy.samplers import Program

OF_COMPILING = "/jax/core/compile/"


class _Spans(threading.local):
    """When this thread compiled, (start, end) each, while somebody asks; one may lie in another."""

    told: list[tuple[float, float]] | None = None


_SPANS = _Spans()


class Sampling:
    """How long the draws of a block took.

    Args:
        program: that draws them; what it adds to its ``compile_seconds`` counts as compiling.
    """

    def __init__(self, program: Program):
        self._program = program
        self.compile_seconds = 0.0
        """Seconds of compiling."""
        self.run_seconds = 0.0
        """All others."""

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Time what is done inside."""
        _listen()
        before, started = self._program.compile_seconds, time.perf_counter()
        _SPANS.told = []
        try:
            yield
        finally:
            seconds = time.perf_counter() - started
            told, _SPANS.told = covered(_SPANS.told), None
            self.compile_seconds = min(seconds, max(told, self._program.compile_seconds - before))
            self.run_seconds = seconds - self.compile_seconds


def covered(spans: list[tuple[float, float]]) -> float:
    """Return the seconds that lie in any of some spans.

    >>> covered([(4.0, 5.0), (0.0, 3.0), (1.0, 2.0)])
    4.0
    """
    seconds, end = 0.0, -float("inf")
    for first, last in sorted(spans):
        seconds += max(0.0, last - max(first, end))
        end = max(end, last)
    return seconds


@cache
def _listen() -> None:
    jax.monitoring.register_event_duration_secs_listener(_take)


def _take(event: str, duration_secs: float, **_: Any) -> None:
    if _SPANS.told is not None and event.startswith(OF_COMPILING):
        now = time.perf_counter()
        _SPANS.told.append((now - duration_secs, now))
