"""A module of this package as a part of a shell command: short, and without a quote of its own."""

from __future__ import annotations

import ast
import base64
import builtins
import itertools
import keyword
import re
import string
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_PACKAGE = "envtag.pods."
#: Decodes the program that is the next argument, and becomes it. No quote but the shell's own is in it.
_BECOME = "import base64,sys,zlib;exec(zlib.decompress(base64.b64decode(sys.argv.pop(1))))"


@cache
def inlined(program: str) -> str:
    """The arguments of a Python that make it run a module of this package, without any file of it.

    Docstrings and annotations are left out, and names are shortened: a command may be no longer than its scheduler
    takes.

    Args:
        program: The module's own name (`s3_get`); it imports nothing but the standard library, and others of this
            package that do, whose text comes first.
    """
    tree = _Bare().visit(ast.Module(body=_joined(program), type_ignores=[]))
    _shorten(tree)
    text = re.sub(r"^ +", lambda found: " " * (len(found[0]) // 4), ast.unparse(tree), flags=re.MULTILINE)
    return f"-c '{_BECOME}' {base64.b64encode(zlib.compress(text.encode(), 9)).decode()}"


def _joined(program: str) -> list[ast.stmt]:
    """The statements of a module, with those of what it imports of this package in the place of the import."""
    found: list[ast.stmt] = []
    tree = ast.parse(Path(__file__).with_name(f"{program}.py").read_text("utf-8"))
    _without_docstring(tree)
    for statement in tree.body:
        module = statement.module if isinstance(statement, ast.ImportFrom) else None
        found += _joined(module.removeprefix(_PACKAGE)) if module and module.startswith(_PACKAGE) else [statement]
    return found


class _Bare(ast.NodeTransformer):
    """Takes away what only people and type checkers read."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        self.generic_visit(node)
        return _without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        return _without_docstring(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        assert node.value is not None  # noqa: S101 - our own text has no bare declaration
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if node.module in {"__future__", "collections.abc", "typing"} else node


def _without_docstring(node: ast.FunctionDef | ast.ClassDef | ast.Module) -> ast.AST:
    if ast.get_docstring(node) is not None:
        node.body = node.body[1:] or [ast.Pass()]
    return node


def _shorten(tree: ast.AST) -> None:
    """Give the names that a module makes itself shorter ones, the same everywhere in it."""
    nodes = list(ast.walk(tree))
    kept = {alias.asname or alias.name for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names}  # fmt: skip
    kept |= {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg} | set(dir(builtins))
    own = sorted({name for node in nodes for name in (_name(node),) if name} - kept)
    fresh = (name for name in _short() if name not in kept)
    short = {name: next(fresh) for name in own if not name.startswith("__")}
    for node in nodes:
        name = _name(node)
        if name in short:
            setattr(node, _ATTRIBUTES[type(node)], short[name])


#: What of the syntax has a name of the module's own.
_ATTRIBUTES = {ast.Name: "id", ast.arg: "arg", ast.FunctionDef: "name", ast.ClassDef: "name", ast.ExceptHandler: "name"}


def _name(node: ast.AST) -> str:
    attribute = _ATTRIBUTES.get(type(node))
    return getattr(node, attribute) or "" if attribute else ""


def _short() -> Iterator[str]:
    for length in itertools.count(1):
        names = map("".join, itertools.product(string.ascii_letters, repeat=length))
        yield from (name for name in names if not keyword.iskeyword(name))
