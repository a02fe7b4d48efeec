"""Models and mechanisms that a user brings, by name. A file is loaded only when the user names it (``--load``)."""

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle

from simstudy.errors import StudyError, shown, suggestion
from simstudy.mechanisms import MECHANISMS, UserMechanism
from simstudy.models.estimands import Estimand
from simstudy.models.model import Axes
from simstudy.models.user import UserModel

_MODELS: dict[str, UserModel] = {}
_MECHANISMS: dict[str, "UserMechanismFamily"] = {}


@dataclass(frozen=True, kw_only=True)
class UserMechanismFamily:
    """A user's simulator, its factors still open.

    Args:
        name: the name that study files use as the mechanism's ``kind``.
        function: ``simulate(key, scenario) -> (data, truth)``.
        source_hash: identity of the source text.
    """

    name: str
    function: Callable[[Any, Mapping[str, Any]], tuple[Any, Mapping[str, Any]]]
    source_hash: str

    def at(self, factors: Mapping[str, Any]) -> UserMechanism:
        """Return the mechanism at one level of each factor."""
        return UserMechanism(
            name=self.name, function=self.function, factors=tuple(factors.items()), source_hash=self.source_hash
        )


def register_model(
    name: str,
    model: Callable[[Any], None],
    *,
    estimands: Callable[..., Mapping[str, Any]],
    axes: Axes | None = None,
    described: Sequence[Estimand] = (),
) -> UserModel:
    """Register a NumPyro program under a name, and return it for use in Python.

    Args:
        name: what ``[[method]] model = "name"`` refers to.
        model: ``model(data)``, a NumPyro function of any pytree. The first line of its docstring stands in reports.
        estimands: ``estimands(posterior) -> {name: array}``; the posterior of one fit has (chain, draw, *site) arrays.
            Where it takes a second argument, ``estimands(posterior, data)``, it is given the fit's data as well.
        axes: names of the axes of sites and data. Along the ``padded`` ones the sampler ``nuts`` adds empty entries, so
            that data of similar sizes share a compiled program: the data need to be a mapping from name to array, and
            the program finds ``data["mask"]``, false for empty entries, by which it takes them out of its density. Name
            the axes of what ``numpyro.deterministic`` gives too: empty entries are cut from all that is named.
        described: what reports and measures may know of the estimands: role, range, symbol, words.

    Raises:
        StudyError: the axes or what is described are not what they have to be.

    >>> import numpyro, numpyro.distributions as dist
    >>> def slopes(data):
    ...     '''A slope of each group, and one for all.'''
    ...     shared = numpyro.sample("shared", dist.Normal(0, 5))
    ...     with numpyro.handlers.mask(mask=data["mask"]):
    ...         slope = numpyro.sample("slope", dist.Normal(shared, 1).expand(data["x"].shape[:1]))
    ...         mean = slope[:, None] * data["x"]
    ...         numpyro.sample("y", dist.Normal(mean, 1).to_event(1), obs=data["y"])
    >>> user = register_model(
    ...     "slopes",
    ...     slopes,
    ...     estimands=lambda posterior: {"slope": posterior["slope"], "shared": posterior["shared"]},
    ...     axes=Axes(
    ...         sites={"shared": (), "slope": ("group",)},
    ...         data={"x": ("group", "time"), "y": ("group", "time")},
    ...         padded=("group",),
    ...     ),
    ...     described=[Estimand(name="slope", role="effects", symbol="β", center="shared")],
    ... )
    >>> user.words
    'model slopes: A slope of each group, and one for all.'
    """
    axes = _checked_axes(name, Axes() if axes is None else axes)
    for one in described:
        if not isinstance(one, Estimand):
            raise StudyError(f"the model {name!r}: described: expected an Estimand, got {shown(one)}")
    # Which numbers belong to an entry decides which random numbers they get.
    padded = [(site, tuple(n in axes.padded for n in names)) for site, names in sorted(axes.sites.items())]
    user = UserModel(
        name=name,
        program=model,
        posterior_estimands=estimands,
        takes_data=_takes_data(estimands),
        axes=axes,
        described=tuple(described),
        source_hash=_hash(model, estimands, also=[repr(of_site) for of_site in padded if any(of_site[1])]),
    )
    _MODELS[name] = user
    return user


def register_mechanism(name: str, simulate: Callable[..., tuple[Any, Mapping[str, Any]]]) -> UserMechanismFamily:
    """Register a simulator under a name, and return it for use in Python.

    Args:
        name: what ``[mechanism] kind = "name"`` refers to; not the name of a built-in one.
        simulate: ``simulate(key, scenario) -> (data, truth)``.

    Raises:
        StudyError: the name is a built-in mechanism's.
    """
    if name in MECHANISMS:
        raise StudyError(f"{name!r} is the name of a built-in mechanism; choose another")
    family = UserMechanismFamily(name=name, function=simulate, source_hash=_hash(simulate))
    _MECHANISMS[name] = family
    return family


def user_model(name: Any) -> UserModel | None:
    """Return a registered model by name, or the model that stands in its place, or None."""
    if isinstance(name, UserModel):
        return name
    return _MODELS.get(name) if isinstance(name, str) else None


def user_mechanism(name: Any) -> UserMechanismFamily | None:
    """Return a registered mechanism, or None."""
    return _MECHANISMS.get(name) if isinstance(name, str) else None


def check_source(name: str, source_hash: str) -> None:
    """Refuse a registered model whose source is not the one that a run was made with.

    Raises:
        StudyError: the model's source is another one now.
    """
    model = user_model(name)
    if model is not None and model.source_hash != source_hash:
        raise StudyError(f"the model {name!r} is another one now (its source has changed); load the file of the run")


def load_file(path: str | Path) -> None:
    """Run a Python file that registers models and mechanisms.

    Raises:
        StudyError: there is no such file, or running it fails.
    """
    path = Path(path)
    spec = importlib.util.spec_from_file_location(f"simstudy_user_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise StudyError(f"--load {path}: expected a Python file that registers models or mechanisms")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        # Whatever a user's file raises is the user's to see, in one line; its exit would pass for that of the run.
        raise StudyError(f"--load {path}: {type(error).__name__}: {error}") from error
    # Worker processes cannot import the file by name: its functions travel by value.
    cloudpickle.register_pickle_by_value(module)


def _checked_axes(model: str, axes: Axes) -> Axes:
    """Return axes with all names in tuples."""
    if not isinstance(axes, Axes):
        raise StudyError(
            f"the model {model!r}: axes: expected Axes(sites=..., data=..., padded=...), got {shown(axes)}"
        )
    named = {**axes.sites, **{f"data {leaf}": names for leaf, names in axes.data.items()}, "padded": axes.padded}
    for what, names in named.items():
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            raise StudyError(f"the model {model!r}: axes of {what}: expected a tuple of names, got {shown(names)}")
    known = {name for names in axes.data.values() for name in names}
    if unknown := [name for name in axes.padded if name not in known]:
        near = suggestion(unknown[0], known)
        raise StudyError(f"the model {model!r}: axes: no leaf of the data has the padded axis {unknown[0]!r}{near}")
    return Axes(
        sites={site: tuple(names) for site, names in axes.sites.items()},
        data={leaf: tuple(names) for leaf, names in axes.data.items()},
        padded=tuple(axes.padded),
    )


def _takes_data(estimands: Callable[..., Any]) -> bool:
    """Whether estimands have a second argument that is needed, or that is called ``data``."""
    try:
        parameters = list(inspect.signature(estimands).parameters.values())
    except (TypeError, ValueError):  # of some built-in functions nothing is known
        return False
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return any(p.name == "data" or p.default is p.empty for p in positional[1:2])


def _hash(*functions: Callable[..., Any], also: Sequence[str] = ()) -> str:
    """Return the identity of functions by their source text, or by their code where there is none, and of texts."""
    digest = hashlib.blake2b(digest_size=8)
    for function in functions:
        try:
            digest.update(inspect.getsource(function).encode())
        except (OSError, TypeError):
            digest.update(cloudpickle.dumps(function))
    for text in also:
        digest.update(text.encode())
    return digest.hexdigest()
