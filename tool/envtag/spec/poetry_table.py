"""`[tool.poetry]`: dependencies, groups, extras and sources (https://python-poetry.org/docs/pyproject/)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from envtag.request import Login, Origin, PypiRequirement
from envtag.spec.dependency_groups import by_name, normalized
from envtag.spec.model import MalformedError, Part, Placed, located, refused
from envtag.spec.pep508 import parse_requirement
from envtag.spec.poetry_version import specifier
from envtag.spec.python_constraint import canonical
from envtag.spec.uv_table import url_of
from envtag.urls import check_public, host_of

if TYPE_CHECKING:
    from envtag.spec.toml_lines import Lines

_KEYS = frozenset({
    "version", "extras", "optional", "python", "markers", "platform", "source", "git", "branch", "tag", "rev", "url",
    "subdirectory",
})  # fmt: skip
_HERE = "[tool.poetry"
_OUTSIDE = ("it is not there on other machines", "publish it, and name its URL or version")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoetryTable:
    """What a `[tool.poetry]` says.

    Attributes:
        main: Normalized name to the entry of `[tool.poetry.dependencies]`, without `python`.
        groups: Normalized name to the table of dependencies of each group.
        extras: Normalized name to the names of the optional dependencies that it asks for.
        indices: Name to URL of each source.
        part: Indices and Python.
    """

    main: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    extras: Mapping[str, list[str]] = field(default_factory=dict)
    indices: Mapping[str, str] = field(default_factory=dict)
    part: Part = field(default=Part())


def read_poetry(table: Mapping[str, Any], lines: Lines) -> PoetryTable:
    """Read a `[tool.poetry]`.

    Raises:
        FatalError: It is malformed, or has what a lock cannot follow; names file, line and key.
    """
    main = dict(lines.table(table.get("dependencies"), "`tool.poetry.dependencies`", "[tool.poetry.dependencies]"))
    python = main.pop("python", None)
    groups = {
        name: lines.table(group.get("dependencies"), f"the dependencies of group `{name}`", name)
        for name, group in by_name(
            lines.table(table.get("group"), "`tool.poetry.group`", _HERE), "groups", lines
        ).items()
        if isinstance(group, dict)
    }
    old = lines.table(table.get("dev-dependencies"), "`tool.poetry.dev-dependencies`", "dev-dependencies")
    if old:
        groups["dev"] = {**old, **groups.get("dev", {})}
    extras = by_name(lines.table(table.get("extras"), "`tool.poetry.extras`", "[tool.poetry.extras]"), "extras", lines)
    indices, part = _sources(table, lines)
    if python is not None:
        origin = lines.of("python =", "python=", table="[tool.poetry.dependencies]")
        text = lines.text(python, "`python`", "python =")
        with located(origin, text):
            clauses = specifier(text)
            stated = Placed(value=canonical(clauses, bare=False), origin=origin) if clauses else None
        part = replace(part, pythons=(stated,) if stated else ())
    return PoetryTable(main=main, groups=groups, extras=extras, indices=indices, part=part)


def requirements(
    dependencies: Mapping[str, Any], poetry: PoetryTable, lines: Lines, *, table: str, optional: Collection[str] = ()
) -> Iterator[PypiRequirement]:
    """The requirements of a table of dependencies.

    Args:
        dependencies: Name to constraint, to a table, or to a list of tables.
        poetry: For its sources.
        lines: For the places of errors.
        table: The header that they stand below.
        optional: Normalized names of the optional ones that an extra asks for.

    Raises:
        FatalError: One is malformed, or of a kind that cannot be locked; names file, line, text and reason.
    """
    for name, value in dependencies.items():
        origin = lines.of(f"{name} =", f"{name}=", f'"{name}"', table=table)
        entries = [{"version": value}] if isinstance(value, str) else value
        entries = [entries] if isinstance(entries, dict) else entries
        for entry in lines.tables(entries, f"the entry of `{name}`", f"{name} ="):
            if not entry.get("optional") or normalized(name) in optional:
                yield _requirement(name, entry, poetry, lines, origin)


def index_of(name: str, entry: Any, poetry: PoetryTable, lines: Lines) -> str:
    """The only index that a dependency of `[project]` may come from, by what Poetry's own table adds to it; or empty.

    Raises:
        FatalError: The table says more than a source.
    """
    origin = lines.of(f"{name} =", f"{name}=", table="[tool.poetry.dependencies]")
    if isinstance(entry, dict) and set(entry) == {"source"}:
        with located(origin, name):
            return _index(entry, poetry)
    if isinstance(entry, dict) and {"path", "develop"} & set(entry):
        raise refused(origin, name, f"`path`: {_OUTSIDE[0]}", _OUTSIDE[1])
    reason = "it is in `[project]` as well, and only `source` is read here then"
    raise refused(origin, name, reason, "write all else of it in `[project]`")


def _requirement(
    name: str, entry: Mapping[str, Any], poetry: PoetryTable, lines: Lines, origin: Origin
) -> PypiRequirement:
    for key in ("path", "develop", "file"):
        if key in entry:
            raise refused(origin, name, f"`{key}`: {_OUTSIDE[0]}", _OUTSIDE[1])
    if "allow-prereleases" in entry:
        raise refused(origin, name, "pre-releases are asked for by a bound with one", "write `>=2.0rc1`, for example")
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise refused(origin, name, f"`{unknown[0]}` is not known", "remove it")
    for key in sorted(set(entry) - {"extras", "optional"}):
        lines.text(entry[key], f"`{key}` of `{name}`", f"{name} =")
    extras = lines.texts(entry.get("extras", []), f"`extras` of `{name}`", f"{name} =")
    with located(origin, name):
        head = f"{name}[{','.join(extras)}]" if extras else name
        direct = "git" in entry or "url" in entry
        what = f" @ {url_of(entry)}" if direct else specifier(entry.get("version", "*"))
        marker = " and ".join(_markers(entry))
        index = _index(entry, poetry)
    text = f"{head}{what}{' ' if direct else ''}{f'; {marker}' if marker else ''}"
    return replace(parse_requirement(text, origin), index=index)


def _markers(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry.get("markers"):
        yield f"({entry['markers']})"
    if entry.get("platform"):
        yield f"sys_platform == '{entry['platform']}'"
    for clause in filter(None, specifier(entry.get("python", "")).split(",")):
        match = re.fullmatch(r"([=!<>~]+)(.+)", clause)
        if match is None:
            raise MalformedError("its `python` is not a constraint on a version")
        version = match[2].removesuffix(".*")
        variable = "python_version" if version.count(".") < 2 else "python_full_version"  # noqa: PLR2004 - X.Y
        yield f"{variable} {match[1]} '{version if version.count('.') else f'{version}.0'}'"


def _index(entry: Mapping[str, Any], poetry: PoetryTable) -> str:
    if "source" not in entry:
        return ""
    if entry["source"] not in poetry.indices:
        raise MalformedError(f"there is no source `{entry['source']}`", "name one under `[[tool.poetry.source]]`")
    return poetry.indices[entry["source"]]


def _sources(table: Mapping[str, Any], lines: Lines) -> tuple[dict[str, str], Part]:
    """Indices by their names, and what they are for the whole; Poetry's public one is the default if it is named."""
    indices: dict[str, str] = {}
    asked: list[Placed] = []
    logins: list[Login] = []
    public = False
    here = "[[tool.poetry.source]]"
    for entry in lines.tables(table.get("source"), "`tool.poetry.source`", here):
        name = lines.text(entry.get("name"), "the `name` of a source", here)
        if normalized(name) == "pypi" and "url" not in entry:
            public = True
            continue
        origin = lines.quoted(str(entry.get("url", "")), table=here)
        url = lines.text(entry.get("url"), f"the `url` of source `{name}`", f'"{name}"', here)
        priority = entry.get("priority", "primary")
        if priority not in ("primary", "default", "explicit"):
            reason = f"priority `{priority}`: the first index that has a package decides, so none is asked after that"
            raise refused(origin, name, reason, "make it `primary`, or `explicit`")
        with located(origin, url):
            indices[name] = check_public(url, "source")
        stem = f"POETRY_HTTP_BASIC_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
        logins.append(Login(host=host_of(url), username=f"${{{stem}_USERNAME}}", password=f"${{{stem}_PASSWORD}}"))
        asked += [Placed(value=url, origin=origin)] if priority != "explicit" else []
    default = [] if public else asked[-1:]
    extra = asked if public else asked[:-1]
    return indices, Part(index_urls=tuple(default), extra_index_urls=tuple(extra), logins=tuple(logins))
