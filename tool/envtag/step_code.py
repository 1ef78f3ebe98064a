"""The code of a step of a Metaflow run, as its code package has it, in a directory."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.pathspecs import task_of
from envtag.util.files import remove_tree

if TYPE_CHECKING:
    from envtag.names import Pathspec


def check_place(target: Path) -> None:
    """Refuse a directory that cannot be made anew.

    Raises:
        FatalError: It is there, and not an empty directory.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise FatalError(f"`{target}` is there already", "name a new or an empty directory")


def download(pathspec: Pathspec, target: Path) -> None:
    """Put the flow's own files, without Metaflow, into a directory; it is there whole or not at all.

    Args:
        pathspec: A step, or a run or flow for its end step.
        target: A directory that is new or empty.

    Raises:
        FatalError: The run has no code package, or the directory is taken.
    """
    check_place(target)
    with task_of(pathspec) as task:
        code = task.code
        if code is None:
            raise FatalError(
                f"of `{task.pathspec}` no code is kept: runs on one machine keep none",
                "run flows with `METAFLOW_FEAT_ALWAYS_UPLOAD_CODE_PACKAGE=1`, or with a step on another machine",
            )
        parent = target.absolute().parent
        parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=".tmp", dir=parent))
        try:
            with code.extract() as unpacked:
                shutil.copytree(unpacked, place / "code", symlinks=True, ignore=shutil.ignore_patterns(".mf_*"))
            if target.exists():
                target.rmdir()
            (place / "code").rename(target)
        finally:
            remove_tree(place)
