"""A measurement in a process of its own: its memory is its own, and its environment is set before JAX starts.

``python -m side_by_side.apart MODULE:FUNCTION ARGUMENTS OUT [CORE]`` calls the function with the JSON arguments and
writes its JSON value to a file.
"""

import dataclasses
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent


class Running:
    """A measurement on its way.

    Args:
        function: ``module:function`` of this package.
        arguments: keyword arguments, JSON values.
        core: the one core it may use, or None for all.
        environment: variables beside those of this process.
    """

    def __init__(
        self,
        function: str,
        arguments: Mapping[str, Any],
        *,
        core: int | None = None,
        environment: Mapping[str, str] | None = None,
    ):
        self._out = Path(tempfile.mkdtemp()) / "value.json"
        command = [sys.executable, "-m", "side_by_side.apart", function, json.dumps(arguments), str(self._out)]
        command += [] if core is None else [str(core)]
        variables = {**os.environ, **(environment or {})}
        self._process = subprocess.Popen(command, cwd=HERE, env=variables)

    def value(self) -> Any:
        """Wait for the measurement and return its value."""
        if self._process.wait():
            raise RuntimeError(f"a measurement ended with exit code {self._process.returncode}; see above")
        return json.loads(self._out.read_text())


def apart(function: str, **arguments: Any) -> Any:
    """Return the value of a function of this package, called in a new process that may use all cores."""
    return Running(function, arguments).value()


def on_one_core(function: str, *, core: int = -1, **arguments: Any) -> Any:
    """Return the value of a function called in a new, single-threaded process on one core, by default the last."""
    return Running(function, arguments, core=cores()[core], environment=single_threaded()).value()


def on_every_core(function: str, **arguments: Any) -> list[Any]:
    """Return the values of a function called side by side, once on each core; ``part`` tells the calls apart."""
    environment = single_threaded()
    running = [
        Running(function, {**arguments, "part": part}, core=core, environment=environment)
        for part, core in enumerate(cores())
    ]
    return [one.value() for one in running]


def cores() -> list[int]:
    """Return the cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def single_threaded() -> dict[str, str]:
    """Return what makes JAX use one thread: a worker's environment, without the compilation cache."""
    from simstudy.executors import worker_environment

    return {name: value for name, value in worker_environment().items() if "CACHE" not in name}


def peak_memory_mb() -> float:
    """Return the largest resident memory that this process has had."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value


def _main(function: str, arguments: str, out: str, core: str | None = None) -> None:
    if core is not None:
        os.sched_setaffinity(0, {int(core)})
    module, name = function.split(":")
    value = getattr(importlib.import_module(f"side_by_side.{module}"), name)(**json.loads(arguments))
    Path(out).write_text(json.dumps(_plain(value)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
