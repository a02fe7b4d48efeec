"""Parts that a user brings, by name: mechanisms, models, samplers, likelihoods and structures."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, overload

from simstudy.errors import StudyError, shown, suggestion
from simstudy.mechanisms import MECHANISMS, GroupedMechanism, UserMechanismFamily
from simstudy.mechanisms.user import Simulator
from simstudy.models.estimands import Estimand
from simstudy.models.likelihoods import LIKELIHOODS, Likelihood
from simstudy.models.model import Axes
from simstudy.models.structures import STRUCTURES, Structure
from simstudy.models.terms import TERM_STRUCTURES, TermStructure
from simstudy.models.user import UserModel, line_of
from simstudy.registry import Extension, Registry
from simstudy.registry.files import load_file as load_file
from simstudy.registry.sources import source_of_functions
from simstudy.samplers import SAMPLERS, Sampler

SamplerT = TypeVar("SamplerT", bound=type[Sampler])
LikelihoodT = TypeVar("LikelihoodT", bound=type[Likelihood])
StructureT = TypeVar("StructureT", bound=type[Structure] | type[TermStructure])
MechanismT = TypeVar("MechanismT", bound=type[GroupedMechanism])
Program = Callable[[Any], None]
Estimands = Callable[..., Mapping[str, Any]]


def _extension_of_model(name: str, model: Any) -> Extension[UserModel]:
    if not isinstance(model, UserModel):
        raise StudyError(f"the model {shown(name)}: expected what register_model returns, got {shown(model)}")
    if model.name != name:
        raise StudyError(f"the model {shown(name)}: expected the name of the model, got {shown(model.name)}")
    module, words = str(getattr(model.program, "__module__", "")), line_of(model.program)
    return Extension(part=model, source=model.source_hash, module=module, words=words)


MODELS: Registry[UserModel] = Registry("model", {}, adapt=_extension_of_model)


def register_sampler(family: SamplerT) -> SamplerT:
    """Register a sampler under its ``kind``, and return it; also as a decorator.

    Args:
        family: a frozen dataclass that extends ``simstudy.samplers.Sampler``. Its fields are its options, with their
            bounds; ``words`` and the first line of its docstring stand in reports.

    Raises:
        StudyError: the class is no sampler, or its kind is taken.

    >>> from dataclasses import dataclass
    >>> from simstudy.samplers import Exact
    >>> @register_sampler
    ... @dataclass(frozen=True, kw_only=True)
    ... class Quadrature(Exact):
    ...     kind = "quadrature"
    >>> "quadrature" in SAMPLERS
    True
    """
    SAMPLERS.register(family)
    return family


def register_likelihood(family: LikelihoodT) -> LikelihoodT:
    """Register a likelihood under its ``kind``, and return it; also as a decorator.

    Args:
        family: a frozen dataclass that extends ``simstudy.models.likelihoods.Likelihood``; mechanisms draw from it and
            methods condition on it.

    Raises:
        StudyError: the class is no likelihood, or its kind is taken.

    >>> from dataclasses import dataclass
    >>> from simstudy.models.likelihoods import Normal
    >>> @register_likelihood
    ... @dataclass(frozen=True, kw_only=True)
    ... class Bell(Normal):
    ...     kind = "bell"
    >>> "bell" in LIKELIHOODS
    True
    """
    LIKELIHOODS.register(family)
    return family


def register_structure(family: StructureT) -> StructureT:
    """Register a structure under its ``kind``, and return it; also as a decorator.

    Args:
        family: a frozen dataclass that extends ``simstudy.models.structures.Structure``, of the effects of groups, or
            ``simstudy.models.terms.TermStructure``, of the levels of a factor.

    Raises:
        StudyError: the class is neither, or its kind is taken.

    >>> from dataclasses import dataclass
    >>> from simstudy.models.structures import Partial
    >>> @register_structure
    ... @dataclass(frozen=True, kw_only=True)
    ... class Shared(Partial):
    ...     kind = "shared"
    >>> "shared" in STRUCTURES
    True
    """
    found: Any = family
    if not isinstance(found, type) or not issubclass(found, Structure | TermStructure):
        raise StudyError(
            f"the structure {getattr(family, '__name__', shown(family))}: expected a class that extends "
            f"simstudy.models.structures.Structure or simstudy.models.terms.TermStructure, got {shown(family)}"
        )
    registry: Registry[Any] = TERM_STRUCTURES if issubclass(family, TermStructure) else STRUCTURES
    registry.register(family)
    return family


@overload
def register_mechanism(name: MechanismT) -> MechanismT: ...
@overload
def register_mechanism(name: str) -> Callable[[Simulator], UserMechanismFamily]: ...
@overload
def register_mechanism(name: str, simulate: Simulator) -> UserMechanismFamily: ...
def register_mechanism(name: Any, simulate: Any = None) -> Any:
    """Register a simulator under a name, and return it for use in Python.

    Args:
        name: what ``[mechanism] kind = "name"`` refers to; not the name of a built-in one. Or a class that extends
            ``simstudy.mechanisms.GroupedMechanism``: another distribution of the groups' effects, under its ``kind``.
        simulate: ``simulate(key, scenario) -> (data, truth)``; without it this is a decorator of that function.

    Raises:
        StudyError: the name is taken, or what is registered is no simulator.

    >>> @register_mechanism("coin")
    ... def coin(key, scenario):
    ...     '''Tosses of a coin.'''
    ...     return {"heads": scenario["p"] * 10}, {"p": scenario["p"]}
    >>> coin.name
    'coin'
    """
    if isinstance(name, type):
        MECHANISMS.register(name)
        return name
    if simulate is None:
        return lambda function: register_mechanism(name, function)
    return MECHANISMS.register(simulate, name=name)


@overload
def register_model(
    name: str,
    *,
    estimands: Estimands,
    axes: Axes | None = None,
    described: Sequence[Estimand] = (),
) -> Callable[[Program], UserModel]: ...
@overload
def register_model(
    name: str,
    model: Program,
    *,
    estimands: Estimands,
    axes: Axes | None = None,
    described: Sequence[Estimand] = (),
) -> UserModel: ...
def register_model(
    name: str,
    model: Program | None = None,
    *,
    estimands: Estimands,
    axes: Axes | None = None,
    described: Sequence[Estimand] = (),
) -> Any:
    """Register a NumPyro program under a name, and return it for use in Python.

    Args:
        name: what ``[[method]] model = "name"`` refers to.
        model: ``model(data)``, a NumPyro function of any pytree. The first line of its docstring stands in reports.
            Without it this is a decorator of that function.
        estimands: ``estimands(posterior) -> {name: array}``; the posterior of one fit has (chain, draw, *site) arrays.
            Where it takes a second argument, ``estimands(posterior, data)``, it is given the fit's data as well.
        axes: names of the axes of sites and data. Along the ``padded`` ones the sampler ``nuts`` adds empty entries, so
            that data of similar sizes share a compiled program: the data need to be a mapping from name to array, and
            the program finds ``data["mask"]``, false for empty entries, by which it takes them out of its density. Name
            the axes of what ``numpyro.deterministic`` gives too: empty entries are cut from all that is named.
        described: what reports and measures may know of the estimands: role, range, symbol, words.

    Raises:
        StudyError: the axes or what is described are not what they have to be, or the name is taken.

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
    if model is None:
        return lambda program: register_model(name, program, estimands=estimands, axes=axes, described=described)
    for what, function in (("a NumPyro function model(data)", model), ("a function estimands(posterior)", estimands)):
        if not callable(function):
            raise StudyError(f"the model {shown(name)}: expected {what}, got {shown(function)}")
    axes = _checked_axes(name, Axes() if axes is None else axes)
    for one in described:
        if not isinstance(one, Estimand):
            raise StudyError(f"the model {name!r}: described: expected an Estimand, got {shown(one)}")
    # Which numbers belong to an entry decides which random numbers they get.
    padded = [(site, tuple(n in axes.padded for n in names)) for site, names in sorted(axes.sites.items())]
    also = [repr(of_site) for of_site in padded if any(of_site[1])]
    user = UserModel(
        name=name,
        program=model,
        posterior_estimands=estimands,
        takes_data=_takes_data(estimands),
        axes=axes,
        described=tuple(described),
        source_hash=source_of_functions(model, estimands, also=also),
    )
    return MODELS.register(user, name=name)


def user_model(name: Any) -> UserModel | None:
    """Return a registered model by name, or the model that stands in its place, or None."""
    if isinstance(name, UserModel):
        return name
    return MODELS.get(name) if isinstance(name, str) else None


def user_mechanism(name: Any) -> UserMechanismFamily | None:
    """Return a registered simulator by name, or that which stands in its place, or None."""
    found = MECHANISMS.get(name) if isinstance(name, str) else name
    return found if isinstance(found, UserMechanismFamily) else None


def check_source(name: str, source_hash: str) -> None:
    """Refuse a registered model whose source is not the one that a run was made with.

    Raises:
        StudyError: the model's source is another one now.
    """
    model = user_model(name)
    if model is not None and model.source_hash != source_hash:
        raise StudyError(f"the model {name!r} is another one now (its source has changed); load the file of the run")


def _checked_axes(model: str, axes: Any) -> Axes:
    """Return axes with all names in tuples."""
    if not isinstance(axes, Axes):
        raise StudyError(
            f"the model {model!r}: axes: expected Axes(sites=..., data=..., padded=...), got {shown(axes)}"
        )
    named: dict[str, Any] = {
        **axes.sites,
        **{f"data {leaf}": names for leaf, names in axes.data.items()},
        "padded": axes.padded,
    }
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
