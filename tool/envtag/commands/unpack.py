"""`envtag unpack`: an environment out of one file, without network, git or registry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.pack.reading import open_pack
from envtag.pack.store import open_as_store
from envtag.platforms import base_platform, current_platform
from envtag.prefix import conda, layout, marker
from envtag.prefix.creation import hydrate

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.pack.reading import PackFile


def unpack(file: Path, *, prefix: Path | None, force: bool, expect: str, config: Config, output: Output) -> int:
    """Create the environment of a packed file, and print its path.

    Args:
        file: The packed file.
        prefix: The directory to create it at; under the root by its id otherwise.
        force: Replace what is at that place.
        expect: `sha256:…` that the file, or the manifest in it, must have; empty for any.
        config: The client's settings.
        output: Where it is told.

    Returns:
        0.

    Raises:
        FatalError: The file is not whole, not what it says, or for another platform; or the place is taken.
    """
    if force and prefix is None:
        raise FatalError("`--force` goes with `--prefix`", "environments under the root are kept by their id")
    pack = open_pack(file)
    lock = pack.manifest.lock
    if base_platform(lock.platform) != current_platform():
        raise FatalError(f"`{file}` is for `{lock.platform}`, and this machine is `{current_platform()}`")
    if expect:
        pack.expect(expect)
    target = prefix.absolute() if prefix is not None else marker.environment_path(config, lock.id)
    made = force or not marker.is_whole(target, lock.id)
    if made:
        _verify(pack, output)
        made = hydrate(
            lock,
            target,
            store=open_as_store(pack),
            config=config,
            offline=True,
            output=output,
            force=force,
            builds=pack.manifest.builds,
        )
    output.data(str(target))
    python = layout.python(target, venv=layout.is_venv(target))
    output.say(f"{'unpacked' if made else 'already there,'} {pack.alias}; run in it: `{python}`")
    return 0


def _verify(pack: PackFile, output: Output) -> None:
    """Hash every member, and load what installs conda packages meanwhile: hashing leaves the interpreter free."""
    if not pack.manifest.lock.by_manager("conda"):
        pack.verify(output)
        return
    with ThreadPoolExecutor(1) as thread:
        loaded = thread.submit(conda.load)
        pack.verify(output)
        loaded.result()
