"""Write an environment as one file: whole or not at all, the same bytes wherever and whenever it is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from envtag.errors import FatalError
from envtag.pack import contents
from envtag.pack.repodata import repodata
from envtag.pack.tar import TarWriter
from envtag.util.canonical import sha256_file, sha256_hex
from envtag.util.files import link_exclusive, staged, sync_directory

if TYPE_CHECKING:
    from envtag.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written: SHA-256 and bytes of the file, and how many packages are in it."""

    sha256: str
    size: int
    packages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Executable:
    """What makes a file extract itself.

    Attributes:
        header: What the shell reads.
        files: Member below `runtime/` to local file.
    """

    header: bytes
    files: Mapping[str, Path]


def write(
    stream: BinaryIO,
    alias: str,
    manifest: Manifest,
    archives: Mapping[str, Path],
    *,
    executable: Executable | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Written:
    """Write a packed file to a stream: its own pages first, then the archives by name, as they are.

    Args:
        stream: Where to.
        alias: What it is called.
        manifest: The environment.
        archives: SHA-256 to verified archive, for each of `manifest.archives()`.
        executable: What makes it extract itself, or None.
        progress: Called with the number of bytes of each block of an archive.

    Raises:
        FatalError: An archive is of another package, or changed meanwhile.
        OSError: It cannot be written.
    """
    members = contents.archive_members(manifest)
    pages = _pages(alias, manifest, archives)
    runtime = dict(sorted(executable.files.items())) if executable is not None else {}
    files = {name: sha256_hex(data) for name, data in pages.items()}
    files |= {name: sha256_file(path) for name, path in runtime.items()}
    page = contents.Contents(alias=alias, manifest=manifest, files=files).to_bytes()
    tar = TarWriter(stream, progress, executable.header if executable is not None else b"")
    tar.add_bytes(contents.METADATA, page)
    for name, data in pages.items():
        tar.add_bytes(name, data)
    for name, path in runtime.items():
        tar.add_file(name, path)
    for name, package in members.items():
        tar.add_file(name, archives[package.sha256])
    tar.finish()
    return Written(sha256=tar.sha256, size=tar.size, packages=len(members))


@contextmanager
def new_file(target: Path, *, force: bool, mode: int = 0o644) -> Iterator[Path]:
    """A file beside `target` to write to, which takes its name when the block ends well.

    What is there already stays if it has the same bytes.

    Args:
        target: The file to make.
        force: Replace what is there.
        mode: Its permissions.

    Raises:
        FatalError: Something else is there, or it cannot be written.
    """
    if target.is_dir():
        raise FatalError(f"`{target}` is a directory", "name a file")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged(target) as temporary:
            yield temporary
            temporary.chmod(mode)
            _put_in_place(temporary, target, force=force)
    except OSError as error:
        raise FatalError(
            f"`{target}` could not be written: {error.strerror or error}", "nothing of it was left behind"
        ) from error


def sync(stream: BinaryIO) -> None:
    """Return once what was written to a file would outlive a power failure."""
    stream.flush()
    os.fsync(stream.fileno())


def _pages(alias: str, manifest: Manifest, archives: Mapping[str, Path]) -> dict[str, bytes]:
    """The small members that are made here, in the order in which they are written."""
    packages = {item.filename: item for item in manifest.archives() if item.manager == "conda"}
    return {
        contents.PIXI_METADATA: contents.pixi_metadata(manifest.lock.platform),
        contents.ENVIRONMENT: contents.environment_yml(alias, manifest),
        **{
            contents.repodata_member(subdir): repodata(subdir, packages, archives)
            for subdir in contents.subdirs(manifest)
        },
    }


def _put_in_place(temporary: Path, target: Path, *, force: bool) -> None:
    if not force and not _made_exclusively(temporary, target):
        if not target.is_file() or sha256_file(target) != sha256_file(temporary):
            raise FatalError(f"`{target}` is there already, with other content", "`--force` replaces it")
        return
    if force:
        temporary.replace(target)
    sync_directory(target.parent)


def _made_exclusively(temporary: Path, target: Path) -> bool:
    try:
        return link_exclusive(temporary, target)
    except OSError:  # a file system without hard links, as sticks have
        if target.exists() or target.is_symlink():
            return False
        temporary.rename(target)
        temporary.touch()  # what `staged` removes
        return True
