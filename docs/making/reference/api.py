"""The public names: what ``simstudy`` has, the checks, and the figures, for autodoc to document."""

import inspect
from types import ModuleType

import simstudy
from simstudy import testing
from simstudy.report import figures, publishing

HEAD = """# Python

`import simstudy` gives these names; each is imported when it is first used.
"""
CHECKS = """
## Checks

`simstudy.testing` holds parts of your own to what every part promises.
"""
FIGURES = """
## Figures

`simstudy.report.figures`: each a function of tables that returns a matplotlib figure, and of a run by name,
`simstudy.report.publishing.figure` draws them; [the gallery](../gallery/index.md) has a picture of each.
"""


def api_page() -> str:
    """Return the page that autodoc fills."""
    names = [_directive("simstudy", name, getattr(simstudy, name)) for name in simstudy.__all__]
    checks = [_of(testing, name) for name in testing.__all__ if name.startswith("check_")]
    drawn = [_of(publishing, name) for name in ("available", "figure", "content")]
    drawn += [_of(figures, name) for name in figures.__all__]
    return "\n".join([HEAD, *names, CHECKS, *checks, FIGURES, *drawn])


def _of(module: ModuleType, name: str) -> str:
    return _directive(module.__name__, name, getattr(module, name))


def _directive(module: str, name: str, thing: object) -> str:
    """Return the directive that documents a thing; a module that can be called, as the function that it is."""
    if isinstance(thing, ModuleType):
        call = type(thing).__call__  # type: ignore[operator]
        arguments = ", ".join(list(inspect.signature(call).parameters)[1:])
        return f"```{{eval-rst}}\n.. py:function:: {module}.{name}({arguments})\n\n   {inspect.getdoc(call)}\n```\n"
    kind, options = ("class", "\n   :members:") if inspect.isclass(thing) else ("function", "")
    return f"```{{eval-rst}}\n.. auto{kind}:: {module}.{name}{options}\n```\n"
