"""Get packages' archives: from the local cache, the store or their origin, each byte held to the lock's hash."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from envtag.errors import FatalError
from envtag.store.keys import object_key
from envtag.urls import Mirrors, file_path, without_credentials
from envtag.util.canonical import sha256_file
from envtag.util.files import staged

if TYPE_CHECKING:
    import requests

    from envtag.config import Directories
    from envtag.output import Output
    from envtag.package import Package
    from envtag.store import Store

_THREADS = 8
_ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_TIMEOUT_SECONDS = (15.0, 60.0)  # to connect, and between two reads
_BLOCK = 1 << 18
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_PARTIAL = 206
_ERROR = 400


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

    Looked for in this order: the local cache, the store, the package's origin (behind the client's mirrors).
    Archives that are files on this machine already are used where they lie, after their hash was checked.

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
        FatalError: An archive has other bytes, cannot be had, or is nowhere at hand under `offline`.
    """
    wanted = {package.sha256: package for package in packages}
    if not wanted:
        return {}
    for package in wanted.values():
        _refuse_odd_name(package)
    total = sum(package.size or 0 for package in wanted.values()) or None
    with output.task(f"fetching {len(wanted)} packages", total, unit="bytes") as task, _sessions() as session:
        job = _Job(
            store=store, mirrors=mirrors, directories=directories, offline=offline, count=task.advance, session=session
        )
        found = _in_parallel(job.get, wanted)
    missing = [wanted[sha256] for sha256, path in found.items() if path is None]
    if missing:
        names = ", ".join(str(package) for package in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""  # noqa: PLR2004 - a handful is shown
        where = f"the store {without_credentials(store.url)}" if store is not None else "the local cache"
        raise FatalError(f"{names}{more} not in {where}, and this is offline", "run it once without `--offline`")
    return {sha256: path for sha256, path in found.items() if path is not None}


def archive_path(directories: Directories, package: Package) -> Path:
    """Where a downloaded archive is kept, under its own file name."""
    return directories.archives / package.sha256[:2] / package.sha256 / package.filename


def _refuse_odd_name(package: Package) -> None:
    """Refuse a URL whose last part, unquoted, is more than a file name: it becomes the name of a file here."""
    name = package.filename
    if not name or name.startswith(".") or any(character in name for character in "/\\:\0"):
        raise FatalError(f"the URL of {package} ends in `{name}`, which is no file name")


def _in_parallel(get: Callable[[Package], Path | None], wanted: Mapping[str, Package]) -> dict[str, Path | None]:
    from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

    with ThreadPoolExecutor(min(_THREADS, len(wanted))) as threads:
        futures: dict[str, Future[Path | None]] = {
            sha256: threads.submit(get, package) for sha256, package in wanted.items()
        }
        try:
            wait(futures.values(), return_when=FIRST_EXCEPTION)
        finally:
            threads.shutdown(wait=True, cancel_futures=True)
        for future in futures.values():
            if future.done() and not future.cancelled():
                future.result()
        return {sha256: future.result() for sha256, future in futures.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One call's settings, shared by its threads."""

    store: Store | None
    mirrors: Mirrors
    directories: Directories
    offline: bool
    count: Callable[[int], None]
    session: Callable[[], requests.Session]
    pause: Callable[[float], None] = field(default=time.sleep)

    def get(self, package: Package) -> Path | None:
        """The package's archive; None if it is nowhere at hand under `offline`."""
        kept = archive_path(self.directories, package)
        if kept.is_file():
            if sha256_file(kept) == package.sha256:
                self.count(package.size or 0)
                return kept
            kept.unlink(missing_ok=True)
        return self._from_store(package, kept) or (None if self.offline else self._from_origin(package, kept))

    def _from_store(self, package: Package, kept: Path) -> Path | None:
        if self.store is None:
            return None
        key = object_key(package.sha256, package.extension)
        in_place = self.store.local_path(key)
        if in_place is None:
            try:
                return kept if self.store.download(key, kept, package.sha256, self.count) else None
            except FatalError as error:
                raise FatalError(f"{package}: {error.message}", error.hint, error.detail) from error
        return self._verified(in_place, package, f"`{key}` in the store {without_credentials(self.store.url)}")

    def _from_origin(self, package: Package, kept: Path) -> Path:
        url = self.mirrors.fetch_url(package.url)
        path = file_path(url)
        if path is not None:
            if not path.is_file():
                raise FatalError(f"cannot fetch {package}: `{path}` does not exist")
            return self._verified(path, package, f"`{path}`")
        if not url.startswith(("http://", "https://")):
            raise FatalError(f"cannot fetch {package}: `{url.partition('://')[0]}` URLs are not supported")
        kept.parent.mkdir(parents=True, exist_ok=True)
        with staged(kept) as temporary:
            _Download(package=package, url=url, target=temporary, job=self).run()
            temporary.chmod(0o644)
            temporary.replace(kept)
        return kept

    def _verified(self, path: Path, package: Package, where: str) -> Path:
        got = sha256_file(path)
        if got != package.sha256:
            raise _wrong(package, got, where)
        self.count(package.size or 0)
        return path


@dataclass(slots=True, kw_only=True)
class _Download:
    """One archive on its way from a web server, taken up again where it broke off."""

    package: Package
    url: str
    target: Path
    job: _Job
    digest: Any = field(default_factory=hashlib.sha256)

    def run(self) -> None:
        import requests

        broken = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._ask(self.target.stat().st_size) as answer:
                    if answer.status_code in _TRANSIENT and attempt < _ATTEMPTS:
                        self.job.pause(_pause(attempt, answer.headers.get("Retry-After", "")))
                        continue
                    if answer.status_code >= _ERROR:
                        raise self._refused(answer.status_code)
                    self._receive(answer)
                break
            except broken as error:
                if attempt == _ATTEMPTS:
                    raise self._unreachable(error) from error
                self.job.pause(_pause(attempt, ""))
            except requests.RequestException as error:
                raise self._unreachable(error) from error
        if self.digest.hexdigest() != self.package.sha256:
            raise _wrong(self.package, self.digest.hexdigest(), without_credentials(self.url))

    def _ask(self, have: int) -> requests.Response:
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
        answer = self.job.session().get(self.url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS)
        if have and answer.status_code == 416:  # noqa: PLR2004 - Range Not Satisfiable: start over
            answer.close()
            self.target.write_bytes(b"")
            return self._ask(0)
        return answer

    def _receive(self, answer: requests.Response) -> None:
        resumed = answer.status_code == _PARTIAL
        if not resumed:
            self.digest = hashlib.sha256()
        with self.target.open("ab" if resumed else "wb") as stream:
            for block in answer.iter_content(_BLOCK):
                stream.write(block)
                self.digest.update(block)
                self.job.count(len(block))

    def _refused(self, status: int) -> FatalError:
        hint = {
            401: "credentials for it come from netrc",
            403: "credentials for it come from netrc",
            404: "it was removed there: only a store that holds it can still give it",
        }.get(status, "")
        return FatalError(f"cannot fetch {self.package} from {without_credentials(self.url)}: HTTP {status}", hint)

    def _unreachable(self, error: Exception) -> FatalError:
        host = urlsplit(self.url).hostname or ""
        return FatalError(
            f"cannot fetch {self.package}: no usable answer from `{host}` ({type(error).__name__})",
            "look at the network, the proxy variables and `ENVTAG_MIRRORS`",
        )


def _wrong(package: Package, got: str, where: str) -> FatalError:
    return FatalError(
        f"{package} has other bytes than its lock says: expected sha256 {package.sha256}, got {got}, from {where}",
        "nothing of it was used; it was tampered with or is damaged there",
    )


def _pause(attempt: int, retry_after: str) -> float:
    """Seconds to wait before the next attempt: the server's wish if it has one, else doubling with a jitter."""
    if retry_after.isdigit():
        return min(float(retry_after), _LONGEST_PAUSE_SECONDS)
    doubled: float = _FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)
    return min(doubled, _LONGEST_PAUSE_SECONDS) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret


@contextmanager
def _sessions() -> Iterator[Callable[[], requests.Session]]:
    """One HTTP session a thread, made when it is first needed (netrc and proxy variables are honoured)."""
    local = threading.local()
    opened: list[requests.Session] = []

    def session() -> requests.Session:
        if not hasattr(local, "session"):
            import requests

            local.session = requests.Session()
            opened.append(local.session)
        found: requests.Session = local.session
        return found

    try:
        yield session
    finally:
        for made in opened:
            made.close()
