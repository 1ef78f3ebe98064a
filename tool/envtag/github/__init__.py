"""GitHub's REST API: the few questions about a repository that protecting it takes."""

from __future__ import annotations

from envtag.github.api import Api, RefusedError
from envtag.github.repository import Repository, connect

__all__ = ["Api", "RefusedError", "Repository", "connect"]
