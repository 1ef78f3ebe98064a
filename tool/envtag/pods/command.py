"""What a pod runs, as shell commands: text that goes through `bash -c "…"`, YAML, and templates of schedulers."""

from __future__ import annotations

import ast
import base64
import re
import shlex
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.util.text import shown

if TYPE_CHECKING:
    from envtag.pods.runtime import Part

#: Where a pod keeps what is envtag's: beside the directory that Metaflow unpacks its code in, and not in it.
HOME = "$ENVTAG_POD"
#: Decodes the program that is the next argument, and becomes it. No quote but the shell's own is in it.
_BECOME = "import base64,sys,zlib;exec(zlib.decompress(base64.b64decode(sys.argv.pop(1))))"
#: Double quotes and backticks end the quoting that commands are put in; schedulers substitute braces in theirs.
_HOSTILE = re.compile(r"[\"'`\\\x00-\x1f\x7f]|\{\{|\}\}|\{%|%\}|\{#|#\}|\$")


def word(text: str) -> str:
    """A value as one word of a command.

    Args:
        text: An alias, an id, a URL or a path.

    Raises:
        FatalError: It has a character that would not reach the pod as it is.
    """
    found = _HOSTILE.search(text)
    if found is not None:
        raise FatalError(
            f"{shown(text)} cannot be passed to another machine: it contains {shown(found[0])}",
            "quotes, backslashes, dollar signs, control characters and doubled braces are taken for something else",
        )
    return shlex.quote(text)


def prelude(store: str, bundle: Part, default: str, *, short: bool = False) -> str:
    """The command that gives a pod's own Python what Metaflow and envtag import, from the store and without an index.

    Where that cannot be, Metaflow's own command is run in its place, which asks an index. So it is too where a command
    must be short: then it runs first, and brings boto, which fetches the rest.

    Args:
        store: URL of the store, `s3://…`.
        bundle: The archive of pure Python in it.
        default: Metaflow's own command.
        short: The command may not be as long as a program that needs nothing.

    Raises:
        FatalError: The URL has a character that would not reach the pod as it is.
    """
    bucket, _, prefix = store.removeprefix("s3://").partition("/")
    key = "/".join(part for part in (prefix.strip("/"), bundle.key) if part)
    get = f"python {inlined('boto_get' if short else 's3_get')} {word(bucket)} {word(key)} {bundle.sha256} {HOME}/lib"
    found = f"export PYTHONPATH={HOME}/lib${{PYTHONPATH:+:$PYTHONPATH}}"
    other = "mflog 'envtag: what tasks need was not had from the store: asking the package index'"
    if short:
        return f"export ENVTAG_POD=$(pwd)/.envtag && mkdir -p {HOME} && {default} && {get} && {found}"
    return f"export ENVTAG_POD=$(pwd)/.envtag && mkdir -p {HOME} && if {get}; then {found}; else {other}; {default}; fi"


def hydration(store: str, runtimes: Mapping[str, str]) -> str:
    """The command that makes a task's environment, up to what differs from step to step; see `bootstrap.Order`.

    Args:
        store: URL of the store.
        runtimes: Platform to SHA-256 of the document that says what its pods need.

    Raises:
        FatalError: The URL has a character that would not reach the pod as it is.
    """
    options = [f"--runtime {word(f'{platform}={digest}')}" for platform, digest in sorted(runtimes.items())]
    return " ".join([f"python -m envtag.pods --store {word(store)} --home {HOME}", *options])


@cache
def inlined(program: str) -> str:
    """The arguments of a Python that make it run a module of this package, without any file of it.

    Docstrings and annotations are left out: a command may be no longer than its scheduler takes.

    Args:
        program: The module's own name (`s3_get`); it imports nothing but the standard library.
    """
    tree = _Bare().visit(ast.parse(Path(__file__).with_name(f"{program}.py").read_text("utf-8")))
    text = re.sub(r"^ +", lambda found: " " * (len(found[0]) // 4), ast.unparse(tree), flags=re.MULTILINE)
    return f"-c '{_BECOME}' {base64.b64encode(zlib.compress(text.encode(), 9)).decode()}"


class _Bare(ast.NodeTransformer):
    """Takes away what only people and type checkers read."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        self.generic_visit(node)
        return _without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        return _without_docstring(node)

    def visit_Module(self, node: ast.Module) -> ast.AST:
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
