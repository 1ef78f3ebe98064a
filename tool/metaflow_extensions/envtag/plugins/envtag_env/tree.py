"""Metaflow's own code for steps that run in another Python than the launcher's.

The code lies in a directory that outlives the run, one for each set of files, so that what Python compiled of it is
used again. What belongs to one run lies in a directory of its own, with a link to each package of that code: Metaflow
looks for its own files beside them, as the system resolves `..`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from typing import Any, Iterable

#: Where Metaflow puts the code below a package's root.
CODE = ".mf_code"
_KEEP_SECONDS = 60 * 24 * 3600.0


class Tree:
    """The code of one run.

    Attributes:
        root: The run's own directory; temporary.
        variables: What a task's process needs to find the code.
    """

    def __init__(self, package: Any, cache: str) -> None:
        """Lay out a package.

        Args:
            package: Metaflow's package of the run.
            cache: A directory for what outlives the run.
        """
        from metaflow.packaging_sys import ContentType

        package.blob_with_timeout(timeout=None)
        content = package._mfcontent  # noqa: SLF001 - there is no other way to the list of files
        code = ContentType.CODE_CONTENT.value | ContentType.MODULE_CONTENT.value
        files = [(str(source), name) for source, name in content.content_names(code)]
        self.root = tempfile.mkdtemp(prefix="envtag-code-")
        lasting = [(source, name) for source, name in files if name.startswith(CODE + "/")]
        try:
            kept = _kept(lasting, cache)
        except OSError:  # the cache cannot be written to: this run compiles for itself
            _link(self.root, lasting)
        else:
            mine = os.path.join(self.root, CODE)
            os.mkdir(mine)
            for entry in os.listdir(os.path.join(kept, CODE)):
                os.symlink(os.path.join(kept, CODE, entry), os.path.join(mine, entry))
        package.extract_into(self.root, ContentType.OTHER_CONTENT.value)
        _link(self.root, ((source, name) for source, name in files if not name.startswith(CODE + "/")))
        self.variables = self._variables(package)

    def _variables(self, package: Any) -> dict[str, str]:
        """Variables by name; Metaflow marks with a colon what replaces another value, and here all do."""
        found = package.get_post_extract_env_vars(package.package_metadata, self.root)
        return {name.rstrip(":"): value for name, value in found.items()}

    def remove(self) -> None:
        """Remove what belongs to the run."""
        shutil.rmtree(self.root, ignore_errors=True)


def _kept(files: list[tuple[str, str]], cache: str) -> str:
    """The lasting directory with these files, as links: made whole or not at all, by any number of runs at once."""
    digest = hashlib.sha256("\0".join(f"{name}\0{source}" for source, name in sorted(files)).encode()).hexdigest()
    place = os.path.join(cache, digest[:40])
    if os.path.isdir(place):
        os.utime(place)
        return place
    os.makedirs(cache, exist_ok=True)
    _sweep(cache)
    staging = tempfile.mkdtemp(prefix=f".{digest[:12]}.", suffix=".tmp", dir=cache)
    try:
        _link(staging, files)
        os.chmod(staging, 0o755)  # noqa: S103 - as any directory of a cache
        os.rename(staging, place)
    except OSError:
        shutil.rmtree(staging, ignore_errors=True)
        if not os.path.isdir(place):  # another run was first otherwise
            raise
    return place


def _sweep(cache: str) -> None:
    """Remove what no run has used for long, and what a killed one left."""
    oldest = time.time() - _KEEP_SECONDS
    for name in os.listdir(cache):
        path = os.path.join(cache, name)
        with contextlib.suppress(OSError):
            if os.stat(path).st_mtime < oldest:
                shutil.rmtree(path)


def _link(root: str, files: Iterable[tuple[str, str]]) -> None:
    made = set()
    for source, name in files:
        target = os.path.join(root, name)
        parent = os.path.dirname(target)
        if parent not in made:
            os.makedirs(parent, exist_ok=True)
            made.add(parent)
        if not os.path.lexists(target):
            os.symlink(source, target)
