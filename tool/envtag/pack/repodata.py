"""Repodata of the packed channel: the archives' own metadata, and the dependencies that the lock was solved by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envtag.errors import FatalError
from envtag.util.canonical import canonical_json

if TYPE_CHECKING:
    from envtag.package import Package

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def repodata(subdir: str, packages: Mapping[str, Package], archives: Mapping[str, Path]) -> bytes:
    """`repodata.json` of one subdirectory.

    Channels correct dependencies in their repodata after a package was built. The lock was solved by those, so
    `depends` is the lock's. `constrains` is the archive's own, without what the locked packages do not fulfil: that
    was taken back likewise.

    Args:
        subdir: The subdirectory.
        packages: File name to package: all conda packages of the lock, of any subdirectory.
        archives: SHA-256 to verified archive.

    Raises:
        FatalError: An archive has no metadata, or is of another package than the lock says.
    """
    locked = {package.name: _for_matching(package) for package in packages.values()}
    records = {
        name: _record(package, archives[package.sha256], locked)
        for name, package in packages.items()
        if package.subdir == subdir
    }
    document = {
        "info": {"subdir": subdir},
        "packages": {name: record for name, record in records.items() if not name.endswith(".conda")},
        "packages.conda": {name: record for name, record in records.items() if name.endswith(".conda")},
        "removed": [],
        "repodata_version": 1,
    }
    return canonical_json(document) + b"\n"


def _record(package: Package, archive: Path, locked: Mapping[str, Any]) -> dict[str, Any]:
    index = _index(package, archive)
    fields = {
        "name": package.name,
        "version": package.version,
        "build": package.build,
        "build_number": index.build_number,
        "subdir": package.subdir,
        "arch": index.arch,
        "platform": index.platform,
        "noarch": _noarch(index.noarch),
        "depends": list(package.depends),
        "constrains": _fulfilled(index.constrains, locked),
        "track_features": " ".join(index.track_features),
        "features": index.features,
        "license": index.license or package.license,
        "license_family": index.license_family,
        "python_site_packages_path": index.python_site_packages_path,
        "timestamp": _milliseconds(index.timestamp),
        "sha256": package.sha256,
        "md5": package.md5,
        "size": archive.stat().st_size,
    }
    return {key: value for key, value in fields.items() if value not in (None, "", []) or key == "depends"}


def _index(package: Package, archive: Path) -> Any:
    from rattler.package import IndexJson

    try:
        index = IndexJson.from_package_archive(archive)
    except Exception as error:  # rattler's errors have no common base
        raise FatalError(f"{package}: its archive has no readable `info/index.json`: {error}") from error
    if (index.name.normalized, str(index.build)) != (package.name, package.build):
        found = f"{index.name.normalized} {index.version} {index.build}"
        raise FatalError(f"{package} is locked, but its archive says that it is {found}")
    return index


def _for_matching(package: Package) -> Any:
    from rattler import BuildString, PackageRecord

    return PackageRecord(
        name=package.name,
        version=package.version,
        build=BuildString(package.build),
        build_number=0,
        subdir=package.subdir,
    )


def _fulfilled(specs: Iterable[str], locked: Mapping[str, Any]) -> list[str]:
    from rattler import MatchSpec

    kept = []
    for text in specs:
        record = locked.get(text.split()[0].lower())
        if record is None or MatchSpec(text, strict=False).matches(record):
            kept.append(text)
    return kept


def _noarch(kind: Any) -> str | None:
    if kind.python:
        return "python"
    return "generic" if kind.generic else None


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(milliseconds=1)
