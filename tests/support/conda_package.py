"""Real conda packages and channels, written by hand: the same bytes every time, and a repodata of our own."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from conda_package_streaming.create import conda_builder

from support.wheels import OLD, wheel_files

#: What an installer replaces with the prefix: as long as prefixes may get.
PLACEHOLDER = ("/opt/placeholder/" + "_placehold" * 25)[:255]

_ARCHES = {"64": "x86_64", "aarch64": "aarch64", "arm64": "arm64"}


class ChannelBuilder:
    """A conda channel in the making: add packages, then `index()`.

    Attributes:
        path: The channel's directory; `path.as_uri()` is its URL.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records: dict[str, dict[str, dict[str, Any]]] = {}

    def package(
        self,
        name: str,
        version: str,
        *,
        build: str = "0",
        number: int = 0,
        subdir: str = "noarch",
        depends: Sequence[str] = (),
        files: Mapping[str, str | bytes] | None = None,
        timestamp: datetime = OLD,
        formats: Sequence[str] = ("conda",),
        link: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> list[Path]:
        """Add a package of some files; without any, it holds one that names the package.

        Args:
            name: Package name.
            version: Its version.
            build: Build string.
            number: Build number.
            subdir: `noarch` or a platform.
            depends: Match specs.
            files: Path in the prefix to content; `PLACEHOLDER` in it is replaced at installation, as text or, where
                the content holds a NUL, as binary. Files below `bin/` are executable.
            timestamp: When it was built.
            formats: `conda`, `tar.bz2`, or both.
            link: Content of `info/link.json`.
            extra: Further fields of the record (`constrains`, `track_features`, `license`, …).
        """
        content = files or {f"share/{name}.txt": f"{name} {version} {build} {subdir}\n"}
        with tempfile.TemporaryDirectory(prefix="envtag-package-") as scratch:
            stage = Path(scratch)
            for path, data in content.items():
                target = stage / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data.encode() if isinstance(data, str) else data)
                target.chmod(0o755 if path.startswith("bin/") else 0o644)
            record = record_of(name, version, build, number, subdir, depends, timestamp, extra)
            return self.staged(stage, record, formats=formats, link=link)

    def noarch_python(
        self,
        name: str,
        version: str,
        *,
        dist: str = "",
        depends: Sequence[str] = (),
        scripts: Mapping[str, str] | None = None,
        timestamp: datetime = OLD,
        formats: Sequence[str] = ("conda",),
        **extra: Any,
    ) -> list[Path]:
        """Add a noarch Python package made of a wheel's content, with its entry points.

        Args:
            name: Package name.
            version: Its version.
            dist: Name of the PyPI dist that it brings, where that differs.
            depends: Match specs beside `python >=3.8`.
            scripts: Console scripts, command to `module:function`.
            timestamp: When it was built.
            formats: `conda`, `tar.bz2`, or both.
            extra: Further fields of the record.
        """
        entry_points = [f"{command} = {target}" for command, target in sorted((scripts or {}).items())]
        noarch: dict[str, Any] = {"type": "python"}
        if entry_points:
            noarch["entry_points"] = entry_points
        return self.package(
            name, version, build="pyhd8ed1ab_0", depends=["python >=3.8", *depends], timestamp=timestamp,
            files=installed_files(dist or name, version, "site-packages", scripts), formats=formats,
            link={"noarch": noarch, "package_metadata_version": 1}, noarch="python", **extra,
        )  # fmt: skip

    def staged(
        self,
        stage: Path,
        record: dict[str, Any],
        *,
        formats: Sequence[str] = ("conda",),
        link: Mapping[str, Any] | None = None,
    ) -> list[Path]:
        """Add a package whose files lie in a directory; `info/` is written into it."""
        _write_info(stage, record, link)
        directory = self.path / record["subdir"]
        directory.mkdir(parents=True, exist_ok=True)
        made = []
        for extension in formats:
            target = directory / f"{record['name']}-{record['version']}-{record['build']}.{extension}"
            _write_archive(stage, target, record["timestamp"] // 1000)
            self._note(target, record)
            made.append(target)
        return made

    def index(self) -> None:
        """Write `repodata.json` of every subdirectory."""
        (self.path / "noarch").mkdir(parents=True, exist_ok=True)
        for directory in sorted(path for path in self.path.iterdir() if path.is_dir()):
            records = self._records.get(directory.name, {})
            repodata = {
                "info": {"subdir": directory.name},
                "packages": {name: item for name, item in records.items() if name.endswith(".tar.bz2")},
                "packages.conda": {name: item for name, item in records.items() if name.endswith(".conda")},
                "removed": [],
                "repodata_version": 1,
            }
            (directory / "repodata.json").write_text(json.dumps(repodata, indent=1, sort_keys=True), "utf-8")

    def _note(self, archive: Path, record: dict[str, Any]) -> None:
        data = archive.read_bytes()
        self._records.setdefault(record["subdir"], {})[archive.name] = {
            **record,
            "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
        }


def record_of(
    name: str,
    version: str,
    build: str,
    number: int,
    subdir: str,
    depends: Sequence[str],
    timestamp: datetime,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """A package's `index.json`."""
    system, _, arch = subdir.partition("-")
    return {
        "name": name,
        "version": version,
        "build": build,
        "build_number": number,
        "subdir": subdir,
        "platform": system if arch else None,
        "arch": _ARCHES[arch] if arch else None,
        "depends": list(depends),
        "license": "MIT",
        "timestamp": int(timestamp.timestamp() * 1000),
        **extra,
    }


def installed_files(
    dist: str, version: str, site_packages: str, scripts: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    """What a dist's wheel leaves in `site-packages`, as a conda build packages it."""
    content = wheel_files(dist, version, scripts=scripts)
    info = next(path for path in content if path.endswith(".dist-info/METADATA")).rpartition("/")[0]
    content[f"{info}/INSTALLER"] = b"conda\n"
    return {f"{site_packages}/{path}": data for path, data in content.items()}


def _write_info(stage: Path, record: dict[str, Any], link: Mapping[str, Any] | None) -> None:
    info = stage / "info"
    info.mkdir(exist_ok=True)
    paths = [_describe(stage, path) for path in _members(stage)]
    documents = {"paths.json": {"paths": paths, "paths_version": 1}, "index.json": record}
    documents["about.json"] = {"summary": f"the test package {record['name']}"}
    if link:
        documents["link.json"] = dict(link)
    for name, document in documents.items():
        (info / name).write_text(json.dumps(document, indent=1, sort_keys=True), "utf-8")
    (info / "files").write_text("".join(f"{item['_path']}\n" for item in paths), "utf-8")
    prefixes = [item for item in paths if "prefix_placeholder" in item]
    if prefixes:
        lines = (f'"{item["prefix_placeholder"]}" {item["file_mode"]} "{item["_path"]}"\n' for item in prefixes)
        (info / "has_prefix").write_text("".join(lines), "utf-8")


def _members(stage: Path) -> list[Path]:
    found = []
    for root, directories, files in os.walk(stage):
        directories[:] = sorted(name for name in directories if Path(root, name) != stage / "info")
        found += [Path(root, name) for name in sorted(files)]
    return found


def _describe(stage: Path, path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    entry = {
        "_path": path.relative_to(stage).as_posix(),
        "path_type": "softlink" if path.is_symlink() else "hardlink",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_in_bytes": len(data),
    }
    if not path.is_symlink() and PLACEHOLDER.encode() in data:
        entry["prefix_placeholder"] = PLACEHOLDER
        entry["file_mode"] = "binary" if b"\0" in data else "text"
    return entry


def _write_archive(stage: Path, target: Path, mtime: int) -> None:
    info = sorted((stage / "info").iterdir())

    def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = mtime
        return entry

    def add_to(archive: tarfile.TarFile) -> None:
        for path in (*info, *_members(stage)):
            archive.add(path, path.relative_to(stage).as_posix(), recursive=False, filter=anonymous)

    if target.name.endswith(".conda"):
        with conda_builder(target.name.removesuffix(".conda"), target.parent, compression_level=3) as archive:
            add_to(archive)
    else:
        with tarfile.open(target, "w:bz2", compresslevel=3) as archive:
            add_to(archive)
