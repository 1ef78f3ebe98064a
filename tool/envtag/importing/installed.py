"""Whether the wheel that an index has is the one that was installed: their lists of files (`RECORD`) say so."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from envtag.errors import FatalError
from envtag.fetch import fetch_archives
from envtag.importing.prefix import dist_infos

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.importing.model import Entry
    from envtag.output import Output
    from envtag.package import Package


def check_installed(
    prefix: Path, entries: Iterable[Entry], packages: Iterable[Package], *, config: Config, output: Output
) -> None:
    """Refuse wheels that are not what a prefix holds, of those that nothing but an index names.

    Args:
        prefix: The prefix that was imported.
        entries: What was read from it.
        packages: The same, completed.
        config: For mirrors and caches; the wheels stay in the cache.
        output: For progress.

    Raises:
        FatalError: The files of a wheel have other hashes than the installed ones.
    """
    pins = {entry.package.name: entry for entry in entries if not entry.package.url and not entry.hashes}
    wheels = [item for item in packages if item.manager == "pypi" and item.name in pins and not item.is_source]
    if not wheels:
        return
    paths = fetch_archives(
        wheels, store=None, mirrors=config.mirrors, directories=config.directories, offline=False, output=output
    )
    installed = {name: directory for directory, name in dist_infos(prefix)}
    for package in wheels:
        where = pins[package.name].where
        record = installed.get(package.name, prefix) / "RECORD"
        if not record.is_file():
            raise FatalError(f"{where}: has no `RECORD` of its files", "install it anew, with pip or uv")
        there = _record(record.read_text("utf-8", "replace"))
        other = [path for path, digest in _wheel(paths[package.sha256]).items() if there.get(path) != digest]
        if other:
            raise FatalError(
                f"{where}: `{package}` is not the wheel that the index has: `{other[0]}` differs",
                "it was built or changed on this machine, or is of another index (`--index-url`); publish it, "
                "and install that",
            )


def _wheel(path: Path) -> dict[str, str]:
    """The files of a wheel that are installed as they are, with their hashes."""
    try:
        with ZipFile(path) as archive:
            name = next(item for item in archive.namelist() if item.endswith(".dist-info/RECORD"))
            record = _record(archive.read(name).decode("utf-8", "replace"))
    except (BadZipFile, StopIteration) as error:
        raise FatalError(f"`{path.name}` is not a wheel") from error
    return {file: digest for file, digest in record.items() if digest and ".data/" not in file}


def _record(text: str) -> Mapping[str, str]:
    return {row[0]: row[1] for row in csv.reader(io.StringIO(text)) if len(row) > 1}
