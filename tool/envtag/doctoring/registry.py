"""The registry: can it be read, can its remote be reached, and where is that?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from envtag.doctoring.rules import attempted, well
from envtag.findings import Finding
from envtag.server_hook import VERSION, version_of

if TYPE_CHECKING:
    from envtag.registry import Registry

_HOST = "github.com"


def registry_findings(registry: Registry) -> list[Finding]:
    """Findings about a registry's settings, its first commit and its remote."""
    found: list[Finding] = []
    if attempted("registry", lambda: registry.settings, found) is None:
        return found
    head = attempted("registry", registry.head, found)
    if head is not None:
        found.append(well("registry", f"`{registry.location}` can be read, at commit {head[:12]}"))
    failures: list[Finding] = []
    remote = attempted("remote", lambda: registry.remote or "", failures)
    if remote:
        attempted("remote", lambda: registry.git.remote_refs(remote, "refs/heads/*"), failures)
    found += failures
    if not remote and not failures:
        hint = "`git remote add origin URL`: a tag that nobody else has protects nobody"
        message = f"`{registry.location}` has no remote"
        found.append(Finding(rule="remote", severity="warning", message=message, hint=hint))
    elif not failures:
        found.append(well("remote", f"`{registry.identity}` can be reached"))
    return found


def on_github(registry: Registry, environ: Mapping[str, str]) -> str:
    """`OWNER/REPO` where a registry's remote is on GitHub, or on the server that `GITHUB_SERVER_URL` names."""
    own = urlsplit(environ.get("GITHUB_SERVER_URL", "")).netloc.lower()
    host, _, slug = registry.identity.partition("/")
    return slug if host in {_HOST, own} - {""} and slug.count("/") == 1 else ""


def hooked(registry: Registry) -> list[Finding]:
    """Findings about envtag's hook in a remote that is a directory of this machine."""
    place = registry.identity.removeprefix("file:")
    if registry.remote is None or place == registry.identity:
        return []
    for directory in (Path(place), Path(f"{place}.git")):
        path = directory / "hooks" / "update"
        try:
            version = version_of(path.read_text("utf-8", "replace"))
        except OSError:  # none, or not ours to read: then nothing can be seen from here
            continue
        if version is not None and os.access(path, os.X_OK):
            if version < VERSION:
                hint = f"`envtag hook install --repo {directory}` writes it again"
                message = f"`{path}` is of version {version}, and this envtag has {VERSION}"
                return [Finding(rule="tags-guarded", severity="warning", message=message, hint=hint)]
            return [well("tags-guarded", f"`{path}` keeps every tag as it was made")]
    return []
