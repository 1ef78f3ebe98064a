"""The lock: its model, and its bytes in conda-lock's v1 format."""

from __future__ import annotations

from envtag.lock.model import Lock
from envtag.lock.read import read
from envtag.lock.write import write

__all__ = ["Lock", "read", "write"]
