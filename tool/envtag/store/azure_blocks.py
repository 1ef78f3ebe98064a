"""A blob of Azure in blocks: nothing is visible until the list of them is written."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass
from typing import Any, BinaryIO

from envtag.store.azure_client import ask

_MOST_BLOCKS = 50_000
_THREADS = 4  # blocks of one object on their way at a time: what they hold in memory is bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload in blocks.

    The server forgets all blocks of a name that are not in the list that is written for it, and after a week those
    for which none was written; so there is nothing to clean up.

    Attributes:
        blob: The SDK's client of the blob.
        writer: A token of this upload: its blocks are never mixed with those of another.
        block_bytes: The size of a block.
    """

    blob: Any
    writer: str
    block_bytes: int

    def send(self, stream: BinaryIO) -> tuple[list[Any], str]:
        """Send a stream in blocks, a few at a time, each checked by the server.

        Returns:
            What the list of blocks is written from, and the SHA-256 of all bytes, 64 hex digits.
        """
        from concurrent.futures import Future, ThreadPoolExecutor

        from azure.storage.blob import BlobBlock

        digest = hashlib.sha256()
        blocks: list[Any] = []
        pending: deque[Future[Any]] = deque()
        with ThreadPoolExecutor(_THREADS) as threads:
            while data := stream.read(self.block_bytes):
                digest.update(data)
                blocks.append(BlobBlock(block_id=f"{self.writer}-{len(blocks):06}"))
                pending.append(threads.submit(self._stage, blocks[-1].id, data))
                if len(pending) == _THREADS:
                    pending.popleft().result()
            for item in pending:
                item.result()
        return blocks, digest.hexdigest()

    def _stage(self, name: str, data: bytes) -> None:
        ask(lambda: self.blob.stage_block(name, data, length=len(data), validate_content=True))


def block_size(wanted: int, size: int) -> int:
    """The size of a block, larger than wanted where there would be more blocks than Azure takes."""
    return max(wanted, -(-size // _MOST_BLOCKS))
