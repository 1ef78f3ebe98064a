"""`envtag hook`: the rules of the tags, on git servers that have none of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.git import Git
from envtag.server_hook import CHAINED, VERSION, Kind, script, version_of
from envtag.util.files import create_exclusive, write_atomic

if TYPE_CHECKING:
    from envtag.output import Output

_EXECUTABLE = 0o755


def print_hook(kind: Kind, *, output: Output) -> int:
    """Print a hook to stdout.

    Args:
        kind: Which.
        output: Where it is told.

    Returns:
        0.
    """
    output.data(script(kind))
    return 0


def install(directory: Path, *, force: bool, output: Output) -> int:
    """Install the `update` hook in a bare repository; one that is there as it must be stays.

    A hook of somebody else's is kept as `update.local`, which ours ends with, so both must agree. That file is
    written before ours takes the other's place: at no moment is the repository without a hook.

    Args:
        directory: The repository.
        force: Take the place of a hook of somebody else's, or of one of ours that was changed or is newer.
        output: Where it is told.

    Returns:
        0.

    Raises:
        FatalError: There is no such repository, or a hook is in the way.
    """
    hooks, branch = _repository(directory)
    path = hooks / "update"
    wanted = script("update").encode()
    before = _read(path)
    if before == wanted and os.access(path, os.X_OK):
        output.say(f"`{path}` is there already, version {VERSION}")
        return 0
    _check(path, before, force=force)
    if before is not None and _version(before) is None:
        _keep(hooks / CHAINED, before)
        output.say(f"moved the hook that was there to `{hooks / CHAINED}`, which is run after envtag's")
    write_atomic(path, wanted, mode=_EXECUTABLE)
    output.say(f"{'installed' if before is None else 'replaced'} `{path}`, version {VERSION}")
    output.say(f"tags of `{directory}` can no longer be moved or deleted by a push; its default branch is `{branch}`")
    output.say("next: `envtag doctor --probe` in a clone of it tries")
    return 0


def _repository(directory: Path) -> tuple[Path, str]:
    """The directory of a bare repository's hooks, and the name of its default branch."""
    with Git(directory) as git:
        bare = git.run("rev-parse", "--is-bare-repository", check=f"cannot read `{directory}`").text()
        if bare != "true":
            raise FatalError(
                f"`{directory}` is not a bare repository", "hooks guard what is pushed to: run it on the server"
            )
        named = git.run("rev-parse", "--git-path", "hooks", check=f"cannot read `{directory}`").text()
        branch = git.run("symbolic-ref", "--quiet", "HEAD").text()
    if not branch:
        raise FatalError(
            f"`HEAD` of `{directory}` names no branch", "`git symbolic-ref HEAD refs/heads/main` there says which"
        )
    return Path(os.path.normpath(directory.absolute() / named)), branch.removeprefix("refs/heads/")


def _check(path: Path, before: bytes | None, *, force: bool) -> None:
    """Refuse what would take something away that somebody may need."""
    if path.is_symlink():
        raise FatalError(
            f"`{path}` is a link, so another program looks after the hooks of this repository",
            "`envtag hook print gitolite` or `envtag hook print pre-receive` is for such servers: see docs/security.md",
        )
    if before is None or force:
        return
    version = _version(before)
    if version is None:
        raise FatalError(
            f"`{path}` is there and not envtag's", f"`--force` keeps it as `{CHAINED}`, which is run after envtag's"
        )
    if version > VERSION:
        raise FatalError(f"`{path}` is of a newer envtag (version {version}, this one has {VERSION})", "upgrade envtag")
    if version == VERSION and before != script("update").encode():
        raise FatalError(f"`{path}` was changed since envtag wrote it", "`--force` writes it again")


def _keep(path: Path, before: bytes) -> None:
    """Keep a hook under another name; the same one that is there already is fine."""
    if not create_exclusive(path, before, mode=_EXECUTABLE) and path.read_bytes() != before:
        raise FatalError(f"`{path}` is there too, and is another hook", "make one of the two first")


def _version(hook: bytes) -> int | None:
    return version_of(hook.decode("utf-8", "replace"))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
