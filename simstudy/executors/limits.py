"""Whether a process may have the address space that a compiler needs, asked before one starts.

XLA does not end with an error where memory cannot be mapped: it ends the process, without a word to its user.
"""

import resource

from simstudy.errors import RunError

GB = 1_000_000_000
# Measured with jaxlib 0.10 on two cores: with less, the compiler's threads cannot all be started. Most of it is never
# touched; a process holds about a sixth.
WORKER_BYTES = 2 * GB
IN_PROCESS_BYTES = 4 * GB


def require_address_space(n_bytes: int) -> None:
    """Raise unless a process of this user may map so many bytes.

    Raises:
        RunError: the limit is lower; says how to raise it.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < n_bytes:
        raise RunError(
            f"the limit on address space is {limit / GB:.1f} GB here, and compiling models takes {n_bytes / GB:.0f} GB "
            f"({WORKER_BYTES / GB:.0f} GB for each worker process, {IN_PROCESS_BYTES / GB:.0f} GB without workers); "
            "raise it with `ulimit -v`, or ask the batch system for more memory"
        )
