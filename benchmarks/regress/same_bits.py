"""Hold every draw to the last bit: all built-in studies, and every structure x likelihood x parameterization x sampler.

    python benchmarks/regress/same_bits.py FOLDER [--short] [--update]

Fits are few and short, their draws kept. For each method of each study `bits.json` holds digests of what must be the
same everywhere (identities, keys and status of scenarios, methods and fits), and of what is that of one kind of
processor: the data, the draws with the tables of chains, and the rows of fits and estimates that are made of them. A
processor that simulates no data set alike is held to the first alone.
"""

import argparse
import hashlib
import json
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import simstudy
from simstudy.fitting.kept import encoded
from simstudy.store.kept import POSTERIOR, SAMPLE_STATS, KeptFit, kept_fits

HERE = Path(__file__).parent
STUDIES = HERE.parents[1] / "studies"
BITS = HERE / "bits.json"
REAL_DATA = ("baseball", "eight_schools", "lecture")  # the same on every processor
QUICK = ("eight_schools", "lecture", "normal-hierarchical", "samplers")  # what --short runs
SHORT = {"chains": 2, "warmup": 60, "draws": 40}
LIKELIHOODS: tuple[dict[str, Any], ...] = (
    {"likelihood": "normal"},
    {"likelihood": "normal", "sigma_by": "group"},
    {"likelihood": "normal", "sigma_by": "hierarchical"},
    {"likelihood": "normal_known_se"},
    {"likelihood": "binomial"},
)
STRUCTURES: tuple[dict[str, Any], ...] = (
    {"structure": "none"},
    {"structure": "complete"},
    {"structure": "partial", "parameterization": "centered"},
    {"structure": "partial", "parameterization": "noncentered"},
)
SAMPLERS: tuple[dict[str, Any], ...] = (
    {"kind": "nuts"},
    {"kind": "nuts", "precision": "float64"},
    {"kind": "numpyro"},
)
MECHANISMS: tuple[dict[str, Any], ...] = (
    {"kind": "student_t", "df": 4.0, "effects": "fixed"},
    {"kind": "two_component", "weight": 0.3},
    {"kind": "exchangeable", "mu": "Normal(0, 1)", "tau": "HalfNormal(1)", "sigma": "Exponential(1)"},
)


def studies() -> Iterator[simstudy.Study]:
    """Yield every study whose bits are held."""
    for path in sorted(STUDIES.glob("*.toml")):
        yield simstudy.Study.from_toml(path).with_replicates(1)
    for likelihood in LIKELIHOODS:
        yield _crossed(likelihood)
    for mechanism in MECHANISMS:
        method = {"name": "partial", "structure": "partial"}
        yield _study(mechanism["kind"] + " effects", {"groups": 5, "group_size": 3, **mechanism}, [method])


def _crossed(likelihood: dict[str, Any]) -> simstudy.Study:
    """Every structure, sampler and form of the observations under one likelihood."""
    known = likelihood["likelihood"] == "normal_known_se"
    mechanism = {"kind": "exchangeable", "groups": 5, **likelihood}
    mechanism |= {"standard_error": 0.7} if known else {"group_size": 4}
    of = {"none": {"theta": "Normal(0, 3)"}}
    methods = [
        {**structure, "priors": of.get(structure["structure"], {}), "sampler": {**sampler, **SHORT}}
        for structure, sampler in product(STRUCTURES, SAMPLERS)
    ]
    methods += [
        {**structure, "observations": "raw", "sampler": {"kind": "nuts", **SHORT}} for structure in STRUCTURES[1:3]
    ]
    if "sigma_by" not in likelihood:
        methods += [{**structure, "sampler": {"kind": "exact", "draws": 40}} for structure in STRUCTURES[:3]]
    named = [{"name": f"method {number}", **method} for number, method in enumerate(methods)]
    return _study(" ".join(likelihood.values()), mechanism, named)


def _study(name: str, mechanism: dict[str, Any], methods: list[dict[str, Any]]) -> simstudy.Study:
    section = {"name": name.replace(" ", "-"), "seed": 20260111, "replicates": 2}
    shared = {"kind": "nuts", **SHORT}
    return simstudy.Study.from_dict({"study": section, "mechanism": mechanism, "method": methods, "sampler": shared})


def digests(study: simstudy.Study, folder: Path) -> dict[str, dict[str, str]]:
    """Run a study in a folder and return method -> what its identities, its data and its bits digest to."""
    run = simstudy.run(study, out=folder, keep_draws=study.replicates)
    fits, estimates, chains = run.fits, run.estimates, run.chains
    found = {}
    for method in run.methods.itertuples():
        of_method = [table[table["method"] == method.method] for table in (fits, chains, estimates)]
        of_fits = of_method[0].sort_values(["scenario", "replicate"])
        keys = of_fits[["scenario", "replicate", "status", "data_key", "sampler_key"]]
        found[str(method.method)] = {
            "identities": _digest(method.identity, keys),
            "data": _digest(
                run.groups.sort_values(["scenario", "replicate", "group"]).drop(
                    columns=["batch", "label"], errors="ignore"
                )
            ),
            "draws": _digest(_rows(of_method[1]), *_kept(run, str(method.method))),
            "rows": _digest(*(_rows(of_method[i]) for i in (0, 2))),
        }
    return found


def _rows(table: pd.DataFrame) -> pd.DataFrame:
    keys = [name for name in ("scenario", "replicate", "chain", "estimand", "group") if name in table]
    return table.drop(columns="batch", errors="ignore").sort_values(keys)


def _kept(run: simstudy.Run, method: str) -> Iterator[bytes]:
    """Yield the kept draws of a method, file by file, without the names of groups."""
    for scenario in sorted(run.scenarios["scenario"]):
        fits = kept_fits(run.folder, str(scenario), method)
        files = {f"{fit.replicate}.{name}": draws for fit in fits for name, draws in _files(fit)}
        for name in sorted(files):
            yield encoded(files[name])


def _files(fit: KeptFit) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    yield POSTERIOR, fit.posterior
    if fit.sample_stats:
        yield SAMPLE_STATS, fit.sample_stats


def _digest(*parts: Any) -> str:
    """Return what texts, bytes and tables digest to, columns by name and missing values alike."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        if isinstance(part, pd.DataFrame):
            for name in sorted(part.columns):
                column = part[name]
                digest.update(name.encode())
                if pd.api.types.is_numeric_dtype(column.dtype):
                    digest.update(np.ascontiguousarray(column.to_numpy(float, na_value=np.nan)).tobytes())
                else:
                    digest.update("\n".join("" if value is None else str(value) for value in column).encode())
        else:
            digest.update(part if isinstance(part, bytes) else str(part).encode())
    return digest.hexdigest()


def main(folder: Path, *, short: bool, update: bool) -> int:
    """Run all studies, or some, and hold their digests to the stored ones; return the exit code."""
    shutil.rmtree(folder, ignore_errors=True)
    found = {study.name: digests(study, folder / study.name) for study in studies() if not short or study.name in QUICK}
    if update:
        BITS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        return 0
    stored = {name: of for name, of in json.loads(BITS.read_text()).items() if not short or name in QUICK}
    is_alike = any(_data_alike(stored[name], found.get(name, {})) for name in stored if name not in REAL_DATA)
    parts = ("identities", "data", "draws", "rows") if is_alike else ("identities",)
    wrong = [
        f"{name}, {method}: other {part}"
        for name, methods in stored.items()
        for method, expected in methods.items()
        for part in parts
        if expected[part] != found.get(name, {}).get(method, {}).get(part)
    ]
    wrong += [f"{name}: not among the stored studies" for name in found if name not in stored]
    n = sum(map(len, stored.values()))
    held = "to the last bit" if is_alike else "but for last bits, which this processor simulates otherwise"
    print(
        "\n".join([*wrong, f"{n - len({one.rpartition(':')[0] for one in wrong})} of {n} methods are the same {held}"])
    )
    return int(bool(wrong))


def _data_alike(stored: dict[str, Any], found: dict[str, Any]) -> bool:
    return any(stored[method]["data"] == found.get(method, {}).get("data") for method in stored)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the runs are made; emptied before")
    parser.add_argument("--short", action="store_true", help="some of the studies only")
    parser.add_argument("--update", action="store_true", help="store the digests")
    arguments = parser.parse_args()
    raise SystemExit(main(arguments.folder, short=arguments.short, update=arguments.update))
