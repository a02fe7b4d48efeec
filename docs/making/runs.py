"""The runs that several pages show: small studies, run once for the whole site and kept in its build folder."""

import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import simstudy

STUDIES = Path(__file__).parent / "studies"
KEPT_DRAWS = {"poolings": 1}
"""Study -> replicates whose draws are kept."""
LONGEST_FIRST = ("poolings",)


def shared_run(name: str) -> simstudy.Run:
    """Return a run that ``make_runs`` has made."""
    return simstudy.Run.open(Path(os.environ["SIMSTUDY_DOCS_RUNS"]) / name)


def copy_run(name: str) -> None:
    """Put a copy of such a run where a page expects it, in ``runs/NAME`` of its folder."""
    shutil.copytree(Path(os.environ["SIMSTUDY_DOCS_RUNS"]) / name, Path("runs") / name)


def make_runs(folder: Path, *, processes: int = 2) -> None:
    """Run the studies beside this module, or go on with them, each in one process."""
    names = sorted((path.stem for path in STUDIES.glob("*.toml")), key=lambda name: name not in LONGEST_FIRST)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for made in [pool.submit(_make_run, name, folder) for name in names]:
            made.result()


def _make_run(name: str, folder: Path) -> None:
    study = simstudy.Study.from_toml(STUDIES / f"{name}.toml")
    simstudy.run(study, out=folder / name, keep_draws=KEPT_DRAWS.get(name, 0), quiet=True, workers=0)
