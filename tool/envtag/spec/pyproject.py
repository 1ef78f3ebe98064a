"""pyproject.toml: the dependencies of its project and the Python that it needs (PEP 621)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from envtag.errors import FatalError
from envtag.request import Origin, PypiRequirement
from envtag.spec.model import Part, Placed, SpecFile, decode, located, refused
from envtag.spec.pep508 import parse_requirement
from envtag.spec.python_constraint import canonical
from envtag.util.toml import loads

_INDEX_HINT = "remove it, and give indices by `--index-url` and `--extra-index-url`"
_TOOL_HINT = "write the dependencies under `[project]`"
#: Tables of other tools that change what `[project]` means; what is passed over in silence would be lost.
_REFUSED = (
    ("uv", "sources", "sources of uv's are not read", _INDEX_HINT),
    ("uv", "index", "indices of uv's are not read", _INDEX_HINT),
    ("uv", "index-url", "indices of uv's are not read", _INDEX_HINT),
    ("uv", "extra-index-url", "indices of uv's are not read", _INDEX_HINT),
    ("uv", "find-links", "indices of uv's are not read", _INDEX_HINT),
    (
        "uv",
        "constraint-dependencies",
        "constraints of uv's are not read",
        "give them in a file, by `-c` in a requirements file",
    ),
    ("uv", "override-dependencies", "overrides would hide conflicts", _TOOL_HINT),
    ("pdm", "source", "indices of PDM's are not read", _INDEX_HINT),
    ("pixi", "dependencies", "dependencies of pixi's are not read", "write them to an environment.yml"),
    ("pixi", "pypi-dependencies", "dependencies of pixi's are not read", _TOOL_HINT),
    ("poetry", "dependencies", "dependencies of Poetry's are not read", _TOOL_HINT),
    ("poetry", "source", "indices of Poetry's are not read", _INDEX_HINT),
)


def parse_pyproject(file: SpecFile) -> Part:
    """Read the `[project]` table of a pyproject.toml; optional dependencies and groups are not asked for.

    Raises:
        FatalError: It has no static dependencies, is malformed, or has a table that changes what they mean.
    """
    text = decode(file)
    document = loads(text, file.name)
    lines = _Lines(file.name, text)
    _refuse_tools(document, lines)
    project = document.get("project")
    if not isinstance(project, dict):
        raise FatalError(f"{file.name}: it has no `[project]` table", "write the dependencies under `[project]`")
    return Part(pypi=tuple(_dependencies(project, lines)), pythons=tuple(_python(project, lines)))


class _Lines:
    """Finds the line that a text stands in; 0 where it is not written as it is (escapes)."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = text.split("\n")
        self.start = next((i for i, line in enumerate(self.lines) if line.strip().startswith("[project]")), 0)

    def of(self, *texts: str, start: int | None = None) -> Origin:
        first = self.start if start is None else start
        for number, line in enumerate(self.lines[first:], start=first + 1):
            if any(text in line for text in texts):
                return Origin(file=self.name, line=number)
        return Origin(file=self.name)


def _refuse_tools(document: dict[str, Any], lines: _Lines) -> None:
    tools = document.get("tool", {})
    for tool, key, reason, hint in _REFUSED:
        table = tools.get(tool) if isinstance(tools, dict) else None
        if isinstance(table, dict) and key in table:
            origin = lines.of(f"tool.{tool}.{key}", f"tool.{tool}]", start=0)
            raise refused(origin, f"[tool.{tool}] {key}", reason, hint)


def _dependencies(project: dict[str, Any], lines: _Lines) -> Iterator[PypiRequirement]:
    dynamic = project.get("dynamic", [])
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        reason = "dependencies that a build computes cannot be read without building"
        raise refused(lines.of("dynamic"), 'dynamic = ["dependencies"]', reason, "list them under `[project]`")
    if "dependencies" not in project:
        raise FatalError(
            f"{lines.name}: `[project]` has no `dependencies`", "list them, or write `dependencies = []` for none"
        )
    dependencies = project["dependencies"]
    if not isinstance(dependencies, list):
        raise FatalError(f"{lines.of('dependencies')}: `dependencies` is not a list")
    for item in dependencies:
        if not isinstance(item, str):
            raise refused(lines.of("dependencies"), str(item), "an entry of `dependencies` is not text")
        yield parse_requirement(item, lines.of(f'"{item}"', f"'{item}'"))


def _python(project: dict[str, Any], lines: _Lines) -> Iterator[Placed]:
    if "requires-python" not in project:
        return
    origin = lines.of("requires-python")
    text = project["requires-python"]
    if not isinstance(text, str):
        raise FatalError(f"{origin}: `requires-python` is not text")
    with located(origin, text):
        yield Placed(value=canonical(text, bare=False), origin=origin)
