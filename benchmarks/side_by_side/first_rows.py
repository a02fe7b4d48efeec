"""How long a user waits for the first rows of the built-in study, with an empty compilation cache and a full one."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
LOOK_SECONDS = 0.02
SCRIPT = """
import sys
import simstudy
replicates = int(sys.argv[3]) or None
simstudy.run(simstudy.Study.from_toml(sys.argv[1]), out=sys.argv[2], replicates=replicates, quiet=True)
"""


def measure() -> dict[str, float]:
    """Return seconds from the start of Python to the first rows on disk, ``cold`` and ``warm``.

    Between the two a single replicate of the study fills the cache with every program.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SIMSTUDY_CACHE_DIR": str(Path(folder) / "cache")}
        cold = _seconds_to_rows(Path(folder) / "cold", environment)
        with _started(Path(folder) / "filling", environment, replicates=1) as process:
            if process.wait():
                raise RuntimeError(f"the study ended with exit code {process.returncode}")
        return {"cold": cold, "warm": _seconds_to_rows(Path(folder) / "warm", environment)}


def _seconds_to_rows(out: Path, environment: dict[str, str]) -> float:
    """Start the study ``pooling``, and end it when its first block is on disk; return how long that took."""
    began = time.time()
    with _started(out, environment) as process:
        while not (written := list(out.glob("fits/*.parquet"))):
            if process.poll() is not None:
                raise RuntimeError(f"the study ended with exit code {process.returncode} and no rows")
            time.sleep(LOOK_SECONDS)
        process.kill()
        return written[0].stat().st_mtime - began


def _started(out: Path, environment: dict[str, str], *, replicates: int = 0) -> subprocess.Popen:
    """Start the study in a process of its own, with its own number of replicates where none is given."""
    study = ROOT / "studies" / "pooling.toml"
    command = [sys.executable, "-c", SCRIPT, str(study), str(out), str(replicates)]
    return subprocess.Popen(command, env=environment)
