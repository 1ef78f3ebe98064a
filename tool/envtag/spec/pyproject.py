"""pyproject.toml: what its project needs (PEP 621), its extras and groups (PEP 735), tables of uv and Poetry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.spec import dependency_groups as named
from envtag.spec import poetry_table
from envtag.spec.model import Part, Placed, SpecFile, decode, located, refused
from envtag.spec.pep508 import parse_requirement
from envtag.spec.poetry_table import PoetryTable, read_poetry
from envtag.spec.python_constraint import canonical
from envtag.spec.toml_lines import Lines
from envtag.spec.uv_table import UvTable, read_uv, sourced
from envtag.util.toml import loads

if TYPE_CHECKING:
    from envtag.request import PypiRequirement

_INDEX_HINT = "remove it, and give indices by `--index-url` and `--extra-index-url`"
_TOOL_HINT = "write the dependencies under `[project]`"
#: Tables of other tools that change what `[project]` means; what is passed over in silence would be lost.
_REFUSED = (
    ("pdm", "source", "indices of PDM's are not read", _INDEX_HINT),
    ("pdm", "resolution", "PDM's rules for a resolution are not read", "remove it"),
    (
        "pixi",
        "dependencies",
        "dependencies of pixi's are not read",
        "write them to an environment.yml, or import pixi.lock alone",
    ),
    ("pixi", "pypi-dependencies", "dependencies of pixi's are not read", _TOOL_HINT),
    ("rye", "sources", "indices of Rye's are not read", _INDEX_HINT),
)


def parse_pyproject(file: SpecFile, extras: Sequence[str] = (), groups: Sequence[str] = ()) -> Part:
    """Read a pyproject.toml.

    Args:
        file: The file.
        extras: Names of optional dependencies that are asked for; one that it does not have is passed over.
        groups: Names of dependency groups that are asked for; the same.

    Returns:
        What it asks for; `extras` and `groups` of it are those that it has.

    Raises:
        FatalError: It has no static dependencies, is malformed, or has a table that changes what they mean.
    """
    text = decode(file)
    document = loads(text, file.name)
    if "project" not in document and "workspace" in document:
        raise FatalError(
            f"{file.name}: a manifest of pixi's is not read",
            "import its pixi.lock without it: what that pins becomes an environment.yml to go on editing",
        )
    lines = Lines(file.name, text)
    tools = document.get("tool", {})
    tools = tools if isinstance(tools, dict) else {}
    _refuse_tools(tools, lines)
    project = document.get("project")
    reader = _Reader(
        lines=lines,
        project=project if isinstance(project, dict) else {},
        tables=lines.table(document.get("dependency-groups"), "`dependency-groups`", "[dependency-groups]"),
        uv=read_uv(lines.table(tools.get("uv"), "`tool.uv`", "[tool.uv"), lines),
        poetry=read_poetry(lines.table(tools.get("poetry"), "`tool.poetry`", "[tool.poetry"), lines),
    )
    return reader.read([named.normalized(name) for name in extras], [named.normalized(name) for name in groups])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """One file while it is read.

    Attributes:
        lines: For the places of errors.
        project: Its `[project]`, empty for none.
        tables: Its `[dependency-groups]`.
        uv: Its `[tool.uv]`.
        poetry: Its `[tool.poetry]`.
    """

    lines: Lines
    project: Mapping[str, Any]
    tables: Mapping[str, Any]
    uv: UvTable
    poetry: PoetryTable

    def read(self, extras: Sequence[str], groups: Sequence[str]) -> Part:
        """What it asks for with some extras and groups."""
        optional = self.lines.table(self.project.get("optional-dependencies"), "`optional-dependencies`", "optional-")
        own_extras = named.by_name(optional, "extras", self.lines)
        own_groups = named.by_name(self.tables, "groups", self.lines)
        known_groups = {*own_groups, *self.poetry.groups, *({"dev"} if self.uv.development else ())}
        found = [*self._main(extras, alone=bool(known_groups & set(groups)))]
        for name in (name for name in extras if name in own_extras):
            texts = named.optional(own_extras, named.normalized(str(self.project.get("name", ""))), name, self.lines)
            found += self._sourced(texts, "[project.optional-dependencies]", extra=name)
        for name in groups:
            found += self._group(name, own_groups)
        return Part(
            pypi=tuple(dict.fromkeys((*found, *self.uv.part.pypi))),
            index_urls=(*self.uv.part.index_urls, *self.poetry.part.index_urls),
            extra_index_urls=(*self.uv.part.extra_index_urls, *self.poetry.part.extra_index_urls),
            pythons=(*self._python(), *self.poetry.part.pythons),
            options=self.uv.part.options,
            logins=(*self.uv.part.logins, *self.poetry.part.logins),
            extras=frozenset({*own_extras, *self.poetry.extras}),
            groups=frozenset(known_groups),
        )

    def _main(self, extras: Sequence[str], *, alone: bool) -> Iterator[PypiRequirement]:
        """What the project itself needs.

        Args:
            extras: Normalized names of what is asked for beside that.
            alone: Whether a group is asked for, so that nothing else has to be there.
        """
        dynamic = self.project.get("dynamic", [])
        computed = isinstance(dynamic, list) and "dependencies" in dynamic
        if "dependencies" in self.project:
            yield from self._static()
            return
        if self.poetry.main or (computed and self.poetry.part.pythons):
            wanted = {named.normalized(item) for name in extras for item in self.poetry.extras.get(name, ())}
            yield from poetry_table.requirements(
                self.poetry.main, self.poetry, self.lines, table="[tool.poetry.dependencies]", optional=wanted
            )
            return
        if computed:
            reason = "dependencies that a build computes cannot be read without building"
            place = self.lines.of("dynamic", table="[project]")
            raise refused(place, 'dynamic = ["dependencies"]', reason, "list them under `[project]`")
        if not (alone or self.poetry.part.pythons):
            self._nothing()

    def _nothing(self) -> None:
        if not self.project:
            raise FatalError(
                f"{self.lines.name}: it has no `[project]` table", "write the dependencies under `[project]`"
            )
        raise FatalError(
            f"{self.lines.name}: `[project]` has no `dependencies`", "list them, or write `dependencies = []` for none"
        )

    def _static(self) -> Iterator[PypiRequirement]:
        texts = self.lines.texts(self.project["dependencies"], "`dependencies`", "dependencies")
        adds = {named.normalized(name): entry for name, entry in self.poetry.main.items()}
        for item in self._sourced(texts, "[project]"):
            entry = adds.get(item.name)
            index = poetry_table.index_of(item.name, entry, self.poetry, self.lines) if entry is not None else ""
            yield replace(item, index=index) if index else item

    def _group(self, name: str, own: Mapping[str, Any]) -> Iterator[PypiRequirement]:
        if name in own:
            yield from self._sourced(named.group(own, name, self.lines), "[dependency-groups]", group=name)
        if name == "dev" and self.uv.development:
            yield from self._sourced(self.uv.development, "[tool.uv]", group=name)
        if name in self.poetry.groups:
            table = f"[tool.poetry.group.{name}.dependencies]"
            yield from poetry_table.requirements(self.poetry.groups[name], self.poetry, self.lines, table=table)

    def _sourced(self, texts: Any, table: str, *, extra: str = "", group: str = "") -> Iterator[PypiRequirement]:
        for text in texts:
            item = parse_requirement(text, self.lines.quoted(text, table=table))
            yield from sourced(item, self.uv, self.lines, extra=extra, group=group)

    def _python(self) -> Iterator[Placed]:
        if "requires-python" not in self.project:
            return
        origin = self.lines.of("requires-python", table="[project]")
        text = self.lines.text(self.project["requires-python"], "`requires-python`", "requires-python")
        with located(origin, text):
            yield Placed(value=canonical(text, bare=False), origin=origin)


def _refuse_tools(tools: Mapping[str, Any], lines: Lines) -> None:
    for tool, key, reason, hint in _REFUSED:
        table = tools.get(tool)
        if isinstance(table, dict) and key in table:
            origin = lines.of(f"tool.{tool}.{key}", f"tool.{tool}]")
            raise refused(origin, f"[tool.{tool}] {key}", reason, hint)
