"""Every registered sampler keeps its promises, and samplers that do not are caught.

The broken ones alter the draws of the exact sampler, which has nothing to compile.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from simstudy.samplers import SAMPLERS, Exact, Program
from simstudy.summaries.summaries import summarize_chains
from simstudy.testing import ConformanceError, check_sampler
from simstudy.types import Draws, SamplerStats

FEW = {"chains": 2, "warmup": 200, "draws": 200}


@pytest.mark.parametrize("kind", SAMPLERS)
def test_registered_samplers_conform(kind):
    """Every kind, in double precision."""
    check_sampler(SAMPLERS[kind](precision="float64", **FEW))


def test_single_precision_is_honored():
    """The exact sampler's draws are rounded to the precision asked for."""
    check_sampler(Exact(**FEW))


@dataclass(frozen=True, kw_only=True)
class Altered(Exact):
    """A sampler whose draws are altered, given the data and the keys."""

    chains: int = 2
    draws: int = 200
    alter: Callable[[Draws, Any, np.ndarray], Draws] = lambda draws, arrays, keys: draws

    @property
    def options(self):
        return {name: str(value) if callable(value) else value for name, value in super().options.items()}

    def compile(self, model, example):
        return AlteredProgram(super().compile(model, example), self.alter)


class AlteredProgram(Program):
    """Another program's draws, altered."""

    compile_seconds = 0.0

    def __init__(self, program, alter):
        self._program, self._alter = program, alter

    def sample(self, arrays, keys):
        return self._alter(self._program.sample(arrays, keys), arrays, keys)


def with_site(draws: Draws, name: str, change: Callable[[np.ndarray], np.ndarray]) -> Draws:
    return replace(draws, sites={**draws.sites, name: change(draws.sites[name]).astype(draws.sites[name].dtype)})


def shifted(draws, arrays, keys):
    """Shift every effect by half its posterior sd, which is about that of its estimate and the population."""
    sd = 1 / np.sqrt(1 + arrays["n"])
    return with_site(draws, "theta", lambda theta: theta + 0.5 * sd[:, None, None])


def narrow(draws, arrays, keys):
    """Draw mu nearer to its mean."""
    return with_site(draws, "mu", lambda mu: mu + 0.2 * (mu.mean((1, 2), keepdims=True) - mu))


def uncorrelated(draws, arrays, keys):
    """Draw each effect from its margin, by itself: margins are right, and the mean of the effects is not."""
    return with_site(
        draws, "theta", lambda theta: np.stack([np.roll(theta[..., j], j, -1) for j in range(theta.shape[-1])], -1)
    )


def in_company(draws, arrays, keys):
    return with_site(draws, "mu", lambda mu: mu + 1e-3 * len(keys))


def by_place(draws, arrays, keys):
    return with_site(draws, "mu", lambda mu: mu + 1e-3 * np.arange(len(mu))[:, None, None])


def spoiled(draws, arrays, keys):
    """Spoil all fits when one fails."""
    bad = np.isnan(draws.sites["mu"]).any()
    return with_site(draws, "mu", lambda mu: mu + 1e-3 * bad)


def silent(draws, arrays, keys):
    """Put numbers in the place of draws that failed, and give no reason."""
    sites = {name: np.nan_to_num(site) for name, site in draws.sites.items()}
    return Draws(sites=sites)


def deaf(draws, arrays, keys):
    """Give every fit the draws of a closed form that needs no key: quantiles in one order."""
    return with_site(draws, "mu", lambda mu: np.sort(mu, axis=-1) * 0 + np.linspace(-1, 1, mu.shape[-1]))


def one_chain(draws, arrays, keys):
    return replace(draws, sites={name: np.repeat(site[:, :1], 2, axis=1) for name, site in draws.sites.items()})


def half_precision(draws, arrays, keys):
    return replace(draws, sites={name: site.astype(np.float16) for name, site in draws.sites.items()})


def with_stats(**changes: Any) -> Callable[..., Draws]:
    """Return an alteration that adds statistics of trajectories, some of them changed."""

    def alter(draws, arrays, keys):
        shape = draws.sites["mu"].shape
        stats = SamplerStats(
            diverging=np.zeros(shape, bool),
            accept_prob=np.full(shape, 0.9),
            num_steps=np.full(shape, 7),
            energy=np.zeros(shape),
            step_size=np.full(shape[:2], 0.5),
            n_leapfrog_warmup=np.full(shape[:2], 100),
        )
        return replace(draws, stats=replace(stats, **{name: change(shape) for name, change in changes.items()}))

    return alter


BROKEN = {
    "shifted": (shifted, r"the mean of theta\[0\] to be that of the exact posterior; got a difference of \+0\.[34]"),
    "narrow": (narrow, "square of mu's distance .* exact posterior; got a difference of -0.3"),
    "uncorrelated": (uncorrelated, "the square of theta_mean's distance"),
    "in company": (in_company, "the same draws from the same key alone.*mu"),
    "by place": (by_place, "the same draws from the same key in another order.*mu"),
    "spoiled": (spoiled, "a fit that fails to leave the draws of others as they are"),
    "silent": (silent, "a reason, or draws that are not finite.*got finite draws and no reason"),
    "deaf": (deaf, "other draws from another key"),
    "one chain": (one_chain, "other draws in another chain"),
    "half precision": (half_precision, "draws in float32; got float16"),
    "accept_prob": (with_stats(accept_prob=lambda s: np.full(s, 1.1)), "finite accept_prob from 0 to 1; got 1.1"),
    "num_steps": (with_stats(num_steps=lambda s: np.full(s, 1024)), "at most 1023 steps; got 1024"),
    "step_size": (with_stats(step_size=lambda s: np.full(s, 0.5)), r"step_size of shape \(12, 2\)"),
    "diverging": (with_stats(diverging=lambda s: np.zeros(s, int)), "diverging of type bool"),
    "energy": (with_stats(energy=lambda s: np.full(s, np.nan)), "finite energy"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_samplers_are_caught(what):
    """Each broken promise is named."""
    alter, message = BROKEN[what]
    with pytest.raises(ConformanceError, match=message):
        check_sampler(Altered(alter=alter))


def test_a_sampler_that_says_nothing_of_itself_passes():
    """Statistics that are all None are those of a Markov chain that has none, with a row of nulls for each chain."""
    quiet = lambda draws, arrays, keys: replace(draws, stats=SamplerStats(max_treedepth=0))  # noqa: E731
    check_sampler(Altered(alter=quiet))
    draws = quiet(Draws(sites={"mu": np.zeros((3, 2, 10))}), None, None)
    assert draws.stats.shape == (3, 2)
    chains = summarize_chains(draws.stats)
    assert {len(column) for column in chains.values()} == {6}
    assert np.isnan(chains["step_size"]).all()


@dataclass(frozen=True, kw_only=True)
class FollowsNone(Altered):
    """A sampler that counts no leapfrog, and is told with a tree depth."""

    words = "a walk"
    has_trajectories = True


def test_unaltered_draws_pass():
    """What catches the broken ones is what was altered."""
    check_sampler(Altered())
    check_sampler(Altered(alter=with_stats()))


def test_too_few_draws_are_refused():
    """Effective draws are demanded before a distance is believed."""
    with pytest.raises(ConformanceError, match=r"at least 400 effective draws in all for the mean of mu.*got \d+"):
        check_sampler(Exact(chains=2, draws=10))


@dataclass(frozen=True, kw_only=True)
class Raises(Exact):
    """A sampler that raises for data without a density."""

    chains: int = 2

    def compile(self, model, example):
        def alter(draws, arrays, keys):
            if np.isnan(arrays["y_mean"]).any():
                raise FloatingPointError("NaN")
            return draws

        return AlteredProgram(super().compile(model, example), alter)


@dataclass(frozen=True, kw_only=True)
class Wordless(Exact):
    """A sampler that a report cannot name."""

    words = ""


@dataclass(frozen=True, kw_only=True)
class TellsOfTrajectories(Exact):
    """Independent draws, told with the options of a Markov chain."""

    described = "exact: target acceptance 0.8"
    words = "exact"


@dataclass(frozen=True, kw_only=True)
class SpellsDefaults(Exact):
    """A sampler whose identity holds options at their defaults: a new option would orphan old runs."""

    @property
    def changed_options(self):
        return self.options


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (Raises(), "a reason, or draws that are not finite.*FloatingPointError"),
        (SpellsDefaults(), "the options that are not at their defaults as identity"),
        (FollowsNone(), "has_trajectories = False says that it follows none.*got no num_steps"),
        (Wordless(), "one line that begins with its words"),
        (TellsOfTrajectories(), "words on trajectories only where it has them"),
    ],
)
def test_samplers_that_misbehave_are_caught(sampler, message):
    """Exceptions for numbers, and identities that would change, are named."""
    with pytest.raises(ConformanceError, match=message):
        check_sampler(sampler)
