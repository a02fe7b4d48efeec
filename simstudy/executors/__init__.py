"""Where blocks of fits run, behind the ``concurrent.futures.Executor`` interface.

``environment`` says what a worker process must find before JAX starts, ``local`` runs pinned worker processes, ``here``
runs in the driver's own process, ``dask`` on a cluster, whose workers ``admission`` examines; ``where`` chooses among
them. ``blocks`` keeps a bounded number of blocks in flight and outlives workers that die.
"""

from simstudy.executors.blocks import BlockFailure, WorkerDied, run_blocks
from simstudy.executors.environment import cache_folder, configure_compilation_cache, worker_environment
from simstudy.executors.here import InProcessExecutor
from simstudy.executors.local import LocalExecutor, local_executor

__all__ = [
    "BlockFailure",
    "InProcessExecutor",
    "LocalExecutor",
    "WorkerDied",
    "cache_folder",
    "configure_compilation_cache",
    "local_executor",
    "run_blocks",
    "worker_environment",
]
