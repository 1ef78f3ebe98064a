"""Which tests are the quick part: by what a test's own code and its fixtures reach, so that nobody has to say it.

A unit test starts no server and no process but git's, and takes no channel, index or registry that commands made.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

#: Modules of which nothing is quick.
WORLD = frozenset({
    "asyncio", "http.server", "multiprocessing", "socketserver", "subprocess", "support.azure", "support.azurite",
    "support.channel", "support.faults", "support.gcs", "support.index", "support.s3", "support.story", "support.web",
    "envtag.util.process",
})  # fmt: skip
#: What is quick though it starts a process: git, on a repository of a few files.
LIGHT = frozenset({"support.repository"})
#: Modules whose functions are looked into; everything else is the code under test, or a library.
OURS = ("support", "test", "conftest")


def is_unit(item: pytest.Item) -> bool:
    """Whether a test belongs to the quick part."""
    if any(item.get_closest_marker(name) is not None for name in ("network", "shared_data", "journey")):
        return False
    functions = [_plain(getattr(item, "obj", None))]
    info = getattr(item, "_fixtureinfo", None)
    for definitions in (info.name2fixturedefs if info is not None else {}).values():
        functions += [_plain(definition.func) for definition in definitions]
    return not any(reaches_world(function) for function in functions if function is not None)


def _plain(function: Any) -> types.FunctionType | None:
    """The function as it was written: without what hypothesis and decorators put around it."""
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    unwrapped = inspect.unwrap(inner) if callable(inner) else None
    found = getattr(unwrapped, "__func__", unwrapped)
    return found if isinstance(found, types.FunctionType) else None


@cache
def reaches_world(start: types.FunctionType) -> bool:
    """Whether code of the tests that a function may call names something of the world outside."""
    seen: set[int] = set()
    todo: list[types.FunctionType] = [start]
    while todo:
        function = todo.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        for value in _named(function):
            if _module_of(value) in WORLD:
                return True
            todo += [item for item in _functions(value) if _is_ours(item)]
    return False


def _named(function: types.FunctionType) -> Iterator[Any]:
    """What the names in a function's code mean: of its module, of its closure, and what it imports."""
    for code in _codes(function.__code__):
        for name in code.co_names:
            if name in function.__globals__:
                yield function.__globals__[name]
            elif name in WORLD:  # an import inside the function
                yield types.ModuleType(name)
    for cell in function.__closure__ or ():
        yield cell.cell_contents


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _functions(value: Any) -> Iterator[types.FunctionType]:
    """The functions in a value: itself, or the methods of a class."""
    if isinstance(value, types.FunctionType):
        yield value
    elif isinstance(value, type) and _is_ours(value):
        for member in vars(value).values():
            found: Callable[..., Any] | None = getattr(member, "__func__", getattr(member, "fget", member))
            if isinstance(found, types.FunctionType):
                yield found


def _module_of(value: Any) -> str:
    return value.__name__ if isinstance(value, types.ModuleType) else str(getattr(value, "__module__", ""))


def _is_ours(value: Any) -> bool:
    module = _module_of(value)
    return module not in LIGHT and (module.partition(".")[0] in OURS or module.endswith(("_test", "conftest")))
