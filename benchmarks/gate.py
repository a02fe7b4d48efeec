"""Hold measured benchmarks to a stored baseline: counters first, then times as ratios to a reference kernel.

    python benchmarks/gate.py MEASURED.json [BASELINE.json] [--update]

MEASURED.json is what pytest-benchmark writes. Counters (the numbers in extra_info: fits, rows, leapfrogs, effective
draws) do not depend on the machine's load, so they have to be equal; those that hang on the last bits of floating-point
numbers, which differ among processors, may differ by the share in ``TOLERANCES``. A time is the smallest of its rounds
over that of ``test_reference`` in the same session, and may be up to ``SLOWER`` times the stored ratio: so much noise
has a machine that is shared. What was not measured, or has no baseline, is a failure too.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

REFERENCE = "test_reference"
BASELINE = Path(__file__).parent / "baseline.json"
UPDATE = "nox -s bench -- --update"
TOLERANCES = {"leapfrogs": 0.05, "macro_steps": 0.25, "ess": 0.1, "megabytes": 0.05}
SLOWER = 3.0
SLOWER_FOR = {"test_store": 8.0}  # flushes to a disk, which no processor's speed foretells


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One benchmark: its time in units of the reference's, and its counters."""

    time_ratio: float
    counters: Mapping[str, float]


def read_measured(document: Mapping[str, Any]) -> dict[str, Reading]:
    """Return the benchmarks of a pytest-benchmark document by name.

    Raises:
        ValueError: it holds no benchmarks, or not the reference.
    """
    rows = {row["name"]: row for row in document.get("benchmarks", [])}
    if not rows:
        raise ValueError("nothing was measured")
    if REFERENCE not in rows:
        raise ValueError(f"{REFERENCE} was not measured, so that no time can be judged")
    unit = rows[REFERENCE]["stats"]["min"]
    return {
        name: Reading(time_ratio=row["stats"]["min"] / unit, counters=dict(row["extra_info"]))
        for name, row in rows.items()
    }


def find_failures(measured: Mapping[str, Reading], baseline: Mapping[str, Reading]) -> list[str]:
    """Return what is not as the baseline has it, a sentence each."""
    missing = [f"{name}: not measured, but in the baseline" for name in baseline if name not in measured]
    unknown = [f"{name}: not in the baseline; add it with `{UPDATE}`" for name in measured if name not in baseline]
    both = [name for name in baseline if name in measured]
    return missing + unknown + [text for name in both for text in _failures(name, measured[name], baseline[name])]


def _failures(name: str, measured: Reading, baseline: Reading) -> Iterator[str]:
    for counter in sorted(baseline.counters.keys() | measured.counters.keys()):
        before, now = baseline.counters.get(counter), measured.counters.get(counter)
        if before is None or now is None or abs(now - before) > TOLERANCES.get(counter, 0.0) * abs(before):
            allowed = f" to within {TOLERANCES[counter]:.0%}" if counter in TOLERANCES else ""
            yield f"{name}: {counter} {_text(now)}, expected {_text(before)}{allowed}"
    slower = measured.time_ratio / baseline.time_ratio
    if slower > (limit := SLOWER_FOR.get(name, SLOWER)):
        yield f"{name}: {slower:.1f} times as slow as in the baseline, over the reference; allowed is {limit:g} times"


def _text(value: float | None) -> str:
    return "none" if value is None else f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"


def store(measured: Mapping[str, Reading], path: Path) -> None:
    """Write the baseline."""
    document = {name: asdict(reading) for name, reading in sorted(measured.items())}
    for reading in document.values():
        reading["time_ratio"] = float(f"{reading['time_ratio']:.3g}")
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")


def load(path: Path) -> dict[str, Reading]:
    """Return the stored baseline by name.

    Raises:
        ValueError: there is none.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist; write it with `{UPDATE}`")
    return {name: Reading(**reading) for name, reading in json.loads(path.read_text()).items()}


def main(arguments: list[str] | None = None) -> int:
    """Return 0 where all is as in the baseline, 1 where something is not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path)
    parser.add_argument("baseline", type=Path, nargs="?", default=BASELINE)
    parser.add_argument("--update", action="store_true", help="write the baseline instead")
    options = parser.parse_args(arguments)
    try:
        measured = read_measured(json.loads(options.measured.read_text()))
        if options.update:
            store(measured, options.baseline)
        failures = find_failures(measured, load(options.baseline))
    except (OSError, ValueError) as error:
        failures = [str(error)]
    for failure in failures:
        print(failure, file=sys.stderr)
    if not failures:
        print(f"{len(measured)} benchmarks are as in {options.baseline.name}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
