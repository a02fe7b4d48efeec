"""Parts by name: those that come with the package, those that a user registers, those of installed packages."""

from simstudy.registry.registry import Extension, Registry

__all__ = ["Extension", "Registry"]
