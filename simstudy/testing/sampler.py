"""Conformance of a sampler: it draws from the posterior, each fit by itself, and says what it did."""

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from simstudy.samplers import Program, Sampler
from simstudy.streams import canonical_json, random_key
from simstudy.summaries.diagnostics import ess_mean
from simstudy.summaries.summaries import summarize_chains
from simstudy.testing.closed_form import MODEL, make_data, standardize
from simstudy.testing.expectation import BOUND, ConformanceError, check_choice, differing, expect
from simstudy.types import Draws, SamplerStats

N_FITS = 12
N_GROUPS = 3
MIN_ESS = 400.0  # of all fits together: a mean then stands to a twentieth of a posterior sd
BROKEN = 4  # the fit whose data have no density
RANGES: dict[str, tuple[bool, type, float, float]] = {
    "diverging": (True, np.bool_, 0, 1),
    "accept_prob": (True, np.floating, 0, 1),
    "num_steps": (True, np.integer, 1, np.inf),
    "energy": (True, np.floating, -np.inf, np.inf),
    "step_size": (False, np.floating, float(np.finfo(np.float32).tiny), np.inf),
    "n_leapfrog_warmup": (False, np.integer, 0, np.inf),
}
"""Statistic -> whether there is one for each draw (or each chain), its type, and its range."""


def check_sampler(sampler: Sampler) -> None:
    """Check what every sampler promises, with the options that it has.

    - It is a choice: frozen, hashable, equal to its copy, and it can be pickled. ``options`` names every option;
      ``changed_options``, its identity, those that are not at their defaults, and nothing else. ``described`` says in
      one line what it is and what was chosen: the warm-up of a Markov chain, and of trajectories where it has any.
    - Draws come from the posterior: on a normal model with known variances mean and sd of mu, of each theta and of
      their mean are those of the closed form, within ``BOUND`` Monte Carlo standard errors over twelve data sets.
      Before that, ``MIN_ESS`` effective draws in all are demanded. A sampler without a posterior is not asked.
    - Draws of a fit depend on its key and its data: alone, in another order and beside a fit that fails they are the
      same bit for bit. Another key gives other draws, and so does another chain.
    - Data without a density do no more than fail their own fit: it has a reason, or draws that are not finite.
    - Every latent site is there, (fit, chain, draw, *site), in the precision asked for.
    - Statistics have their shapes and ranges; ``None`` is right for a sampler of exact, independent draws, and for
      each statistic that a Markov chain sampler does not have.
    - Shapes that ``program_shape`` maps to one share a program.

    Args:
        sampler: few chains and draws make the check fast, but too few are refused for want of effective draws.

    Raises:
        ConformanceError: a promise that is not kept.

    >>> from simstudy.samplers import Exact
    >>> check_sampler(Exact(chains=2, draws=200))
    """
    check_choice(sampler)
    _check_options(sampler)
    data = make_data(N_FITS, N_GROUPS)
    arrays = MODEL.arrays(data)
    keys = np.stack([random_key("conformance", i) for i in range(N_FITS)])
    program = _compile(sampler)
    draws = program.sample(arrays, keys)
    _check_sites(sampler, draws)
    _check_stats(sampler, draws.stats)
    _check_keys(sampler, program, arrays, keys, draws)
    _check_failure(sampler, program, arrays, keys, draws)
    if sampler.has_posterior:
        _check_posterior(sampler, standardize(dict(draws.sites), data))


def _check_options(sampler: Sampler) -> None:
    names = {"kind", *(field.name for field in dataclasses.fields(sampler))}
    expect(sampler, "every option among the options", holds=sampler.options.keys() == names, got=sampler.options)
    options = {field.name: field.default for field in dataclasses.fields(sampler)}
    changed = {name: getattr(sampler, name) for name in options if getattr(sampler, name) != options[name]}
    expected = {"kind": sampler.kind} | changed
    promise = "the kind and the options that are not at their defaults as identity"
    expect(sampler, promise, holds=sampler.changed_options == expected, got=sampler.changed_options)
    try:
        canonical_json(sampler.options)
    except (TypeError, ValueError) as error:
        expect(sampler, "options that are JSON", holds=False, got=error)
    text, tells = sampler.described, "target acceptance" in sampler.described
    expect(sampler, "one line that begins with its words", holds=_is_line(text, sampler.words), got=text)
    promise = f"words on trajectories {'where it has them' if sampler.has_trajectories else 'only where it has them'}"
    expect(sampler, promise, holds=tells == sampler.has_trajectories, got=text)
    block, at_once = sampler.fits_per_block, sampler.fits_at_once
    is_multiple = at_once >= 1 and block >= at_once and block % at_once == 0
    promise = "fits_per_block to be a multiple of fits_at_once"
    expect(sampler, promise, holds=is_multiple, got=f"{block} and {at_once}")


def _is_line(text: str, words: str) -> bool:
    return bool(words) and text.startswith(words) and text.isprintable()


def _compile(sampler: Sampler) -> Program:
    """Return the program for three groups, compiled for four where both shapes share one."""
    own, longer = (sampler.program_shape(MODEL, MODEL.shape(make_data(1, n)[0])) for n in (N_GROUPS, N_GROUPS + 1))
    example = MODEL.arrays(make_data(1, N_GROUPS + (own == longer)))
    program = sampler.compile(MODEL, {name: value[0] for name, value in example.items()})
    seconds = program.compile_seconds
    expect(sampler, "the seconds of compilation", holds=0 <= seconds < np.inf, got=seconds)
    return program


def _check_sites(sampler: Sampler, draws: Draws) -> None:
    expect(sampler, "no reason against a fit that has nothing wrong", holds=not draws.reasons, got=dict(draws.reasons))
    shape = (N_FITS, sampler.chains, sampler.draws)
    for name, expected in {"mu": shape, "theta": (*shape, N_GROUPS)}.items():
        site = draws.sites.get(name, np.empty(0))
        expect(sampler, f"draws of {name} of shape {expected}", holds=site.shape == expected, got=site.shape)
        expect(sampler, f"draws in {sampler.precision}", holds=site.dtype == sampler.precision, got=site.dtype)
        expect(sampler, "finite draws", holds=np.isfinite(site).all(), got=f"NaN or infinity in {name}")


def _check_stats(sampler: Sampler, stats: SamplerStats | None) -> None:
    promise = (
        "leapfrog steps (num_steps) of a sampler that follows trajectories; has_trajectories = False says that it "
        "follows none, and that reports tell no tree depth"
    )
    has_steps = stats is not None and stats.num_steps is not None
    expect(sampler, promise, holds=has_steps or not sampler.has_trajectories, got="no num_steps")
    if stats is None:
        return
    by_chain = (N_FITS, sampler.chains)
    for name, (per_draw, allowed, lowest, highest) in RANGES.items():
        if (given := getattr(stats, name)) is None:
            continue
        value = np.asarray(given)
        shape = (*by_chain, sampler.draws) if per_draw else by_chain
        expect(sampler, f"{name} of shape {shape}", holds=value.shape == shape, got=value.shape)
        expect(
            sampler, f"{name} of type {allowed.__name__}", holds=np.issubdtype(value.dtype, allowed), got=value.dtype
        )
        is_inside = np.isfinite(value).all() and value.min() >= lowest and value.max() <= highest
        got = f"{value.min()} to {value.max()}"
        expect(sampler, f"finite {name} from {lowest:g} to {highest:g}", holds=is_inside, got=got)
    n_chains = len(summarize_chains(stats)["step_size"])
    expect(sampler, "statistics of each chain", holds=n_chains == N_FITS * sampler.chains, got=f"those of {n_chains}")
    if stats.num_steps is None:
        return
    longest = 2**stats.max_treedepth - 1 if stats.max_treedepth else np.inf
    promise = f"trajectories of at most {longest:g} steps"
    expect(sampler, promise, holds=stats.num_steps.max() <= longest, got=stats.num_steps.max())


def _check_posterior(sampler: Sampler, standardized: Mapping[str, np.ndarray]) -> None:
    for name, draws in standardized.items():
        _check_expectation(sampler, f"the mean of {name}", draws)
        _check_expectation(sampler, f"the square of {name}'s distance from its mean", draws**2 - 1)


def _check_expectation(sampler: Sampler, what: str, values: np.ndarray) -> None:
    """Check that values (fit, chain, draw) have mean 0, in exact posterior sds (or variances, for squares)."""
    ess = np.nan_to_num(ess_mean(values))
    promise = f"at least {MIN_ESS:g} effective draws in all for {what}; more draws may do"
    expect(sampler, promise, holds=ess.sum() >= MIN_ESS and ess.min() > 0, got=f"{ess.sum():.0f}")
    each = values.mean(axis=(1, 2))
    z = each.sum() / np.sqrt((values.var(axis=(1, 2)) / ess).sum())
    promise = f"{what} to be that of the exact posterior"
    got = (
        f"a difference of {each.mean():+.3f} exact posterior sds (variances for squares), {abs(z):.1f} standard errors"
    )
    expect(sampler, promise, holds=abs(z) <= BOUND, got=got)


def _check_keys(
    sampler: Sampler, program: Program, arrays: Mapping[str, np.ndarray], keys: np.ndarray, draws: Draws
) -> None:
    order = np.random.default_rng(0).permutation(N_FITS)
    last = np.arange(N_FITS) == N_FITS - 1
    for how, index in (("once more", slice(None)), ("in another order", order), ("alone", last)):
        again = program.sample({name: value[index] for name, value in arrays.items()}, keys[index])
        changed = differing(again.sites, {name: value[index] for name, value in draws.sites.items()})
        promise = f"the same draws from the same key {how}, bit for bit"
        expect(sampler, promise, holds=not changed, got=f"differences in {', '.join(changed)}")
    same_data = {name: np.repeat(value[:1], 2, axis=0) for name, value in arrays.items()}
    mu = program.sample(same_data, keys[:2]).sites["mu"]
    expect(sampler, "other draws from another key", holds=not np.array_equal(mu[0], mu[1]), got="the same")
    if sampler.chains > 1:
        expect(sampler, "other draws in another chain", holds=not np.array_equal(mu[0, 0], mu[0, 1]), got="the same")


def _check_failure(
    sampler: Sampler, program: Program, arrays: Mapping[str, np.ndarray], keys: np.ndarray, draws: Draws
) -> None:
    broken = {name: value.copy() for name, value in arrays.items()}
    broken["y_mean"][BROKEN] = np.nan
    promise = "a reason, or draws that are not finite, for data without a density"
    with warnings.catch_warnings():
        # Arithmetic with NaN may warn; what counts is what becomes of the fit.
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            found = program.sample(broken, keys)
        except Exception as error:
            # Whatever is raised takes the other fits of the block with it.
            raise ConformanceError(f"{type(sampler).__name__}: expected {promise}; got {error!r}") from error
    is_finite = all(np.isfinite(site[BROKEN]).all() for site in found.sites.values())
    expect(sampler, promise, holds=BROKEN in found.reasons or not is_finite, got="finite draws and no reason")
    others = np.arange(N_FITS) != BROKEN
    changed = differing(_sites_of(found, others), _sites_of(draws, others))
    promise = "a fit that fails to leave the draws of others as they are"
    expect(sampler, promise, holds=not changed, got=f"differences in {', '.join(changed)}")
    wrongly = sorted(set(found.reasons) - {BROKEN})
    expect(sampler, "no reason against the fits beside one that fails", holds=not wrongly, got=wrongly)


def _sites_of(draws: Draws, fits: Any) -> dict[str, np.ndarray]:
    return {name: site[fits] for name, site in draws.sites.items()}
