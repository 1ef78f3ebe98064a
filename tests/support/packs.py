"""Packages that have the same bytes on every machine, and packed files that are wrong in one way."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envtag.manifest import Manifest
from envtag.pack.writing import Executable, Written, write
from envtag.package import Package
from support.packages import CANONICAL, make_lock

ALIAS = "mlp/small:v1"
_SECONDS = 1705276800


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An environment without Python, its archives, and how it is packed.

    Attributes:
        manifest: The environment.
        archives: SHA-256 to file.
    """

    manifest: Manifest
    archives: Mapping[str, Path]

    def pack(self, target: Path, executable: Executable | None = None) -> Written:
        """Write its packed file."""
        with target.open("wb") as stream:
            return write(stream, ALIAS, self.manifest, self.archives, executable=executable)


def sample(directory: Path, platform: str, *, wheel: bool = True) -> Sample:
    """Two conda packages, one of the platform and one noarch, and a wheel; nothing of this machine is in them."""
    made = [
        conda_archive(
            directory, "tool", platform, depends=["datum >=1"], constrains=["datum <2", "other >=3"],
            files={"bin/tool": b"#!/bin/sh\necho tool\n"},
        ),
        conda_archive(directory, "datum", "noarch", noarch="generic", files={"share/datum.txt": b"datum\n"}),
    ]  # fmt: skip
    if wheel:
        made.append(stored_wheel(directory, "small-thing", "1.0"))
    lock = make_lock([package for package, _ in made], python="", platform=platform)
    return Sample(manifest=Manifest(lock=lock), archives={package.sha256: path for package, path in made})


def conda_archive(
    directory: Path,
    name: str,
    subdir: str,
    *,
    version: str = "1.0",
    depends: Sequence[str] = (),
    locked_depends: Sequence[str] | None = None,
    files: Mapping[str, bytes] | None = None,
    **extra: Any,
) -> tuple[Package, Path]:
    """A `.tar.bz2` package; `locked_depends` is what the channel made of its `depends`."""
    index = {
        "name": name, "version": version, "build": "h123_0", "build_number": 0, "subdir": subdir,
        "depends": list(depends), "license": "MIT", "timestamp": _SECONDS * 1000, **extra,
    }  # fmt: skip
    content = dict(files or {f"share/{name}.txt": b"x\n"})
    paths = [
        {
            "_path": path, "path_type": "hardlink",
            "sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data),
        }
        for path, data in sorted(content.items())
    ]  # fmt: skip
    info = {
        "info/index.json": json.dumps(index, sort_keys=True).encode(),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}, sort_keys=True).encode(),
        "info/files": "".join(f"{path}\n" for path in sorted(content)).encode(),
    }
    path = directory / subdir / f"{name}-{version}-h123_0.tar.bz2"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:bz2", compresslevel=9) as archive:
        for member, data in [*info.items(), *sorted(content.items())]:
            _add(archive, member, data)
    data = path.read_bytes()
    package = Package(
        manager="conda",
        name=name,
        version=version,
        build="h123_0",
        subdir=subdir,
        url=f"{CANONICAL}/{subdir}/{path.name}",
        sha256=hashlib.sha256(data).hexdigest(),
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        size=len(data),
        depends=tuple(depends if locked_depends is None else locked_depends),
    )
    return package, path


def stored_wheel(directory: Path, name: str, version: str) -> tuple[Package, Path]:
    """A wheel that is not compressed."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    content = {
        f"{module}.py": "x = 1\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": f"{module}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
    }
    path = directory / f"{module}-{version}-py3-none-any.whl"
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for member, text in content.items():
            entry = zipfile.ZipInfo(member, (2020, 2, 2, 0, 0, 0))
            entry.create_system = 3
            archive.writestr(entry, text)
    data = path.read_bytes()
    package = Package(
        manager="pypi",
        name=name,
        version=version,
        url=f"https://files.example.org/{path.name}",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
    )
    return package, path


def contents_of(path: Path, start: int = 0) -> dict[str, bytes]:
    """The members of a tar, by the standard library."""
    with path.open("rb") as stream:
        stream.seek(start)
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            return {item.name: archive.extractfile(item).read() for item in archive if item.isfile()}  # type: ignore[union-attr]  # files have content


def rewrite(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Change the members of a packed file, as someone would who has a tar program."""
    content = contents_of(path)
    change(content)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in content.items():
            _add(archive, name, data)


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(data), _SECONDS, 0o755 if name.startswith("bin/") else 0o644
    archive.addfile(entry, io.BytesIO(data))
