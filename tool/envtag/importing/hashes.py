"""The hashes of archives whose file does not state them: by downloading each, once."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from envtag import archives
from envtag.download import Download, sessions
from envtag.errors import FatalError
from envtag.urls import file_path, without_credentials
from envtag.util import aio
from envtag.util.canonical import sha256_file
from envtag.util.files import staged
from envtag.util.parallel import in_parallel
from envtag.util.text import number_of

if TYPE_CHECKING:
    from pathlib import Path

    import requests

    from envtag.config import Config
    from envtag.importing.model import Entry
    from envtag.output import Output
    from envtag.package import Package

_THREADS = 8
_INDEX = "info/index.json"
_TIMEOUT_SECONDS = (5.0, 15.0)
_OK = 200


def hashed(entries: Sequence[Entry], *, config: Config, output: Output) -> dict[str, Package]:
    """Download archives, and say what they are.

    Args:
        entries: Packages with a URL; what their file states of hashes is held to.
        config: For mirrors and caches; the archives stay in the cache.
        output: For progress.

    Returns:
        URL to the package with sha256, md5 (conda), size, and what its metadata says (conda).

    Raises:
        FatalError: One cannot be had, or has other hashes than its file states.
    """
    with output.task(f"hashing {number_of(len(entries), 'package')}", len(entries)) as task, sessions() as session:

        def one(entry: Entry) -> Package:
            found = _hash(entry, config, session)
            task.advance()
            return found

        return {item.url: item for item in in_parallel(one, entries, threads=_THREADS)}


def sizes(packages: Sequence[Package], *, config: Config) -> dict[str, int]:
    """URL to the bytes of an archive, as its server states them; without those that it does not."""
    with sessions() as session:

        def one(package: Package) -> int | None:
            return _size(config.mirrors.fetch_url(package.url), session)

        answers = in_parallel(one, packages, threads=_THREADS)
    return {item.url: size for item, size in zip(packages, answers, strict=True) if size is not None}


def _size(url: str, session: Callable[[], requests.Session]) -> int | None:
    import requests

    path = file_path(url)
    if path is not None:
        return path.stat().st_size if path.is_file() else None
    try:
        answer = session().head(
            url, allow_redirects=True, timeout=_TIMEOUT_SECONDS, headers={"Accept-Encoding": "identity"}
        )
    except requests.RequestException:
        return None
    length = answer.headers.get("Content-Length", "")
    return int(length) if answer.status_code == _OK and length.isdigit() else None


def _hash(entry: Entry, config: Config, session: Callable[[], requests.Session]) -> Package:
    package, url = entry.package, config.mirrors.fetch_url(entry.package.url)
    path = file_path(url)
    if path is not None:
        if not path.is_file():
            raise FatalError(f"{entry.where}: cannot hash {package}: `{path}` does not exist")
        return _held(entry, path)
    if not url.startswith(("http://", "https://")):
        raise FatalError(f"{entry.where}: cannot hash {package}: {url.partition(':')[0]!r} URLs are not supported")
    directory = config.directories.archives
    directory.mkdir(parents=True, exist_ok=True)
    with staged(directory / package.filename) as temporary:
        try:
            Download(package=package, url=url, target=temporary, session=session, count=lambda _: None).run()
        except FatalError as error:
            raise FatalError(f"{entry.where}: its hash is not stated, and {error.message}", error.hint) from error
        found = _held(entry, temporary)
        kept = archives.archive_path(config.directories, found)
        kept.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o644)
        temporary.replace(kept)
    return found


def _held(entry: Entry, path: Path) -> Package:
    """The package with the hashes of a file, which must be those that are stated, if any are."""
    package = entry.package
    got = {"sha256": sha256_file(path), "md5": hashlib.md5(path.read_bytes()).hexdigest()}  # noqa: S324 - the format's
    for kind, digest in got.items():
        stated = getattr(package, kind)
        if stated and stated != digest:
            raise FatalError(
                f"{entry.where}: {package} has other bytes than is stated: {kind} {stated} is, {digest} is what "
                f"{without_credentials(package.url)} has",
                "nothing was imported; it was tampered with, or replaced there",
            )
    found = package._replace(sha256=got["sha256"], size=path.stat().st_size)
    return _described(found._replace(md5=got["md5"]), path) if package.manager == "conda" else found


def _described(package: Package, path: Path) -> Package:
    """A conda package with what its own metadata says of it."""
    index: dict[str, Any] = {}
    with suppress(OSError, ValueError):  # whoever installs it says what is wrong with it
        index = json.loads(aio.run(_read(path, package)))
    depends, license_, timestamp = index.get("depends"), index.get("license"), index.get("timestamp")
    return package._replace(
        depends=package.depends or tuple(str(item) for item in depends or ()),
        license=package.license or (license_ if isinstance(license_, str) and license_ else None),
        timestamp=package.timestamp or (timestamp if isinstance(timestamp, int) else None),
    )


async def _read(path: Path, package: Package) -> bytes:
    from rattler.package_streaming import PackageArchive

    if path.name.endswith(f".{package.extension}"):
        files = await (await PackageArchive.from_path(path)).read_files([_INDEX])
    else:  # a download on its way: rattler knows an archive by its name
        with staged(path) as named:
            link = named.with_name(f"{named.name}.{package.extension}")
            await asyncio.to_thread(link.hardlink_to, path)
            try:
                files = await (await PackageArchive.from_path(link)).read_files([_INDEX])
            finally:
                link.unlink()
    return files.get(_INDEX) or b"{}"
