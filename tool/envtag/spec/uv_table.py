"""`[tool.uv]`: indices, constraints, and where single packages come from (https://docs.astral.sh/uv/reference/settings/)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from envtag.platforms import PLATFORMS
from envtag.request import Login, PypiRequirement
from envtag.spec.dependency_groups import normalized
from envtag.spec.model import MalformedError, Part, Placed, located, refused
from envtag.spec.pep508 import parse_requirement
from envtag.urls import check_public, host_of
from envtag.wheels import marker_environment

if TYPE_CHECKING:
    from envtag.spec.toml_lines import Lines

_HERE = "[tool.uv"
_OUTSIDE = ("it is not there on other machines", "publish it, and name its URL or version")
#: Keys that change what a solver answers and that a lock cannot follow.
_REFUSED = MappingProxyType(
    {
        "override-dependencies": ("overrides hide conflicts", "write the bounds into the dependencies"),
        "exclude-dependencies": ("what is left out would be missing", "ask for what you need"),
        "dependency-metadata": ("a package's own word on what it needs is what counts", "remove it"),
        "exclude-newer": ("the cutoff is the environment's", "give `--exclude-newer`, which `envtag.yml` keeps"),
        "exclude-newer-package": ("the cutoff is the environment's", "give `--exclude-newer`, for all packages"),
        "fork-strategy": ("each platform is solved by itself", "remove it"),
    }
)
#: Keys whose other values are what envtag does anyway.
_ONLY = MappingProxyType(
    {
        "index-strategy": ("first-index", "the first index that has a package decides"),
        "resolution": ("highest", "the newest versions are taken"),
    }
)
_CHANGES = frozenset({
    *_REFUSED, *_ONLY, "index", "index-url", "extra-index-url", "find-links", "no-index", "prerelease", "no-binary",
    "no-build", "only-binary", "no-binary-package", "no-build-package", "no-sources",
})  # fmt: skip
_SOURCE_KEYS = frozenset({"index", "git", "url", "rev", "tag", "branch", "subdirectory", "marker", "extra", "group"})
_INDEX_KEYS = frozenset(
    {"name", "url", "default", "explicit", "format", "authenticate", "publish-url", "cache-control"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UvTable:
    """What a `[tool.uv]` says.

    Attributes:
        part: Indices, options and constraints.
        sources: Normalized name to where it comes from.
        indices: Name to URL of each index that has one.
        development: The requirements of `dev-dependencies`, uv's group `dev` of old.
    """

    part: Part = field(default=Part())
    sources: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    indices: Mapping[str, str] = field(default_factory=dict)
    development: tuple[str, ...] = ()


def read_uv(table: Mapping[str, Any], lines: Lines) -> UvTable:
    """Read a `[tool.uv]`.

    Raises:
        FatalError: It is malformed, or has what a lock cannot follow; names file, line and key.
    """
    _refuse(table, lines)
    indices: dict[str, str] = {}
    options: list[tuple[str, Placed]] = []
    logins: list[Login] = []
    for entry in lines.tables(table.get("index"), "`tool.uv.index`", _HERE):
        option, placed = _index(entry, lines)
        options += [(option, placed)] if option else []
        name = entry.get("name", "")
        if name:
            indices[str(name)] = placed.value
            logins.append(_login(str(name), placed.value))
    for key in ("index-url", "extra-index-url", "find-links"):
        value = table.get(key, [])
        for url in [value] if isinstance(value, str) else lines.texts(value, f"`{key}`", key):
            options.append((key, _placed(url, lines)))
    options += _switches(table, lines)
    constraints = lines.texts(table.get("constraint-dependencies", []), "`constraint-dependencies`", "constraint-depen")
    return UvTable(
        part=Part(
            pypi=tuple(parse_requirement(text, lines.quoted(text), constraint=True) for text in constraints),
            index_urls=tuple(placed for name, placed in options if name == "index-url"),
            extra_index_urls=tuple(placed for name, placed in options if name == "extra-index-url"),
            options=tuple(item for item in options if item[0] not in ("index-url", "extra-index-url")),
            logins=tuple(logins),
        ),
        sources=_sources(table, lines),
        indices=indices,
        development=tuple(lines.texts(table.get("dev-dependencies", []), "`dev-dependencies`", "dev-dependencies")),
    )


def sourced(
    item: PypiRequirement, uv: UvTable, lines: Lines, *, extra: str = "", group: str = ""
) -> Iterator[PypiRequirement]:
    """A requirement as `[tool.uv.sources]` has it: one for each source that holds somewhere, and what is left.

    Args:
        item: As it was written.
        uv: The table.
        lines: For the places of errors.
        extra: The extra that it was written in, if any.
        group: The dependency group that it was written in, if any.

    Raises:
        FatalError: A source is of this machine, or malformed.
    """
    left = frozenset(PLATFORMS)
    for source in uv.sources.get(item.name, ()):
        origin = lines.of(f"{item.name} =", f"{item.name}=", table="[tool.uv.sources")
        if normalized(source.get("extra", extra)) != extra or normalized(source.get("group", group)) != group:
            continue
        with located(origin, f"tool.uv.sources.{item.name}"):
            platforms = _platforms(source) & left
            left -= platforms
            if platforms:
                found = _from(item, source, uv)
                yield found if platforms == frozenset(PLATFORMS) else replace(found, platforms=platforms)
    if left:
        yield item if left == frozenset(PLATFORMS) else replace(item, platforms=left)


def _from(item: PypiRequirement, source: Mapping[str, Any], uv: UvTable) -> PypiRequirement:
    if "index" in source:
        if source["index"] not in uv.indices:
            raise MalformedError(f"there is no index `{source['index']}`", "name one under `[[tool.uv.index]]`")
        return replace(item, index=uv.indices[source["index"]])
    return placed_at(item, url_of(source))


def url_of(source: Mapping[str, Any]) -> str:
    """The direct URL that a table with `git` or `url` names, as PEP 508 writes it.

    Args:
        source: With `url`, or `git` and one of `rev`, `tag` and `branch`; and `subdirectory`.
    """
    revision = next((source[key] for key in ("rev", "tag", "branch") if key in source), "")
    address = f"git+{source['git']}{f'@{revision}' if revision else ''}" if "git" in source else str(source["url"])
    below = source.get("subdirectory", "")
    return f"{address}#subdirectory={below}" if below else address


def placed_at(item: PypiRequirement, url: str) -> PypiRequirement:
    """A requirement at a direct URL in place of the versions that it named.

    Raises:
        FatalError: The URL cannot be locked.
    """
    from packaging.requirements import Requirement

    written = Requirement(item.text)
    extras = f"[{','.join(sorted(written.extras))}]" if written.extras else ""
    marker = f" ; {written.marker}" if written.marker is not None else ""
    return replace(parse_requirement(f"{item.name}{extras} @ {url}{marker}", item.origin), platforms=item.platforms)


def _refuse(table: Mapping[str, Any], lines: Lines) -> None:
    for key, (reason, hint) in _REFUSED.items():
        if key in table:
            raise refused(lines.of(key), f"[tool.uv] {key}", reason, hint)
    for key, (value, hint) in _ONLY.items():
        if table.get(key, value) != value:
            raise refused(lines.of(key), f"[tool.uv] {key}", f"only `{value}` can be had", f"{hint}: remove it")
    inner = lines.table(table.get("pip"), "`tool.uv.pip`", "[tool.uv.pip]")
    for key in sorted(_CHANGES & set(inner)):
        origin = lines.of(key, table="[tool.uv.pip]")
        raise refused(origin, f"[tool.uv.pip] {key}", "it is of uv's pip commands alone", "write it under `[tool.uv]`")


def _index(entry: Mapping[str, Any], lines: Lines) -> tuple[str, Placed]:
    """The option that an index comes to, empty for one that only sources name; and its URL."""
    near = [f'"{value}"' for key in ("name", "url") if isinstance(value := entry.get(key), str)]
    unknown = sorted(set(entry) - _INDEX_KEYS)
    if unknown:
        reason = "an index that refuses ends the search" if unknown[0] == "ignore-error-codes" else "it is not known"
        raise refused(lines.of(unknown[0], table="[[tool.uv.index]]"), unknown[0], reason, "remove it")
    url = lines.text(entry.get("url"), "the `url` of an index", *near, "[[tool.uv.index]]")
    placed = _placed(url, lines)
    flat = entry.get("format", "simple") == "flat"
    if entry.get("explicit"):
        if flat or not entry.get("name"):
            reason = "an index for single packages needs a name, and cannot be a page of links"
            raise refused(placed.origin, url, reason, "add `name`, or remove `explicit`")
        return "", placed
    if flat:
        return "find-links", placed
    return ("index-url" if entry.get("default") else "extra-index-url"), placed


def _placed(url: str, lines: Lines) -> Placed:
    origin = lines.quoted(url)
    with located(origin, url):
        if not re.match(r"https?://", url):
            raise MalformedError(*_OUTSIDE)
        return Placed(value=check_public(url, "index"), origin=origin)


def _login(name: str, url: str) -> Login:
    """The variables that uv looks for the credentials of a named index in."""
    stem = f"UV_INDEX_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
    return Login(host=host_of(url), username=f"${{{stem}_USERNAME}}", password=f"${{{stem}_PASSWORD}}")


def _switches(table: Mapping[str, Any], lines: Lines) -> Iterator[tuple[str, Placed]]:
    def placed(key: str, value: str = "") -> Placed:
        return Placed(value=value, origin=lines.of(key))

    if table.get("no-index") is True:
        yield "no-index", placed("no-index")
    prerelease = table.get("prerelease", "if-necessary-or-explicit")
    if prerelease == "allow":
        yield "pre", placed("prerelease")
    elif prerelease != "if-necessary-or-explicit":
        raise refused(lines.of("prerelease"), str(prerelease), "only `allow` or uv's own default can be had")
    for key, option in (("no-build", "only-binary"), ("no-binary", "no-binary")):
        if table.get(key) is True:
            yield option, placed(key, ":all:")
        for name in lines.texts(table.get(f"{key}-package", []), f"`{key}-package`", f"{key}-package"):
            yield option, placed(f"{key}-package", name)


def _sources(table: Mapping[str, Any], lines: Lines) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name, value in lines.table(table.get("sources"), "`tool.uv.sources`", "[tool.uv.sources]").items():
        origin = lines.of(f"{name} =", f"{name}=", table="[tool.uv.sources")
        entries = lines.tables([value] if isinstance(value, dict) else value, f"the source of `{name}`", name)
        for entry in entries:
            _check_source(entry, f"tool.uv.sources.{name}", lines, origin)
        found[normalized(name)] = entries
    return found


def _check_source(entry: Mapping[str, Any], text: str, lines: Lines, origin: Any) -> None:
    for key in ("workspace", "path", "editable"):
        if key in entry:
            raise refused(origin, text, f"`{key}`: {_OUTSIDE[0]}", _OUTSIDE[1])
    unknown = sorted(set(entry) - _SOURCE_KEYS)
    if unknown:
        raise refused(origin, text, f"`{unknown[0]}` is not known", "remove it")
    if sum(key in entry for key in ("index", "git", "url")) != 1:
        raise refused(origin, text, "it names none of `index`, `git` and `url`, or several")
    for key, value in entry.items():
        lines.text(value, f"`{key}` of `{text}`", text.rpartition(".")[2])


def _platforms(source: Mapping[str, Any]) -> frozenset[str]:
    """The platforms that the marker of a source holds on.

    Raises:
        MalformedError: It is no marker, or asks for more than the platform.
    """
    from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

    if "marker" not in source:
        return frozenset(PLATFORMS)
    text = source["marker"]
    if re.search(r"python|implementation|extra|dependency_groups", text):
        raise MalformedError("its marker asks for more than the platform", "give each platform its source")
    try:
        marker = Marker(text)
        return frozenset(name for name in PLATFORMS if marker.evaluate(marker_environment(name, "3.11")))
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName) as error:
        raise MalformedError(f"its marker is malformed: {str(error).splitlines()[0]}") from error
