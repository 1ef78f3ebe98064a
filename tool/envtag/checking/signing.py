"""Rule on who may sign releases: that this changes is never seen too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envtag.checking.scope import SIGNERS
from envtag.errors import FatalError
from envtag.findings import Finding
from envtag.registry.model import PROJECT_FILE
from envtag.settings import RegistrySettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envtag.checking.files import PlainFiles
    from envtag.checking.scope import Scope
    from envtag.git import Git

_HINT = (
    "whoever merges this lets other people release, or needs no signature of them: have who owns the keys look at it"
)


def findings(files: PlainFiles, scope: Scope, git: Git) -> Iterator[Finding]:
    """What a change does to the signatures that readers hold releases to.

    Args:
        files: The files of the work tree.
        scope: What is checked.
        git: The repository.
    """
    if not scope.base:
        return
    for path in scope.paths:
        if path.startswith(f"{SIGNERS}/"):
            message = f"this change is of `{path}`, by which readers tell whose releases count"
            yield Finding(rule="signers-changed", severity="warning", message=message, hint=_HINT, path=path)
    if PROJECT_FILE not in scope.paths:
        return
    before, now = _demanded(git.read(scope.base, PROJECT_FILE)), _demanded(files.read(PROJECT_FILE))
    if before and not now:
        message = "this change switches `require-signed` off: releases count without a signature from then on"
        yield Finding(rule="signers-changed", severity="warning", message=message, hint=_HINT, path=PROJECT_FILE)


def _demanded(data: bytes | None) -> bool:
    """Whether settings demand signatures; what cannot be read is told by the rules of the policy."""
    try:
        return RegistrySettings.parse((data or b"").decode("utf-8"), PROJECT_FILE).require_signed
    except (FatalError, UnicodeDecodeError):
        return False
