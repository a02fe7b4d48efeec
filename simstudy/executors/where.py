"""Where the fits of a run are computed, as a user says it: this process, worker processes here, or a cluster."""

import os
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Literal

from simstudy.errors import RunError
from simstudy.executors.dask import SCHEMES, DaskExecutor
from simstudy.executors.environment import configure_compilation_cache, without_cache, worker_environment
from simstudy.executors.here import InProcessExecutor
from simstudy.executors.limits import IN_PROCESS_BYTES, WORKER_BYTES, require_address_space
from simstudy.executors.local import local_executor
from simstudy.store.provenance import allowed_cores

Platform = Literal["cpu", "gpu"]
LOCAL = "local"
CLUSTERS = " or ".join(f"{scheme}HOST:PORT" for scheme in SCHEMES)
WORKERS_PER_CORE, FEWEST_OF_MOST_WORKERS = 4, 16
BLOCKS_PER_WORKER = 2  # in flight, so that no worker waits for the driver


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where fits run.

    Args:
        platform: ``cpu``: worker processes, one per core; ``gpu``: this process, on the device.
        workers: number of processes; None for one per core that this process may use, 0 for none: this process
            computes. For an executor of your own: how many tasks it runs at once.
        executor: ``local``; ``dask://HOST:PORT`` or ``tls://HOST:PORT`` of a Dask scheduler; or any
            ``concurrent.futures.Executor``, which is used and not shut down.

    Raises:
        RunError: The executor is of no known form, or does not go with the other options.
    """

    platform: Platform = "cpu"
    workers: int | None = None
    executor: str | Executor = LOCAL

    def __post_init__(self) -> None:
        if isinstance(self.executor, str) and self.executor != LOCAL and not self._is_cluster:
            raise RunError(f"--executor: got {self.executor!r}; expected {LOCAL}, {CLUSTERS}")
        if self.executor != LOCAL and self.platform != "cpu":
            raise RunError(f"--platform {self.platform} computes in this process; leave --executor out")
        if self._is_cluster and self.workers is not None:
            raise RunError("--workers counts processes of this machine; a cluster has its own: leave one of them out")
        if self.executor == LOCAL:
            check_workers(self.workers)

    def start(self) -> Executor:
        """Return a new executor, or the user's own."""
        if isinstance(self.executor, Executor):
            return _Borrowed(self.executor, self.n_processes)
        if self._is_cluster:
            return DaskExecutor(str(self.executor))
        if self.platform == "gpu":
            _require_gpu()
        if self.platform == "gpu" or self.workers == 0:
            require_address_space(IN_PROCESS_BYTES)
            configure_compilation_cache()
            return InProcessExecutor()
        require_address_space(WORKER_BYTES)
        return local_executor(self.n_processes, environment=worker_environment())

    @property
    def without_cache(self) -> str:
        """Why the programs of a run are not kept for the next one, in a sentence; empty where they are.

        Workers that are not started here keep theirs, or do not, as they say themselves.
        """
        return without_cache() if self.executor == LOCAL else ""

    @property
    def n_processes(self) -> int:
        """Processes of this machine that compute."""
        if self.platform == "gpu" or self.workers == 0:
            return 1
        return self.workers or _n_cores()

    @property
    def _is_cluster(self) -> bool:
        return isinstance(self.executor, str) and self.executor.startswith(SCHEMES)


class _Borrowed(Executor):
    """A user's executor, which outlives the run."""

    def __init__(self, executor: Executor, n_workers: int):
        self._executor, self.n_workers = executor, n_workers

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return self._executor.submit(task, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave it as it is."""


def n_workers(executor: Executor) -> int:
    """Return the workers of an executor at the moment, at least 1."""
    return max(1, getattr(executor, "n_workers", 1))


def window(executor: Executor) -> int:
    """Return how many blocks to keep in flight."""
    return BLOCKS_PER_WORKER * n_workers(executor)


def check_workers(workers: int | None) -> None:
    """Refuse more worker processes than the machine gains from, by far.

    Raises:
        RunError: says how many cores this process may use.
    """
    cores = _n_cores()
    most = max(FEWEST_OF_MOST_WORKERS, WORKERS_PER_CORE * cores)
    if workers is not None and not 0 <= workers <= most:
        raise RunError(
            f"--workers {workers}: expected 0 to {most}, since this process may use {cores} "
            f"core{'' if cores == 1 else 's'}; leave the option out for a worker per core"
        )


def _n_cores() -> int:
    """Cores that this process may use; one for each of the machine where the system does not tell."""
    return len(allowed_cores()) or os.cpu_count() or 1


def _require_gpu() -> None:
    import jax

    try:
        jax.devices("gpu")
    except RuntimeError as error:
        raise RunError(
            "--platform gpu: JAX sees no GPU on this machine; install JAX for your device (https://docs.jax.dev), or "
            "use --platform cpu"
        ) from error
