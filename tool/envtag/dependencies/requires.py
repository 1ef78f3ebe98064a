"""What PyPI packages say that they require: from the archive where it is at hand, else from beside it on the index."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from envtag.util.canonical import canonical_json
from envtag.util.files import write_atomic
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    import requests

    from envtag.config import Directories
    from envtag.package import Package
    from envtag.urls import Mirrors

_FORMAT = 1
_SECONDS = 20
_LARGEST = 4_000_000


def required(
    packages: Iterable[Package], *, mirrors: Mirrors, directories: Directories, offline: bool
) -> dict[str, tuple[str, ...]]:
    """The requirements of wheels, as their metadata states them (PEP 508 texts, extras and markers included).

    What was read once is kept. A wheel that is on this machine is opened; of another one the metadata is asked for
    that an index has beside it (PEP 658). It is for reading: what is installed is held to the lock.

    Args:
        packages: PyPI packages.
        mirrors: Where packages are really fetched from.
        directories: For the caches.
        offline: Do not ask an index.

    Returns:
        SHA-256 to requirements, of those packages whose requirements are known.
    """
    wheels = {package.sha256: package for package in packages if package.extension == "whl"}

    def one(package: Package) -> tuple[str, ...] | None:
        known = _kept(directories, package)
        if known is not None:
            return known
        data = _at_hand(package, mirrors, directories) or (None if offline else _beside(package, mirrors))
        if data is None:
            return None
        found = tuple(BytesHeaderParser().parsebytes(data).get_all("Requires-Dist") or ())
        write_atomic(_path(directories, package), canonical_json({"version": _FORMAT, "requires": list(found)}))
        return found

    answers = in_parallel(one, wheels.values())
    return {sha256: found for sha256, found in zip(wheels, answers, strict=True) if found is not None}


def _at_hand(package: Package, mirrors: Mirrors, directories: Directories) -> bytes | None:
    from envtag.fetch import at_hand

    path = at_hand(package, mirrors=mirrors, directories=directories)
    return _of_wheel(path) if path is not None else None


def _of_wheel(path: Path) -> bytes | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            name = min(names, key=len, default=None)
            return archive.read(name) if name is not None and archive.getinfo(name).file_size <= _LARGEST else None
    except (OSError, zipfile.BadZipFile):  # damaged, or gone meanwhile: as good as not here
        return None


def _beside(package: Package, mirrors: Mirrors) -> bytes | None:
    """What an index has beside a wheel; None where it has nothing, or does not answer."""
    import requests

    from envtag.download import sessions

    url = mirrors.fetch_url(package.url)
    if urlsplit(url).scheme not in ("http", "https"):
        return None
    try:
        with sessions() as session, session().get(f"{url}.metadata", timeout=_SECONDS) as answer:
            return _content(answer)
    except requests.RequestException:
        return None


def _content(answer: requests.Response) -> bytes | None:
    data = answer.content if answer.ok else b""
    return data if data[:2000].lstrip().lower().startswith(b"metadata-version:") else None


def _path(directories: Directories, package: Package) -> Path:
    return directories.dists / package.sha256[:2] / f"{package.sha256}.requires.json"


def _kept(directories: Directories, package: Package) -> tuple[str, ...] | None:
    """What is known of a package; an entry of another format, or a damaged one, is as good as none."""
    try:
        document: Any = json.loads(_path(directories, package).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(document, Mapping) or document.get("version") != _FORMAT:
        return None
    return tuple(str(text) for text in document["requires"])
