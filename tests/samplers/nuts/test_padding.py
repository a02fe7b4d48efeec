"""Empty entries along the axes that a model names change no draw of the others, and are gone from what comes out."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro import handlers

from simstudy.errors import StudyError
from simstudy.models.density import Site, density_of
from simstudy.models.model import Axes
from simstudy.models.user import UserModel
from simstudy.samplers import NUTS
from simstudy.samplers.nuts import NUTSOptions, NUTSProgram
from simstudy.samplers.nuts.padding import Padding
from simstudy.streams import random_key
from simstudy.summaries.diagnostics import ess_mean, mcse_mean
from simstudy.testing import check_model

BOUND = 4.0  # standard errors of a difference
N_GROUPS, N_PREDICTORS, N_COVARIATES = 5, 8, 2
AXES = Axes(
    sites={"beta": ("predictor",), "tau": (), "theta": ("group",), "slope": ("group", "covariate"), "mean": ("group",)},
    data={"y": ("group",), "x": ("group", "predictor"), "z": ("group", "covariate")},
    padded=("group",),
)


def regression(data):
    """A regression with an intercept and two slopes of each group, and slopes of eight predictors for all."""
    present = data.get("mask", jnp.ones(len(data["y"]), bool))
    n = len(data["y"])
    beta = numpyro.sample("beta", dist.Normal(0, 1).expand([N_PREDICTORS]).to_event(1))
    tau = numpyro.sample("tau", dist.LogNormal(0, 0.5))
    with handlers.mask(mask=present):
        theta = numpyro.sample("theta", dist.Normal(0, tau).expand([n]))
        slope = numpyro.sample("slope", dist.Normal(0, 1).expand([n, N_COVARIATES]).to_event(1))
        mean = numpyro.deterministic("mean", theta + data["x"] @ beta + (slope * data["z"]).sum(-1))
        numpyro.sample("y", dist.Normal(mean, 1), obs=data["y"])


def effects(posterior):
    return {name: posterior[name] for name in ("beta", "tau", "theta", "mean")}


def model_with(axes, program=regression):
    return UserModel(name="regression", program=program, posterior_estimands=effects, axes=axes)


def make_data(n_fits, n_groups=N_GROUPS):
    rng = np.random.default_rng(n_groups)
    shapes = {"y": (), "x": (N_PREDICTORS,), "z": (N_COVARIATES,)}
    return [{name: rng.normal(size=(n_groups, *shape)) for name, shape in shapes.items()} for _ in range(n_fits)]


def first(arrays):
    return jax.tree.map(lambda leaf: leaf[0], arrays)


def keys_of(n):
    return np.stack([random_key("padding", i) for i in range(n)])


def site(name, shape, start):
    return Site(name=name, shape=shape, value_shape=shape, start=start)


def test_counters_of_groups_follow_those_of_all():
    """Numbers shared by all groups are counted first, then group by group, site by site."""
    axes = Axes(sites={"a": ("group",), "b": ("group", "covariate")}, padded=("group",))
    padding = Padding(axes=axes, lengths={"group": 3})
    sites = [site("mu", (), 0), site("a", (3,), 1), site("b", (3, 2), 4), site("shared", (2,), 10)]
    by_name = np.split(padding.word_index(sites), [1, 4, 10])
    assert [part.tolist() for part in by_name] == [[0], [3, 6, 9], [4, 5, 7, 8, 10, 11], [1, 2]]


@pytest.mark.parametrize("lengths", [{"row": 3, "column": 3}, {"row": 4, "column": 7}])
def test_no_length_enters_the_counters(lengths):
    """With two padded axes as with one, numbers of entries that are present have the counters of a shorter program."""
    names = {"cell": ("row", "column", "part"), "row": ("row",), "column": ("column",), "pair": ("row", "row")}
    axes = Axes(sites=names, padded=("row", "column"))

    def counters(lengths):
        lengths = lengths | {"part": 2}
        sites, start = [], 0
        for name, of in names.items():
            sites.append(site(name, tuple(lengths[axis] for axis in of), start))
            start = sites[-1].dims.stop
        index = np.array(Padding(axes=axes, lengths=lengths).word_index(sites))
        assert len(set(index.tolist())) == len(index)
        return {one.name: index[one.dims].reshape(one.shape) for one in sites}

    short, long = counters({"row": 2, "column": 3}), counters(lengths)
    for name, index in short.items():
        np.testing.assert_array_equal(index, long[name][tuple(map(slice, index.shape))])


def test_what_is_filled_up_can_be_cropped():
    """Data get zeros and a mask along the padded axis alone, and no value that was there is lost."""
    model = model_with(AXES)
    arrays = model.arrays(make_data(3))
    padding = Padding.of(model, first(arrays), lambda n: n + 3)
    padded = padding.fill({name: leaf for name, leaf in arrays.items() if name != "mask"})
    assert {name: leaf.shape for name, leaf in padded.items()} == {
        "y": (3, 8),
        "x": (3, 8, N_PREDICTORS),
        "z": (3, 8, N_COVARIATES),
        "mask": (3, 8),
    }
    np.testing.assert_array_equal(padded["mask"], padding.fill(arrays)["mask"])
    np.testing.assert_array_equal(padded["mask"][0], np.arange(8) < N_GROUPS)
    np.testing.assert_array_equal(padded["x"][:, N_GROUPS:], 0)
    values = {"slope": np.zeros((3, 1, 1, 8, N_COVARIATES)), "beta": np.zeros((3, 1, 1, N_PREDICTORS))}
    assert {name: value.shape[3:] for name, value in padding.crop(values, arrays).items()} == {
        "slope": (N_GROUPS, N_COVARIATES),
        "beta": (N_PREDICTORS,),
    }


def test_a_padded_model_conforms():
    """Its program finds a mask under every sampler, and its density is that of each data set alone."""
    check_model(model_with(AXES), make_data(2))


def test_padding_leaves_the_trajectories_as_they_are():
    """In float64 the first transitions of a program with three empty groups are those of one without, to 1e-8."""
    model, arrays = model_with(AXES), model_with(AXES).arrays(make_data(2))
    options = NUTSOptions(chains=2, warmup=6, draws=6, max_treedepth=4, lanes=128, precision="float64")
    found = []
    with jax.enable_x64(True):
        for n_empty in (0, 3):
            padding = Padding.of(model, first(arrays), lambda n, n_empty=n_empty: n + n_empty)
            padded = padding.fill(arrays)
            density = density_of(model, first(padded))
            program = NUTSProgram(
                density.log_density, density.n_dims, options, word_index=padding.word_index(density.sites)
            )
            lanes = jax.tree.map(lambda leaf: np.moveaxis(leaf, 0, -1), padded)
            fits = program.sample(lanes, keys_of(2), dim_mask=padding.dim_mask(arrays, density.sites))
            found.append(padding.crop(density.constrain(fits.draws, padded), arrays) | {"steps": fits.num_steps})
    plain, padded = found
    np.testing.assert_array_equal(plain.pop("steps"), padded.pop("steps"))
    for name, values in plain.items():
        np.testing.assert_allclose(padded[name], values, rtol=1e-8, atol=1e-8)


def test_a_users_padded_model_has_the_posterior_of_the_unpadded():
    """Five groups in a program for eight: every mean of every site within 4 standard errors of the model's own.

    The eight slopes that all groups share stay eight, and every site has the shape that it has without padding.
    """
    n_fits, sampler = 8, NUTS(chains=2, warmup=200, draws=250)
    data = make_data(n_fits)
    draws = {}
    for name, axes in {"padded": AXES, "plain": Axes()}.items():
        model = model_with(axes)
        arrays = model.arrays(data)
        draws[name] = sampler.compile(model, first(arrays)).sample(arrays, keys_of(n_fits))
    assert not draws["padded"].reasons
    shapes = {name: values.shape[3:] for name, values in draws["padded"].sites.items()}
    assert shapes == {"beta": (8,), "tau": (), "theta": (5,), "slope": (5, 2), "mean": (5,)}
    for name, values in draws["plain"].sites.items():
        pair = [np.moveaxis(d.reshape(*d.shape[:3], -1), -1, 1) for d in (draws["padded"].sites[name], values)]
        rows = [d.reshape(-1, *d.shape[2:]) for d in pair]
        assert min(ess_mean(d).min() for d in rows) > 50
        error = np.sqrt(sum(mcse_mean(d) ** 2 for d in rows))
        difference = rows[0].mean((1, 2)) - rows[1].mean((1, 2))
        assert np.abs(difference / error).max() < BOUND


def test_shapes_of_one_length_share_a_program():
    """Data of five groups and of eight have one program, data of nine another; what is not padded stays apart."""
    model, sampler = model_with(AXES), NUTS()
    shapes = {n: sampler.program_shape(model, model.shape(make_data(1, n)[0])) for n in (5, 8, 9)}
    assert shapes[5] == shapes[8] != shapes[9]
    plain = model_with(Axes())
    assert sampler.program_shape(plain, plain.shape(make_data(1, 5)[0])) == plain.shape(make_data(1, 5)[0])


def grows(data):
    """A site of each group that the axes do not name."""
    numpyro.sample("other", dist.Normal(0, 1).expand([len(data["y"])]))


def sums_to_one(data):
    """Shares of the groups: of J of them, J - 1 are free."""
    numpyro.sample("theta", dist.Dirichlet(jnp.ones(len(data["y"]))))


def too_few(data):
    """Fewer effects than groups."""
    numpyro.sample("theta", dist.Normal(0, 1).expand([3]))


def flat(data):
    """Effects of the groups without the axis of covariates."""
    numpyro.sample("slope", dist.Normal(0, 1).expand([len(data["y"])]))


WRONG = {
    "unnamed": (grows, AXES, r"the site 'other' grows with the padded axis 'group'; name its axes"),
    "simplex": (sums_to_one, AXES, r"'theta' cannot be padded along 'group': its constraint makes shape \(8,\) of"),
    "short": (too_few, AXES, "the site 'theta' has 3 entries along 'group' where the data have 8"),
    "flat": (flat, AXES, r"the site 'slope' has the axes \('group', 'covariate'\); its shape is \(8,\)"),
}


@pytest.mark.parametrize("what", WRONG)
def test_sites_that_cannot_be_padded_are_refused(what):
    """Each in a sentence that names the site."""
    program, axes, message = WRONG[what]
    model = model_with(axes, program)
    with pytest.raises(StudyError, match=message):
        NUTS(chains=1, warmup=5, draws=5).compile(model, first(model.arrays(make_data(1))))


def test_axes_that_the_data_have_not_are_refused():
    """A leaf with more axes than names, two that disagree, an axis that none has, and data without names."""
    y = np.zeros((1, 5))
    for data, arrays, message in (
        ({"y": ("group",)}, {"y": np.zeros((1, 5, 2))}, r"the data 'y' are said to have the axes \('group',\)"),
        ({"y": ("group",), "z": ("group",)}, {"y": y, "z": np.zeros((1, 4))}, "'z' have 4 entries along 'group'"),
        ({"w": ("group",)}, {"y": y}, "no leaf of the data has the padded axis 'group'"),
        ({"y": ("group",)}, [y], "are a mapping from name to array; got list"),
    ):
        with pytest.raises(StudyError, match=message):
            Padding(axes=Axes(data=data, padded=("group",)), lengths={"group": 8}).fill(arrays)
