"""A plugin of pytest: ``simstudy_gate``, a fixture that holds samplers to the gate under ``pytest --simstudy-gate``.

Without the option tests that use the fixture are skipped, since a gate takes a minute. Nothing of JAX is imported
before a test calls it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VERDICTS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("simstudy")
    group.addoption(
        "--simstudy-gate",
        action="store_true",
        help="run the tests that hold samplers to simstudy's exact posteriors (fixture simstudy_gate)",
    )
    group.addoption(
        "--simstudy-gate-write",
        action="store_true",
        help="run them, and write what an effective draw costs into their baseline files, which are not compared with",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no verdict."""
    config.stash[VERDICTS] = []


@pytest.fixture
def simstudy_gate(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """``simstudy.testing.gate`` that fails the test where the sampler does not pass; it returns the verdict."""
    writes = request.config.getoption("--simstudy-gate-write")
    if not writes and not request.config.getoption("--simstudy-gate"):
        pytest.skip("needs --simstudy-gate")

    def hold(sampler: Any, **options: Any) -> Any:
        from simstudy.errors import SimstudyError
        from simstudy.testing import gate

        path = options.pop("baseline", None) if writes else None
        try:
            verdict = gate(sampler, **options)
        except SimstudyError as error:
            pytest.fail(str(error), pytrace=False)
        request.config.stash[VERDICTS].append(f"{request.node.nodeid}: {verdict}")
        if not verdict.passed:
            pytest.fail(str(verdict), pytrace=False)
        if isinstance(path, str | os.PathLike):
            verdict.write_baseline(Path(path))
        return verdict

    return hold


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the verdicts, those of samplers that passed too."""
    verdicts = terminalreporter.config.stash[VERDICTS]
    if verdicts:
        terminalreporter.section("simstudy gate")
        for verdict in verdicts:
            terminalreporter.line(verdict)
