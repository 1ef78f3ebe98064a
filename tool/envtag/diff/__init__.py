"""What changed between two states of environments: values in, values and texts out."""

from __future__ import annotations

from envtag.diff.compare import apply, diff
from envtag.diff.environments import compare, registry_settings
from envtag.diff.model import Content, Diff, EnvironmentChange, Facts, LockChange, PackageChange, Requests, Row

__all__ = [
    "Content",
    "Diff",
    "EnvironmentChange",
    "Facts",
    "LockChange",
    "PackageChange",
    "Requests",
    "Row",
    "apply",
    "compare",
    "diff",
    "registry_settings",
]
