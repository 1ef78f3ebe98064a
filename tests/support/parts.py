"""Which tests are the quick part: by what they reach, so that nobody has to say it.

A unit test starts no server and no process but git's, and takes no channel, index or registry that commands made.
That is seen in the code of the test, of its fixtures, of what these call, and of what of envtag they name. What is
called through an object that was handed over is not seen.
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

#: Modules of which nothing is quick.
WORLD = frozenset({
    "asyncio", "conda_lock", "envtag.prefix.conda", "envtag.util.process", "envtag.uv_program", "http.server",
    "multiprocessing", "socketserver", "subprocess", "support.azure", "support.azurite", "support.channel",
    "support.faults", "support.gcs", "support.index", "support.s3", "support.story", "support.web",
})  # fmt: skip
#: What is quick though it starts a process: git, on a repository of a few files. And the command line: its tests put
#: something else in the place of what it calls.
LIGHT = ("support.repository", "envtag.git", "envtag.cli")
#: Fixtures that only tests ask for which are no unit tests by their mark.
PROBES = frozenset({"network_reason"})
#: Modules whose functions are looked into; everything else is a library.
OURS = frozenset({"conftest", "envtag", "support", "tests"})


def is_unit(item: pytest.Item) -> bool:
    """Whether a test belongs to the quick part."""
    if any(item.get_closest_marker(name) is not None for name in ("network", "shared_data", "journey")):
        return False
    functions = [_plain(getattr(item, "obj", None))]
    info = getattr(item, "_fixtureinfo", None)
    for definitions in (info.name2fixturedefs if info is not None else {}).values():
        functions += [_plain(definition.func) for definition in definitions]
    functions += [asked for function in functions if function is not None for asked in _asked_by_name(function, item)]
    return not any(reaches_world(function) for function in functions if function is not None)


def _asked_by_name(function: types.FunctionType, item: pytest.Item) -> Iterator[types.FunctionType | None]:
    """The fixtures that a function asks for while it runs: `request.getfixturevalue("s3")`."""
    asking = [code for code in _codes(function.__code__) if "getfixturevalue" in code.co_names]
    names = [word for code in asking for word in code.co_consts if isinstance(word, str) and word not in PROBES]
    for name in names:  # grows by what each of them takes
        for definition in item.session._fixturemanager.getfixturedefs(name, item) or ():
            yield _plain(definition.func)
            names += [taken for taken in definition.argnames if taken not in names]


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
        known = [function.__globals__.get(name, sys.modules.get(name)) for name in code.co_names]
        imported = [module for module in known if isinstance(module, types.ModuleType) and _is_ours(module)]
        for name in code.co_names:
            if name in function.__globals__:
                yield function.__globals__[name]
            elif name in WORLD:  # an import inside the function
                yield types.ModuleType(name)
            yield from (getattr(module, name) for module in imported if hasattr(module, name))
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
    if module.startswith(LIGHT):
        return False
    return module.partition(".")[0] in OURS or module.endswith(("_test", "conftest"))
