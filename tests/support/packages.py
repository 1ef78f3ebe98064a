"""Locked packages and locks made from the files of the tests' channel and wheels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from envtag.lock import Lock
from envtag.package import Package
from envtag.platforms import current_platform
from support.wheels import normalized

CANONICAL = "https://conda.example.org/main"


def conda_package(channel: Path, name: str, version: str = "", *, build: str = "", extension: str = "") -> Package:
    """The newest package of a channel with this name, for this platform or noarch, under a canonical URL."""
    found = []
    for subdir in (current_platform(), "noarch"):
        repodata = json.loads((channel / subdir / "repodata.json").read_text("utf-8"))
        for filename, record in {**repodata["packages"], **repodata["packages.conda"]}.items():
            if record["name"] == name and record["version"].startswith(version) and record["build"].startswith(build):
                found.append((filename.endswith(".conda"), record["version"], filename, record))
    found = [item for item in found if item[2].endswith(extension)]
    _, _, filename, record = max(found, key=lambda item: (item[1], item[0]))
    return Package(
        manager="conda",
        name=name,
        version=record["version"],
        build=record["build"],
        subdir=record["subdir"],
        url=f"{CANONICAL}/{record['subdir']}/{filename}",
        sha256=record["sha256"],
        md5=record["md5"],
        size=record["size"],
        depends=tuple(record["depends"]),
    )


def pypi_package(path: Path, url: str = "") -> Package:
    """A wheel or sdist as a locked package; its URL is the file's unless another one is given."""
    name, version = path.name.removesuffix(".tar.gz").split("-")[:2]
    data = path.read_bytes()
    return Package(
        manager="pypi",
        name=normalized(name),
        version=version,
        url=url or path.as_uri(),
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
    )


def conda_lock(channel: Path, minor: str, names: Iterable[str], pypi: Sequence[Package] = ()) -> Lock:
    """A lock of a Python and the newest of some conda packages, with some PyPI packages."""
    compact = f"py{minor.replace('.', '')}"
    builds = {"numpyish": compact, "pytorchish": compact}
    packages = [conda_package(channel, "python", f"{minor}.")]
    packages += [conda_package(channel, name, build=builds.get(name, "")) for name in names]
    return make_lock([*packages, *pypi], python=minor)


def make_lock(packages: Iterable[Package], *, python: str, interpreter: str = "conda", platform: str = "") -> Lock:
    """A lock of packages, for this platform unless another one is given."""
    return Lock(
        platform=platform or current_platform(),
        request="e" * 40,
        interpreter=interpreter,  # type: ignore[arg-type]
        python=python,
        packages=tuple(sorted(packages, key=lambda package: package.key)),
    )
