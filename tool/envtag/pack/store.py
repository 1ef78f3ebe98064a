"""A packed file as a store: archives are read out of it where they lie, hashed on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from envtag.errors import FatalError
from envtag.pack.contents import archive_members
from envtag.store import Entry
from envtag.store.keys import object_key

if TYPE_CHECKING:
    from envtag.pack.reading import PackFile
    from envtag.store.base import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class PackStore:
    """The archives of a packed file under their keys; nothing can be written. See `Store` for each method.

    Attributes:
        file: The packed file.
        names: Key to member.
    """

    file: PackFile
    names: Mapping[str, str]

    @property
    def url(self) -> str:
        """The file."""
        return self.file.path.absolute().as_uri()

    def download(self, key: str, target: Path, sha256: str, progress: Progress | None = None) -> bool:
        """See `Store.download`."""
        if key not in self.names:
            return False
        name = self.names[key]
        if self.file.copy(name, target, sha256, progress) != sha256:
            raise FatalError(f"`{self.file.path}`: `{name}` changed while it was read", "unpack it again")
        return True

    def read(self, key: str) -> bytes | None:
        """See `Store.read`."""
        return b"".join(bytes(block) for block in self.file.blocks(self.names[key])) if key in self.names else None

    def size(self, key: str) -> int | None:
        """See `Store.size`."""
        return self.file.members[self.names[key]].size if key in self.names else None

    def local_path(self, key: str) -> Path | None:
        """See `Store.local_path`: an archive inside a file is not a file."""
        del key
        return None

    def list(self, prefix: str) -> Iterator[Entry]:
        """See `Store.list`."""
        moment = datetime.fromtimestamp(self.file.path.stat().st_mtime, timezone.utc)
        for key, name in sorted(self.names.items()):
            if key.startswith(prefix):
                yield Entry(key=key, size=self.file.members[name].size, modified=moment)

    def read_versioned(self, key: str) -> tuple[bytes, str] | None:
        """See `Store.read_versioned`: an archive has one version."""
        data = self.read(key)
        return None if data is None else (data, "")

    def create(self, key: str, source: Path | bytes, sha256: str) -> NoReturn:
        """Refused."""
        del source, sha256
        raise self._read_only(key)

    def swap(self, key: str, data: bytes, expected: str | None) -> NoReturn:
        """Refused."""
        del data, expected
        raise self._read_only(key)

    def delete(self, key: str) -> NoReturn:
        """Refused."""
        raise self._read_only(key)

    def _read_only(self, key: str) -> FatalError:
        return FatalError(f"`{key}`: nothing is written to the packed file `{self.file.path}`")


def open_as_store(file: PackFile) -> PackStore:
    """The archives of a packed file as a store."""
    members = archive_members(file.manifest)
    return PackStore(
        file=file, names={object_key(package.sha256, package.extension): name for name, package in members.items()}
    )
