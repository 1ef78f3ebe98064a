"""Read a packed file: what is in it is known before anything of it is used, and each byte is checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

from envtag.errors import FatalError
from envtag.pack import contents, tar
from envtag.util.canonical import sha256_file, sha256_hex
from envtag.util.files import staged
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.manifest import Manifest
    from envtag.output import Output
    from envtag.pack.contents import Contents
    from envtag.pack.tar import Member

#: Where the tar begins in a self-extracting file, and how such a file begins.
HEADER_SIZE = 8192
HEADER_MARK = b"#!/bin/sh\n# envtag-pack 1\n"

_LARGEST_PAGE = 64 << 20
_BLOCK = 1 << 20
_THREADS = 4
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackFile:
    """A packed file whose members are those that it should have; their content is checked by `verify`.

    Attributes:
        path: The file.
        alias: What it says that it is.
        manifest: The environment.
        members: Where each of its members lies.
        sha256: Member to the hash that its content must have.
    """

    path: Path
    alias: str
    manifest: Manifest
    members: Mapping[str, Member]
    sha256: Mapping[str, str]

    def expect(self, digest: str) -> None:
        """Compare the file, or the manifest in it, with a digest.

        Args:
            digest: `sha256:` and 64 hex digits: of the file, as `pack` printed it, or of the manifest, as
                `NAME:TAG@sha256:…` names it.

        Raises:
            FatalError: It is another one, or `digest` is none.
        """
        if not _DIGEST.fullmatch(digest):
            raise FatalError(f"`{digest}` is not a digest", "a digest is `sha256:` and 64 lower-case hex digits")
        wanted = digest.removeprefix("sha256:")
        if wanted == self.manifest.digest:
            return
        found = sha256_file(self.path)
        if wanted != found:
            raise FatalError(f"`{self.path}` is not {digest}: it is sha256:{found}", "get the file again")

    def verify(self, output: Output, copies: Mapping[str, Path] = MappingProxyType({})) -> dict[str, Path]:
        """Hash every member, and copy some of them on the way.

        Args:
            output: For progress.
            copies: Member to the file that it is to be copied to, which appears only if it is right.

        Returns:
            The copies that were made: without those that the disk did not take.

        Raises:
            FatalError: One has other bytes than the file's manifest says.
        """
        total = sum(member.size for member in self.members.values())
        with output.task(f"checking {self.path.name}", total, unit="bytes") as task:

            def check(name: str) -> tuple[bool, bool]:
                if name in copies:
                    with suppress(OSError):  # whoever needs the file will say what is wrong
                        return self.copy(name, copies[name], self.sha256[name], task.advance) == self.sha256[name], True
                return self._hash(name, task.advance) == self.sha256[name], False

            found = dict(zip(self.sha256, in_parallel(check, self.sha256, threads=_THREADS), strict=True))
        wrong = [name for name, (right, _) in found.items() if not right]
        if wrong:
            raise FatalError(
                f"`{self.path}`: `{wrong[0]}` has other bytes than its manifest says", "nothing of it was used"
            )
        return {name: path for name, path in copies.items() if found[name][1]}

    def copy(self, name: str, target: Path, sha256: str, progress: Callable[[int], None] | None = None) -> str:
        """Copy a member to a file that appears only if it has a hash; the hash that it has.

        Raises:
            OSError: The file cannot be written.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged(target) as temporary:
            with temporary.open("wb") as stream:
                digest = self._hash(name, progress, stream)
            if digest == sha256:
                temporary.chmod(0o644)
                temporary.replace(target)
        return digest

    def _hash(self, name: str, progress: Callable[[int], None] | None, stream: BinaryIO | None = None) -> str:
        digest = hashlib.sha256()
        for block in self.blocks(name):
            digest.update(block)
            if stream is not None:
                stream.write(block)
            if progress is not None:
                progress(len(block))
        return digest.hexdigest()

    def blocks(self, name: str) -> Iterator[memoryview]:
        """A member's content; each block is valid until the next one is asked for."""
        member = self.members[name]
        view = memoryview(bytearray(min(_BLOCK, member.size) or 1))
        left = member.size
        with self.path.open("rb", buffering=0) as stream:
            stream.seek(member.offset)
            while left and (count := stream.readinto(view[: min(left, len(view))])):
                left -= count
                yield view[:count]


def open_pack(path: Path) -> PackFile:
    """Read a packed file's pages, and compare its members with what they say.

    Raises:
        FatalError: It is not there, not such a file, cut off, or holds something else.
    """
    where = f"`{path}`"
    try:
        with path.open("rb") as stream:
            start = HEADER_SIZE if stream.read(len(HEADER_MARK)) == HEADER_MARK else 0
            members = tar.members(stream, where, start)
            if contents.METADATA not in members:
                raise _foreign(stream, members, where)
            if (path.stat().st_size - start) % tar.RECORD:
                raise tar.cut_off(where)
            page = contents.parse(_page(stream, members, contents.METADATA, where), where)
            _refuse_other_members(page, members, where)
            _check_platform(page, _page(stream, members, contents.PIXI_METADATA, where), where)
    except OSError as error:
        raise FatalError(f"{where}: {error.strerror or error}") from error
    sha256 = {**page.files, **{name: package.sha256 for name, package in page.archives.items()}}
    return PackFile(path=path, alias=page.alias, manifest=page.manifest, members=members, sha256=sha256)


def _foreign(stream: BinaryIO, members: Mapping[str, Member], where: str) -> FatalError:
    """The error for a tar that is not of envtag's."""
    if contents.PIXI_METADATA in members:
        contents.pixi_platform(_page(stream, members, contents.PIXI_METADATA, where), where)
        return FatalError(
            f"{where} was packed by pixi-pack, whose files do not say what they should hold",
            "unpack it by `pixi-unpack`, or untar it and use its `environment.yml`",
        )
    return FatalError(f"{where} is not a packed environment: it has no `{contents.METADATA}`")


def _page(stream: BinaryIO, members: Mapping[str, Member], name: str, where: str) -> bytes:
    member = members[name]
    if member.size > _LARGEST_PAGE:
        raise FatalError(f"{where}: `{name}` has {member.size} bytes, which is too many")
    return tar.read(stream, member)


def _refuse_other_members(page: Contents, members: Mapping[str, Member], where: str) -> None:
    archives = page.archives
    manifest = page.manifest
    needed = {
        contents.PIXI_METADATA,
        contents.ENVIRONMENT,
        *(contents.repodata_member(subdir) for subdir in contents.subdirs(manifest)),
    }
    more = {name for name in page.files if name not in needed}
    odd = sorted(name for name in more if not name.startswith(contents.RUNTIME) or name in archives)
    missing = sorted((needed | more | set(archives)) - set(members))
    unknown = sorted(set(members) - needed - more - set(archives) - {contents.METADATA})
    if missing:
        raise FatalError(f"{where} lacks `{missing[0]}`", "get the file again")
    if unknown or odd or not needed <= set(page.files):
        name = (unknown or odd or sorted(needed - set(page.files)))[0]
        raise FatalError(f"{where} holds `{name}`, which its manifest does not name", "do not use it: it was edited")
    for name, package in archives.items():
        if package.size is not None and members[name].size != package.size:
            raise FatalError(
                f"{where}: `{name}` has {members[name].size} bytes, and {package} has {package.size}",
                "do not use it: it was edited",
            )


def _check_platform(page: Contents, data: bytes, where: str) -> None:
    if sha256_hex(data) != page.files[contents.PIXI_METADATA]:
        raise FatalError(f"{where}: `{contents.PIXI_METADATA}` was edited", "get the file again")
    if contents.pixi_platform(data, where) != page.manifest.lock.platform:
        raise FatalError(f"{where}: its pages name different platforms", "do not use it: it was edited")
