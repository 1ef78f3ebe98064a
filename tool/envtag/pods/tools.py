"""The engines of a pod, unpacked: once by whoever of those that share a cache is first, whole or not at all."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.pods import runtime
from envtag.util.files import remove_tree
from envtag.util.locks import file_lock
from envtag.util.parallel import in_parallel

if TYPE_CHECKING:
    from envtag.pods.runtime import Part
    from envtag.store import Store

_SCRIPT_PARTS = 3  # NAME.data/scripts/PROGRAM


def provide_engines(digest: str, store: Store, directory: Path) -> list[Path]:
    """Directories that go on `sys.path`, one for each engine of a runtime.

    Args:
        digest: SHA-256 of the document that names them.
        store: Where they are.
        directory: Where they are unpacked.

    Raises:
        FatalError: The store does not have them.
        DamagedError: One has other bytes.
    """
    return in_parallel(lambda part: provide(part, store, directory), runtime.read(store, digest).engines)


def provide(part: Part, store: Store, directory: Path) -> Path:
    """One archive, unpacked below a directory under its hash.

    Raises:
        FatalError: The store does not have it.
        DamagedError: It has other bytes.
    """
    target = directory / part.sha256
    if target.is_dir():
        return target
    with file_lock(directory / f".{part.sha256}.lock"):
        if target.is_dir():
            return target
        work = directory / f".{part.sha256}.tmp"
        if work.exists():  # of a process that was killed: whoever holds the lock works here
            remove_tree(work)
        work.mkdir()
        try:
            if not store.download(part.key, work / part.filename, part.sha256):
                raise FatalError(f"`{part.filename}` is not in {store.url}, and pods need it", "deploy the flow again")
            unpack(work / part.filename, work / "unpacked")
            (work / "unpacked").rename(target)
        finally:
            remove_tree(work)
    return target


def unpack(archive: Path, target: Path) -> None:
    """Unpack a wheel as an installer does: its programs go to `bin`, where `uv.find_uv_bin` looks for them."""
    with zipfile.ZipFile(archive) as wheel:
        names = wheel.namelist()
        wheel.extractall(target)
    for name in names:
        parts = name.split("/")
        if len(parts) == _SCRIPT_PARTS and parts[0].endswith(".data") and parts[1] == "scripts" and parts[2]:
            program = target / "bin" / parts[2]
            program.parent.mkdir(exist_ok=True)
            shutil.move(target / name, program)
            program.chmod(0o755)
