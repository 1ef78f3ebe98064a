"""`pylock.toml` (PEP 751) as uv prints it: which files each package of a resolution may be taken from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from envtag.errors import FatalError
from envtag.urls import COMMIT, GitUrl, parse_git, strip_fragment, without_credentials
from envtag.util.toml import loads

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One wheel or sdist: URL as the index gave it (no fragment), 64 hex digits, bytes, milliseconds since 1970."""

    url: str
    sha256: str
    size: int | None = None
    uploaded: int | None = None

    @property
    def name(self) -> str:
        """Its file name."""
        return unquote(urlsplit(self.url).path.rsplit("/", 1)[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One package of a resolution.

    Attributes:
        name: Normalized name (PEP 503).
        version: As the index has it.
        marker: Where it is needed (PEP 508), empty for everywhere.
        wheels: Those that may be used.
        source: The sdist, or None.
        direct: Whether a URL in a requirement gave it, and no index.
        git: The commit that it is, or None for what comes in archives.
    """

    name: str
    version: str
    marker: str = ""
    wheels: tuple[File, ...] = ()
    source: File | None = None
    direct: bool = False
    git: GitUrl | None = None

    @property
    def files(self) -> tuple[File, ...]:
        """All its files."""
        return self.wheels if self.source is None else (*self.wheels, self.source)

    def applies(self, environment: Mapping[str, str]) -> bool:
        """Whether its marker holds in an environment (PEP 508 variable to value)."""
        return not self.marker or Marker(self.marker).evaluate({**environment, "extra": ""})


def parse(text: str, where: str) -> tuple[Entry, ...]:
    """Read a `pylock.toml`.

    Args:
        text: The file's text.
        where: What it is of, for errors.

    Raises:
        FatalError: It is not of version 1, is malformed, or has a package that is no archive with a sha256.
    """
    document = loads(text, where)
    version = document.get("lock-version")
    if not isinstance(version, str) or version.partition(".")[0] != "1":
        raise FatalError(f"{where}: lock-version {version!r} is not one that this envtag reads", "it reads version 1")
    entries = document.get("packages", [])
    if not isinstance(entries, list) or not all(isinstance(item, dict) for item in entries):
        raise FatalError(f"{where}: `packages` is not a list of tables")
    return tuple(_entry(item, where) for item in entries)


def _entry(item: Mapping[str, Any], where: str) -> Entry:
    name = item.get("name")
    if not isinstance(name, str) or not name:
        raise FatalError(f"{where}: a package has no name")
    if "directory" in item:
        raise FatalError(
            f"{where}: `{name}` is from a directory, and a lock holds archives only",
            "build a wheel of it, put that where everybody can fetch it, and ask for `NAME @ URL`",
        )
    marker = str(item.get("marker", ""))
    try:
        Marker(marker or "python_version > '0'")
    except InvalidMarker as error:
        raise FatalError(f"{where}: the marker of `{name}` is malformed: `{marker}`") from error
    version = str(item.get("version", ""))
    wheels = tuple(_file(entry, name, version, where) for entry in item.get("wheels", ()))
    source = _file(item["sdist"], name, version, where) if "sdist" in item else None
    if "archive" in item:
        archive = _file(item["archive"], name, version, where)
        wheels, source = ((archive,), None) if archive.name.endswith(".whl") else ((), archive)
    return Entry(
        name=canonicalize_name(name),
        version=version,
        marker=marker,
        wheels=wheels,
        source=source,
        direct="archive" in item or "vcs" in item,
        git=_commit(item["vcs"], name, version, where) if "vcs" in item else None,
    )


def _commit(item: Mapping[str, Any], name: str, version: str, where: str) -> GitUrl:
    """The commit of a repository that a package was solved to."""
    url, commit, subdirectory = (str(item.get(key, "")) for key in ("url", "commit-id", "subdirectory"))
    if item.get("type") != "git" or not COMMIT.match(commit) or not version:
        raise FatalError(
            f"{where}: `{name} {version}` is not from a git commit of 40 hex digits",
            "publish a wheel of it, and ask for `NAME @ URL`",
        )
    git = GitUrl(repository=url, revision=commit, subdirectory=subdirectory)
    parse_git(str(git))  # what is malformed is refused
    return git


def _file(item: Mapping[str, Any], name: str, version: str, where: str) -> File:
    url = item.get("url")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https", "file"):
        shown = item.get("path") or url
        raise FatalError(f"{where}: `{name} {version}` is from `{shown}`, which has no URL that others can fetch")
    sha256 = str(item.get("hashes", {}).get("sha256", "")).lower()
    if not _SHA256.match(sha256):
        raise FatalError(
            f"the index states no sha256 of `{without_credentials(url)}`, and a lock holds hashed packages only",
            f"use an index that states hashes, or pin `{name}` to another version",
        )
    uploaded = item.get("upload-time")
    return File(
        url=strip_fragment(url),
        sha256=sha256,
        size=item.get("size"),
        uploaded=_milliseconds(uploaded) if isinstance(uploaded, datetime) else None,
    )


def _milliseconds(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return (aware - _EPOCH) // timedelta(milliseconds=1)
