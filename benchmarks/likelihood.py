"""Fits a second and core of REML, whole blocks from simulation to rows, in seconds of the processor.

    python benchmarks/likelihood.py [--fits 128]

One thread; the second block of each design is timed, so that nothing is compiled. Storage is not in it.
"""

import argparse
import os
import time

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

from simstudy.executors import configure_compilation_cache
from simstudy.fitting.blocks import Block
from simstudy.fitting.fitting import fit_block
from simstudy.study.study import Study

GROUPS = {"kind": "exchangeable", "groups": 8, "group_size": 10}
TERMS = {"kind": "multilevel", "per_cell": 5}
PARTIAL, SUM = {"name": "m", "structure": "partial"}, {"name": "m", "pooling": "partial"}
DESIGNS = {
    "8 groups of 10": (GROUPS, PARTIAL),
    "8 groups of 10, tau = 0": ({**GROUPS, "tau": 0.0}, PARTIAL),
    "50 groups of 10": ({**GROUPS, "groups": 50}, PARTIAL),
    "4 classes in each of 6 schools": (
        {**TERMS, "terms": {"school": {"levels": 6}, "class": {"within": "school", "levels": 4}}},
        SUM,
    ),
    "8 rows x 6 columns, crossed": ({**TERMS, "terms": {"row": {"levels": 8}, "column": {"levels": 6}}}, SUM),
    "random walk of 25": ({**TERMS, "terms": {"year": {"structure": "random_walk", "levels": 25}}}, SUM),
}


def main() -> None:
    """Print fits a second of processor time for each design."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=128)
    n = parser.parse_args().fits
    configure_compilation_cache()
    for name, (mechanism, method) in DESIGNS.items():
        study = Study.from_dict(
            {
                "study": {"name": "likelihood", "replicates": 2 * n},
                "mechanism": mechanism,
                "method": [method],
                "sampler": {"kind": "reml", "chains": 1, "draws": 2000},
            }
        )
        blocks = [Block(study=study, method=0, fits=tuple((0, k + i) for i in range(n))) for k in (0, n)]
        fit_block(blocks[0])
        start = time.process_time()
        rows = fit_block(blocks[1])
        seconds = time.process_time() - start
        assert (rows.fits["status"] == "ok").all()
        print(f"{name}: {n / seconds:.0f} fits a second and core, {1e3 * seconds / n:.1f} ms a fit", flush=True)


if __name__ == "__main__":
    main()
