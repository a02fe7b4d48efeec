"""A registry: the parts of one kind by name, and how those of users and of installed packages come in.

A part that does not come with the package is an *extension*. It is registered by a call, by a decorator, or by the
entry point of an installed package, which is loaded only when parts are listed or a name is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from simstudy.errors import StudyError, shown
from simstudy.logs import log

Part = TypeVar("Part")
GROUPS = "simstudy."
"""What groups of entry points begin with; the kind of part follows, in the plural: ``simstudy.samplers``."""


@dataclass(frozen=True, kw_only=True)
class Extension(Generic[Part]):
    """A part that does not come with the package.

    Args:
        part: what was registered.
        source: 16 hex digits that are others when its text is another.
        module: where it was written.
        package: name and version of the installed package that brings it, else empty.
        words: the first line of its documentation.
    """

    part: Part
    source: str
    module: str
    package: str = ""
    words: str = ""


class Registry(Mapping[str, Part], Generic[Part]):
    """The parts of one kind by name.

    Looking up a name that is not known, and going through the parts, loads those of installed packages.

    Args:
        what: what a part is called, such as ``sampler``.
        parts: those that come with the package, by name.
        adapt: makes the extension of a name and what an entry point leads to.
    """

    def __init__(self, what: str, parts: Mapping[str, Part], *, adapt: Callable[[str, Any], Extension[Part]]):
        self.what, self.group = what, f"{GROUPS}{what}s"
        self._built_in = dict(parts)
        self._adapt = adapt
        self._extensions: dict[str, Extension[Part]] = {}
        self._broken: dict[str, str] = {}
        self._has_looked = False

    def __getitem__(self, name: str) -> Part:
        if name in self._built_in:
            return self._built_in[name]
        if name not in self._extensions:
            self._look()
        if name in self._broken and name not in self._extensions:
            raise StudyError(self._broken[name])
        return self._extensions[name].part

    def __iter__(self) -> Iterator[str]:
        self._look()
        return iter([*self._built_in, *self._extensions])

    def __len__(self) -> int:
        self._look()
        return len(self._built_in) + len(self._extensions)

    @property
    def extensions(self) -> Mapping[str, Extension[Part]]:
        """The extensions by name, those of installed packages among them."""
        self._look()
        return dict(self._extensions)

    def register(self, found: Any, *, name: str | None = None) -> Part:
        """Register a part under a name, by default its own ``kind``, and return it.

        A cell, or a file, that is run again replaces what it registered before.

        Raises:
            StudyError: it is no part of this kind, or the name is none, or is taken.
        """
        name = getattr(found, "kind", None) if name is None else name
        return self._put(name, self._adapt(str(name), found))

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Leave the registry behind as it is now, whatever is registered inside the block."""
        before = dict(self._extensions), dict(self._broken), self._has_looked
        try:
            yield
        finally:
            self._extensions, self._broken, self._has_looked = before

    def _put(self, name: Any, extension: Extension[Part]) -> Part:
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise StudyError(f"the {self.what} {shown(name)}: expected a name of printable characters")
        if name in self._built_in:
            raise StudyError(f"the {self.what} {name!r}: the name is that of a built-in one; choose another")
        before = self._extensions.get(name)
        if before is not None and before.module != extension.module and before.source != extension.source:
            raise StudyError(
                f"the {self.what} {name!r}: the name is taken by that of {before.package or before.module}; choose "
                "another, or leave one out"
            )
        self._extensions[name] = extension
        return extension.part

    def _look(self) -> None:
        """Load what installed packages bring, once."""
        if self._has_looked:
            return
        self._has_looked = True
        for entry in entry_points(group=self.group):
            try:
                self._load(entry)
            except Exception as error:
                # A package that is broken is no reason to refuse a study that does not name what it brings.
                said = error if isinstance(error, StudyError) else f"{type(error).__name__}: {error}"
                self._broken[entry.name] = (
                    f"the {self.what} {entry.name!r} of the package {_package(entry)} cannot be loaded ({said}); "
                    "mend or uninstall the package"
                )
                log.warning("%s", self._broken[entry.name])

    def _load(self, entry: EntryPoint) -> None:
        found = entry.load()
        # A module that registers what it has when it is imported has done so by now.
        own = self._extensions.get(entry.name)
        if own is None or own.part is not found:
            own = self._adapt(entry.name, found)
        self._put(entry.name, replace(own, package=_package(entry)))


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.value


def first_line(text: str | None) -> str:
    """Return the first line of a text, without the spaces around it.

    >>> first_line(None), first_line("  A coin. ")
    ('', 'A coin.')
    """
    return (text or "").strip().partition("\n")[0].strip()
