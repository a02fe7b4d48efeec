"""Run the small study of this folder from nothing; with --update, store the run as the baseline.

    python benchmarks/regress/run_anew.py FOLDER [--update]

The stored run is what `simstudy compare` needs and no more: the tables with their checksums and manifest, the study and
its words, the versions.
"""

import argparse
import json
import shutil
from pathlib import Path

import simstudy
from simstudy.store.atomic import write_json

HERE = Path(__file__).parent
TABLES = ("scenarios", "methods", "estimands", "groups", "fits", "chains", "estimates", "timings")
KEPT = ("study.json", "description.json", *TABLES, ".simstudy/checksums", ".simstudy/manifest.jsonl")


def run_anew(folder: Path) -> None:
    """Run the study in a folder that is emptied before, so that every fit is made by the code as it is."""
    shutil.rmtree(folder, ignore_errors=True)
    simstudy.run(simstudy.Study.from_toml(HERE / "study.toml"), out=folder)


def store_baseline(folder: Path, baseline: Path = HERE / "baseline") -> None:
    """Replace the baseline by the run in a folder."""
    shutil.rmtree(baseline, ignore_errors=True)
    for name in KEPT:
        source, target = folder / name, baseline / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
    provenance = json.loads((folder / "provenance.json").read_text())
    write_json(baseline / "provenance.json", {"versions": provenance["versions"]})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the run is made; emptied before")
    parser.add_argument("--update", action="store_true", help="store the run as the baseline")
    arguments = parser.parse_args()
    run_anew(arguments.folder)
    if arguments.update:
        store_baseline(arguments.folder)
