"""What metaflow-netflixext keeps of an environment on one platform: JSON, the file `env` in its datastore."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from envtag.errors import FatalError
from envtag.importing.archives import channel_of, conda_package, public_url, pypi_name
from envtag.importing.explicit import version_of
from envtag.importing.model import Choice, Entry, Imported, Source, refused
from envtag.importing.wire import Table, digest_of, table_of, text_of
from envtag.package import Package
from envtag.platforms import PLATFORMS

_MARKS = (b'"resolved_archs"', b'"resolved_by"', b'"packages"')


def recognizes(source: Source) -> bool:
    """See `model.Reader`: a JSON object with the keys of an environment."""
    return source.data.lstrip()[:1] == b"{" and all(mark in source.data for mark in _MARKS)


def read(source: Source, choice: Choice) -> Imported:
    """See `model.Reader`; the platform is the directory that the file is in, or the one that is asked for."""
    try:
        document = table_of(json.loads(text_of(source)), source.name)
    except ValueError as error:
        raise FatalError(f"{source.name}: not JSON: {error}") from error
    entries = tuple(_entries(document, source.name))
    if not entries:
        raise FatalError(f"{source.name}: has no packages")
    platform = _platform(source, entries, choice)
    channels = dict.fromkeys(channel_of(entry.package) for entry in entries if entry.package.manager == "conda")
    by, on = document.text("resolved_by", ""), document.text("resolved_on", "")[:10]
    return Imported(
        entries={platform: entries},
        channels=tuple(channels),
        notes=(f"{source.name}: was resolved by {by} on {on}",) if by else (),
    )


def _entries(document: Table, name: str) -> Iterator[Entry]:
    for number, item in enumerate(document.tables("packages"), 1):
        yield _entry(item, f"{name}: package {number}")


def _entry(item: Table, where: str) -> Entry:
    kind, url, extension = (item.text(key) for key in ("_type", "url", "url_format"))
    digest = item.table("hashes").text(extension, "")
    if kind == "conda":
        package = conda_package(url, where)
        return Entry(package=package._replace(md5=digest_of("md5", digest, where)), where=where)
    if kind not in ("pypi", "pip"):
        raise refused(where, kind, "it is not a kind of package that is known", "`conda` and `pypi` are")
    public = public_url(url, where).partition("#")[0]
    filename = public.rpartition("/")[2]
    package = Package(
        manager="pypi",
        name=pypi_name(filename.partition("-")[0], where),
        version=version_of(filename, where),
        url=public,
        sha256=digest_of("sha256", digest, where),
    )
    return Entry(package=package, where=where)


def _platform(source: Source, entries: tuple[Entry, ...], choice: Choice) -> str:
    subdirs = {entry.package.subdir for entry in entries} & set(PLATFORMS)
    around = {part for part in source.path.absolute().parts if part in PLATFORMS}
    found = subdirs or around
    if len(found) > 1:
        raise FatalError(f"{source.name}: is of several platforms: {', '.join(sorted(found))}")
    if not found and len(choice.platforms) != 1:
        raise FatalError(
            f"{source.name}: does not say which platform it is for", "add `--platform linux-64`, or another"
        )
    return replace(choice, platforms=()).of((next(iter(found), "") or choice.platforms[0],), source.name)[0]
