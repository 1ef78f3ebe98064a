"""The files of a tar archive that others made: nothing of it may land, or point, outside its directory."""

from __future__ import annotations

import posixpath
import tarfile
from pathlib import Path

from envtag.errors import FatalError

_PARTS_LIMIT = 200_000
_BYTES_LIMIT = 8 << 30


def unpack_tar(archive: Path, target: Path, what: str) -> None:
    """Extract an uncompressed tar archive into a new directory.

    Files, directories and symlinks only; a symlink may lead to what is inside alone. Owners, times and modes of the
    archive do not count, but for whether a file can be executed.

    Args:
        archive: The archive.
        target: The directory to make.
        what: What it is the archive of, for errors.

    Raises:
        FatalError: It is no tar archive, is too big, or has a member that would reach outside.
    """
    target.mkdir()
    links: dict[str, str] = {}
    size = 0
    try:
        with tarfile.open(archive, "r:") as tar:
            for number, member in enumerate(tar, start=1):
                size += member.size
                if number > _PARTS_LIMIT or size > _BYTES_LIMIT:
                    raise FatalError(f"the source of {what} is too big to be unpacked")
                name = _inside(member.name, links, what)
                if member.issym():
                    links[name] = _checked_link(name, member.linkname, what)
                else:
                    _extract(tar, member, target / name, what)
    except tarfile.TarError as error:
        raise FatalError(f"the source of {what} is no tar archive: {error}") from error
    _make_links(links, target, what)


def _make_links(links: dict[str, str], target: Path, what: str) -> None:
    """Make the symlinks: last, so that no file is written through one; then see where each leads, links and all."""
    for name, destination in links.items():
        path = target / name
        if path.exists() or path.is_symlink():
            raise FatalError(f"the source of {what} has `{name}` twice")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(destination)
    top = target.resolve()
    for name, destination in links.items():
        try:
            inside = (target / name).resolve().is_relative_to(top)
        except (OSError, RuntimeError):  # a circle of links
            inside = False
        if not inside:
            raise _outside(f"{name} -> {destination}", what)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path, what: str) -> None:
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    stream = tar.extractfile(member) if member.isreg() else None
    if stream is None or path.exists():
        raise FatalError(f"the source of {what} has `{member.name}`, which is no plain file, or is there twice")
    path.parent.mkdir(parents=True, exist_ok=True)
    with stream, path.open("xb") as out:
        while block := stream.read(1 << 20):
            out.write(block)
    path.chmod(0o755 if member.mode & 0o100 else 0o644)


def _inside(name: str, links: dict[str, str], what: str) -> str:
    """A member's path in its plain form; refused if it leaves the directory or goes through a link."""
    plain = posixpath.normpath(name)
    parts = plain.split("/")
    above = {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0] or "\0" in name or above & links.keys():
        raise _outside(name, what)
    return plain


def _checked_link(name: str, destination: str, what: str) -> str:
    landed = posixpath.normpath(posixpath.join(posixpath.dirname(name), destination))
    if not destination or destination.startswith("/") or "\\" in destination or landed.split("/")[0] == "..":
        raise _outside(f"{name} -> {destination}", what)
    return destination


def _outside(name: str, what: str) -> FatalError:
    return FatalError(f"the source of {what} has `{name}`, which reaches outside of it", "do not use it")
