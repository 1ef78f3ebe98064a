"""pixi.lock, versions 5 to 7: one of its environments, on every platform that it is locked for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.importing.archives import channels_of, conda_package, public_url, pypi_name
from envtag.importing.model import Choice, Entry, Imported, Source, listed, refused
from envtag.importing.wire import Table, yaml_of
from envtag.package import Package
from envtag.urls import parse_git
from envtag.wheels import marker_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_VERSIONS = ("5", "6", "7")
_GIT = re.compile(r"git\+(?P<repository>[^?#]+)(?:\?[^#]*)?#(?P<commit>[0-9a-f]{40})\Z")
_SUBDIRECTORY = re.compile(r"[?&]subdirectory=([^&#]+)")


def recognizes(source: Source) -> bool:
    """See `model.Reader`: YAML with `version`, `environments` and `packages`."""
    head = b"\n" + source.data
    return (
        re.search(rb"\nversion: \d", head[:4096]) is not None and b"\nenvironments:" in head and b"\npackages:" in head
    )


def read(source: Source, choice: Choice) -> Imported:
    """See `model.Reader`."""
    document = yaml_of(source)
    version = document.text("version", "")
    if version not in _VERSIONS:
        raise FatalError(
            f"{source.name}: lock version {version!r} is not one that this envtag reads",
            f"it reads {', '.join(_VERSIONS)}; older ones are renewed by `pixi lock`",
        )
    name = choice.environment or "default"
    environments = document.table("environments")
    if name not in environments.value:
        raise FatalError(
            f"{source.name}: has no environment `{name}`",
            f"it has {listed(tuple(environments.value))}: `--environment`",
        )
    environment = environments.table(name)
    locked = environment.table("packages")
    platforms = _platforms(document, locked)
    chosen = choice.of(tuple(platforms), source.name)
    records = _records(document)
    entries: dict[str, tuple[Entry, ...]] = {}
    own: set[str] = set()
    for platform in chosen:
        found = [_entry(item, records) for item in locked.tables(platforms[platform])]
        own.update(item for item in found if isinstance(item, str))
        entries[platform] = _evaluated([item for item in found if isinstance(item, Entry)], platform)
    indices = environment.texts("indexes")
    return Imported(
        entries=entries,
        channels=channels_of(
            [_channel(item) for item in environment.tables("channels")],
            (entry.package for found in entries.values() for entry in found),
        ),
        index_url=public_url(indices[0], source.name) if indices else "",
        extra_index_urls=tuple(public_url(url, source.name) for url in indices[1:]),
        notes=(f"left out, since it is the project itself: {', '.join(sorted(own))}",) if own else (),
    )


def _platforms(document: Table, locked: Table) -> dict[str, str]:
    """Conda's name of a platform to the file's (version 7 can have names of its own)."""
    names = {}
    for item in document.list("platforms"):
        if isinstance(item, dict):
            table = Table(item, f"{document.where}: `platforms`")
            names[table.text("name")] = table.text("subdir", table.text("name"))
    return {names.get(name, name): name for name in locked.value}


def _channel(item: Table) -> str:
    url = item.text("url")
    return public_url(url, item.where).rstrip("/") if "://" in url else url


def _records(document: Table) -> Mapping[tuple[str, str], Table]:
    """Kind and URL to what is said of a package."""
    found: dict[tuple[str, str], Table] = {}
    for block in document.tables("packages"):
        kind, url = _named(block)
        found.setdefault((kind, url), Table(block.value, f"{block.where} (`{url.rpartition('/')[2][:80]}`)"))
    return found


def _named(item: Table) -> tuple[str, str]:
    """The kind and the URL of a package: `conda: URL` or `pypi: URL`, with `kind` and `url` in version 5."""
    for kind in ("conda", "pypi"):
        if kind in item.value:
            return kind, item.text(kind)
    if item.value.get("kind") in ("conda", "pypi"):
        return item.text("kind"), item.text("url", item.text("path", ""))
    other = next(iter(item.value), "nothing")
    raise refused(
        item.where,
        str(other),
        "it is not a package that can be locked by its archive",
        "publish what is built of source",
    )


def _entry(item: Table, records: Mapping[tuple[str, str], Table]) -> Entry | str:
    """A package of an environment; the name alone of one that is the project itself."""
    kind, url = _named(item)
    block = records.get((kind, url))
    if block is None:
        raise refused(item.where, url, "`packages` says nothing of it")
    if kind == "conda":
        return _conda(url, block)
    name = pypi_name(block.text("name"), block.where)
    git = _GIT.match(url)
    if git is None and not re.match(r"https?://", url):
        if block.text("editable", "") == "true" or url in (".", "./"):
            return name
        raise refused(block.where, url, "it is a file of one machine, which others cannot fetch", "publish it")
    subdirectory = _SUBDIRECTORY.search(url)
    public = public_url(
        f"git+{git['repository']}@{git['commit']}" + (f"#subdirectory={subdirectory[1]}" if subdirectory else "")
        if git
        else url.partition("#sha256=")[0],
        block.where,
    )
    parse_git(public)
    package = Package(
        manager="pypi",
        name=name,
        version=block.text("version"),
        url=public,
        sha256="" if git else block.digest("sha256"),
        size=block.number("size"),
        depends=block.texts("requires_dist"),
    )
    return Entry(package=package, where=block.where)


def _conda(url: str, block: Table) -> Entry:
    package = conda_package(url, block.where)
    for key, found in (("name", package.name), ("version", package.version), ("build", package.build)):
        stated = block.text(key, "")
        if stated and stated != found:
            raise FatalError(f"{block.where}: `{key}` is `{stated}`, and its archive is of `{found}`")
    package = package._replace(
        sha256=block.digest("sha256"),
        md5=block.digest("md5"),
        size=block.number("size"),
        license=block.text("license", "") or None,
        timestamp=block.number("timestamp"),
        depends=block.texts("depends"),
    )
    return Entry(package=package, where=block.where)


def _evaluated(entries: list[Entry], platform: str) -> tuple[Entry, ...]:
    """Entries of which PyPI packages need what their requirements mean on a platform."""
    conda = {entry.package.name: entry.package.version for entry in entries if entry.package.manager == "conda"}
    python = conda.get("python", "")
    if not python:
        return tuple(entries)
    names = {entry.package.name for entry in entries if entry.package.manager == "pypi"}
    environment = {**marker_environment(platform, python), "extra": ""}
    return tuple(
        entry
        if entry.package.manager == "conda"
        else replace(entry, package=entry.package._replace(depends=_needs(entry, environment, names)))
        for entry in entries
    )


def _needs(entry: Entry, environment: Mapping[str, str], names: Iterable[str]) -> tuple[str, ...]:
    """The names of PyPI packages that are needed; what conda brings under a name of its own is not told apart here."""
    from packaging.requirements import InvalidRequirement, Requirement

    found = set()
    for text in entry.package.depends:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise refused(entry.where, text, "it is not a requirement") from error
        if requirement.marker is None or requirement.marker.evaluate(dict(environment)):
            found.add(pypi_name(requirement.name, entry.where))
    return tuple(sorted(found & set(names)))
