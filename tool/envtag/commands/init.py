"""`envtag init`: a new registry."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.registry.create import create_registry
from envtag.settings import check_store

if TYPE_CHECKING:
    from envtag.output import Output


def init(directory: Path, *, store: str, output: Output) -> int:
    """Make a registry and say what to do next; nothing is committed.

    Args:
        directory: A new or empty directory, or a git repository.
        store: URL of the store, empty for each person's own local one.
        output: Where it is told.

    Raises:
        FatalError: The directory cannot become a registry, or the store's URL is not one; nothing is changed.
    """
    if store and "://" not in store:
        path = Path(store).expanduser().absolute().as_uri()
        raise FatalError(f"the store `{store}` is not an absolute URL", f"for a directory, `--store {path}`")
    url = check_store(store) if store else ""
    root = directory.expanduser().absolute()
    written = create_registry(root, url)
    for path in written:
        output.say(f"wrote {os.path.relpath(root / path)}")
    output.say(
        f"`{root}` is a registry; its store is {f'`{url}`' if url else 'the local one of each person who uses it'}"
    )
    output.say("next:")
    if root != Path.cwd():
        output.say(f"  cd {shlex.quote(os.path.relpath(root))}")
    output.say(f"  git add -- {shlex.join(written)}")
    output.say('  git commit -m "Make a registry of environments"')
    output.say("  envtag resolve -r requirements.txt --alias team/base:v1")
    return 0
