"""CPU seconds a fit of the exact sampler, whole pipeline: simulation, quadrature, draws, summaries, rows, storage.

    python benchmarks/exact.py [--fits N]

Each study is run twice on one worker, with few replicates and with many, in processes of their own: the difference of
their CPU seconds, driver included, over the difference of their fits is free of starts and of compilation.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from typing import Any

FEW = 160
STUDIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "balanced": ({"group_size": 10}, {}),
    "unbalanced": ({"group_size": [3, 5, 8, 10, 12, 15, 20, 7]}, {}),
    "known standard errors": (
        {"likelihood": "normal_known_se", "standard_error": 1.0},
        {"likelihood": "normal_known_se"},
    ),
}


def run_study(name: str, n_fits: int) -> None:
    """Run a study in a folder of its own."""
    import simstudy

    mechanism, method = STUDIES[name]
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "exact", "seed": 20261128, "replicates": n_fits},
            "mechanism": {"kind": "exchangeable", "groups": 8, **mechanism},
            "method": [{"name": "partial", "structure": "partial", **method}],
            "sampler": {"kind": "exact"},
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        run = simstudy.run(study, out=f"{folder}/run", workers=1)
        assert len(run.fits) == n_fits
        assert (run.fits["status"] == "ok").all()


def cpu_seconds(name: str, n_fits: int) -> float:
    """Return the CPU seconds that a run takes with all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, __file__, "--run", name, "--fits", str(n_fits)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a line per study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", type=int, default=2000)
    parser.add_argument("--run", choices=STUDIES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run_study(arguments.run, arguments.fits)
        return
    for name in STUDIES:
        few, many = (cpu_seconds(name, n) for n in (FEW, arguments.fits))
        each = (many - few) / (arguments.fits - FEW)
        print(f"{name}: {1e3 * each:.2f} ms of CPU a fit, {1 / each:.0f} a second and core")


if __name__ == "__main__":
    main()
