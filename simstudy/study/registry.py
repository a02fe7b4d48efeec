"""Models and mechanisms that a user brings, by name. A file is loaded only when the user names it (``--load``)."""

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle

from simstudy.errors import StudyError
from simstudy.mechanisms import MECHANISMS, UserMechanism
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
    name: str, model: Callable[[Any], None], *, estimands: Callable[[Any], Mapping[str, Any]]
) -> UserModel:
    """Register a NumPyro program under a name, and return it for use in Python.

    Args:
        name: what ``[[method]] model = "name"`` refers to.
        model: ``model(data)``, a NumPyro function of any pytree.
        estimands: ``estimands(posterior) -> {name: array}``; the posterior of one fit has (chain, draw, *site) arrays.
    """
    user = UserModel(name=name, program=model, posterior_estimands=estimands, source_hash=_hash(model, estimands))
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
    """Return a registered model, or None."""
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


def _hash(*functions: Callable[..., Any]) -> str:
    """Return the identity of functions by their source text, or by their code where there is none."""
    digest = hashlib.blake2b(digest_size=8)
    for function in functions:
        try:
            digest.update(inspect.getsource(function).encode())
        except (OSError, TypeError):
            digest.update(cloudpickle.dumps(function))
    return digest.hexdigest()
