"""`envtag unpack`: an environment out of one file, without network, git or registry."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from envtag import archives
from envtag.errors import FatalError
from envtag.pack.contents import archive_members
from envtag.pack.reading import open_pack
from envtag.pack.store import open_as_store
from envtag.platforms import base_platform, current_platform
from envtag.prefix import layout, marker, template
from envtag.prefix.cloning import clone

if TYPE_CHECKING:
    from envtag.config import Config, Directories
    from envtag.output import Output
    from envtag.pack.reading import PackFile
    from envtag.package import Package


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
        made = _create(pack, target, force=force, config=config, output=output)
    output.data(str(target))
    python = layout.python(target, venv=layout.is_venv(target))
    output.say(f"{'unpacked' if made else 'already there,'} {pack.alias}; run in it: `{python}`")
    return 0


def _create(pack: PackFile, target: Path, *, force: bool, config: Config, output: Output) -> bool:
    """Hash the file, and create its environment; of the files of another one of this lock where that was kept."""
    lock = pack.manifest.lock
    if not force and template.template_path(config.directories, lock.id).exists():
        pack.verify(output)
        made = clone(lock.id, target, config=config, output=output)
        if made is not None:
            return made
    verified = _verify(pack, config.directories, output)
    from envtag.prefix.creation import hydrate  # loaded by now

    return hydrate(
        lock,
        target,
        store=open_as_store(pack),
        config=config,
        offline=True,
        output=output,
        force=force,
        once=bool(verified),  # where packages are new, most likely no other environment is made of them
        builds=pack.manifest.builds,
        verified=verified,
    )


def _verify(pack: PackFile, directories: Directories, output: Output) -> dict[str, Path]:
    """Hash every member, keep the archives that are new here, and load what installs meanwhile.

    Hashing and writing leave the interpreter free, so that all of it takes as long as the longer of the two.

    Returns:
        SHA-256 to each archive that was kept.
    """
    archives.sweep(directories)
    packages = archive_members(pack.manifest)
    with ThreadPoolExecutor(1) as thread:
        loaded = thread.submit(_load, for_conda=bool(pack.manifest.lock.by_manager("conda")))
        kept = pack.verify(output, _lacking(packages, directories))
        loaded.result()
    return {packages[name].sha256: path for name, path in kept.items()}


def _load(*, for_conda: bool) -> None:
    from envtag.prefix import conda, creation  # noqa: F401 - loaded here, used later

    if for_conda:
        conda.load()


def _lacking(packages: Mapping[str, Package], directories: Directories) -> dict[str, Path]:
    """Which archives this machine seems to lack, and where they are kept; whoever installs them looks properly."""
    found = {}
    for name, package in packages.items():
        path = archives.archive_path(directories, package)
        extracted = directories.conda_packages / package.filename.removesuffix(f".{package.extension}")
        if not path.exists() and not (package.manager == "conda" and extracted.exists()):
            found[name] = path
    return found
