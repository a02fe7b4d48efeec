"""Conformance of a structure: groups are exchangeable, padding does nothing, and draws restore what was sampled."""

import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import ks_2samp

from simstudy.models.noise import Noise
from simstudy.models.priors import Prior
from simstudy.models.shapes import Array
from simstudy.models.structures import Structure
from simstudy.testing.declarations import check_axes, check_declared, check_parameters, check_words
from simstudy.testing.expectation import check_choice, expect, expect_close
from simstudy.testing.programs import Traced, as_draws, constants_of, priors_of, run_program

N_GROUPS = 3
N_PADDED = 2
N_LANES = 4
N_DRAWS = 4_000  # from the prior
RARE = 6e-7  # p value at which a comparison fails, that of BOUND standard errors
ORDER = np.array([2, 0, 1])

Priors = Mapping[str, Prior]
Sites = dict[str, Array]


def check_structure(structure: Structure) -> None:
    """Check what every structure promises.

    - It is a choice: frozen, hashable, equal to its copy, and it can be pickled.
    - It says what it is, and its parameters have default priors that a study file could have given. ``described`` names
      all that ``restore`` returns, ``site_axes`` the axes of every latent site.
    - ``effects`` gives theta one value for each group and lane; groups differ if and only if ``effects_differ``.
    - ``restore`` gives from the latent sites the theta that the program used, and the parameters by their names; a
      parameter that is fixed has no site, and its constant is restored.
    - Other names for the groups change neither the density nor the effects. Lanes on the last axis have the values that
      they have alone.
    - Padded groups, false in ``mask``, add a constant to the log density at most, and move no other coordinate: its
      gradient is that without them.
    - ``new_effect`` has one value for each draw, which depends on its fit's key and not on the fits beside it; before
      any data it has the distribution of the effects of the groups at hand.

    Parameters get normal priors (theta, mu) and log-normal priors (all others). Where the lines above speak of names of
    groups and of new groups, groups are exchangeable; a structure in which they are not has checks of its own.

    Args:
        structure: any structure of exchangeable groups.

    Raises:
        ConformanceError: a promise that is not kept.

    >>> from simstudy.models.structures import Partial
    >>> check_structure(Partial(parameterization="centered"))
    """
    check_choice(structure)
    check_words(structure)
    check_parameters(structure, structure.parameters)
    priors = priors_of(structure.parameters)
    with jax.enable_x64(True):
        run = _draw(structure, priors)
        _check_effects(structure, run)
        at_a_point = {name: x[..., 0] for name, x in run.sites.items()}
        check_axes(structure, at_a_point, structure.site_axes, what="site_axes", n=N_GROUPS)
        check_declared(structure, structure.restore(run.draws, priors, (1, 1, N_DRAWS, N_GROUPS)), what="restore")
        _check_restore(structure, priors, run)
        for parameter in structure.parameters:
            _check_constant(structure, priors | constants_of([parameter]), parameter.name)
        _check_names_and_lanes(structure, priors, run)
        _check_padding(structure, priors, {name: x[..., :N_LANES] for name, x in run.sites.items()})
        _check_new_effect(structure, priors, run)


def _draw(structure: Structure, priors: Priors) -> Traced:
    return run_program(lambda: structure.effects(priors, (N_GROUPS, N_DRAWS), None))


def _check_effects(structure: Structure, run: Traced) -> None:
    theta = np.asarray(run.returned)
    shape = (N_GROUPS, N_DRAWS)
    expect(structure, f"effects of shape {shape}", holds=theta.shape == shape, got=theta.shape)
    differ = bool(np.any(theta != theta[0]))
    promise = f"effects that {'differ between' if structure.effects_differ else 'are the same in all'} groups"
    expect(structure, promise, holds=differ == structure.effects_differ, got=theta[:, 0])


def _check_restore(structure: Structure, priors: Priors, run: Traced) -> None:
    restored = structure.restore(run.draws, priors, (1, 1, N_DRAWS, N_GROUPS))
    promise = "restore to give the theta that the program used"
    expect_close(structure, promise, found=restored["theta"], expected=as_draws(run.returned))
    for name in ("mu", "tau"):
        has = name in {p.name for p in structure.parameters}
        words = f"restore to {'name' if has else 'leave out'} {name}"
        expect(structure, words, holds=(name in restored) == has, got=", ".join(sorted(restored)))
        if has:
            used = np.asarray(run.sites.get(name, np.full(N_DRAWS, priors[name].args[0])))
            promise = f"restore to give the {name} that the program used"
            expect_close(structure, promise, found=restored[name], expected=used[None, None])


def _check_constant(structure: Structure, priors: Priors, name: str) -> None:
    run = _draw(structure, priors)
    expect(structure, f"no site {name!r} where {name} is a constant", holds=name not in run.sites, got=[*run.sites])
    try:
        _check_restore(structure, priors, run)
        restored = structure.restore(run.draws, priors, (1, 1, N_DRAWS, N_GROUPS))
        new = structure.new_effect(restored, priors, Noise(np.zeros((1, 2), np.uint32), (1, N_DRAWS)))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        promise = f"restore and new_effect to work where {name} is a constant"
        expect(structure, promise, holds=False, got=f"{type(error).__name__}: {error}")
    is_finite = np.shape(new) == (1, 1, N_DRAWS) and np.isfinite(new).all()
    expect(structure, f"finite new effects where {name} is a constant", holds=is_finite, got=np.shape(new))


def _check_names_and_lanes(structure: Structure, priors: Priors, run: Traced) -> None:
    @functools.partial(jax.jit, static_argnums=1)
    def effects_and_density(values: Sites, shape: tuple[int, ...]) -> tuple[Array, Array]:
        run = run_program(lambda: structure.effects(priors, shape, None), values)
        return run.returned, run.log_density(len(shape) - 1)

    lanes = {name: np.asarray(x)[..., :N_LANES] for name, x in run.sites.items()}
    points = [{name: x[..., lane] for name, x in lanes.items()} for lane in range(N_LANES)]
    alone = [effects_and_density(point, (N_GROUPS,)) for point in points]
    _, together = effects_and_density(lanes, (N_GROUPS, N_LANES))
    promise = "lanes on the last axis to have the density that they have alone"
    expect_close(structure, promise, found=together, expected=[density for _, density in alone])
    renamed = {name: x[ORDER] if np.ndim(x) else x for name, x in points[0].items()}
    theta, density = effects_and_density(renamed, (N_GROUPS,))
    promise = "the same density whatever the groups are called"
    expect_close(structure, promise, found=density, expected=alone[0][1])
    promise = "effects that take their groups' names with them"
    expect_close(structure, promise, found=theta, expected=np.asarray(alone[0][0])[ORDER])


def _check_padding(structure: Structure, priors: Priors, sites: Sites) -> None:
    def density(sites: Sites, n_padded: int) -> tuple[Array, Array]:
        shape = (N_GROUPS + n_padded, N_LANES)
        mask = jnp.broadcast_to(jnp.arange(shape[0])[:, None] < N_GROUPS, shape) if n_padded else None
        # Samplers hold the coordinates of padded groups at 0.
        padded = {name: jnp.pad(x, ((0, n_padded), (0, 0))) if x.ndim > 1 else x for name, x in sites.items()}
        lanes = run_program(lambda: structure.effects(priors, shape, mask), padded).log_density(1)
        return lanes.sum(), lanes

    value_and_gradient = jax.jit(jax.value_and_grad(density, has_aux=True), static_argnums=1)
    (_, expected), gradient = value_and_gradient(sites, 0)
    (_, found), moved = value_and_gradient(sites, N_PADDED)
    added = np.asarray(found - expected)
    promise = "padded groups to add the same to the log density whatever the other coordinates are"
    expect_close(structure, promise, found=added, expected=np.full(N_LANES, added[0]))
    for name, slope in gradient.items():
        promise = f"padded groups to leave the gradient in {name} as it is"
        expect_close(structure, promise, found=moved[name], expected=slope)


def _check_new_effect(structure: Structure, priors: Priors, run: Traced) -> None:
    # Two fits, so that it shows where one depends on the other.
    shape = (2, 1, N_DRAWS // 2)
    posterior = {name: draws.reshape(*shape, *draws.shape[3:]) for name, draws in run.draws.items()}
    restored = structure.restore(posterior, priors, (*shape, N_GROUPS))
    keys = np.arange(4, dtype=np.uint32).reshape(2, 2)
    new = np.asarray(structure.new_effect(restored, priors, Noise(keys, shape[1:])))
    is_finite = new.shape == shape and np.isfinite(new).all()
    expect(structure, f"finite new effects of shape {shape}", holds=is_finite, got=new.shape)
    second = {name: value[1:] for name, value in restored.items()}
    alone = structure.new_effect(second, priors, Noise(keys[1:], shape[1:]))
    promise = "new effects that do not depend on the fits beside them"
    expect_close(structure, promise, found=new[1:], expected=alone)
    p = ks_2samp(new.ravel(), np.asarray(restored["theta"])[..., 0].ravel()).pvalue
    promise = "a new group's effect to have, before any data, the distribution of the others"
    expect(structure, promise, holds=p > RARE, got=f"a Kolmogorov-Smirnov p value of {p:.2g}")
