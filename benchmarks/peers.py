"""Side-by-side measurements on this machine: ``python benchmarks/peers.py [--fits N] [--only NAME...] [--json FILE]``.

``--family NAME...`` measures sums of terms instead, against NumPyro's NUTS under ``vmap`` on the same program.

Every contestant runs in processes of its own, warm, on the same data sets, and its posterior means are held to the
exact ones before its time counts. Peers that are not installed are named and left out. With ``--json`` the values are
added to those that the file holds, so that the whole can be measured in pieces; the tables show all of them.
"""

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from side_by_side import table
from side_by_side.apart import apart, cores, on_every_core, on_one_core
from side_by_side.outcome import Outcome, together

from simstudy.store.provenance import commit, machine, versions

FITS = 8_256  # a small first block, and eight large ones for two workers
OBSERVATIONS = (10, 100, 10_000, 125_000)  # in each of 8 groups: 80 to 1,000,000
GROUPS = (4, 8, 32, 128)
BATCHES = {4: 4, 8: 2, 16: 2, 64: 1}  # data sets under one vmap -> batches that are timed

Values = dict[str, Any]


def ours(fits: int) -> Values:
    """A whole study on one worker per core."""
    return apart("study_run:measure", fits=fits, workers=len(cores()))


def one_worker(fits: int) -> Values:
    """The same study, half of it, on one worker."""
    return apart("study_run:measure", fits=fits // 2, workers=1)


def new_mcmc(fits: int) -> Values:
    """A new MCMC per data set."""
    return {"outcomes": [apart("numpyro_fits:new_mcmc", fits=6, observations=o) for o in ("sufficient", "raw")]}


def jitted(fits: int) -> Values:
    """The whole fit jitted once."""
    ways = (("sufficient", "map"), ("sufficient", "vmap"), ("raw", "map"))
    return {"outcomes": [apart("numpyro_fits:jitted", fits=16, observations=o, chains=c) for o, c in ways]}


def vmapped(fits: int) -> Values:
    """NumPyro's NUTS under vmap, several batches, on every core."""
    outcomes = []
    for batch, batches in BATCHES.items():
        parts = on_every_core("numpyro_fits:vmapped", batch=batch, batches=batches, observations="sufficient")
        outcomes.append(vars(together([Outcome(**part) for part in parts])))
    return {"outcomes": outcomes}


def nutpie(fits: int) -> Values:
    """The compiled model of nutpie, and PyMC."""
    return {"outcomes": [apart("nutpie_fits:measure", fits=24, observations=o) for o in ("sufficient", "raw")]}


def blackjax(fits: int) -> Values:
    """BlackJAX, jitted once."""
    return {"outcomes": [apart("blackjax_fits:measure", fits=16)]}


def gradient(fits: int) -> Values:
    """A useful leapfrog over the fastest batched gradient, for each structure."""
    return {"floor": [on_one_core("gradient:measure", structure=s) for s in ("partial", "none", "complete")]}


def groups(fits: int) -> Values:
    """The cost of a leapfrog for 4 to 128 groups."""
    return {"floor": [on_one_core("gradient:measure", groups=j, fits=max(64, 1024 // j)) for j in GROUPS]}


def observations(fits: int) -> Values:
    """The cost of a leapfrog for 10^2 to 10^6 observations."""
    return {"floor": [on_one_core("gradient:measure", group_size=n, fits=128) for n in OBSERVATIONS]}


def first_rows(fits: int) -> Values:
    """Seconds to the first rows of the built-in study."""
    return apart("first_rows:measure")


def family(name: str, fits: int) -> list[str]:
    """Return the lines of a family: fits a second of both, their ratio, and how far their answers are apart."""
    own = apart("family:ours", family=name, fits=fits, workers=len(cores()))
    best = Outcome(**own["outcome"])
    lines = [f"{name}: {best.name} {best.fits_per_second:.1f} fits/s, compiled in {best.compile_seconds:.1f} s"]
    for batch, batches in FAMILY_BATCHES.items():
        parts = on_every_core("family:vmapped", family=name, batch=batch, batches=batches)
        peer = together([Outcome(**part["outcome"]) for part in parts])
        apart_by = []
        for part in parts:
            first = part["part"] * batch * batches
            for (mean, mcse), (other, of_other) in zip(part["mu"], own["mu"][first:], strict=False):
                apart_by.append((mean - other) ** 2 / (mcse**2 + of_other**2))
        z = (sum(apart_by) / len(apart_by)) ** 0.5
        ratio = best.fits_per_second / peer.fits_per_second
        lines.append(
            f"  {peer.name}: {peer.fits_per_second:.2f} fits/s, simstudy {ratio:.1f} times as many; means of mu apart "
            f"by {z:.2f} MCSE (root mean square of {len(apart_by)})"
        )
    return lines


FAMILY_FITS = 64 + 2 * 1024  # a small first block, and a large one for each of two workers
FAMILY_BATCHES = {16: 1, 4: 2}


MEASUREMENTS: Mapping[str, Callable[[int], Values]] = {
    "ours": ours,
    "one_worker": one_worker,
    "new_mcmc": new_mcmc,
    "jitted": jitted,
    "vmapped": vmapped,
    "nutpie": nutpie,
    "blackjax": blackjax,
    "gradient": gradient,
    "groups": groups,
    "observations": observations,
    "first_rows": first_rows,
}
PEERS = ("nutpie", "pymc", "blackjax")
NEEDS = {"nutpie": ("nutpie", "pymc"), "blackjax": ("blackjax",)}


def main() -> int:
    """Measure what is asked for and print all that is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fits", type=int, default=FITS, help="fits of simstudy's own run")
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS), metavar="NAME")
    parser.add_argument(
        "--family", nargs="+", metavar="NAME", help="measure sums of terms instead: poisson, nested, ..."
    )
    parser.add_argument("--json", type=Path, help="add the values to this file")
    chosen = parser.parse_args()
    if chosen.family:
        for name in chosen.family:
            print("\n".join(family(name, FAMILY_FITS)), flush=True)
        return 0
    known: Values = json.loads(chosen.json.read_text()) if chosen.json and chosen.json.exists() else {}
    for name in chosen.only:
        if missing := [module for module in NEEDS.get(name, ()) if importlib.util.find_spec(module) is None]:
            print(f"{name}: left out, {' and '.join(missing)} not installed (pip install 'simstudy[peers]')")
            continue
        began = time.perf_counter()
        known[name] = MEASUREMENTS[name](chosen.fits)
        known["provenance"] = {"versions": versions(*PEERS), "machine": machine(), "commit": commit(Path(__file__))}
        print(f"{name}: measured in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        if chosen.json:
            chosen.json.write_text(json.dumps(known, indent=1))
    print("\n".join(_report(known)))
    return 0


def _report(known: Values) -> list[str]:
    """Return the lines of all tables."""
    studies = {name: known[name] for name in ("ours", "one_worker") if name in known}
    contestants = [Outcome(**value["outcome"]) for value in studies.values()]
    contestants += [Outcome(**one) for value in known.values() for one in value.get("outcomes", [])]
    best = Outcome(**known["ours"]["outcome"]) if "ours" in known else None
    lines = list(table.contest(contestants, best)) if contestants else []
    for name, value in studies.items():
        lines += ["", f"{name}: where the time goes", *table.study(value)]
    for name in ("gradient", "groups", "observations"):
        if name in known:
            lines += ["", f"{name}:", *table.floor(known[name]["floor"])]
            lines += [table.growth(known[name]["floor"])] if name != "gradient" else []
    if "first_rows" in known:
        cold, warm = known["first_rows"]["cold"], known["first_rows"]["warm"]
        lines += ["", f"first rows on disk: {cold:.1f} s with an empty compilation cache, {warm:.1f} s with a full one"]
    return lines


if __name__ == "__main__":
    sys.exit(main())
