"""Several files changed as one: all of the changes or none, also after `kill -9` or a power cut.

New contents are written to a journal first; renaming its `commit.json` into place is the moment at which the change is
made. What follows (each file renamed into place, the journal removed) can be repeated, and is, by the next who comes.
The caller holds a lock.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from envtag.errors import FatalError
from envtag.util.files import remove_tree, sync_directory, write_synced

_COMMIT = "commit.json"
_FORMAT = 1


def apply(journal: Path, root: Path, changes: Mapping[str, bytes | None]) -> None:
    """Make changes to files, all or none.

    Args:
        journal: The directory of journals; on a file system of its own if need be.
        root: What the paths are relative to.
        changes: Path with `/` to new content, or None to remove the file.

    Raises:
        FatalError: A path leads out of the root or through a file; nothing is changed.
    """
    before = {path: _checked(root, path) for path in sorted(changes)}
    import uuid

    entry = journal / uuid.uuid4().hex
    entry.mkdir(parents=True)
    steps = []
    try:
        for number, (path, old) in enumerate(before.items()):
            data = changes[path]
            if data is not None:
                write_synced(entry / str(number), data)
            after = hashlib.sha256(data).hexdigest() if data is not None else ""
            steps.append({"path": path, "content": str(number), "before": old, "after": after})
        sync_directory(entry)
        write_synced(entry / f"{_COMMIT}.new", json.dumps({"version": _FORMAT, "steps": steps}).encode())
        os.replace(entry / f"{_COMMIT}.new", entry / _COMMIT)  # noqa: PTH105 - the commit point, named as such
    except BaseException:
        if not (entry / _COMMIT).exists():
            remove_tree(entry)
        raise
    sync_directory(entry)
    _finish(entry, root, steps)


def is_pending(journal: Path) -> bool:
    """Whether there is a journal: of a writer who is at work, or of one who was killed."""
    try:
        with os.scandir(journal) as entries:
            return any(True for _ in entries)
    except FileNotFoundError:
        return False


def recover(journal: Path, root: Path) -> None:
    """Finish changes that were made but not carried through, and forget those that were never made.

    Raises:
        FatalError: A file of an unfinished change was edited in between; it stays as it is.
    """
    if not is_pending(journal):
        return
    for entry in sorted(journal.iterdir()):
        try:
            document = json.loads((entry / _COMMIT).read_bytes())
        except FileNotFoundError:
            remove_tree(entry)
            continue
        if document["version"] != _FORMAT:
            raise FatalError(
                f"`{entry}` is the journal of another version of envtag", "finish its command with that one"
            )
        _finish(entry, root, document["steps"])


def _finish(entry: Path, root: Path, steps: list[dict[str, Any]]) -> None:
    for step in steps:
        present = _checked(root, step["path"])
        if present not in (step["before"], step["after"]):
            raise FatalError(
                f"`{step['path']}` was changed while a command that writes it was interrupted",
                f"`rm -r '{entry}'` keeps the files as they are now; check them with `git status`",
            )
    directories = set()
    for step in steps:
        target = root / step["path"]
        if step["after"]:
            target.parent.mkdir(parents=True, exist_ok=True)
            staged = target.with_name(f".{target.name}.envtag-new")
            write_synced(staged, (entry / step["content"]).read_bytes())
            os.replace(staged, target)  # noqa: PTH105 - beside `_write`, in the same words
            directories.add(target.parent)
        elif step["before"]:
            target.unlink(missing_ok=True)
            directories.add(target.parent)
    for directory in sorted(directories):
        sync_directory(directory)
    (entry / _COMMIT).unlink()  # first: what is left without it is a change that is over
    remove_tree(entry)


def _checked(root: Path, path: str) -> str:
    """SHA-256 of a file that may be written, empty where there is none."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\\" in path or pure.parts[0] == ".git":
        raise FatalError(f"`{path}` is not a file of the registry")
    target = root / path
    for parent in list(target.parents)[: len(pure.parts) - 1]:
        if parent.exists() and not parent.is_dir():
            raise FatalError(f"`{path}` cannot be written: `{parent}` is a file", "take another name, or move the file")
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise FatalError(f"`{path}` leads out of the registry through a link", "replace the link with a directory")
    if target.is_dir() and not target.is_symlink():
        raise FatalError(f"`{path}` cannot be written: it is a directory", "take another name, or move it")
    try:
        return hashlib.sha256(target.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""
