"""Options of the samplers that follow trajectories: each does what it says, and none changes the posterior."""

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest

from simstudy.models.user import UserModel
from simstudy.samplers import SAMPLERS
from simstudy.samplers.numpyro import kept_of
from simstudy.samplers.nuts import NUTSOptions, NUTSProgram
from simstudy.samplers.nuts.warmup import adapt_mass, initial_adaptation, variance_windows
from simstudy.study.study import Study
from simstudy.summaries.diagnostics import ess_mean

SD = np.array([0.1, 1.0, 30.0])
KEYS = np.arange(16, dtype=np.uint32).reshape(8, 2)


def log_density(q, data):
    return -0.5 * ((q / data["sd"]) ** 2).sum(0)


def fits_of(**options):
    """Eight fits of a normal with standard deviations .1, 1 and 30, from two chains each."""
    chosen = NUTSOptions(**{"chains": 2, "warmup": 150, "draws": 200, "lanes": 128, **options})
    program = NUTSProgram(log_density, len(SD), chosen)
    return program.sample({"sd": np.repeat(SD[:, None], len(KEYS), axis=1)}, KEYS)


@pytest.mark.parametrize(
    "options",
    [
        {"mass_matrix": "fisher"},
        {"mass_matrix": "identity"},
        {"step_size": 0.05, "max_treedepth_warmup": 4},
        {"warmup": 0, "step_size": 0.05, "init_radius": 0.0},
        {"warmup": 1, "adapt_step_size": False, "step_size": 0.05},
        {"thinning": 3, "draws": 100},
    ],
    ids=lambda options: " ".join(options),
)
def test_the_posterior_is_the_same_whatever_the_options(options):
    """Mean 0 and the given standard deviations, within 5 Monte Carlo errors of all fits' draws together."""
    draws = fits_of(**options).draws
    pooled = draws.reshape(-1, *draws.shape[2:]).astype(float)  # (chain, draw, dimension)
    burnt = pooled[:, pooled.shape[1] // 2 :] if options.get("warmup", 150) < 20 else pooled
    for d, sd in enumerate(SD):
        x = burnt[..., d]
        assert abs(x.mean()) < 5 * sd / np.sqrt(ess_mean(x)), d
        assert abs((x**2).mean() / sd**2 - 1) < 5 * np.sqrt(2 / ess_mean(x**2)), d


def test_thinned_draws_are_every_last_of_those_unthinned():
    """The same chains; steps add up, acceptance is a mean."""
    every, thinned = fits_of(draws=60), fits_of(draws=20, thinning=3)
    np.testing.assert_array_equal(thinned.draws, every.draws[:, :, 2::3])
    np.testing.assert_array_equal(thinned.energy, every.energy[:, :, 2::3])
    np.testing.assert_array_equal(thinned.num_steps, every.num_steps.reshape(8, 2, 20, 3).sum(-1))
    np.testing.assert_allclose(thinned.accept_prob, every.accept_prob.reshape(8, 2, 20, 3).mean(-1), rtol=1e-6)
    assert thinned.work.n_leapfrog == every.work.n_leapfrog


def test_trajectories_of_the_warmup_have_a_depth_of_their_own():
    """No warm-up trajectory of depth 2 has more than 3 steps; later ones do."""
    fits = fits_of(max_treedepth_warmup=2)
    assert (fits.n_leapfrog_warmup <= 150 * 3).all()
    assert fits.num_steps.max() > 3


def test_a_step_size_that_is_not_adapted_stays():
    """It is the given one after the warm-up."""
    assert (fits_of(adapt_step_size=False, step_size=0.05).step_size == np.float32(0.05)).all()


def test_the_mass_matrix_of_a_normal_from_its_gradients_is_exact():
    """Of a normal, gradients are draws over variances: the ratio is the variance, whatever the draws of a window."""
    options = NUTSOptions(warmup=150, mass_matrix="fisher")
    end = variance_windows(150).ends[0]
    draws = SD[:, None] * np.random.default_rng(1).normal(size=(end + 1, 3, 1))
    state = initial_adaptation(jnp.array([[1.0], [1.0], [0.0]]), with_gradients=True)
    for t, draw in enumerate(draws):
        state = adapt_mass(
            state,
            transition=jnp.array([t]),
            ended=jnp.array([True]),
            position=jnp.asarray(draw),
            gradient=jnp.asarray(-draw / SD[:, None] ** 2),
            options=options,
        )
    np.testing.assert_allclose(state.inverse_mass[:2, 0], SD[:2] ** 2, rtol=1e-4)
    assert state.inverse_mass[2, 0] == 0  # a padded dimension


def correlated(data):
    covariance = jnp.array([[1.0, 0.99], [0.99, 1.0]])
    numpyro.sample("x", dist.MultivariateNormal(data["mean"], covariance))


def test_numpyros_options_reach_it():
    """A dense mass matrix makes trajectories of a correlated normal short: 3 steps, where a diagonal one takes 15."""
    sampler = SAMPLERS["numpyro"](
        chains=2,
        warmup=150,
        draws=50,
        thinning=2,
        mass_matrix="dense",
        init="median",
        find_heuristic_step_size=True,
        max_treedepth_warmup=6,
    )
    model = UserModel(name="correlated", program=correlated, posterior_estimands=lambda posterior: posterior)
    draws = sampler.compile(model, {"mean": np.zeros(2)}).sample({"mean": np.zeros((4, 2))}, KEYS[:4])
    assert draws.sites["x"].shape == (4, 2, 50, 2)
    assert draws.stats.num_steps.mean() / 2 < 8
    assert draws.stats.n_leapfrog_warmup.max() <= 150 * (2**6 - 1)
    assert draws.stats.hit_max_treedepth is None


def test_numpyros_thinned_draws_tell_of_all_their_transitions():
    """The last draw and energy of three, any divergence, the mean acceptance and the sum of steps."""
    rng = np.random.default_rng(2)
    z, diverging = rng.normal(size=(12, 2)), rng.random(12) < 0.3
    accept, steps, energy = rng.random(12), rng.integers(1, 9, 12), rng.normal(size=12)
    kept = ({"z": jnp.zeros((4, 2))}, jnp.zeros(4, bool), jnp.zeros(4), jnp.zeros(4, int), jnp.zeros(4))
    for place in (0, *range(12)):  # the first as the warm-up leaves it
        values = ({"z": z[place]}, diverging[place], accept[place], steps[place], energy[place])
        kept = kept_of(kept, values, jnp.asarray(place), 3)
    np.testing.assert_allclose(kept[0]["z"], z[2::3], rtol=1e-6)
    np.testing.assert_array_equal(kept[1], diverging.reshape(4, 3).any(1))
    np.testing.assert_allclose(kept[2], accept.reshape(4, 3).mean(1), rtol=1e-6)
    np.testing.assert_array_equal(kept[3], steps.reshape(4, 3).sum(1))
    np.testing.assert_allclose(kept[4], energy[2::3], rtol=1e-6)


def test_options_at_their_defaults_leave_studies_as_they_were():
    """A study has them where they are set: one from before there were such options goes on as it is."""
    plain, changed = (
        Study.from_dict(
            {
                "study": {"name": "options", "replicates": 1},
                "mechanism": {"kind": "exchangeable", "groups": 3, "group_size": 2},
                "method": [{"name": "none", "structure": "none"}],
                "sampler": {"kind": "nuts", **options},
            }
        )
        for options in ({"thinning": 1, "mass_matrix": "diagonal"}, {"thinning": 2})
    )
    options = ["kind", "chains", "warmup", "draws", "target_accept", "max_treedepth", "precision"]
    assert list(plain.canonical["methods"][0]["sampler"]) == options
    assert set(changed.canonical["methods"][0]["sampler"]) == {*options, "thinning"}
    assert "thinning 2" in changed.methods[0].sampler.described
