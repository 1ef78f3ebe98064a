"""Packages that are a commit of a git repository: pinned by the SHA-256 of the commit's archive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envtag import archives
from envtag.errors import FatalError
from envtag.git.archive import archive_commit
from envtag.urls import COMMIT, GitUrl, Mirrors, parse_git
from envtag.util.canonical import canonical_json, sha256_file, sha256_hex
from envtag.util.files import staged, write_atomic
from envtag.util.locks import file_lock

if TYPE_CHECKING:
    from pathlib import Path

    from envtag.config import Directories
    from envtag.package import Package

_NO_MIRRORS = Mirrors()
_FORMAT = 1


def fetch_git(
    package: Package, target: Path, *, directories: Directories, offline: bool, mirrors: Mirrors = _NO_MIRRORS
) -> None:
    """Write the archive of a package that is a commit, from its repository, held to the lock's hash.

    Args:
        package: Locked, with a `git+…@COMMIT` URL.
        target: The file to make; its directory is made too.
        directories: The client's.
        offline: Ask no repository.
        mirrors: Where repositories are really fetched from.

    Raises:
        FatalError: It is offline, the repository cannot be reached or has no such commit, or its archive has other
            bytes.
    """
    del directories  # what is fetched goes to `target` alone
    if offline:
        raise FatalError(f"{package} is in a git repository, and this is offline", "run it once without `--offline`")
    url = _commit_url(package)
    target.parent.mkdir(parents=True, exist_ok=True)
    with staged(target) as temporary:
        archive_commit(mirrors.fetch_url(url.repository), url.revision, temporary, root=_root(package))
        got = sha256_file(temporary)
        if got != package.sha256:
            raise FatalError(
                f"{package} has other bytes than its lock says: expected sha256 {package.sha256}, got {got}, "
                f"from `{url}`",
                "nothing of it was used; either the lock or the repository was tampered with",
            )
        temporary.chmod(0o644)
        temporary.replace(target)


def locked(package: Package, *, directories: Directories, mirrors: Mirrors) -> Package:
    """A package that was solved to a commit, with the hash, size and date of the commit's archive.

    The archive is kept among the downloaded ones, so that it is made once for all platforms.

    Args:
        package: With a `git+…@COMMIT` URL; its `sha256` does not count.
        directories: Where archives are kept.
        mirrors: Where repositories are really fetched from.

    Raises:
        FatalError: The repository cannot be reached, or the commit cannot be archived.
    """
    url = _commit_url(package)
    name = sha256_hex(f"{url.repository}@{url.revision} {_root(package)}".encode())
    known = directories.cache / "git-sources" / f"{name}.json"
    with file_lock(known.with_suffix(".lock")):
        found = _read(known, package)
        if found is None or not archives.is_kept(archives.archive_path(directories, found), found):
            found = _made(package, url, known, directories, mirrors)
    return found


def _made(package: Package, url: GitUrl, known: Path, directories: Directories, mirrors: Mirrors) -> Package:
    """Make the archive, keep it, and remember what it is the archive of."""
    with staged(known) as temporary:
        seconds = archive_commit(mirrors.fetch_url(url.repository), url.revision, temporary, root=_root(package))
        found = package._replace(sha256=sha256_file(temporary), size=temporary.stat().st_size, timestamp=seconds * 1000)
        kept = archives.archive_path(directories, found)
        kept.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o644)
        temporary.replace(kept)
    facts = {"version": _FORMAT, "sha256": found.sha256, "size": found.size, "timestamp": found.timestamp}
    write_atomic(known, canonical_json(facts))
    return found


def _read(known: Path, package: Package) -> Package | None:
    """What is known of a commit's archive; an entry of another format, or a damaged one, is as good as none."""
    try:
        document: Any = json.loads(known.read_bytes())
        if document.pop("version") != _FORMAT:
            return None
        return package._replace(**document)
    except (FileNotFoundError, AttributeError, KeyError, TypeError, ValueError):
        return None


def _root(package: Package) -> str:
    """The directory in its archive: packages of one repository, and of parts of it, have archives of their own."""
    return package.filename.removesuffix(".tar")


def _commit_url(package: Package) -> GitUrl:
    url = parse_git(package.url)
    if url is None or not COMMIT.match(url.revision):
        raise FatalError(f"{package} is locked without the full name of a commit", f"it is from {package.url}")
    return url
