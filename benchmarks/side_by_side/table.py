"""Rows of the printed tables, from the JSON values of the measurements."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from side_by_side.outcome import Outcome

Value = Mapping[str, Any]

TARGETS = {"new MCMC": 300, "jitted once": 35, "vmap over": 12, "nutpie": 10}  # times as many fits per second, at least


def contest(outcomes: Sequence[Outcome], ours: Outcome | None) -> Iterator[str]:
    """Yield the lines of the contest: rates of every contestant, and how many times ours is as fast."""
    yield (
        f"{'contestant':44} {'fits/s':>8} {'s/fit':>8} {'ESS/s':>9} {'leapfrogs/s':>12} {'compile s':>9} "
        f"{'peak MB':>8} {'z rms':>6} {'ours is':>8} {'at least':>8}"
    )
    for one in outcomes:
        ratio = f"{ours.fits_per_second / one.fits_per_second:.1f} x" if ours else ""
        target = next((f"{t} x" for name, t in TARGETS.items() if one.name.startswith(name)), "")
        leapfrogs = one.leapfrogs_per_second
        yield (
            f"{one.name:44} {one.fits_per_second:8.2f} {1 / one.fits_per_second:8.4f} {one.ess_per_second:9.0f} "
            f"{'' if leapfrogs is None else f'{leapfrogs:.3g}':>12} {one.compile_seconds:9.1f} "
            f"{one.peak_memory_mb:8.0f} {one.z_rms:6.2f} {ratio:>8} {target:>8}"
        )


def study(value: Value) -> Iterator[str]:
    """Yield where the time of a study goes, and its memory."""
    shares = ("sampling", "summaries", "simulation_and_rows", "driver")
    yield ", ".join(f"{name.replace('_', ' ')} {value[name]:.1%}" for name in shares) + " of the workers' time"
    memory, later = value["memory_mb"], value["memory_mb_at_100000"]
    yield ", ".join(f"{who} {memory[who]:.0f} MB, {later[who]:.0f} MB at 100,000 fits" for who in memory)


def floor(values: Sequence[Value]) -> Iterator[str]:
    """Yield the cost of a useful leapfrog over that of a gradient, one line for each problem."""
    for v in values:
        yield (
            f"{v['structure']}, J = {v['groups']}, {v['observations']} observations, {v['lanes']} lanes: "
            f"{v['ns_per_leapfrog']:.1f} ns per useful leapfrog ({v['share_of_the_host']:.0%} of it on the host, "
            f"{v['slots_used']:.0%} of the slots used), {v['ns_per_gradient']:.1f} ns per gradient: "
            f"{v['ns_per_leapfrog'] / v['ns_per_gradient']:.1f} x; {v['leapfrogs_per_fit']:.0f} leapfrogs a fit, "
            f"compiled in {v['compile_seconds']:.1f} s"
        )


def growth(values: Sequence[Value]) -> str:
    """Return how the cost of a leapfrog grows over the problems."""
    costs = [v["ns_per_leapfrog"] for v in values]
    return f"largest over smallest cost: {max(costs) / min(costs):.2f}"
