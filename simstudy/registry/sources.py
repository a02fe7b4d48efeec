"""What sets an extension apart from another of its name: the text that it was written in."""

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Function = Callable[..., Any]
PLAIN = (str, int, float, tuple)
DIGEST_BYTES = 8


def source_of_functions(*functions: Function, also: Sequence[str] = ()) -> str:
    """Return the identity of functions by their own text, or by their code where there is none, and of texts.

    >>> source_of_functions(source_of_functions) == source_of_functions(source_of_functions)
    True
    """
    return _digest([*map(_own_text, functions), *(text.encode() for text in also)])


def source_of(part: Any) -> str:
    """Return the identity of a class or function by its text and by that of all it names in its own module.

    A sampler is its class and the program that it compiles, a measure its function and what that calls. What comes
    from other modules is known by its name alone.
    """
    texts = [text.encode() for text in _texts(part)]
    return _digest(texts or list(_members(part)))


def _texts(part: Any) -> Iterator[str]:
    """Yield the statements that a part rests on, in the order of its module; none where the module has no text."""
    try:
        text = inspect.getsource(sys.modules[part.__module__])
        tree = ast.parse(text)
    except (AttributeError, KeyError, OSError, TypeError, SyntaxError):
        return
    defined = _defined(tree)
    wanted, found = [getattr(part, "__qualname__", "").partition(".")[0]], set()
    while wanted:
        for statement in defined.get(wanted.pop(), ()):
            if statement not in found:
                found.add(statement)
                wanted += [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    lines = text.splitlines()
    for statement in tree.body:
        if statement in found:
            first = min(one.lineno for one in (statement, *getattr(statement, "decorator_list", ())))
            yield _without_comments(lines[first - 1 : statement.end_lineno])


def _without_comments(lines: Sequence[str]) -> str:
    """Return lines as one text, without those that are empty or nothing but a comment.

    Not the syntax tree, whose text differs between versions of Python, while a run may be verified on another one.
    """
    kept = (line.rstrip() for line in lines)
    return "\n".join(line for line in kept if line and not line.lstrip().startswith("#"))


def _defined(tree: ast.Module) -> Mapping[str, list[ast.stmt]]:
    """Return name -> the statements of a module that define it."""
    defined: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _names(statement):
            defined.setdefault(name, []).append(statement)
    return defined


def _names(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            stores = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            return [node.id for node in stores if isinstance(node.ctx, ast.Store)]
    return []


def _members(part: Any) -> Iterator[bytes]:
    """Yield what a class is made of where its module has no text, as in a notebook: its methods and plain values."""
    if not isinstance(part, type):
        yield _own_text(part)
        return
    for name, value in sorted(vars(part).items()):
        function = getattr(value, "fget", None) or getattr(value, "__func__", value)
        if inspect.isfunction(function) and not (_is_made(function) and name.startswith("__")):
            yield name.encode() + _own_text(function)
        elif isinstance(value, PLAIN):
            yield f"{name}={value!r}".encode()


def _is_made(function: Function) -> bool:
    """Whether a method was made by ``dataclasses``, of fields that have no text."""
    return function.__code__.co_filename == "<string>"


def _own_text(part: Any) -> bytes:
    try:
        return inspect.getsource(part).encode()
    except (OSError, TypeError):
        import cloudpickle

        return cloudpickle.dumps(part)


def _digest(texts: Sequence[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for text in texts:
        digest.update(text)
    return digest.hexdigest()
