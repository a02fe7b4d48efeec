"""Draws follow the target, are NumPyro's in distribution, and depend on nothing but key, data and program."""

import gc
import tracemalloc

import jax
import numpy as np
import pytest
from scipy.integrate import quad

from simstudy.errors import StudyError
from simstudy.samplers.nuts import Job, NUTSOptions, NUTSProgram
from simstudy.samplers.nuts.options import FEW_LANES, MANY_DIMS

N_DIMS, N_FITS = 3, 150
OPTIONS = NUTSOptions(chains=2, warmup=150, draws=100, max_treedepth=5, stride=2, lanes=128)


def gaussian(q, data):
    """Independent normals; a starting point is refused where the data say so."""
    value = -0.5 * (((q - data["mean"]) / data["sd"]) ** 2).sum(0)
    return value + data["offset"]


@pytest.fixture(scope="module")
def program():
    return NUTSProgram(gaussian, N_DIMS, OPTIONS)


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(5)
    data = {
        "mean": rng.normal(size=(N_DIMS, N_FITS)),
        "sd": np.exp(rng.normal(size=(N_DIMS, N_FITS))),
        "offset": np.zeros(N_FITS),
    }
    return data, rng.integers(0, 2**32, (N_FITS, 2), dtype=np.uint32)


@pytest.fixture(scope="module")
def fits(program, problem):
    return program.sample(*problem)


def pick(problem, index):
    """Return the fits of a problem at an index."""
    data, keys = problem
    return {name: leaf[..., index] for name, leaf in data.items()}, keys[index]


def test_moments_are_those_of_a_gaussian(fits, problem):
    """Standardized means and variances average to 0 and 1 over fits, within 4 standard errors over fits.

    The errors are computed over independent fits, so no effective sample size enters.
    """
    data, _ = problem
    z = (fits.draws - data["mean"].T[:, None, None]) / data["sd"].T[:, None, None]
    means, variances = z.mean((1, 2)), (z**2).mean((1, 2))
    for values, expected in ((means, 0), (variances, 1)):
        error = values.std(0, ddof=1) / np.sqrt(N_FITS)
        assert (np.abs(values.mean(0) - expected) < 4 * error).all()
        assert (error < 0.05).all()
    assert not fits.reasons
    assert not fits.diverging.any()


def test_statistics_are_in_range_and_add_up(fits):
    """Acceptance in (0, 1], steps in 1 ... 2**depth - 1, slots at least steps, steps those of both phases."""
    assert fits.draws.shape == (N_FITS, 2, 100, N_DIMS)
    assert ((fits.accept_prob > 0) & (fits.accept_prob <= 1)).all()
    assert ((fits.num_steps >= 1) & (fits.num_steps < 2**OPTIONS.max_treedepth)).all()
    assert fits.work.n_leapfrog == fits.num_steps.sum() + fits.n_leapfrog_warmup.sum()
    assert fits.work.n_leapfrog < fits.work.n_slots
    assert (fits.n_leapfrog_warmup >= OPTIONS.warmup).all()


def test_energy_is_that_of_a_hamiltonian_at_equilibrium(fits, problem):
    """Potential plus chi-square kinetic energy: the kinetic part averages to D/2 (5 standard errors over fits)."""
    data, _ = problem
    potential = 0.5 * (((fits.draws - data["mean"].T[:, None, None]) / data["sd"].T[:, None, None]) ** 2).sum(-1)
    kinetic = (fits.energy - potential).mean((1, 2))
    assert (fits.energy - potential).min() > -1e-3
    assert abs(kinetic.mean() - N_DIMS / 2) < 5 * kinetic.std() / np.sqrt(N_FITS)


@pytest.mark.parametrize("index", [np.arange(N_FITS)[::-1], np.array([149]), np.arange(3, 90, 7)])
def test_a_fit_is_bit_identical_in_any_company_and_order(program, problem, fits, index):
    """Permuted, alone, or among others: other lanes, other refills, the same bits in every array."""
    again = program.sample(*pick(problem, index))
    for name in ("draws", "diverging", "accept_prob", "num_steps", "energy", "step_size", "n_leapfrog_warmup"):
        np.testing.assert_array_equal(getattr(again, name), getattr(fits, name)[index])


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_large_fit_is_bit_identical_on_any_of_its_few_lanes(precision):
    """Where lanes are narrower than for small posteriors, each of them rounds as every other does."""
    n_dims, options = MANY_DIMS + 1, NUTSOptions(chains=1, warmup=20, draws=4, max_treedepth=4, precision=precision)
    program = NUTSProgram(gaussian, n_dims, options)
    assert program.n_lanes == FEW_LANES
    rng = np.random.default_rng(8)
    one = {"mean": rng.normal(size=(n_dims, 1)), "sd": np.exp(rng.normal(size=(n_dims, 1))), "offset": np.zeros(1)}
    key = np.array([[3, 4]], np.uint32)
    alone = program.sample(one, key)
    together = program.sample(
        {name: np.repeat(leaf, FEW_LANES, -1) for name, leaf in one.items()}, np.repeat(key, FEW_LANES, 0)
    )
    assert np.ptp(alone.draws) > 0
    np.testing.assert_array_equal(together.draws, np.broadcast_to(alone.draws, together.draws.shape))
    np.testing.assert_array_equal(together.energy, np.broadcast_to(alone.energy, together.energy.shape))


def test_a_fit_is_bit_identical_after_an_interruption(program, problem, fits):
    """A stream that is dropped half-way and taken up with the jobs still open gives the fits of one run."""
    data, keys = problem
    jobs = [Job(data={k: v[..., i] for k, v in data.items()}, key=keys[i]) for i in range(N_FITS)]
    stream = program.stream(jobs)
    done = {fit.index: fit for fit in (next(stream) for _ in range(40))}
    rest = [i for i in range(N_FITS) if i not in done]
    done |= {rest[fit.index]: fit for fit in program.stream([jobs[i] for i in rest])}
    assert sorted(done) == list(range(N_FITS))
    for i, fit in done.items():
        np.testing.assert_array_equal(fit.draws, fits.draws[i])


def test_the_key_decides_the_draws(program, problem, fits):
    """Chains of a fit differ, and another key gives other draws for the same data."""
    data, keys = pick(problem, np.arange(4))
    other = program.sample(data, keys + np.uint32(1))
    assert (other.draws != fits.draws[:4]).mean() > 0.99
    assert (fits.draws[:, 0] != fits.draws[:, 1]).mean() > 0.99


def test_a_density_that_is_nowhere_finite_is_a_reason_and_leaves_the_others_alone(program, problem, fits):
    """NaN data give a reason that names what was not finite, NaN draws, and no change in the fits beside them."""
    data, keys = pick(problem, np.arange(80))
    offset = np.where(np.arange(80) % 9 == 4, np.nan, 0.0)
    mixed = program.sample(data | {"offset": offset}, keys)
    good = np.flatnonzero(np.isfinite(offset))
    assert sorted(mixed.reasons) == sorted(set(range(80)) - set(good))
    assert set(mixed.reasons.values()) == {
        "the log density or its gradient was not finite at 100 random starting points (chains 0, 1)"
    }
    assert np.isnan(mixed.draws[4]).all()
    np.testing.assert_array_equal(mixed.draws[good], fits.draws[good])


def test_a_given_start_is_used_and_its_failure_is_a_reason(program, problem):
    """With a start at the mean the first draw is near it even where random starts are not; infinity is refused."""
    data, keys = pick(problem, np.arange(2))
    far = data | {"mean": data["mean"] + 1e4}
    start = np.repeat(far["mean"][None], OPTIONS.chains, 0)
    started = program.sample(far, keys, start=start)
    np.testing.assert_allclose(started.draws.mean((1, 2)), far["mean"].T, atol=4 * data["sd"].max())
    refused = program.sample(far, keys, start=np.full_like(start, np.inf))
    assert set(refused.reasons) == {0, 1}
    assert "its starting point" in refused.reasons[0]


def test_jobs_are_taken_as_lanes_fall_free_and_memory_does_not_grow(program, problem):
    """Jobs taken and fits given out differ by at most the lanes; five times the fits take no more memory (10 %)."""
    data, keys = problem
    taken = 0

    def jobs(n):
        nonlocal taken
        for taken in range(1, n + 1):
            i = taken % N_FITS
            yield Job(data={k: v[..., i] for k, v in data.items()}, key=keys[i])

    def peak(n):
        gc.collect()
        tracemalloc.start()
        for given, _ in enumerate(program.stream(jobs(n)), start=1):
            assert taken - given <= 128
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert given == n
        return highest

    assert peak(1500) < 1.1 * peak(300)


def test_no_jobs_are_no_fits(program):
    """An empty stream ends at once."""
    assert list(program.stream([])) == []


def test_misuse_is_refused_with_what_is_allowed(program, problem):
    """Messages name the argument, what it must be and what came."""
    data, keys = problem
    with pytest.raises(ValueError, match=r"keys must be \(fit, 2\) with at least one fit; got shape \(150,\)"):
        program.sample(data, keys[:, 0])
    with pytest.raises(ValueError, match=r"data must have the 10 fits of keys last; got shape \(3, 150\)"):
        program.sample(data, keys[:10])
    with pytest.raises(ValueError, match="word_index must hold 3 different counters"):
        NUTSProgram(gaussian, 3, OPTIONS, word_index=[0, 1, 1])
    with pytest.raises(StudyError, match="target_accept: expected a number below 1, got 1"):
        NUTSOptions(target_accept=1)
    with pytest.raises(StudyError, match="lanes: expected a multiple of 128, got 100"):
        NUTSOptions(lanes=100)


def noncentered(q, data):
    """Partial pooling on sufficient statistics: mu, log tau, log sigma, then one z per group; masked groups last."""
    mu, log_tau, log_sigma, z = q[0], q[1], q[2], q[3:]
    tau, precision = jax.numpy.exp(log_tau), jax.numpy.exp(-2 * log_sigma)
    error = data["y_mean"] - (mu + tau * z)
    prior = -0.5 * (mu / 10) ** 2 - 0.5 * (tau / 5) ** 2 + log_tau - jax.numpy.exp(log_sigma) + log_sigma
    squares = (data["mask"] * (z * z + data["n"] * error * error * precision)).sum(0)
    return prior - 0.5 * squares - 0.5 * data["ss"] * precision - data["n_all"] * log_sigma


def grouped(n_fits, n_groups, n_padded):
    """Return data of groups of ten observations, padded with groups of one observation and mean 0."""
    rng = np.random.default_rng(8)
    y_mean = 1 + rng.normal(size=(n_groups, n_fits)) * 2
    extra = np.zeros((n_padded, n_fits))
    return {
        "y_mean": np.concatenate([y_mean, extra]),
        "n": np.concatenate([np.full_like(y_mean, 10.0), extra + 1]),
        "mask": np.concatenate([np.ones_like(y_mean), extra]),
        "ss": np.full(n_fits, 9.0 * n_groups),
        "n_all": np.full(n_fits, 10.0 * n_groups),
    }


def test_padded_groups_leave_the_trajectories_as_they_are():
    """In float64 the first 20 transitions of a padded model are the unpadded model's to 1e-9; padding stays at 0.

    The padded model has its dimensions in another order, padding in the middle, and counters that say which is which.
    """
    options = NUTSOptions(chains=2, warmup=10, draws=10, max_treedepth=5, stride=2, lanes=128, precision="float64")
    keys = np.arange(12, dtype=np.uint32).reshape(6, 2)
    plain = NUTSProgram(noncentered, 6, options).sample(grouped(6, 3, 0), keys)
    place = np.array([3, 4, 5, 6, 7, 0, 1, 2])
    program = NUTSProgram(lambda q, data: noncentered(q[np.argsort(place)], data), 8, options, word_index=place)
    mask = np.repeat(place[:, None] < 6, 6, 1)
    padded = program.sample(grouped(6, 3, 2), keys, dim_mask=mask)
    np.testing.assert_allclose(padded.draws[..., [5, 6, 7, 0, 1, 2]], plain.draws, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(padded.num_steps, plain.num_steps)
    np.testing.assert_allclose(padded.energy, plain.energy, rtol=1e-9)
    np.testing.assert_array_equal(padded.draws[..., 3:5], 0)
    assert padded.draws.dtype == np.float64


def test_adaptation_steps_and_posterior_are_numpyros():
    """Means over 64 chains of one data set agree with 64 chains of NumPyro's NUTS within 4 joint standard errors.

    Step size, steps per draw, acceptance, divergences, and the first two moments of mu, log tau, log sigma and a z.
    The errors are below a fifth of a statistic's mean or a parameter's posterior sd, or below 0.02.
    """
    from numpyro.infer import MCMC, NUTS

    n_groups, n_chains = 4, 64
    data = {name: leaf[..., 0] for name, leaf in grouped(1, n_groups, 0).items()}
    options = NUTSOptions(chains=4, warmup=200, draws=200, max_treedepth=6, stride=3, lanes=128)
    tiled = {name: np.repeat(leaf[..., None], n_chains // 4, -1) for name, leaf in data.items()}
    keys = np.random.default_rng(0).integers(0, 2**32, (n_chains // 4, 2), dtype=np.uint32)
    ours = NUTSProgram(noncentered, n_groups + 3, options).sample(tiled, keys)

    kernel = NUTS(potential_fn=lambda q: -noncentered(q, data), max_tree_depth=6)
    mcmc = MCMC(
        kernel, num_warmup=200, num_samples=200, num_chains=n_chains, chain_method="vectorized", progress_bar=False
    )
    start = jax.random.uniform(jax.random.key(1), (n_chains, n_groups + 3), minval=-2, maxval=2)
    fields = ("num_steps", "accept_prob", "diverging", "adapt_state.step_size")
    mcmc.run(jax.random.key(2), init_params=start, extra_fields=fields)
    theirs, extra = np.asarray(mcmc.get_samples(group_by_chain=True)), mcmc.get_extra_fields(group_by_chain=True)

    draws = ours.draws.reshape(n_chains, 200, -1)
    pairs = {
        "step size": (ours.step_size.ravel(), np.asarray(extra["adapt_state.step_size"])[:, -1]),
        "steps": (ours.num_steps.mean(-1).ravel(), np.asarray(extra["num_steps"]).mean(-1)),
        "acceptance": (ours.accept_prob.mean(-1).ravel(), np.asarray(extra["accept_prob"]).mean(-1)),
        "divergences": (ours.diverging.mean(-1).ravel(), np.asarray(extra["diverging"]).mean(-1)),
    }
    scale = {}
    for dim, name in enumerate(("mu", "log tau", "log sigma", "z")):
        pairs[name] = draws[..., dim].mean(1), theirs[..., dim].mean(1)
        pairs[name + " squared"] = (draws[..., dim] ** 2).mean(1), (theirs[..., dim] ** 2).mean(1)
        scale[name], scale[name + " squared"] = theirs[..., dim].std(), (theirs[..., dim] ** 2).std()
    for name, (a, b) in pairs.items():
        error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
        assert abs(a.mean() - b.mean()) < 4 * error, name
        assert error < max(0.2 * scale.get(name, abs(b.mean())), 0.02), name


def test_a_tame_funnel_agrees_with_quadrature():
    """v ~ Normal(0, 0.7), x | v ~ Normal(0, exp(v)): moments of v and x within 4 standard errors over fits."""

    def funnel(q, data):
        v, x = q[0], q[1:]
        return -0.5 * (v / data["width"]) ** 2 - 0.5 * ((x * jax.numpy.exp(-v)) ** 2).sum(0) - x.shape[0] * v

    width, n_fits = 0.7, 64
    keys = np.random.default_rng(3).integers(0, 2**32, (n_fits, 2), dtype=np.uint32)
    fits = NUTSProgram(funnel, 2, OPTIONS).sample({"width": np.full(n_fits, width)}, keys)
    v, x = fits.draws[..., 0], fits.draws[..., 1]

    def expect(moment):
        return quad(lambda t: moment(t) * np.exp(-0.5 * (t / width) ** 2), -8, 8)[0] / (width * np.sqrt(2 * np.pi))

    for values, expected in (
        (v, 0.0),
        (v**2, width**2),
        (np.abs(x), expect(lambda t: np.exp(t) * np.sqrt(2 / np.pi))),
        (np.abs(x) < 1, expect(lambda t: central_probability(np.exp(-t)))),
    ):
        per_fit = values.mean((1, 2))
        assert abs(per_fit.mean() - expected) < 4 * per_fit.std(ddof=1) / np.sqrt(n_fits)


def central_probability(z):
    """Return P(|Z| < z) of a standard normal."""
    from scipy.stats import norm

    return norm.cdf(z) - norm.cdf(-z)
