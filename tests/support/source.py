"""What the meta tests read: the package's modules, as files and as syntax trees."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tool" / "envtag"
#: The Metaflow extension; `metaflow_extensions` is shared with other distributions.
EXTENSION = ROOT / "tool" / "metaflow_extensions" / "envtag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import statement's target, as a dotted name.

    Attributes:
        target: `envtag.lock.model`, `subprocess`; of `from a import b`, `a.b` where that is one of our modules.
        line: Where it stands.
        top: Whether it runs when the module is imported.
    """

    target: str
    line: int
    top: bool


def modules() -> dict[str, Path]:
    """Every module of the package: dotted name to file; a package is its `__init__`."""
    return _modules(PACKAGE)


def extension_modules() -> dict[str, Path]:
    """Every module of the Metaflow extension, likewise."""
    return _modules(EXTENSION)


def _modules(package: Path) -> dict[str, Path]:
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(ROOT / "tool").with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> Iterator[Import]:
    """Every import of a module, also those inside functions."""
    tree = ast.parse(path.read_text("utf-8"), path.name)
    yield from _imports(tree, known, top=True)


def unit(module: str) -> str:
    """The part of the package that a module belongs to: its first segment below `envtag`."""
    return module.split(".")[1] if "." in module else ""


def project_files() -> list[Path]:
    """The files that are, or would be, committed."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    return [ROOT / name for name in sorted(set(listed)) if name and (ROOT / name).is_file()]


def _imports(node: ast.AST, known: dict[str, Path], *, top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(target=alias.name, line=child.lineno, top=top)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: a relative import"
            for alias in child.names:
                deep = f"{child.module}.{alias.name}"
                yield Import(target=deep if deep in known else child.module or "", line=child.lineno, top=top)
        else:
            yield from _imports(child, known, top=top and not _runs_later(child))


def _runs_later(node: ast.AST) -> bool:
    """Whether what is inside does not run when the module is imported: functions, and what only type checkers see."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
