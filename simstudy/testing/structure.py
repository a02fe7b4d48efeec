"""Conformance of a structure: groups are exchangeable, padding does nothing, and draws restore what the program used."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import ks_2samp

from simstudy.noise import Noise
from simstudy.priors import Prior
from simstudy.structures import Structure
from simstudy.testing.expectation import check_choice, expect, expect_close
from simstudy.testing.programs import Array, Traced, constants_of, priors_of, run_program

N_GROUPS = 3
N_PADDED = 2
N_LANES = 4
N_PRIOR_DRAWS = 4_000
RARE = 6e-7  # p value at which a comparison fails, that of BOUND standard errors
ORDER = np.array([2, 0, 1])
RESTORED = ("theta", "mu", "tau")

Priors = Mapping[str, Prior]
Sites = dict[str, Array]


def check_structure(structure: Structure) -> None:
    """Check what every structure promises.

    - It is a choice: frozen, hashable, equal to its copy, and it can be pickled.
    - ``effects`` gives theta one value for each group and lane; groups differ if and only if ``effects_differ``.
    - ``restore`` gives from the latent sites the theta that the program used, and the parameters by their names; a
      parameter that is fixed has no site, and its constant is restored.
    - Other names for the groups change neither the density nor the effects. Lanes on the last axis have the values that
      they have alone.
    - Padded groups, false in ``mask``, add a constant to the log density at most, and move no other coordinate: its
      gradient is that without them.
    - ``new_effect`` has one value for each draw, which depends on its fit's key and not on the fits beside it; before
      any data it has the distribution of the effects of the groups at hand.

    Parameters get normal priors (theta, mu) and gamma priors (all others). Where the lines above speak of names of
    groups and of new groups, groups are exchangeable; a structure in which they are not has checks of its own.

    Args:
        structure: any structure of exchangeable groups.

    Raises:
        ConformanceError: a promise that is not kept.

    >>> from simstudy.structures import Partial
    >>> check_structure(Partial(parameterization="centered"))
    """
    check_choice(structure)
    priors = priors_of(structure.parameters)
    with jax.enable_x64(True):
        _check_restore(structure, priors)
        for name in structure.parameters:
            _check_restore(structure, priors | constants_of([name]), fixed=name)
        _check_names(structure, priors)
        _check_lanes(structure, priors)
        _check_padding(structure, priors)
        _check_new_effect(structure, priors)


def _run(structure: Structure, priors: Priors, *, values: Sites | None = None, shape: tuple[int, ...] = (N_GROUPS,),
         mask: Array | None = None) -> Traced:  # fmt: skip
    return run_program(lambda: structure.effects(priors, shape, mask), values=values)


def _check_restore(structure: Structure, priors: Priors, *, fixed: str | None = None) -> None:
    shape = (N_GROUPS, N_LANES)
    run = _run(structure, priors, shape=shape)
    theta = np.asarray(run.returned)
    expect(structure, f"effects of shape {shape}", holds=theta.shape == shape, got=theta.shape)
    differ = not np.all(theta == theta[0])
    if fixed is None:
        promise = f"effects that {'differ' if structure.effects_differ else 'are the same'} in all groups"
        expect(structure, promise, holds=differ == structure.effects_differ, got=theta[:, 0])
    else:
        expect(structure, f"no latent site {fixed!r} where it is a constant", holds=fixed not in run.sites, got=fixed)
    try:
        restored = structure.restore(run.posterior(1), priors, (1, 1, N_LANES, N_GROUPS))
    except KeyError as error:
        promise = f"restore to work where {fixed} is a constant"
        expect(structure, promise, holds=False, got=f"no site {error} in the posterior")
    expect_close(structure, "restore to give the theta that the program used", found=restored["theta"],
                 expected=theta.T[None, None])  # fmt: skip
    for name in RESTORED[1:]:
        has = name in structure.parameters
        expect(structure, f"restore to name {name}: {has}", holds=(name in restored) == has, got=sorted(restored))
        if has:
            used = run.sites.get(name, np.full(N_LANES, priors[name].args[0]))
            promise = f"restore to give the {name} that the program used"
            expect_close(structure, promise, found=restored[name], expected=np.asarray(used)[None, None])


def _check_names(structure: Structure, priors: Priors) -> None:
    run = _run(structure, priors)
    renamed = _run(structure, priors, values={name: x[ORDER] if jnp.ndim(x) else x for name, x in run.sites.items()})
    promise = "the same density whatever the groups are called"
    expect_close(structure, promise, found=renamed.log_density(), expected=run.log_density())
    promise = "effects that take their groups' names with them"
    expect_close(structure, promise, found=renamed.returned, expected=np.asarray(run.returned)[ORDER])


def _check_lanes(structure: Structure, priors: Priors) -> None:
    together = _run(structure, priors, shape=(N_GROUPS, N_LANES))
    alone = [
        _run(structure, priors, values={name: x[..., lane] for name, x in together.sites.items()}).log_density()
        for lane in range(N_LANES)
    ]
    promise = "lanes on the last axis to have the density that they have alone"
    expect_close(structure, promise, found=together.log_density(1), expected=alone)


def _check_padding(structure: Structure, priors: Priors) -> None:
    sites = _run(structure, priors, shape=(N_GROUPS, N_LANES)).sites
    mask = jnp.arange(N_GROUPS + N_PADDED)[:, None] < N_GROUPS
    mask = jnp.broadcast_to(mask, (N_GROUPS + N_PADDED, N_LANES))

    def density(sites: Sites) -> tuple[Array, Array]:
        run = _run(structure, priors, values=sites, shape=(N_GROUPS, N_LANES))
        return run.log_density(1).sum(), run.log_density(1)

    def padded_density(sites: Sites) -> tuple[Array, Array]:
        padded = {name: _padded(x) for name, x in sites.items()}
        run = _run(structure, priors, values=padded, shape=mask.shape, mask=mask)
        return run.log_density(1).sum(), run.log_density(1)

    (_, expected), gradient = jax.value_and_grad(density, has_aux=True)(sites)
    (_, found), moved = jax.value_and_grad(padded_density, has_aux=True)(sites)
    added = np.asarray(found - expected)
    promise = "padded groups to add the same to the log density whatever the other coordinates are"
    expect_close(structure, promise, found=added, expected=np.full(N_LANES, added[0]))
    for name, slope in gradient.items():
        promise = f"padded groups to leave the gradient in {name} as it is"
        expect_close(structure, promise, found=moved[name], expected=slope)


def _padded(value: Array) -> Array:
    """Return (group, lane) with padded groups at 0, where samplers hold them; (lane,) as it is."""
    return jnp.pad(value, ((0, N_PADDED), (0, 0))) if value.ndim > 1 else value


def _check_new_effect(structure: Structure, priors: Priors) -> None:
    n = N_PRIOR_DRAWS // 2
    run = _run(structure, priors, shape=(N_GROUPS, 2 * n))
    # Two fits, so that it shows where one depends on the other.
    posterior = {name: draws.reshape(2, 1, n, *draws.shape[3:]) for name, draws in run.posterior(1).items()}
    restored = structure.restore(posterior, priors, (2, 1, n, N_GROUPS))
    keys = np.arange(4, dtype=np.uint32).reshape(2, 2)
    new = np.asarray(structure.new_effect(restored, priors, Noise(keys, (1, n))))
    is_finite = new.shape == (2, 1, n) and np.isfinite(new).all()
    expect(structure, f"finite new effects of shape {(2, 1, n)}", holds=is_finite, got=new.shape)
    second = {name: value[1:] for name, value in restored.items()}
    alone = structure.new_effect(second, priors, Noise(keys[1:], (1, n)))
    promise = "new effects that do not depend on the fits beside them"
    expect_close(structure, promise, found=new[1:], expected=alone)
    p = ks_2samp(new.ravel(), np.asarray(restored["theta"])[..., 0].ravel()).pvalue
    promise = "a new group's effect to have, before any data, the distribution of the others"
    expect(structure, promise, holds=p > RARE, got=f"a Kolmogorov-Smirnov p value of {p:.2g}")
