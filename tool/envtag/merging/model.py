"""What git hands to a merge driver."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from envtag.errors import FatalError
from envtag.util.files import write_atomic


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """One file in three versions, and where the merged one goes.

    Git writes the versions to files of its own, calls the driver, and reads the result from the file of ours; while it
    does, index and work tree are as they were before the merge, and nothing says what is merged but `GITHEAD_…`.

    Attributes:
        base: File with the version that both sides come from; empty where both sides added the path.
        ours: File with our version; the result is written to it.
        theirs: File with their version.
        marker: The length of conflict markers.
        path: The path that is merged, from the top of the work tree.
    """

    base: Path
    ours: Path
    theirs: Path
    marker: int
    path: str

    def read(self) -> tuple[bytes, bytes, bytes]:
        """The bytes of base, ours and theirs.

        Raises:
            FatalError: One cannot be read.
        """
        try:
            return self.base.read_bytes(), self.ours.read_bytes(), self.theirs.read_bytes()
        except OSError as error:
            raise FatalError(f"`{error.filename}` cannot be read: {error.strerror}") from error

    def write(self, data: bytes) -> None:
        """Give git a result."""
        write_atomic(self.ours, data)
