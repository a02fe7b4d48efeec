"""What a Dask cluster costs over this machine's own workers: the same study, the same cores, in turns, warm.

    python benchmarks/cluster.py [--workers N] [--replicates N] [--rounds N]

The tables of all runs must be the same, bit for bit, before a time is printed. A worker's seconds per fit are those
from the end of its first block, which loads the program, to the end of its last: later blocks and gaps between them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

import simstudy
from simstudy.store import Run

COMPARED = ("groups", "fits", "chains", "estimates")


def main() -> None:
    """Run in turns, compare the tables, print the rates and their ratio."""
    options = _options()
    study = simstudy.Study.from_dict(_study(options.replicates))
    costs: dict[str, list[Cost]] = {"local": [], "dask": []}
    with tempfile.TemporaryDirectory() as place, _cluster(Path(place), options.workers) as address:
        where = {"local": {"workers": options.workers}, "dask": {"executor": address}}
        first: Run | None = None
        for turn in range(options.rounds):
            for name, options_of in where.items():
                run = simstudy.run(study, out=Path(place) / f"{name}-{turn}", quiet=True, **options_of)
                first = first or run
                _require_same(run, first)
                costs[name].append(_cost(run.timings))
                print(f"turn {turn}, {name}: {costs[name][-1]}", file=sys.stderr)
    local, dask = (statistics.median(cost.whole for cost in costs[name]) for name in ("local", "dask"))
    seconds = {name: [asdict(cost) for cost in each] for name, each in costs.items()}
    print(json.dumps({"workers": options.workers, "seconds_per_fit": seconds, "overhead": dask / local - 1}, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--replicates", type=int, default=2_112)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _study(replicates: int) -> dict:
    return {
        "study": {"name": "cluster", "seed": 1, "replicates": replicates},
        "mechanism": {"kind": "exchangeable", "groups": [5, 6, 7, 8], "group_size": 10, "tau": 1.0},
        "method": [{"name": "partial", "structure": "partial"}],
        "sampler": {"kind": "nuts", "warmup": 200, "draws": 200},
    }


@contextmanager
def _cluster(place: Path, workers: int) -> Iterator[str]:
    """Start a scheduler and workers on this machine and yield the scheduler's address."""
    file = place / "scheduler.json"
    command = [sys.executable, "-m"]
    processes = [
        subprocess.Popen(
            [*command, f"distributed.cli.dask_{kind}", "--scheduler-file", str(file), "--host", "127.0.0.1", *more],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for kind, more in [("scheduler", ["--port", "0"]), *([("worker", ["--no-nanny", "--nthreads", "1"])] * workers)]
    ]
    try:
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)
            address = client.scheduler.address
        yield address.replace("tcp://", "dask://")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds of a worker per fit.

    Args:
        blocks: inside blocks.
        gaps: between blocks.
    """

    blocks: float
    gaps: float

    @property
    def whole(self) -> float:
        """Blocks and gaps."""
        return self.blocks + self.gaps


def _cost(timings: pd.DataFrame) -> Cost:
    """Return the seconds per fit of warm workers, summed over workers."""
    inside = between = n_fits = 0.0
    for _, blocks in timings.sort_values("started").groupby("worker"):
        later = blocks.iloc[max(1, (~blocks["warm"]).sum()) :]
        ends = blocks["ended"].shift().loc[later.index]
        inside += (later["ended"] - later["started"]).dt.total_seconds().sum()
        between += (later["started"] - ends).dt.total_seconds().sum()
        n_fits += later["n_fits"].sum()
    return Cost(blocks=float(inside / n_fits), gaps=float(between / n_fits))


def _require_same(run: Run, first: Run) -> None:
    for name in COMPARED:
        tables = (getattr(each, name).drop(columns="batch", errors="ignore") for each in (run, first))
        pd.testing.assert_frame_equal(*tables, check_categorical=False, obj=name)


if __name__ == "__main__":
    main()
