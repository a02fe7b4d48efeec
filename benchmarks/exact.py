"""CPU seconds a fit of the exact sampler, whole pipeline: simulation, quadrature, draws, summaries, rows, storage.

    python benchmarks/exact.py [--fits N] [--only NAME ...]

Each study is run twice on one worker, with few replicates and with many, in processes of their own: the difference of
their CPU seconds, driver included, over the difference of their fits is free of starts and of compilation.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

Section = dict[str, Any]
LINE = {"name": "day", "values": [-2, -1, 0, 1, 2]}
ONE: Section = {"kind": "exchangeable", "groups": 8}
SUM: Section = {"kind": "multilevel"}
PARTIAL: Section = {"structure": "partial"}
TERMS: Section = {"pooling": "partial"}
AREA: Section = {"graph": {"lattice": [5, 5]}, "tau": 0.6}
SUBJECT: Section = {"structure": "slopes", "levels": 12, "covariate": LINE, "slope": 0.5, "rho": 0.4}


@dataclass(frozen=True)
class Case:
    """A mechanism and a method, and how many fits tell what one costs.

    Args:
        mechanism: of the study.
        method: of the study.
        share: of the fits asked for that this one makes.
    """

    mechanism: Section
    method: Section
    share: float = 1.0


STUDIES: dict[str, Case] = {
    "balanced": Case({**ONE, "group_size": 10}, PARTIAL),
    "unbalanced": Case({**ONE, "group_size": [3, 5, 8, 10, 12, 15, 20, 7]}, PARTIAL),
    "known": Case(
        {**ONE, "likelihood": "normal_known_se", "standard_error": 1.0}, {**PARTIAL, "likelihood": "normal_known_se"}
    ),
    "poisson": Case(
        {**SUM, "likelihood": "poisson", "per_cell": 10, "terms": {"group": {"levels": 8, "tau": 0.7}}}, TERMS, 0.2
    ),
    "walk": Case(
        {**SUM, "per_cell": 4, "sigma": 0.5, "terms": {"time": {"structure": "random_walk", "levels": 25, "tau": 0.4}}},
        TERMS,
        0.2,
    ),
    "map": Case({**SUM, "per_cell": 3, "terms": {"area": {"structure": "icar", **AREA}}}, TERMS, 0.2),
    "nested": Case(
        {
            **SUM,
            "per_cell": 5,
            "terms": {"school": {"levels": 6, "tau": 1.0}, "class": {"within": "school", "levels": 4, "tau": 0.5}},
        },
        TERMS,
        0.03,
    ),
    "crossed": Case(
        {**SUM, "per_cell": 3, "terms": {"rater": {"levels": 8, "tau": 0.8}, "item": {"levels": 6, "tau": 0.5}}},
        TERMS,
        0.03,
    ),
    "slopes": Case({**SUM, "terms": {"subject": {**SUBJECT, "tau": 1.0, "tau_slope": 0.5}}}, TERMS, 0.005),
}
FEWEST = 8
"""By how much the shorter run is shorter."""


def run_study(name: str, n_fits: int) -> None:
    """Run a study in a folder of its own."""
    import simstudy

    case = STUDIES[name]
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "exact", "seed": 20261128, "replicates": n_fits},
            "mechanism": case.mechanism,
            "method": [{"name": "partial", **case.method}],
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
    parser.add_argument("--only", nargs="+", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--run", choices=STUDIES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run_study(arguments.run, arguments.fits)
        return
    for name in arguments.only:
        n_many = max(int(arguments.fits * STUDIES[name].share), 2)
        n_few = max(n_many // FEWEST, 1)
        few, many = (cpu_seconds(name, n) for n in (n_few, n_many))
        each = (many - few) / (n_many - n_few)
        print(f"{name}: {1e3 * each:.2f} ms of CPU a fit, {1 / each:.1f} a second and core", flush=True)


if __name__ == "__main__":
    main()
