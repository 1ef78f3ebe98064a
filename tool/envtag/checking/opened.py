"""Rules on open namespaces: which are open is never changed unseen, and what is on their branches is checked too."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from envtag.checking.files import PlainFiles
from envtag.checking.naming import Neighbours
from envtag.checking.scope import Scope
from envtag.checking.subject import Subject, read_subject
from envtag.checking.tags import read_tags
from envtag.errors import FatalError
from envtag.findings import Finding
from envtag.namespaces import branch_of, namespace_of
from envtag.registry.environment import ENVIRONMENTS, SETTINGS_FILE
from envtag.registry.model import PROJECT_FILE
from envtag.settings import RegistrySettings
from envtag.util.text import shown

if TYPE_CHECKING:
    from envtag.checking.context import Context
    from envtag.git import Git
    from envtag.registry import Registry
    from envtag.registry.opened import OpenBranch

_LINK = "120000"
_Rules: TypeAlias = "Callable[[Subject, Context, Neighbours], Iterable[Finding]]"


def findings(files: PlainFiles, scope: Scope, registry: Registry) -> Iterator[Finding]:
    """What a change does to open namespaces, and what it puts where nobody would read it.

    Args:
        files: The files of the work tree.
        scope: What is checked.
        registry: The registry.
    """
    now = _declared(files.read(PROJECT_FILE))
    if scope.base and PROJECT_FILE in scope.paths:
        before = _declared(registry.git.read(scope.base, PROJECT_FILE))
        for name in sorted({*now} ^ {*before}):
            opens = name in now
            message = (
                f"this change opens `{name}`: environments in it are published without a review from then on"
                if opens
                else f"this change closes `{name}`: environments on `{branch_of(name)}` are not read from then on"
            )
            hint = "have who owns the registry look at it"
            yield Finding(rule="namespaces-changed", severity="warning", message=message, hint=hint, path=PROJECT_FILE)
    names = set(scope.names)
    if scope.whole:
        paths = (path for name in now for path in files.find(SETTINGS_FILE, f"{ENVIRONMENTS}/{name}"))
        names.update(path[len(ENVIRONMENTS) + 1 : -len(SETTINGS_FILE) - 1] for path in paths)
    for name in sorted(names):
        namespace = namespace_of(name, now)
        path = f"{ENVIRONMENTS}/{name}/{SETTINGS_FILE}"
        if namespace and files.read(path) is not None:
            message = f"`{name}` is in the open namespace `{namespace}`, which lives on `{branch_of(namespace)}` alone"
            hint = "give it a name outside of it (`envtag alias`), or close the namespace"
            yield Finding(
                rule="namespace-open", severity="error", message=message, hint=hint, path=path, environment=name
            )


def on_branch(branch: OpenBranch, context: Context, rules: _Rules) -> Iterator[Finding]:
    """What is wrong with the environments of an open namespace, as its branch has them.

    Args:
        branch: The branch.
        context: What the environments of the work tree share.
        rules: What is asked of each.
    """
    registry = context.registry
    head = branch.known()
    if head is None:
        return
    with tempfile.TemporaryDirectory(prefix="envtag-check-") as place:
        _unpack(registry.git, head, Path(place))
        files = PlainFiles(Path(place))
        names = tuple(branch.names())
        here = replace(
            context,
            scope=Scope(worktree=Path(place), base=head, names=names, paths=(), whole=True),
            tags=read_tags(registry, names, None, branch=head),
            place=f"`{branch.name}`",
        )
        neighbours = Neighbours(files)
        for name in names:
            for item in rules(read_subject(name, files, registry, head), here, neighbours):
                yield replace(item, path="", line=0, message=f"on `{branch.name}`: {item.message}")


def _unpack(git: Git, commit: str, place: Path) -> None:
    """Write what a commit holds, as it is: no attribute counts, no filter runs, and no link is written through."""
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", commit, check=f"cannot list {commit}").stdout
    entries = [line.partition("\t") for line in listed.decode("utf-8", "surrogateescape").split("\0") if line]
    for head, _, path in sorted(entries, key=lambda entry: entry[0].startswith(_LINK)):  # links last
        if not {"", ".", ".."}.isdisjoint(path.split("/")):
            raise FatalError(f"commit {commit[:12]} holds the path {shown(path)}", "remove that branch: it is hostile")
        target, (_, kind, sha) = place / path, head.split()
        target.parent.mkdir(parents=True, exist_ok=True)
        if kind == "commit":  # a repository within this one
            (target / ".git").mkdir(parents=True)
        elif head.startswith(_LINK):
            target.symlink_to(_blob(git, sha).decode("utf-8", "surrogateescape"))
        else:
            target.write_bytes(_blob(git, sha))


def _blob(git: Git, sha: str) -> bytes:
    return git.run("cat-file", "blob", sha, check=f"cannot read {sha}").stdout


def _declared(data: bytes | None) -> tuple[str, ...]:
    """The open namespaces of settings; what cannot be read is told by the rules of the policy."""
    try:
        return RegistrySettings.read(data or b"", PROJECT_FILE).open_namespaces
    except FatalError:
        return ()
