"""The lock: its model, and its bytes in conda-lock's v1 format."""

from __future__ import annotations

from envtag.lock.content_hash import content_hash
from envtag.lock.model import Lock
from envtag.lock.read import read
from envtag.lock.write import write

__all__ = ["Lock", "content_hash", "read", "write"]
