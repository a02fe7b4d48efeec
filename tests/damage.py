"""Every file of a small run x every damage x everything that is done with a run: a sentence, or the right result."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import simstudy
from simstudy.errors import SimstudyError
from simstudy.fitting.refitting import refit
from simstudy.report.sections import section
from simstudy.store import Run, write_performance
from simstudy.store.verification import verify
from simstudy.study.study import Study
from tests.running.test_runner import same_tables

STUDY: dict[str, Any] = {
    "study": {"name": "tiny", "seed": 5, "replicates": 4},
    "mechanism": {"kind": "exchangeable", "groups": 3, "group_size": 3, "tau": 0.5},
    "method": [{"name": "complete", "structure": "complete"}, {"name": "none", "structure": "none"}],
    "sampler": {"kind": "exact", "draws": 40},
}
UNBOUND = ("run.log", "performance.parquet", ".simstudy/checksums/", ".simstudy/lock")
"""Files that the manifest does not bind: records are for readers of before, the others can be done without."""
DEEP = 200_000


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """The run that is damaged, one of the same study with another seed, and what is right."""

    folder: Path
    other: Path
    run: Run
    performance: pd.DataFrame

    @property
    def files(self) -> list[str]:
        """Every file of the run."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


def make_tiny(folder: Path) -> Tiny:
    """Make the two runs."""
    for name, seed in (("run", 5), ("other", 6)):
        run = go_on(folder / name, seed=seed)
        write_performance(run.folder, simstudy.performance(run))
    run = Run.open(folder / "run")
    return Tiny(folder=run.folder, other=folder / "other", run=run, performance=simstudy.performance(run))


def go_on(folder: Path, *, seed: int = 5) -> Run:
    """Run the study in this process, or go on with it."""
    study = Study.from_dict(STUDY | {"study": STUDY["study"] | {"seed": seed}})
    return simstudy.run(study, out=folder, workers=0, quiet=True, keep_draws=1)


# ---- damages: each leaves something else, or nothing, in the place of a file ----


def empty(path: Path, tiny: Tiny) -> None:
    path.write_bytes(b"")


def truncated(path: Path, tiny: Tiny) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


def flipped(path: Path, tiny: Tiny) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[len(content) // 2] ^= 4
    path.write_bytes(content)


def garbage(path: Path, tiny: Tiny) -> None:
    path.write_bytes(bytes(range(256)) * 4)


def mistyped(path: Path, tiny: Tiny) -> None:
    """A file of the same kind that holds other types than readers count on."""
    if path.suffix == ".json":
        path.write_text(json.dumps(_mistyped(json.loads(path.read_text()))))
    elif path.suffix == ".jsonl":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(f"{json.dumps(_mistyped(line))}\n" for line in lines))
    else:
        pq.write_table(pa.table({"scenario": [1.5], "method": [[2]]}), path)


def _mistyped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mistyped(inner) for key, inner in value.items()}
    return "ten" if isinstance(value, int | float | list) else [value]


def of_another_run(path: Path, tiny: Tiny) -> None:
    shutil.copyfile(tiny.other / path.relative_to(path.parents[_depth(path)]), path)


def linked(path: Path, tiny: Tiny) -> None:
    outside = path.parents[_depth(path)].with_name("outside")
    path.replace(outside)
    path.symlink_to(outside)


def looping(path: Path, tiny: Tiny) -> None:
    path.unlink()
    path.symlink_to(path)


def a_folder(path: Path, tiny: Tiny) -> None:
    path.unlink()
    path.mkdir()


def missing(path: Path, tiny: Tiny) -> None:
    path.unlink()


def deep(path: Path, tiny: Tiny) -> None:
    path.write_text("[" * DEEP + "]" * DEEP)


def _depth(path: Path) -> int:
    return next(i for i, parent in enumerate(path.parents) if parent.name == "damaged")


DAMAGES = {
    "empty": empty,
    "truncated": truncated,
    "bit flipped": flipped,
    "garbage": garbage,
    "wrong type": mistyped,
    "another run's": of_another_run,
    "link": linked,
    "looping link": looping,
    "folder": a_folder,
    "missing": missing,
    "200,000 deep": deep,
}


# ---- what is done with a run, each of which asserts that what it gives is right ----


def report(folder: Path, tiny: Tiny) -> None:
    run = Run.open(folder)
    page = simstudy.report(run, folder.with_name("page.html"))
    assert "</html>" in page.read_text()


def compare(folder: Path, tiny: Tiny) -> None:
    assert set(simstudy.compare(tiny.folder, folder).table["evidence"]) == {"identical"}


def score(folder: Path, tiny: Tiny) -> None:
    pd.testing.assert_frame_equal(simstudy.performance(Run.open(folder)), tiny.performance)


def run_on(folder: Path, tiny: Tiny) -> None:
    same_tables(go_on(folder), tiny.run)
    same_tables(Run.open(folder), tiny.run)
    assert [line for line in verify(folder) if "there is no manifest" in line or "no part" in line] == []


def refit_one(folder: Path, tiny: Tiny) -> None:
    scenario = str(tiny.run.scenarios["scenario"].iloc[0])
    assert refit(folder, scenario=scenario, replicate=1, method="none").is_equal


def verify_it(folder: Path, tiny: Tiny) -> None:
    """A run is clean only if all that its manifest binds is what it was."""
    if not verify(folder):
        for name in tiny.files:
            if not name.startswith(UNBOUND):
                path = folder / name
                assert path.is_file(), name
                assert not path.is_symlink(), name
                assert path.read_bytes() == (tiny.folder / name).read_bytes(), name


ACTIONS = {
    "report": report,
    "compare": compare,
    "score": score,
    "run on": run_on,
    "refit": refit_one,
    "verify": verify_it,
}


def outcome(tiny: Tiny, place: Path, *, file: str, damage: str, action: str) -> str:
    """Damage a file of a copy, do something with it, and return ``refused`` or ``right``; anything else raises."""
    shutil.rmtree(place, ignore_errors=True)
    folder = shutil.copytree(tiny.folder, place / "damaged")
    DAMAGES[damage](folder / file, tiny)
    outside = place / "outside"
    before = outside.read_bytes() if outside.exists() else None
    with pytest.MonkeyPatch.context() as patch:
        if action == "report" and not file.startswith("draws/"):
            # Figures take most of a page's time and are made of what was read before, but for kept draws.
            patch.setattr(section, "drawn", lambda draw, inches, *, name, description: "<svg></svg>")
        try:
            ACTIONS[action](folder, tiny)
            end = "right"
        except SimstudyError:
            end = "refused"
    assert before is None or outside.read_bytes() == before, "a file outside of the run was written"
    return end
