"""Get packages' archives: from the local cache, the store or their origin, each byte held to the lock's hash."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envtag import archives
from envtag.archives import archive_path
from envtag.download import Download, sessions
from envtag.errors import DamagedError, FatalError
from envtag.manifest import BUILT
from envtag.store.base import wrong_bytes
from envtag.store.keys import object_key
from envtag.urls import Mirrors, file_path, without_credentials
from envtag.util.canonical import sha256_file
from envtag.util.files import staged
from envtag.util.parallel import in_parallel
from envtag.util.text import number_of

if TYPE_CHECKING:
    import requests

    from envtag.config import Directories
    from envtag.output import Output
    from envtag.package import Package
    from envtag.request import Login
    from envtag.store import Store

__all__ = ["archive_path", "fetch_archives", "fetcher"]

_THREADS = 16
#: What says that this machine cannot take a file, whatever it was read from.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


def fetch_archives(
    packages: Iterable[Package],
    *,
    store: Store | None,
    mirrors: Mirrors,
    directories: Directories,
    offline: bool,
    output: Output,
) -> Mapping[str, Path]:
    """Get the archive of each package, verified.

    Looked for in this order: the local cache, the store, the package's origin (behind the client's mirrors). An object
    of the store with other bytes is told, and the origin is asked once instead. Archives that are files on this machine
    already are used where they lie, after their hash was checked.

    Args:
        packages: What to get.
        store: The registry's store, if there is one.
        mirrors: The client's mirrors.
        directories: Where downloads are kept (`archives`).
        offline: Do not ask origins.
        output: For progress.

    Returns:
        SHA-256 to a local file with exactly those bytes.

    Raises:
        FatalError: An archive has other bytes, cannot be had or kept, or is nowhere at hand under `offline`.
    """
    wanted = {package.sha256: package for package in packages}
    if not wanted:
        return {}
    for package in wanted.values():
        _refuse_odd_name(package)
    total = sum(package.size or 0 for package in wanted.values()) or None
    archives.sweep(directories)
    with (
        output.task(f"fetching {number_of(len(wanted), 'package')}", total, unit="bytes") as task,
        sessions() as session,
    ):
        job = _Job(
            store=store,
            mirrors=mirrors,
            directories=directories,
            offline=offline,
            count=task.advance,
            session=session,
            say=output.say,
            warn=output.warn,
        )
        paths = in_parallel(job.get, wanted.values(), threads=_THREADS)
    found = dict(zip(wanted, paths, strict=True))
    missing = [wanted[sha256] for sha256, path in found.items() if path is None]
    if missing:
        names = ", ".join(str(package) for package in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""  # noqa: PLR2004 - a handful is shown
        where = f"the store {without_credentials(store.url)}" if store is not None else "the local cache"
        raise FatalError(f"{names}{more} not in {where}, and this is offline", "run it once without `--offline`")
    return {sha256: path for sha256, path in found.items() if path is not None}


@contextmanager
def fetcher(
    *, store: Store | None, mirrors: Mirrors, directories: Directories, offline: bool, logins: Sequence[Login] = ()
) -> Iterator[Callable[[Package], Path | None]]:
    """Get archives one at a time, from any thread, each as `fetch_archives` does it, and without a word.

    `logins` are those of specs.

    Yields:
        A function from a package to a file with exactly its bytes; None if it is nowhere at hand under `offline`.
    """
    with sessions(logins) as session:
        job = _Job(
            store=store,
            mirrors=mirrors,
            directories=directories,
            offline=offline,
            count=_silent,
            session=session,
            say=_silent,
            warn=_silent,
        )

        def get(package: Package) -> Path | None:
            _refuse_odd_name(package)
            return job.get(package)

        yield get


def at_hand(package: Package, *, mirrors: Mirrors, directories: Directories) -> Path | None:
    """A file of this machine that should be a package's archive; its bytes are the caller's to compare.

    Args:
        package: Whose archive it is.
        mirrors: The client's mirrors.
        directories: Where downloads are kept.

    Raises:
        FatalError: The package's URL ends in what is no file name.
    """
    _refuse_odd_name(package)
    kept = archive_path(directories, package)
    if kept.is_file():
        archives.touch(kept)
        return kept
    url = mirrors.fetch_url(package.url)
    path = file_path(url) if "://" in url and not package.is_commit else None
    return path if path is not None and path.is_file() else None


def _silent(_: object) -> None:
    """Where the caller shows progress by itself."""


def _refuse_odd_name(package: Package) -> None:
    """Refuse a URL whose last part, unquoted, is more than a file name: it becomes the name of a file here."""
    name = package.filename
    if not name or name.startswith(".") or any(character in name for character in "/\\:\0"):
        raise FatalError(f"the URL of {package} ends in `{name}`, which is no file name")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One call's settings, shared by its threads."""

    store: Store | None
    mirrors: Mirrors
    directories: Directories
    offline: bool
    count: Callable[[int], None]
    session: Callable[[], requests.Session]
    say: Callable[[str], None]
    warn: Callable[[str], None]

    def get(self, package: Package) -> Path | None:
        """The package's archive; None if it is nowhere at hand under `offline`."""
        try:
            return self._get(package)
        except OSError as error:
            full = self._full(package, error)
            if full is None:
                raise
            raise full from error
        except FatalError as error:
            cause = error.__cause__
            full = self._full(package, cause) if isinstance(cause, OSError) else None
            if full is None:
                raise
            raise full from cause

    def _get(self, package: Package) -> Path | None:
        kept = archive_path(self.directories, package)
        if self._is_kept(package, kept):
            return kept
        damage: DamagedError | None = None
        try:
            in_place = self._in_store(package)
            if in_place is not None:
                return in_place
        except DamagedError as error:
            damage = error
        waiting = f"waiting for another process that is fetching {package}"
        with archives.lock(self.directories, package, waiting=lambda: self.say(waiting)):
            if self._is_kept(package, kept):
                return kept
            try:
                if damage is None and self._from_store(package, kept):
                    return kept
            except DamagedError as error:
                damage = error
            if damage is not None:
                self._tell_damage(package, damage)
            return None if self.offline else self._from_origin(package, kept)

    def _is_kept(self, package: Package, kept: Path) -> bool:
        there = archives.is_kept(kept, package)
        if there:
            self.count(package.size or 0)
        return there

    def _in_store(self, package: Package) -> Path | None:
        """The file of a store in a directory, used where it lies."""
        if self.store is None:
            return None
        key = object_key(package.sha256, package.extension)
        path = self.store.local_path(key)
        if path is None:
            return None
        got = sha256_file(path)
        if got != package.sha256:
            raise wrong_bytes(key, package.sha256, got, without_credentials(self.store.url))
        self.count(package.size or 0)
        return path

    def _from_store(self, package: Package, kept: Path) -> bool:
        if self.store is None:
            return False
        key = object_key(package.sha256, package.extension)
        try:
            return self.store.download(key, kept, package.sha256, self.count)
        except DamagedError:
            raise
        except FatalError as error:
            if isinstance(error.__cause__, OSError):
                raise
            raise FatalError(f"{package}: {error.message}", error.hint, error.detail) from error

    def _tell_damage(self, package: Package, damage: DamagedError) -> None:
        if self.offline:
            raise FatalError(f"{package}: {damage.message}", damage.hint) from damage
        self.warn(f"{package} is taken from its origin, since {damage.message}; {damage.hint}")

    def _from_origin(self, package: Package, kept: Path) -> Path:
        url = self.mirrors.fetch_url(package.url)
        path = file_path(url) if "://" in url else None
        if path is not None:
            if not path.is_file():
                raise FatalError(f"cannot fetch {package}: `{path}` does not exist")
            got = sha256_file(path)
            if got != package.sha256:
                raise _wrong(package, got, f"`{path}`")
            self.count(package.size or 0)
            return path
        if package.is_commit:
            from envtag.git_source import fetch_git  # with all of git, which hardly any package needs

            fetch_git(package, kept, directories=self.directories, offline=self.offline, mirrors=self.mirrors)
            self.count(package.size or 0)
            return kept
        if not url.startswith(("http://", "https://")):
            raise self._unsupported(package, url)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with staged(kept) as temporary:
            download = Download(package=package, url=url, target=temporary, session=self.session, count=self.count)
            got = download.run()
            if got != package.sha256:
                raise _wrong(package, got, without_credentials(url))
            temporary.chmod(0o644)
            temporary.replace(kept)
        return kept

    def _unsupported(self, package: Package, url: str) -> FatalError:
        scheme = url.partition(":")[0]
        if scheme == BUILT and self.store is not None:
            return FatalError(
                f"`{package.filename}`, which was built of {package}, is not in {without_credentials(self.store.url)}",
                "no index has it: publish the environment again, which builds it anew under a new manifest",
            )
        return FatalError(f"cannot fetch {package}: `{scheme}` URLs are not supported")

    def _full(self, package: Package, error: OSError) -> FatalError | None:
        """The error for a disk of this machine that takes no more; None if it is another error."""
        if error.errno not in _FULL:
            return None
        return FatalError(
            f"{package} cannot be kept in `{self.directories.archives}`: {error.strerror}",
            "make room there, or let `ENVTAG_HOME` name another place; nothing of it is left",
        )


def _wrong(package: Package, got: str, where: str) -> FatalError:
    return FatalError(
        f"{package} has other bytes than its lock says: expected sha256 {package.sha256}, got {got}, from {where}",
        "nothing of it was used; it was tampered with or is damaged there",
    )
