"""A user's model says of itself what a built-in one says, and what it does not say changes nothing."""

import hashlib
import inspect
import pickle

import numpy as np
import pytest

import simstudy
from simstudy.errors import StudyError
from simstudy.models.estimands import Estimand
from simstudy.models.model import Axes
from simstudy.models.user import UserModel
from simstudy.study.registry import user_model
from simstudy.types import GroupedData

AXES = Axes(sites={"theta": ("group",), "mu": ()}, data={"y": ("group", "time"), "n": ("group",)}, padded=("group",))
DATA = {"y": np.ones((5, 3)), "n": np.full(5, 3)}
KEYS = np.zeros((2, 2), np.uint32)


def program(data):
    """Fit a level to each group.

    And more.
    """


def silent(data):
    pass


def estimands(posterior):
    return {"mu": posterior["mu"]}


def registered(name="levels", program=program, estimands=estimands, **options):
    return simstudy.register_model(name, program, estimands=estimands, **options)


def test_words_are_the_first_line_of_the_docstring():
    """Or the name alone where there is none, or where the program is no function with a docstring of its own."""

    class Program:
        """Docstrings of classes are about classes."""

        def __call__(self, data):
            pass

    assert registered().words == "model levels: Fit a level to each group."
    assert registered(program=silent).words == "model levels"
    assert UserModel(name="levels", program=Program(), posterior_estimands=estimands).words == "model levels"


def test_a_model_that_declares_is_a_choice():
    """Equal, hashable and found by its name with axes and estimands; it survives pickling."""
    described = [Estimand(name="mu", role="location", symbol="μ")]
    first, second = (registered(axes=AXES, described=described) for _ in range(2))
    assert first == second == pickle.loads(pickle.dumps(first)) == user_model("levels")
    assert hash(first) == hash(second)
    assert (first.axes, first.described) == (AXES, tuple(described))
    assert first != registered()
    assert first.scale_of("mu") == "natural"


def test_identity_is_that_of_the_source():
    """Words, estimands and axes that are not padded leave it; empty entries move random numbers and are another model.

    The identity of models that declare nothing is that of their two functions' text, as it has always been.
    """
    text = "".join(map(inspect.getsource, (program, estimands)))
    own = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    assert registered().source_hash == own
    assert registered(axes=Axes(sites={"theta": ("group",)}), described=[Estimand(name="mu")]).source_hash == own
    padded = registered(axes=AXES).source_hash
    assert padded != own
    other_names = Axes(sites={"theta": ("row",), "mu": ()}, data={"y": ("row", "time")}, padded=("row",))
    assert registered(axes=other_names).source_hash == padded


def test_padded_data_have_a_mask_everywhere():
    """Arrays of a model with padded axes say that all is there; a mask that the data bring is theirs."""
    arrays = registered(axes=AXES).arrays([DATA, DATA])
    np.testing.assert_array_equal(arrays["mask"], np.ones((2, 5), bool))
    assert "mask" not in registered().arrays([DATA])
    own = np.array([True, True, False, True, True])
    np.testing.assert_array_equal(registered(axes=AXES).arrays([{**DATA, "mask": own}])["mask"], own[None])
    with pytest.raises(StudyError, match="a mapping from name to array; got tuple"):
        registered(axes=AXES).arrays([(np.ones(5),)])


def test_shapes_are_padded_by_name():
    """Lengths along padded axes grow, all others stay, and another structure is another shape."""
    model = registered(axes=AXES)
    shape = model.shape(DATA)
    padded = model.padded_shape(shape, lambda n: n + 3)
    assert padded == model.shape({"y": np.ones((8, 3)), "n": np.ones(8)})
    assert registered().padded_shape(shape, lambda n: n + 3) == shape
    assert len({shape, model.shape({**DATA, "extra": 1.0}), model.shape([DATA["n"], DATA["y"]])}) == 3
    assert model.known_shape((3,) * 5) is None


def with_data(posterior, data):
    return {"mu": posterior["mu"] + data["n"].sum()}


def with_optional_data(posterior, *, scale=1.0, data=None):
    return {"mu": posterior["mu"] * scale}


def with_scale(posterior, scale=2.0):
    return {"mu": posterior["mu"] * scale}


@pytest.mark.parametrize(
    ("estimands", "expected"),
    [
        (with_data, [16.0, 21.0]),
        (lambda posterior, data=None: with_data(posterior, data), [16.0, 21.0]),
        (with_optional_data, [1.0, 1.0]),
        (with_scale, [2.0, 2.0]),
        (dict, [1.0, 1.0]),
    ],
)
def test_estimands_are_given_the_data_that_they_ask_for(estimands, expected):
    """A second argument that is needed, or called data, gets that of its own fit; other defaults are the user's."""
    model = registered(estimands=estimands)
    data = [DATA, {**DATA, "n": np.full(5, 4)}]
    found = model.estimands({"mu": np.ones((2, 1, 4))}, data, KEYS)
    np.testing.assert_array_equal(found["mu"], np.array(expected)[:, None, None] * np.ones((2, 1, 4)))


def test_estimands_of_grouped_data_get_what_the_program_gets():
    """A dictionary of arrays without what the data have not."""
    given = []
    model = registered(estimands=lambda posterior, data: given.append(data) or {"mu": posterior["mu"]})
    grouped = GroupedData(n_obs=np.array([2, 3]), y_mean=np.zeros(2), y_ss=np.ones(2))
    model.estimands({"mu": np.ones((1, 1, 4))}, [grouped], KEYS[:1])
    assert set(given[0]) == {"n_obs", "y_mean", "y_ss"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axes": {"theta": ("group",)}}, r"'levels': axes: expected Axes\(sites=\.\.\., data=\.\.\., padded=\.\.\.\)"),
        ({"axes": Axes(sites={"theta": "group"})}, "axes of theta: expected a tuple of names, got 'group'"),
        ({"axes": Axes(data={"y": (1,)})}, r"axes of data y: expected a tuple of names, got \[1\]"),
        (
            {"axes": Axes(data={"y": ("group",)}, padded=("groups",))},
            "no leaf of the data has the padded axis 'groups'; did you mean 'group'",
        ),
        ({"described": ["mu"]}, "described: expected an Estimand, got 'mu'"),
    ],
)
def test_what_is_declared_is_checked(options, message):
    """Each in a sentence that names the model, when it is registered."""
    with pytest.raises(StudyError, match=message):
        registered(**options)
