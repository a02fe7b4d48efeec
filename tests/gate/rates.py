"""How often the gate refuses a sampler, over many runs at once.

The parts are the gate's own: chains, what they say, bets. Chains of many runs share a program call, since a call of few
lanes costs as much as one of many. ``python -m tests.gate.rates`` measures the table of docs/gate.md.
"""

import argparse
import time
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import numpy as np

from simstudy.streams import random_key
from simstudy.testing.gating.betting import Evidence
from simstudy.testing.gating.chains import runner
from simstudy.testing.gating.gate import CHAINS, FALSE_ALARM, RADIUS, TOLERANCE
from simstudy.testing.gating.observed import Limits, observe
from simstudy.testing.gating.posteriors import POSTERIORS
from simstudy.testing.gating.problem import Space
from tests.gate.planted import BASELINE, OF_NUTS, OWN_START, PLANTED, RIGHT

RUNS_AT_ONCE, CHAINS_AT_ONCE = 32, 64
POOL = 2**17
"""Exact draws that runs take their starts from, each run without repeats; a run takes 1,024."""
SLACK = 1.5


@dataclass
class Ongoing:
    """A run of the gate that goes on: where its chains begin, by posterior, and how many are done."""

    number: int
    starts: list[np.ndarray]
    evidence: Evidence
    n_done: int = 0
    refused: int = 0


def pool(space, folder):
    """Exact draws as positions, kept in a folder between measurements."""
    path = Path(folder) / f"{space.posterior.name}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        sites = space.posterior.exact_sites(POOL, random_key(space.posterior.name, "pool"))
        np.save(path, space.positions_of(sites))
    return np.load(path)


class Runs:
    """Runs of the gate on one sampler."""

    def __init__(self, name, *, folder, seed, posteriors):
        sampler = {**RIGHT, **PLANTED}[name]
        self.name, self.seed = name, seed
        self.start = "uniform" if name in OWN_START else "exact"
        self.most = CHAINS[self.start]
        self.spaces = [Space(POSTERIORS[one]) for one in posteriors]
        self.limits = [
            Limits(
                quantities=space.posterior.quantities,
                tolerance=TOLERANCE[self.start],
                cost=BASELINE[one] * SLACK if name in OF_NUTS else None,
            )
            for one, space in zip(posteriors, self.spaces, strict=True)
        ]
        self.programs = [runner(sampler, space, batch="vmap") for space in self.spaces]
        self.pools = [pool(space, folder) if self.start == "exact" else None for space in self.spaces]

    def begin(self, number):
        """A run that has not run yet."""
        starts = []
        for space, exact in zip(self.spaces, self.pools, strict=True):
            rng = np.random.default_rng(random_key("rates", self.seed, self.name, number, space.posterior.name))
            if exact is None:
                starts.append(rng.uniform(-RADIUS, RADIUS, (self.most, space.n_dims)).astype(space.precision))
            else:
                starts.append(exact[rng.choice(len(exact), self.most, replace=False)])
        return Ongoing(number, starts, Evidence(sum(len(one.bets) for one in self.limits)))

    def go_on(self, ongoing, n_rounds):
        """Run some chains of every run; lanes without a run repeat the last."""
        lanes = [ongoing[min(i, len(ongoing) - 1)] for i in range(RUNS_AT_ONCE)]
        gains = []
        for i, (space, limits, program) in enumerate(zip(self.spaces, self.limits, self.programs, strict=True)):
            rng = np.random.default_rng(random_key("rates", self.seed, self.name, "round", i, n_rounds))
            keys = rng.integers(0, 2**32, (RUNS_AT_ONCE * CHAINS_AT_ONCE, 2), dtype=np.uint32)
            begin = np.concatenate([one.starts[i][one.n_done : one.n_done + CHAINS_AT_ONCE] for one in lanes])
            observed = observe(program(keys, begin), space)
            assert not observed.n_lost
            gains.append(limits.gains(observed))
        each = np.concatenate(gains, axis=1).reshape(RUNS_AT_ONCE, CHAINS_AT_ONCE, -1)
        for one, of_run in zip(ongoing, each, strict=False):
            crossed = np.flatnonzero(one.evidence.path(of_run) >= -np.log(FALSE_ALARM))
            one.refused = one.n_done + int(crossed[0]) + 1 if len(crossed) else 0
            one.n_done += CHAINS_AT_ONCE


def measure(name, n_runs, *, folder, seed=0, posteriors=tuple(POSTERIORS)):
    """Run the gate on a sampler; return for each run the chains after which it was refused, or 0."""
    runs = Runs(name, folder=folder, seed=seed, posteriors=posteriors)
    refused, waiting, ongoing = np.zeros(n_runs, int), iter(range(n_runs)), []
    for n_rounds in count():
        ongoing += [runs.begin(number) for number in islice(waiting, RUNS_AT_ONCE - len(ongoing))]
        if not ongoing:
            break
        runs.go_on(ongoing, n_rounds)
        for one in ongoing:
            refused[one.number] = one.refused
        ongoing = [one for one in ongoing if not one.refused and one.n_done < runs.most]
    return refused


def row(name, n_runs, *, folder, seed):
    """Return a row of the table of rates."""
    began = time.perf_counter()
    refused = measure(name, n_runs, folder=folder, seed=seed)
    chains = refused[refused > 0]
    return {
        "sampler": name,
        "start": "uniform" if name in OWN_START else "exact",
        "runs": n_runs,
        "refused": len(chains),
        "median chains": float(np.median(chains)) if len(chains) else np.nan,
        "most chains": chains.max(initial=0),
        "seconds": round(time.perf_counter() - began),
    }


def main():
    """Print a row as soon as it is measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=[*RIGHT, *PLANTED])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", default=".pytest_cache/gate")
    options = parser.parse_args()
    for name in options.names:
        print(*row(name, options.runs, folder=options.folder, seed=options.seed).values(), sep=",", flush=True)


if __name__ == "__main__":
    main()
